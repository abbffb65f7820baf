"""What an examination is said to mean."""

import pytest

from latentdp import InputError
from latentdp.verdict import Thresholds, best, verdict


def outcome(attack: str, metric: str, value: float, low: float, high: float, **more) -> dict:
    return {
        "attack": attack,
        "setting": "private against real",
        "metric": metric,
        "value": value,
        "low": low,
        "high": high,
        "n": 1000,
        "patients": 400,
        "chance": 0.001,
        "ceiling": 0.9,
        "headline": True,
        "refutes": False,
        "detail": {"gallery": 1000},
    } | more


def measure(setting: str, value: float, half: float = 0.02) -> dict:
    return {
        "setting": setting,
        "subject": "mean",
        "metric": "auc",
        "value": value,
        "low": value - half,
        "high": value + half,
    }


def found(auc=(0.52, 0.48, 0.56), first=(0.001, 0.0, 0.006), utility=()) -> dict:
    return {
        "outcomes": [
            outcome("frozen", "auc", 0.5, 0.45, 0.54),
            outcome("adaptive", "auc (max)", *auc),
            outcome("linkage", "rank-1", *first),
        ],
        "utility": list(utility),
    }


def claim(of: dict, quick: bool = False, **thresholds) -> dict:
    return verdict(of, [], Thresholds(**thresholds), quick=quick)["claims"][0]


def test_the_claim_follows_the_upper_ends():
    assert claim(found())["holds"]
    assert not claim(found(auc=(0.55, 0.5, 0.601)))["holds"]
    assert not claim(found(first=(0.01, 0.0, 0.021)))["holds"]
    assert claim(found(auc=(0.7, 0.6, 0.75)), auc=0.8)["holds"]
    assert not claim(found(), quick=True)["holds"]
    assert not claim({"outcomes": [], "utility": []})["holds"]


def test_the_strongest_attacker_counts():
    rows = found(auc=(0.5, 0.4, 0.53))["outcomes"]
    assert best(rows, ("frozen", "adaptive"), "auc")["attack"] == "frozen"
    assert best(rows, ("nobody",), "auc") is None
    white = [*rows, outcome("likelihood", "rank-1", 0.3, 0.2, 0.4)]
    assert not claim({"outcomes": white, "utility": []})["holds"]


def test_a_refutation_is_the_first_line_and_ends_all_claims():
    broken = found()
    broken["outcomes"].append(
        outcome("linkage", "rank-1", 1.0, 0.99, 1.0, ceiling=0.01, refutes=True, headline=False)
    )
    told = verdict(broken, [], Thresholds(), quick=False)
    assert told["refuted"]
    assert told["lines"][0].startswith("REFUTED: linkage")
    assert not told["claims"][0]["holds"]


def test_numbers_in_the_words_are_those_measured():
    lines = " ".join(verdict(found(), [], Thresholds(), quick=False)["lines"])
    assert "0.520 (0.480 to 0.560)" in lines
    assert "among 1,000 originals, 0.1 % (0.0 to 0.6 %)" in lines
    assert "not measured" in lines


@pytest.mark.parametrize(("ours", "word"), [(0.9, "more than that"), (0.86, "is the label")])
def test_use_is_held_against_labels_alone(ours, word):
    control = {"method": {"name": "label-mean"}, "utility": [measure("p/o", 0.87)]}
    of = found(utility=[measure("p/o", ours), measure("o/o", 0.95)])
    lines = " ".join(verdict(of, [control], Thresholds(), quick=False)["lines"])
    assert f"AUC {ours:.3f}" in lines
    assert "originals 0.950" in lines
    assert word in lines


@pytest.mark.parametrize("wrong", [{"auc": 0.4}, {"auc": float("nan")}, {"first": -0.1}])
def test_thresholds_have_a_range(wrong):
    with pytest.raises(InputError, match="threshold"):
        Thresholds(**wrong)
