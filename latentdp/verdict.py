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

__all__ = ["Thresholds", "best", "verdict"]

Row = dict[str, Any]

VERIFIERS = ("frozen", "adaptive")
SEARCHES = ("linkage", "likelihood")
_LABELS_ONLY = {
    "label-mean": "the mean picture of the true label",
    "prior-sample": "fresh samples with the released label",
}


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Up to where a release may be said to have lost its recognisable features.

    Attributes:
        auc: Largest AUC of a verifier, at the upper end of its interval, hard impostors.
        first: Largest share of private images whose own original is named first, likewise.
    """

    auc: float = 0.6
    first: float = 0.02

    def __post_init__(self) -> None:
        if not (math.isfinite(self.auc) and 0.5 <= self.auc <= 1):
            raise InputError(f"expected a threshold of AUC from 0.5 to 1, got {self.auc}")
        if not (math.isfinite(self.first) and 0 <= self.first <= 1):
            raise InputError(f"expected a threshold of rank-1 from 0 to 1, got {self.first}")


def best(outcomes: Sequence[Row], attacks: Sequence[str], metric: str) -> Row | None:
    """The headline outcome of the strongest of some attacks, by the upper end of its interval."""
    rows = [
        row
        for row in outcomes
        if row["attack"] in attacks and row["metric"].startswith(metric) and row["headline"]
    ]
    return max(rows, key=lambda row: (row["high"], row["value"]), default=None)


def verdict(
    found: Row, controls: Sequence[Row], thresholds: Thresholds, *, quick: bool = False
) -> Row:
    """Words and claims.

    Args:
        found: Of `examination.examine`.
        controls: Examinations of the controls, with their ``method``.
        thresholds: What may be claimed.
        quick: Whether the attackers did not try hard; then nothing is claimed.

    Returns:
        ``lines``, ``refuted`` and ``claims``.
    """
    outcomes, utility = found["outcomes"], found["utility"]
    verification = best(outcomes, VERIFIERS, "auc")
    first = best(outcomes, SEARCHES, "rank-1")
    refuting = [row for row in outcomes if row["refutes"]]
    lines = [
        f"REFUTED: {row['attack']} ({row['setting']}) reached {row['metric']} {_told(row)}, "
        f"above the ceiling of {row['ceiling']:.4g} that its epsilon implies. The claim is false."
        for row in refuting
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
            f"images lead to theirs first; guessing gives {100 * (first['chance'] or 0):.1f} %."
        )
    lines += _usefulness(utility, controls)
    return {
        "lines": lines,
        "refuted": bool(refuting),
        "claims": [_claim(verification, first, thresholds, refuted=bool(refuting), quick=quick)],
    }


def _claim(
    verification: Row | None, first: Row | None, t: Thresholds, *, refuted: bool, quick: bool
) -> Row:
    """Clean Recognizable Visual Features (PS3.15 E.3.2, CID 7050 code 113102)."""
    measured = "not measured"
    holds = False
    if verification is not None and first is not None:
        measured = f"AUC {_told(verification)}, rank-1 {_told(first)}"
        holds = verification["high"] <= t.auc and first["high"] <= t.first
    if quick:
        measured += "; a quick look supports no claim"
    return {
        "claim": "recognizable visual features are removed (113102)",
        "holds": holds and not refuted and not quick,
        "threshold": f"upper end of the interval: AUC at most {t.auc:g} against the strongest "
        f"verifier, rank-1 of the own original at most {t.first:g}",
        "measured": measured,
    }


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
    line = f"A classifier that learns from the release reaches AUC {_told(ours)} on originals"
    line += "." if originals is None else f"; one that learns from originals {_told(originals)}."
    lines = [line]
    for name, words in _LABELS_ONLY.items():
        alike = [c for c in controls if c["method"]["name"].startswith(name)]
        control = mean(alike[0]["utility"], "p/o") if alike else None
        if control is not None:
            more = ours["low"] > control["value"]
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
