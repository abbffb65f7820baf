"""Outcomes and measures of an evaluation as rows of text, for pages and for the console."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from latentdp.reports.attack_kinds import meaning_of
from latentdp.reports.formatting import ceiling, interval, shown, verdict
from latentdp.reports.glossary import SETTINGS
from latentdp.reports.result_detail import Detail
from latentdp.reports.results import Measure, Outcome

__all__ = ["Measured", "by_name", "measure_row", "outcome_row"]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One number with all that belongs to it, as text.

    Attributes:
        name: Of the attack or measure.
        meaning: What it does, in plain words; may be empty.
        setting: What exactly was measured.
        subject: Finding or subgroup of a measure; empty for an attack.
        metric: What the number is called.
        metric_meaning: What it says.
        value: The number.
        interval: Its limits; empty without any.
        n: Pairs, probes or images.
        patients: Patients.
        chance: What guessing gives; empty if unknown or without sense.
        ceiling: What the claim allows; empty without one.
        word: Verdict in a word; may be empty.
        level: In which the word is shown.
        note: More, as one line.
        headline: Whether it belongs in the summary.
    """

    name: str
    meaning: str = ""
    setting: str
    subject: str = ""
    metric: str
    metric_meaning: str
    value: str
    interval: str
    n: str
    patients: str
    chance: str = ""
    ceiling: str = ""
    word: str = ""
    level: str = ""
    note: str = ""
    headline: bool = False

    @property
    def both(self) -> str:
        """Value and interval in one: ``0.736 (0.701-0.770)``."""
        return f"{self.value} ({self.interval})" if self.interval else self.value


def outcome_row(outcome: Outcome) -> Measured:
    """An attack's outcome as text."""
    metric = outcome.metric
    word, level = verdict(outcome)
    return replace(
        _row(outcome, outcome.attack, meaning_of(outcome.attack)),
        chance="" if outcome.chance is None else shown(outcome.chance, metric),
        ceiling="" if outcome.ceiling is None else ceiling(outcome.ceiling, metric),
        word=word,
        level=level,
    )


def measure_row(measure: Measure) -> Measured:
    """A measure of utility as text."""
    row = _row(measure, measure.utility, SETTINGS.get(measure.setting, ""))
    return replace(row, subject=measure.subject)


def _row(result: Outcome | Measure, name: str, meaning: str) -> Measured:
    """What both have: a number, its interval and whom it rests on."""
    metric = result.metric
    return Measured(
        name=name.replace("_", " "),
        meaning=meaning,
        setting=result.setting,
        metric=metric.title,
        metric_meaning=metric.meaning,
        value=shown(result.value, metric),
        interval=interval(result, metric),
        n=f"{result.n:,}",
        patients=f"{result.patients:,}",
        note=_note(result.detail),
        headline=result.headline,
    )


def by_name(rows: Iterable[Measured]) -> list[tuple[str, list[Measured]]]:
    """Rows grouped by what they are of, in the order in which they come."""
    grouped: dict[str, list[Measured]] = {}
    for row in rows:
        grouped.setdefault(row.name, []).append(row)
    return list(grouped.items())


def _note(detail: Detail) -> str:
    """What of the details is a line: restarts, the size of the gallery, a note."""
    parts = []
    tried = detail.restarts
    if tried:
        mean = math.fsum(tried) / len(tried)
        summed = "".join(f", added up {auc:.3f}" for auc in detail.together)
        parts.append(f"{len(tried)} restarts: mean {mean:.3f}, largest {max(tried):.3f}{summed}")
    if detail.gallery is not None:
        parts.append(f"gallery of {detail.gallery:,}")
    if detail.seeds is not None:
        parts.append(f"{detail.seeds} seed{'' if detail.seeds == 1 else 's'}")
    if detail.best is not None:
        parts.append(f"best opponent: {detail.best}")
    return "; ".join([*parts, *detail.notes])
