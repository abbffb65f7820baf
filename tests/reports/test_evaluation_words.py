"""What an evaluation wrote on a card is said in a page's language, with the same numbers."""

import re
from html import unescape

import pytest

from latentdp.evaluation.verdict import inferred, verdict
from latentdp.metrics.metric import named
from latentdp.privacy.guarantee import Guarantee
from latentdp.reports.evaluation_parts import (
    Control,
    ControlKind,
    MethodDescription,
    MethodGuarantee,
    People,
    Unavailable,
)
from latentdp.reports.evaluation_words import evaluated
from latentdp.reports.language import ENGLISH, LANGUAGES, Language
from latentdp.reports.results import Impostors
from tests.support.judged import measure, outcome, supporting

OTHERS = [code for code in LANGUAGES if code != "en"]
UNTAUGHT = "too few images of 2 findings to learn from and to test on: 5 with each and 5 without"
UNTAUGHT += " are needed on either side, of one source; there are edema 1 and 12"


DECLARED = "files linked by what the card declares of each: its kind, its marks, its label"


def control(kind: ControlKind, value: float) -> Control:
    what = MethodDescription(name="c", title="a control", protects_all=True, control=kind)
    return Control(method=what, utility=(measure("p/o", value),))


EVALUATIONS = [
    supporting(patient=MethodGuarantee.of(Guarantee(epsilon=8.0, unit="patient"))),
    supporting(patient=MethodGuarantee.of(Guarantee(epsilon=float("inf")))),
    supporting(outcomes=(), quick=True),
    supporting(
        auc=(0.7, 0.0, 1.0),
        first=(0.25, 0.01, 0.8),
        quick=True,
        cohort=People(images=1234, patients=7, unreadable=1100),
        unable=(Unavailable(name="classification", why=UNTAUGHT),),
    ),
    supporting(
        extra=[
            outcome("attributes", "auc", 0.7, 0.6, 0.8, chance=0.5, setting="sex from private"),
            outcome("attributes", "auc", 0.6, 0.5, 0.8, chance=0.5, setting="age from private"),
            outcome("linkage", "rank-1", 0.97, 0.95, 0.99, setting="own image", refutes=True),
            outcome("side_channels", "rank-1", 0.5, 0.4, 0.6, setting="files linked by name"),
            outcome("side_channels", "rank-1", 0.1, 0.0, 0.2, setting=DECLARED, declared=True),
        ],
        utility=(measure("p/o", 0.7), measure("o/o", 0.85)),
        controls=(
            control(ControlKind.TRUE_LABEL, 0.71), control(ControlKind.RELEASED_LABEL, 0.51)
        ),
    ),
    supporting(outcomes=(outcome("frozen", "auc", 0.5, 0.4, 0.6, impostors=Impostors.ALIKE),)),
]  # fmt: skip


def sentences(evaluation) -> list[str]:
    judged = verdict(evaluation)
    (claim,) = judged.claims
    return [*judged.lines, claim.claim, claim.threshold, claim.measured, inferred(evaluation)]


def numbers(text: str) -> list[str]:
    return sorted(re.findall(r"\d+", re.sub(r"(?<=\d)[.,\u202f](?=\d)", "", text)))


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("evaluation", EVALUATIONS)
def test_every_sentence_is_said_with_the_same_numbers(evaluation, code):
    for line in filter(None, sentences(evaluation)):
        said = unescape(evaluated(line, Language(code)))
        assert "<span" not in said, line
        assert said != line
        assert "the card" not in said
        assert numbers(said) == numbers(line)
        assert evaluated(line, ENGLISH) == line


def test_what_no_message_says_stays_english_and_is_marked():
    said = evaluated("guessing gives 0.5; the moon <b>.", Language("de"))
    assert said == 'Raten ergibt 0,5; <span lang="en">the moon &lt;b&gt;</span>.'
    assert evaluated("", Language("de")) == ""


def test_lists_of_numbers_of_a_metric_are_known():
    metric = named("auc").name
    assert evaluated(f"{metric} 0.5 (0.4 to 0.6)", Language("fr")) == f"{metric} 0,5 (0,4 à 0,6)"


@pytest.mark.parametrize(
    "line",
    [
        "Inference: " * 2000 + "x",
        "guessing gives " + "9" * 4000,
        "REFUTED: " + " (a) reached 1" * 1200,
        "REFUTED: " + " (a) reached 1" * 40,
    ],
)
def test_a_hostile_line_is_shown_as_it_stands(line):
    """Neither deep nor long nor of countless readings: a page takes no longer for it."""
    assert unescape(evaluated(line, Language("de"))) == f'<span lang="en">{line}</span>'
