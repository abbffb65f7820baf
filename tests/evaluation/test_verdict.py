"""What an examination is said to mean."""

from dataclasses import replace

import pytest
from msgspec import UNSET, structs

from latentdp import InputError
from latentdp.evaluation.threat_model import Effort
from latentdp.evaluation.verdict import verdict
from latentdp.metrics.metric import named
from latentdp.reports.answers import answers
from latentdp.reports.evaluation import Evaluation
from latentdp.reports.evaluation_parts import Control, ControlKind, JudgedClaim, UsedVerifier
from latentdp.reports.recognition import Thresholds, judge
from tests.support.judged import METHOD, measure, outcome, supporting
from tests.support.plugins import added


def claim(of: Evaluation) -> JudgedClaim:
    return verdict(of).claims[0]


def test_the_claim_follows_the_upper_ends():
    assert claim(supporting()).holds
    assert not claim(supporting(auc=(0.55, 0.5, 0.601))).holds
    assert not claim(supporting(first=(0.01, 0.0, 0.021))).holds
    assert not claim(supporting(thresholds=Thresholds(auc=0.55))).holds
    assert not claim(supporting(outcomes=())).holds


INVERSION = """
from latentdp.evaluation.attacks.base import Attack
from latentdp.reports.attack_kinds import AttackKind

class Inversion(Attack):
    name = "diffusion_inversion"
    title = "inverts the release with a diffusion model"
    {kind}

    def run(self, scene, tell):
        return []

attack = Inversion()
"""


@pytest.mark.promise(
    "An attack that nobody foresaw counts against the claim that patients are not recognised."
)
@pytest.mark.parametrize(
    "kind", ["kind = AttackKind.SEARCH", "kind = AttackKind.RECONSTRUCTION", "", None]
)
def test_an_attack_that_nobody_named_elsewhere_refuses_the_claim(tmp_path, kind):
    """Whoever names 93 % of the sources has found them, whatever the attack is called."""
    strange = outcome("diffusion_inversion", "rank-1", 0.93, 0.9, 0.96)
    assert claim(supporting()).holds
    there = {} if kind is None else {"diffusion_inversion": INVERSION.format(kind=kind)}
    with added("attacks", tmp_path, **there):
        of = supporting(extra=[strange])
        (judged,) = verdict(of).claims
        assert not judged.holds
        assert not judged.within
        assert "rank-1 0.930" in judged.measured
        told = answers(structs.replace(of, verdict=verdict(of)))[0]
        assert told.short == "Yes"
        assert "93.0 %" in told.why


def test_an_attack_of_no_known_kind_refuses_the_claim_whatever_it_found(tmp_path):
    """Its number may mean anything; only those that say what they are about may be left out."""
    harmless = outcome("strange", "rank-1", 0.001, 0.0, 0.004)
    told = claim(supporting(extra=[harmless]))
    assert not told.holds
    assert "the attack 'strange' is of no known kind" in told.measured
    at_chance = supporting(
        auc=(0.5, 0.4, 0.6), outcomes=(outcome("strange", "rank-1", 0, 0, 0.004),)
    )
    assert answers(at_chance)[0].short == "Not known"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (outcome("linkage", "hit rate", 0.93, 0.9, 0.96), "no threshold is stated"),
        (outcome("linkage", "hit rate", 0.93, 0.9, 0.96, chance=None), "no threshold is stated"),
        (outcome("retrieval", "p@1", 0.93, 0.9, 0.96), "patients by other images"),
        (outcome("features", "auc", 0.93, 0.9, 0.96, chance=0.5), "AUC 0.930"),
        (outcome("reconstruction", "auc", 0.93, 0.9, 0.96, chance=0.5), "a verifier may reach"),
        (outcome("frozen", "auc", 0.93, 0.9, None, chance=0.5), "0.930 (0.900 to unknown)"),
    ],
)
def test_what_no_threshold_is_about_refuses_the_claim_too(more, why):
    assert why in claim(supporting(extra=[more])).measured
    assert not claim(supporting(extra=[more])).holds
    assert answers(supporting(extra=[more]))[0].level == "danger"


