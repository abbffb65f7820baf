"""What an examination means, in plain words, and which claims it supports.

A claim needs a stated threshold that the worse end of the interval must keep, for the strongest
attacker that was tried. A steward may set stricter thresholds; none of them is a guarantee.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from latentdp.errors import InputError
from latentdp.evaluation.threat_model import Effort
from latentdp.models.checkpoints import shipped

__all__ = ["Thresholds", "best", "verdict"]

Row = dict[str, Any]

VERIFIERS = ("frozen", "adaptive")
# Averages are of repeats that this release is not; attributes and membership name nobody.
SEARCHES = ("linkage", "likelihood", "features", "reconstruction", "side_channels")
LARGEST_AUC, LARGEST_FIRST = 0.6, 0.02  # stricter ones may be set
FEWEST = 30  # patients with several images, for a claim
_LABELS_ONLY = {
    "label-mean": "the mean picture of the true label",
    "prior-sample": "fresh samples with the released label",
}


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Up to where a release may be said to have lost its recognisable features.

    Attributes:
        auc: Largest AUC of a verifier, at the upper end of its interval, hard impostors; at most
            `LARGEST_AUC`.
        first: Largest share of private images whose original is named first, likewise; at most
            `LARGEST_FIRST`.
    """

    auc: float = LARGEST_AUC
    first: float = LARGEST_FIRST

    def __post_init__(self) -> None:
        if not (math.isfinite(self.auc) and 0.5 <= self.auc <= LARGEST_AUC):
            raise InputError(
                f"expected a threshold of AUC from 0.5 to {LARGEST_AUC:g}, got {self.auc}"
            )
        if not (math.isfinite(self.first) and 0 <= self.first <= LARGEST_FIRST):
            raise InputError(
                f"expected a threshold of rank-1 from 0 to {LARGEST_FIRST:g}, got {self.first}"
            )


def best(outcomes: Sequence[Row], attacks: Sequence[str], metric: str) -> Row | None:
    """The headline outcome of the strongest of some attacks, by the upper end of its interval."""
    return _strongest([r for r in outcomes if r["headline"]], attacks, metric)


def verdict(evaluation: Row) -> Row:
    """Words and claims.

    Args:
        evaluation: With ``outcomes``, ``utility``, ``controls``, ``effort``, ``verifier``,
            ``quick`` and ``thresholds``; what ``evidence`` reads back is judged alike.

    Returns:
        ``lines``, ``refuted`` and ``claims``.
    """
    outcomes = evaluation["outcomes"]
    verification = best(outcomes, VERIFIERS, "auc")
    first = _first(outcomes)
    refuting = [row for row in outcomes if row["refutes"]]
    lines = [
        f"REFUTED: {row['attack']} ({row['setting']}) reached {row['metric']} {_told(row)}, "
        f"above the ceiling of {row['ceiling']:.4g} that its epsilon implies. The claim is false."
        for row in refuting
    ]
    lines += [
        f"LEAK: {row['setting']} of the files: {_percent(row)} of them lead to their originals."
        for row in outcomes
        if row["attack"] == "side_channels" and row["headline"]
    ]
    if verification is None:
        lines.append(
            "Whether patients can be recognised was not measured: see what could not run."
        )
    else:
        lines.append(
            f"Two images of one patient: the strongest verifier ({verification['attack']}) tells "
            f"them from two patients with AUC {_told(verification)}; guessing gives 0.5."
        )
    if first is not None:
        lines.append(
            f"Own original: among {_gallery(first):,} originals, {_percent(first)} of the private "
            f"images lead to theirs first, by {first['attack']}; guessing gives "
            f"{100 * (first['chance'] or 0):.1f} %."
        )
    lines += _usefulness(evaluation["utility"], evaluation["controls"])
    unreadable = evaluation.get("cohort", {}).get("unreadable", 0)
    if unreadable:
        lines.append(f"{unreadable:,} images could not be read and were left out.")
    return {
        "lines": lines,
        "refuted": bool(refuting),
        "claims": [_claim(evaluation, verification, first, refuted=bool(refuting))],
    }


