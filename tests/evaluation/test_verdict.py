"""What an examination is said to mean."""

from dataclasses import asdict, replace

import pytest

from latentdp import InputError
from latentdp.evaluation.threat_model import Effort
from latentdp.evaluation.verdict import Thresholds, best, verdict
from latentdp.models.checkpoints import shipped


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


def found(auc=(0.52, 0.48, 0.56), first=(0.001, 0.0, 0.006), utility=(), **more) -> dict:
    shipped_one = next(iter(shipped("embedding").values()))["sha256"]
    return {
        "effort": asdict(Effort()),
        "verifier": {"name": "v", "sha256": shipped_one},
        "thresholds": asdict(Thresholds()),
        "quick": False,
        "controls": [],
        "outcomes": [
            outcome("frozen", "auc", 0.5, 0.45, 0.54),
            outcome("adaptive", "auc (max)", *auc),
            outcome("linkage", "rank-1", *first),
        ],
        "utility": list(utility),
    } | more


def claim(of: dict) -> dict:
    return verdict(of)["claims"][0]


def test_the_claim_follows_the_upper_ends():
    assert claim(found())["holds"]
    assert not claim(found(auc=(0.55, 0.5, 0.601)))["holds"]
    assert not claim(found(first=(0.01, 0.0, 0.021)))["holds"]
    assert not claim(found(thresholds={"auc": 0.55, "first": 0.02}))["holds"]
    assert not claim(found(outcomes=[]))["holds"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"quick": True}, "quick look"),
        ({"effort": asdict(replace(Effort(), restarts=1))}, "restarts"),
        ({"effort": asdict(replace(Effort(), steps=1))}, "steps"),
        ({"verifier": {"name": "mine", "sha256": "00"}}, "not a shipped one"),
    ],
)
def test_a_weak_evaluation_supports_no_claim(change, why):
    told = claim(found(**change))
    assert not told["holds"]
    assert told["within"], "what was measured is judged apart from how well"
    assert why in told["measured"]


def test_a_claim_needs_an_adaptive_attacker_and_people_to_recognise():
    alone = found()
    alone["outcomes"] = [o for o in alone["outcomes"] if o["attack"] != "adaptive"]
    assert not claim(alone)["holds"]
    few = found()
    few["outcomes"][1]["patients"] = 29
    assert "30 patients" in claim(few)["measured"]
    assert not claim(few)["holds"]


def test_the_strongest_attacker_counts():
    rows = found(auc=(0.5, 0.4, 0.53))["outcomes"]
    assert best(rows, ("frozen", "adaptive"), "auc")["attack"] == "frozen"
    assert best(rows, ("nobody",), "auc") is None
    white = [*rows, outcome("likelihood", "rank-1", 0.3, 0.2, 0.4)]
    assert not claim(found(outcomes=white))["holds"]
    for attack in ("features", "reconstruction"):
        planted = outcome(attack, "rank-1", 0.3, 0.2, 0.4, headline=False)
        assert not claim(found(outcomes=[*rows, planted]))["holds"]


def test_to_be_among_the_first_ten_is_not_to_be_first():
    rows = [*found()["outcomes"], outcome("linkage", "rank-10", 0.05, 0.03, 0.07)]
    assert best(rows, ("linkage",), "rank-1")["metric"] == "rank-1"
    assert claim(found(outcomes=rows))["holds"]


def test_a_leak_of_the_files_is_a_line_and_ends_the_claim():
    leak = outcome("side_channels", "rank-1", 0.9, 0.8, 0.95, setting="name")
    silent = outcome("side_channels", "rank-1", 0.02, 0.0, 0.05, headline=False, setting="size")
    of = found(outcomes=[*found()["outcomes"], leak, silent])
    lines = verdict(of)["lines"]
    assert any(line.startswith("LEAK: name") for line in lines)
    assert not any("size" in line for line in lines)
    assert not claim(of)["holds"]
    assert claim(found(outcomes=[*found()["outcomes"], silent]))["holds"]


def test_a_refutation_is_the_first_line_and_ends_all_claims():
    broken = found()
    broken["outcomes"].append(
        outcome("linkage", "rank-1", 1.0, 0.99, 1.0, ceiling=0.01, refutes=True, headline=False)
    )
    told = verdict(broken)
    assert told["refuted"]
    assert told["lines"][0].startswith("REFUTED: linkage")
    assert not told["claims"][0]["holds"]


def test_numbers_in_the_words_are_those_measured():
    lines = " ".join(verdict(found())["lines"])
    assert "0.520 (0.480 to 0.560)" in lines
    assert "among 1,000 originals, 0.1 % (0.0 to 0.6 %)" in lines
    assert "not measured" in lines


@pytest.mark.parametrize(("ours", "word"), [(0.93, "more than that"), (0.9, "is the label")])
def test_use_is_held_against_labels_alone(ours, word):
    control = {"method": {"name": "prior-sample-balanced"}, "utility": [measure("p/o", 0.87)]}
    of = found(utility=[measure("p/o", ours), measure("o/o", 0.95)])
    lines = " ".join(verdict(of | {"controls": [control]})["lines"])
    assert f"AUC {ours:.3f}" in lines
    assert "originals 0.950" in lines
    assert word in lines


@pytest.mark.parametrize(
    "wrong", [{"auc": 0.4}, {"auc": float("nan")}, {"auc": 0.7}, {"first": -0.1}, {"first": 0.1}]
)
def test_thresholds_have_a_range(wrong):
    with pytest.raises(InputError, match="threshold"):
        Thresholds(**wrong)