def test_what_names_nobody_does_not_count_for_the_claim():
    others = [
        outcome("attributes", "auc", 0.93, 0.9, 0.96, chance=0.5),
        outcome("membership", "auc", 0.93, 0.9, 0.96, chance=0.5),
        outcome("averaging", "rank-1", 0.93, 0.9, 0.96),
    ]
    assert claim(supporting(extra=others)).holds
    assert answers(supporting(extra=others))[0].short == "Not by these attacks"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"quick": True}, "quick look"),
        ({"quick": UNSET}, "quick look"),
        ({"effort": replace(Effort(), restarts=1).stated}, "restarts"),
        ({"effort": replace(Effort(), steps=1).stated}, "steps"),
        ({"effort": UNSET}, "restarts"),
        ({"verifier": UsedVerifier(name="mine", sha256="00")}, "not a shipped one"),
        ({"verifier": UNSET}, "not a shipped one"),
        ({"thresholds": UNSET}, "no threshold is stated"),
    ],
)
def test_a_weak_evaluation_supports_no_claim(change, why):
    told = claim(supporting(**change))
    assert not told.holds
    assert told.within, "what was measured is judged apart from how well"
    assert why in told.measured


def test_a_claim_needs_an_adaptive_attacker_and_people_to_recognise():
    outcomes = supporting().outcomes
    alone = tuple(o for o in outcomes if o.attack != "adaptive")
    assert not claim(supporting(outcomes=alone)).holds
    few = tuple(structs.replace(o, patients=29) for o in outcomes)
    assert "30 patients" in claim(supporting(outcomes=few)).measured
    assert not claim(supporting(outcomes=few)).holds


def test_the_strongest_attacker_counts():
    rows = supporting(auc=(0.5, 0.4, 0.53)).outcomes
    assert judge(rows, Thresholds()).verification.attack == "frozen"
    assert judge((), Thresholds()).verification is None
    white = outcome("likelihood", "rank-1", 0.3, 0.2, 0.4)
    assert not claim(supporting(extra=[white])).holds
    for attack in ("features", "reconstruction"):
        planted = outcome(attack, "rank-1", 0.3, 0.2, 0.4, headline=False)
        assert not claim(supporting(extra=[planted])).holds


def test_to_be_among_the_first_ten_is_not_to_be_first():
    tenth = outcome("linkage", "rank-10", 0.05, 0.03, 0.07, headline=False)
    of = supporting(extra=[tenth])
    assert judge(of.outcomes, of.limits).first.metric == named("rank-1")
    assert claim(of).holds


def test_a_leak_of_the_files_is_a_line_and_ends_the_claim():
    leak = outcome("side_channels", "rank-1", 0.9, 0.8, 0.95, setting="name")
    silent = outcome("side_channels", "rank-1", 0.02, 0.0, 0.05, headline=False, setting="size")
    of = supporting(extra=[leak, silent])
    lines = verdict(of).lines
    assert any(line.startswith("LEAK: name") for line in lines)
    assert not any("size" in line for line in lines)
    assert not claim(of).holds
    assert claim(supporting(extra=[silent])).holds


def test_what_is_declared_is_called_that():
    bit = outcome("side_channels", "rank-1", 0.02, 0.0, 0.05, setting="a bit", declared=True)
    (line,) = [x for x in verdict(supporting(extra=[bit])).lines if "a bit" in x]
    assert line.startswith("DECLARED: a bit")


@pytest.mark.promise(
    "An attack that does better than epsilon allows refutes the guarantee, in the first line."
)
def test_a_refutation_is_the_first_line_and_ends_all_claims():
    broken = supporting(
        extra=[outcome("linkage", "rank-1", 1.0, 0.99, 1.0, ceiling=0.01, headline=False)]
    )
    told = verdict(broken)
    assert told.refuted
    assert told.lines[0].startswith("REFUTED: linkage")
    assert not told.claims[0].holds


def test_numbers_in_the_words_are_those_measured():
    lines = " ".join(verdict(supporting()).lines)
    assert "0.520 (0.480 to 0.560)" in lines
    assert "among 1,000 originals, 0.1 % (0.0 to 0.6 %)" in lines
    assert "not measured" in lines


@pytest.mark.parametrize(("ours", "word"), [(0.93, "more than that"), (0.9, "is the label")])
def test_use_is_held_against_labels_alone(ours, word):
    method = structs.replace(METHOD, name="any", control=ControlKind.RELEASED_LABEL)
    control = Control(method=method, utility=(measure("p/o", 0.87),))
    of = supporting(utility=[measure("p/o", ours), measure("o/o", 0.95)], controls=(control,))
    lines = " ".join(verdict(of).lines)
    assert f"AUC {ours:.3f}" in lines
    assert "originals 0.950" in lines
    assert word in lines


@pytest.mark.parametrize(
    "wrong", [{"auc": 0.4}, {"auc": float("nan")}, {"auc": 0.7}, {"first": -0.1}, {"first": 0.1}]
)
def test_thresholds_have_a_range(wrong):
    with pytest.raises(InputError, match="threshold"):
        Thresholds(**wrong)