def _strongest(outcomes: Sequence[Row], attacks: Sequence[str], metric: str) -> Row | None:
    # "auc" stands for "auc (mean)" and "auc (max)" too, but "rank-1" not for "rank-10".
    rows = [r for r in outcomes if r["attack"] in attacks and _is(r["metric"], metric)]
    return max(rows, key=lambda row: (row["high"], row["value"]), default=None)


def _is(metric: str, wanted: str) -> bool:
    return metric == wanted or metric.startswith(f"{wanted} (")


def _first(outcomes: Sequence[Row]) -> Row | None:
    """Who named most originals first; of side channels, those that are leaks."""
    able = [r for r in outcomes if r["attack"] != "side_channels" or r["headline"]]
    return _strongest(able, SEARCHES, "rank-1")


def _claim(evaluation: Row, verification: Row | None, first: Row | None, *, refuted: bool) -> Row:
    """Clean Recognizable Visual Features (PS3.15 E.3.2, CID 7050 code 113102)."""
    limits = Thresholds(**evaluation["thresholds"])
    measured = "not measured"
    within = False
    if verification is not None and first is not None:
        measured = f"AUC {_told(verification)}, rank-1 {_told(first)}"
        within = verification["high"] <= limits.auc and first["high"] <= limits.first
    short = _shortcomings(evaluation)
    return {
        "claim": "recognizable visual features are removed (113102)",
        "holds": within and not refuted and not short,
        "within": within,  # whatever the strength of the evidence
        "threshold": f"upper end of the interval: AUC at most {limits.auc:g} against the "
        f"strongest verifier, rank-1 of the own original at most {limits.first:g}",
        "measured": "; ".join([measured, *short]),
    }


def _shortcomings(evaluation: Row) -> list[str]:
    """Why an evaluation is too weak for a claim, whatever it measured; empty if it is not."""
    effort, usual = evaluation["effort"], Effort()
    tried = [r for r in evaluation["outcomes"] if r["attack"] == "adaptive"]
    patients = max((r["patients"] for r in tried), default=0)
    found = {
        "a quick look supports no claim": evaluation["quick"],
        f"fewer than {usual.restarts} restarts of {usual.steps} steps": effort["restarts"]
        < usual.restarts
        or effort["steps"] < usual.steps,
        "the verifier is not a shipped one": evaluation["verifier"]["sha256"]
        not in {entry["sha256"] for entry in shipped("embedding").values()},
        f"fewer than {FEWEST} patients with several images for the adaptive verifier": patients
        < FEWEST,
    }
    return [why for why, short in found.items() if short]


def _usefulness(utility: Sequence[Row], controls: Sequence[Row]) -> list[str]:
    def mean(rows: Sequence[Row], setting: str) -> Row | None:
        chosen = [
            r
            for r in rows
            if r["setting"] == setting and r["subject"] == "mean" and r["metric"] == "auc"
        ]
        return chosen[0] if chosen else None

    ours, originals = mean(utility, "p/o"), mean(utility, "o/o")
    if ours is None:
        return ["What the images are still good for was not measured: no findings are known."]
    taught = ours.get("detail", {}).get("learnt_with", "true findings")
    line = (
        f"A classifier that learns from the private images, with {taught}, reaches AUC "
        f"{_told(ours)} on originals"
    )
    line += "." if originals is None else f"; one that learns from originals {_told(originals)}."
    lines = [line]
    for name, words in _LABELS_ONLY.items():
        alike = [c for c in controls if c["method"]["name"].startswith(name)]
        control = mean(alike[0]["utility"], "p/o") if alike else None
        if control is not None:
            more = ours["low"] > control["high"]
            lines.append(
                f"Control, {words}: {_told(control)}. "
                + (
                    "The images carry more than that."
                    if more
                    else "So what is useful here is the label, not the image."
                )
            )
    return lines


def _told(row: Row) -> str:
    return f"{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"


def _percent(row: Row) -> str:
    low, high = 100 * row["low"], 100 * row["high"]
    return f"{100 * row['value']:.1f} % ({low:.1f} to {high:.1f} %)"


def _gallery(row: Row) -> int:
    return int(row["detail"].get("gallery", row["n"]))
