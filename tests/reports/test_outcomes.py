"""Outcomes, metrics and the words for them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from latentdp.core import plugins
from latentdp.metrics.metric import Metric, named
from latentdp.reports.attack_kinds import meaning_of
from latentdp.reports.comparison import Cell
from latentdp.reports.formatting import ceiling, interval, shown, verdict
from latentdp.reports.result_detail import Detail
from latentdp.reports.results import Outcome
from latentdp.reports.rows import outcome_row
from tests.support.plugins import added

pytestmark = pytest.mark.xdist_group("pages")  # which take seconds to draw


@pytest.mark.parametrize(
    ("metric", "value", "low", "high", "word"),
    [
        ("auc", 0.52, 0.49, 0.55, "chance"),
        ("auc", 0.54, 0.51, 0.57, "slight"),
        ("auc", 0.65, 0.6, 0.7, "clear"),
        ("auc", 0.9, 0.85, 0.95, "strong"),
        ("eer", 0.49, 0.46, 0.52, "chance"),
        ("eer", 0.1, 0.08, 0.12, "strong"),
    ],
)
def test_a_word_follows_its_rule(metric, value, low, high, word):
    row = outcome(metric, value, low=low, high=high)
    assert verdict(row)[0] == word
    assert verdict(structs.replace(row, refutes=True))[0] == "refuted"
    assert verdict(structs.replace(row, chance=None)) == ("", "")


def outcome(metric: str, value: float | None, **more) -> Outcome:
    given = {"attack": "a", "setting": "", "metric": named(metric), "low": value, "high": value,
             "n": 10, "patients": 5, "chance": 0.5, "ceiling": None, "headline": True}  # fmt: skip
    return Outcome(value=value, **given | more)


@given(st.floats(0, 1), st.floats(0.001, 0.999))
def test_advantage_is_zero_at_chance_and_one_at_certainty(value, chance):
    assert outcome("auc", chance, chance=chance).advantage == pytest.approx(0)
    assert outcome("auc", 1.0, chance=chance).advantage == pytest.approx(1)
    gain = outcome("auc", value, chance=chance).advantage
    assert (gain > 0) == (value > chance) or value == pytest.approx(chance)


def test_what_is_no_finite_number_is_none_in_an_outcome():
    row = outcome("auc", np.float64("nan"), low=-math.inf, high=np.float32(0.5))
    assert (row.value, row.low, row.high) == (None, None, 0.5)
    assert not row.refutes
    assert not row.reaches_chance
    assert row.advantage is None


def test_attempts_that_are_added_up_are_told_apart_from_the_best_one():
    """Or the best would be larger than the largest."""
    tried = {"restarts": [0.688, 0.714], "together": [0.728]}
    row = outcome_row(outcome("auc (max)", 0.728, detail=Detail(tried)))
    assert row.note == "2 restarts: mean 0.701, largest 0.714, added up 0.728"


@pytest.mark.parametrize(
    ("detail", "error"),
    [
        ({"roc": {"fpr": [0.1, 1.0], "tpr": [0.2]}}, ValueError),
        ({"restarts": "many"}, Exception),
        ({"gallery": "large"}, Exception),
        ({"x": object()}, TypeError),
    ],
)
def test_details_that_are_none_are_refused(detail, error):
    with pytest.raises(error):
        Detail(detail)


@given(st.floats(0, 1), st.sampled_from(["auc", "rank-1"]))
def test_a_ceiling_is_never_understated(value, metric):
    told = ceiling(value, named(metric))
    number = float(told.removesuffix(" %")) / (100 if "%" in told else 1)
    assert number >= value - 1e-12
    assert number <= value + 1.01e-4


def test_numbers_that_are_none_are_shown_as_such():
    assert shown(None, named("auc")) == "\N{EN DASH}"
    assert shown(math.inf, named("psnr")) == "infinite"
    assert shown(float("nan"), named("auc")) == "\N{EN DASH}"
    assert interval(Cell(value=0.4, low=None, high=0.5), named("auc")) == ""


def test_metrics_say_what_they_are():
    assert named("rank-10").title == "among the first 10"
    assert named("eer").meaning
    unknown = named("a new one")
    assert (unknown.title, unknown.meaning) == ("a new one", "")
    assert unknown == Metric("a new one") != named("auc")
    with pytest.raises(AttributeError):
        unknown.name = "another"
    for name in plugins.names("attacks"):
        assert meaning_of(name)
    assert not meaning_of("zzz")


METRIC = """
from latentdp.metrics.metric import Goal, Metric, MetricUnit

metrics = (Metric("wrong tries", "tries in vain", "share of tries", unit=MetricUnit.SHARE,
                  goal=Goal.LOWER),)
"""


def test_a_metric_is_a_file(tmp_path):
    """Its unit and its goal decide how an outcome is shown and rated; nothing else is edited."""
    tries = {"low": 0.05, "high": 0.15, "chance": 0.5}
    assert verdict(outcome("wrong tries", 0.1, **tries))[0] == "chance"
    with added("metrics", tmp_path, tries=METRIC):
        row = Outcome.from_json(outcome("wrong tries", 0.1, **tries).to_json())
        assert verdict(row)[0] == "strong"
        assert outcome_row(row).both == "10.0 % (5.0\N{EN DASH}15.0 %)"
        assert outcome_row(row).metric == "tries in vain"
