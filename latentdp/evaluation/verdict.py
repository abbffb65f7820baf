"""What an evaluation means, in plain words, and which claims it supports.

A claim needs a stated threshold that the worse end of the interval must keep, for the strongest
attacker that was tried. A steward may set stricter thresholds; none of them is a guarantee.
Whether patients can still be recognised is judged in `latentdp.reports.recognition`.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, structs

from latentdp.evaluation.threat_model import Effort
from latentdp.metrics.definitions.verification import AUC
from latentdp.models.checkpoints import shipped
from latentdp.privacy.rounding import printed
from latentdp.reports.allowed import allowed
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.enough_patients import needed_in_words, patients_needed, undecided
from latentdp.reports.evaluation import Evaluation
from latentdp.reports.evaluation_parts import (
    Control,
    ControlKind,
    JudgedClaim,
    ReachedAuc,
    TellingApart,
    Verdict,
)
from latentdp.reports.recognition import Recognition, judge, told
from latentdp.reports.results import Measure, Outcome

__all__ = ["UNJUDGED", "inferred", "judged", "verdict"]

FEWEST = 30  # patients with several images, for a claim
NO_FINDINGS = "no classifier was taught"
UNJUDGED = Verdict(refuted=False)  # of an evaluation that is still being put together
LEARNING = "adaptive"  # an attack without which nothing is claimed: it learns the method
_LABELS_ONLY = {
    ControlKind.TRUE_LABEL: "the mean picture of the true label",
    ControlKind.RELEASED_LABEL: "fresh samples with the released label",
}


def judged(evaluation: Evaluation) -> Evaluation:
    """The evaluation with its verdict."""
    return structs.replace(evaluation, verdict=verdict(evaluation))


def verdict(evaluation: Evaluation) -> Verdict:
    """Words and claims, from the numbers of an evaluation; what it says of itself is not read."""
    outcomes = evaluation.outcomes
    recognition = judge(outcomes, evaluation.limits)
    refuting = [o for o in outcomes if o.refutes]
    lines = [
        f"REFUTED: {o.attack} ({o.setting}) reached {o.metric.name} {told(o)}, "
        f"above the ceiling of {_ceiling(o)} that its epsilon implies. The claim is false."
        for o in refuting
    ]
    lines += [
        f"DECLARED: {o.setting}: {_percent(o)} of them lead to their originals; guessing gives "
        f"{100 * (o.chance or 0):.1f} %."
        if o.declared is True
        else f"LEAK: {o.setting} of the files: {_percent(o)} of them lead to their originals."
        for o in outcomes
        if o.kind is AttackKind.SIDE_CHANNEL and o.headline
    ]
    lines += _recognised(evaluation, recognition)
    lines += [f"Inference: {said}." for said in [inferred(evaluation)] if said]
    controls = () if evaluation.controls is UNSET else evaluation.controls
    lines += _usefulness(evaluation, controls)
    people = evaluation.cohort
    if people is not UNSET and people.unreadable:
        lines.append(f"{people.unreadable:,} images could not be read and were left out.")
    return Verdict(
        lines=tuple(lines),
        refuted=bool(refuting),
        claims=(_claim(evaluation, recognition, refuted=bool(refuting)),),
        telling_apart=TellingApart(
            against_anyone=ReachedAuc.of(recognition.anyone),
            against_alike=ReachedAuc.of(recognition.alike),
        ),
    )


def inferred(evaluation: Evaluation) -> str:
    """What a private image told of its patient, such as the sex; empty where nobody tried."""
    read = [
        o
        for o in evaluation.outcomes
        if o.kind is AttackKind.ATTRIBUTE and o.headline and o.value is not None
    ]
    reached = "; ".join(f"{o.setting} images AUC {told(o)}" for o in read)
    return f"{reached}; guessing gives 0.5" if read else ""


def _recognised(evaluation: Evaluation, recognition: Recognition) -> list[str]:
    first = recognition.first
    if recognition.verification is None:
        lines = ["Whether patients can be recognised was not measured: see what could not run."]
    else:
        lines = [
            f"Telling patients apart, {whom}: "
            + (
                "not measured."
                if reached is None
                else f"measured AUC {told(reached)}, by the strongest attacker "
                f"({reached.attack}); guessing gives 0.5{_bounded(evaluation, reached)}."
            )
            for whom, reached in (
                (recognition.against_anyone, recognition.anyone),
                ("against impostors of the same source, view and sex", recognition.alike),
            )
        ]
    if first is not None:
        gallery = first.n if first.detail.gallery is None else first.detail.gallery
        lines.append(
            f"Own original: among {gallery:,} originals, {_percent(first)} of the private "
            f"images lead to theirs first, by {first.attack}; guessing gives "
            f"{100 * (first.chance or 0):.1f} %{_bounded(evaluation, first)}."
        )
    return lines


def _bounded(evaluation: Evaluation, outcome: Outcome) -> str:
    """What epsilon allows, or how many patients are needed: the end of a sentence."""
    ends = [allowed(evaluation, outcome)]
    if undecided(outcome, evaluation.limits):
        needed = needed_in_words(patients_needed(outcome, evaluation.limits))
        ends.append(f"too few patients for a statement ({outcome.patients:,}; {needed})")
    return "".join(f"; {end}" for end in ends if end)


def _claim(evaluation: Evaluation, recognition: Recognition, *, refuted: bool) -> JudgedClaim:
    """Clean Recognizable Visual Features (PS3.15 E.3.2, CID 7050 code 113102)."""
    limits = evaluation.limits
    verification, first = recognition.verification, recognition.first
    measured = "not measured"
    if verification is not None and first is not None:
        measured = f"AUC {told(verification)}, rank-1 {told(first)}"
    short = _shortcomings(evaluation, recognition)
    return JudgedClaim(
        claim="recognizable visual features are removed (113102)",
        holds=recognition.within and not refuted and not short,
        within=recognition.within,
        threshold=f"upper end of the interval: AUC at most {limits.auc:g} of the strongest "
        f"attacker who tells patients apart, rank-1 of the own original at most {limits.first:g}",
        measured="; ".join([measured, *recognition.objections, *short]),
    )


def _shortcomings(evaluation: Evaluation, recognition: Recognition) -> list[str]:
    """Why an evaluation is too weak for a claim, whatever it measured; empty if it is not.

    What it does not tell is too weak.
    """
    effort, usual = evaluation.effort, Effort()
    restarts, steps = (0, 0) if effort is UNSET else (effort.restarts, effort.steps)
    verifier = "" if evaluation.verifier is UNSET else evaluation.verifier.sha256
    tried = [o.patients for o in evaluation.outcomes if o.attack == LEARNING]
    weaknesses = {
        "no threshold is stated": evaluation.thresholds is UNSET,
        "a quick look supports no claim": evaluation.quick is not False,
        f"fewer than {usual.restarts} restarts of {usual.steps} steps": restarts is UNSET
        or steps is UNSET
        or restarts < usual.restarts
        or steps < usual.steps,
        "the verifier is not a shipped one": verifier
        not in {entry.sha256 for entry in shipped("embedding").values()},
        f"fewer than {FEWEST} patients with several images for the adaptive verifier": max(
            tried, default=0
        )
        < FEWEST,
        "nobody tried to tell patients from anyone with everything that is released": (
            not recognition.whole
        ),
    }
    return [why for why, short in weaknesses.items() if short]


def _usefulness(evaluation: Evaluation, controls: Sequence[Control]) -> list[str]:
    utility = evaluation.utility
    ours, originals = _over_findings(utility, "p/o"), _over_findings(utility, "o/o")
    if ours is None:
        unable = () if evaluation.unable is UNSET else evaluation.unable
        why = next((one.in_public for one in unable if one.name == "classification"), NO_FINDINGS)
        return [f"What the images are still good for was not measured: {why}."]
    labels = ours.detail.learnt_with or "true findings"
    line = (
        f"A classifier that learns from the private images, with {labels}, reaches AUC "
        f"{told(ours)} on originals"
    )
    line += "." if originals is None else f"; one that learns from originals {told(originals)}."
    lines = [line]
    for kind, words in _LABELS_ONLY.items():
        alike = [c for c in controls if c.method.control is kind]
        control = _over_findings(alike[0].utility, "p/o") if alike else None
        if control is not None:
            more = ours.low is not None and control.high is not None and ours.low > control.high
            lines.append(
                f"Control, {words}: {told(control)}. "
                + (
                    "The images carry more than that."
                    if more
                    else "So what is useful here is the label, not the image."
                )
            )
    return lines


def _over_findings(measures: Sequence[Measure], setting: str) -> Measure | None:
    """The AUC of a setting, averaged over findings."""
    return next(
        (m for m in measures if m.setting == setting and m.subject == "mean" and m.metric == AUC),
        None,
    )


def _ceiling(outcome: Outcome) -> str:
    return "none" if outcome.ceiling is None else printed(outcome.ceiling, 4)


def _percent(outcome: Outcome) -> str:
    if outcome.value is None or outcome.low is None or outcome.high is None:
        return "an unknown share"
    low, high = 100 * outcome.low, 100 * outcome.high
    return f"{100 * outcome.value:.1f} % ({low:.1f} to {high:.1f} %)"
