"""Words of labels."""

import numpy as np
import pytest

from latentdp import InputError
from latentdp.core.attributes import Attribute, finding, label_count, labels_of, values_of
from latentdp.data.label_space import LabelSpace

ADULT = LabelSpace((finding("Edema"), finding("Pleural_Thickening"), Attribute("sex", ("F", "M"))))
CHILD = LabelSpace((finding("Normal"), finding("Viral pneumonia")))
CLASSES = LabelSpace.of_classes(["PA/normal", "a_b"])


@pytest.mark.parametrize("space", [ADULT, CHILD])
def test_a_label_that_tells_of_all_findings_or_none_survives_its_words(space):
    told = [i for i, one in enumerate(space.attributes) if one.is_finding]
    labels = np.arange(-1, label_count(space.attributes))
    values = values_of(space.attributes, labels)[:, told]
    whole = (values >= 0).all(axis=1) | (values < 0).all(axis=1)
    names = [space.name(label) for label in labels[whole]]
    assert len(set(names)) == len(names)
    assert [space.label(filter(None, name.split(";"))) for name in names] == list(labels[whole])


def test_words_are_taken_in_any_case_and_what_is_not_named_is_absent():
    assert ADULT.label(["pleural thickening", "f"]) == labels_of(ADULT.attributes, [[0, 1, 0]])
    assert ADULT.label(["NO FINDING"]) == labels_of(ADULT.attributes, [[0, 0, -1]])
    assert CHILD.label(["No Finding"]) == CHILD.label(["normal"])
    assert CHILD.name(int(labels_of(CHILD.attributes, [[0, 0]])[0])) == "None"
    assert CLASSES.label(["A_B"]) == 1
    assert CLASSES.meaning("a b") is None


@pytest.mark.parametrize("words", [["mass"], ["edema", "normal"], ["F", "M"], [""]])
def test_words_that_mean_nothing_or_two_things_are_refused(words):
    with pytest.raises(InputError, match="expected words"):
        ADULT.label(words)


def test_some_of_the_attributes_are_told_as_labels_of_all():
    some = ADULT.only(["Edema"])
    label = some.label(["edema"])
    assert some.label_in(ADULT, label) == labels_of(ADULT.attributes, [[1, -1, -1]])
    assert CLASSES.only([]).label_in(CLASSES, 1) == 1
