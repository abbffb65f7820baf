"""Outcomes and measures of an evaluation as rows of text, for pages and for the console."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from latentdp.reports.formatting import ceiling, interval, number, shown, verdict
from latentdp.reports.glossary import SETTINGS, attack_words, metric_words

__all__ = ["Measured", "by_name", "is_subgroup", "measure_row", "outcome_row"]

_SUBGROUPS = ("sex ", "age ", "view ")


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


def outcome_row(outcome: Mapping[str, Any]) -> Measured:
    """An attack's `Outcome.to_dict` as text."""
    metric = _text(outcome["metric"])
    title, meaning = metric_words(metric)
    word, level = verdict(outcome)
    chance = outcome["chance"]
    limit = outcome["ceiling"]
    return Measured(
        name=_text(outcome["attack"]).replace("_", " "),
        meaning=attack_words(outcome["attack"]),
        setting=_text(outcome["setting"]),
        metric=title,
        metric_meaning=meaning,
        value=shown(outcome["value"], metric),
        interval=interval(outcome, metric),
        n=_count(outcome["n"]),
        patients=_count(outcome["patients"]),
        chance="" if chance is None else shown(chance, metric),
        ceiling="" if limit is None else ceiling(limit, metric),
        word=word,
        level=level,
        note=_note(outcome.get("detail") or {}),
        headline=bool(outcome["headline"]),
    )


def measure_row(measure: Mapping[str, Any]) -> Measured:
    """A utility's `Measure.to_dict` as text."""
    metric = _text(measure["metric"])
    title, meaning = metric_words(metric)
    setting = _text(measure["setting"])
    return Measured(
        name=_text(measure["utility"]).replace("_", " "),
        meaning=SETTINGS.get(setting, ""),
        setting=setting,
        subject=_text(measure["subject"]),
        metric=title,
        metric_meaning=meaning,
        value=shown(measure["value"], metric),
        interval=interval(measure, metric),
        n=_count(measure["n"]),
        patients=_count(measure["patients"]),
        note=_note(measure.get("detail") or {}),
        headline=bool(measure["headline"]),
    )


def is_subgroup(measure: Mapping[str, Any]) -> bool:
    """Whether a measure is about a subgroup, or a gap between subgroups."""
    return str(measure["metric"]) == "gap" or str(measure["subject"]).startswith(_SUBGROUPS)


def by_name(rows: Iterable[Measured]) -> list[tuple[str, list[Measured]]]:
    """Rows grouped by what they are of, in the order in which they come."""
    grouped: dict[str, list[Measured]] = {}
    for row in rows:
        grouped.setdefault(row.name, []).append(row)
    return list(grouped.items())


def _note(detail: Mapping[str, Any]) -> str:
    """What of the details is a line: restarts, the size of the gallery, a note."""
    parts = []
    restarts: Sequence[Any] = detail.get("restarts") or ()
    values = [v for v in map(number, restarts) if v is not None]
    if values:
        mean = math.fsum(values) / len(values)
        parts.append(f"{len(values)} restarts: mean {mean:.3f}, largest {max(values):.3f}")
    gallery = detail.get("gallery")
    if gallery is None and isinstance(detail.get("cmc"), dict):
        gallery = detail["cmc"].get("gallery")
    if isinstance(gallery, int):
        parts.append(f"gallery of {gallery:,}")
    seeds = detail.get("seeds")
    count = len(seeds) if isinstance(seeds, list) else seeds
    if isinstance(count, int):
        parts.append(f"{count} seed{'' if count == 1 else 's'}")
    if isinstance(detail.get("best"), str):
        parts.append(f"best opponent: {detail['best']}")
    parts += [detail[key] for key in ("how", "note") if isinstance(detail.get(key), str)]
    return "; ".join(parts)


def _count(value: Any) -> str:
    found = number(value)
    return "" if found is None else f"{found:,.0f}"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got a {type(value).__name__}")
    return value
