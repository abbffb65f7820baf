import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from latentdp import InputError
from latentdp.data.label_space import LabelSpace
from latentdp.data.labels import read_labels, write_labels
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.randomized_response import RandomisedResponse

CLASSES = ("bacterial", "normal", "viral")
SPACE = LabelSpace.of_classes(CLASSES)


@given(st.floats(1e-3, 30), st.integers(2, 40))
def test_response_spends_the_budget_but_no_more(epsilon, classes):
    made = RandomisedResponse.calibrate(epsilon, classes)
    assert made.guarantee.epsilon <= epsilon
    assert made.guarantee.epsilon >= 0.99 * epsilon


@pytest.mark.promise(
    "The epsilon of a released label is the exact ratio of the chances with which it is told."
)
def test_the_guarantee_is_the_ratio_of_its_integers():
    made = RandomisedResponse.calibrate(1.0, 2)
    truth = made.threshold / 2**64
    assert truth == pytest.approx(math.e / (1 + math.e))
    assert made.guarantee.epsilon == pytest.approx(math.log(truth / (1 - truth)))


@pytest.mark.statistical  # chi-square, false-alarm rate 1e-6 per case
@pytest.mark.parametrize(("epsilon", "classes"), [(1.0, 2), (2.0, 15), (0.1, 3)])
def test_responses_have_the_stated_frequencies(epsilon, classes):
    made, n = RandomisedResponse.calibrate(epsilon, classes), 200_000
    truth = made.threshold / 2**64
    for label in (0, classes - 1):
        out = made.respond(np.full(n, label), SeededNoise(label))
        expected = np.full(classes, n * (1 - truth) / (classes - 1))
        expected[label] = n * truth
        assert stats.chisquare(np.bincount(out, minlength=classes), expected).pvalue > 1e-6


@pytest.mark.statistical  # chi-square, false-alarm rate 1e-6
def test_an_unknown_label_is_answered_uniformly():
    out = RandomisedResponse.calibrate(3.0, 4).respond(np.full(100_000, -1), SeededNoise(9))
    assert stats.chisquare(np.bincount(out, minlength=4)).pvalue > 1e-6


@pytest.mark.parametrize("epsilon", [0, -1, math.nan, math.inf])
def test_no_budget_no_response(epsilon):
    with pytest.raises(InputError, match="epsilon"):
        RandomisedResponse.calibrate(epsilon, 3)


def test_one_class_cannot_be_hidden_among_others():
    with pytest.raises(InputError, match="2 classes"):
        RandomisedResponse.calibrate(1.0, 1)


def write(tmp_path, text):
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_labels_are_read_by_name_whatever_their_case(tmp_path):
    path = write(tmp_path, "\ufefffile,label\na.dcm,Normal\nsub/b,VIRAL\nc,\n")
    assert read_labels(path, SPACE) == {"a.dcm": 1, "sub/b": 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,label\na,normal\n", "columns file and label"),
        ("file,label\na,normal\nJane Doe.dcm,secret finding\n", "line 3: expected one of"),
        ("file,label\na,normal\na,viral\n", "two different labels"),
    ],
)
def test_wrong_labels_are_refused_without_naming_the_patient(tmp_path, text, message):
    with pytest.raises(InputError, match=message) as caught:
        read_labels(write(tmp_path, text), SPACE)
    assert "Jane" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="readable CSV"):
        read_labels(tmp_path / "none.csv", SPACE)


def test_released_labels_are_sorted_by_their_random_names(tmp_path):
    path = tmp_path / "labels.csv"
    write_labels(path, {"b.dcm": "viral", "a.dcm": "normal"})
    assert path.read_text().split() == ["file,label", "a.dcm,normal", "b.dcm,viral"]
