"""The charts that an evaluation's numbers give, each with a caption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from latentdp.reports.charts import (
    Bar,
    Curve,
    Dots,
    cmc_chart,
    finding_chart,
    restart_chart,
    roc_chart,
)
from latentdp.reports.formatting import drawable, shown
from latentdp.reports.glossary import SETTINGS
from latentdp.reports.rows import is_subgroup

__all__ = ["Picture", "attack_pictures", "finding_picture"]

CURVES = 4  # most curves of the method itself in one chart
SUBJECTS = 14  # most findings in one chart
POINTS = 2_000  # most points of a curve that are drawn

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Picture:
    """A chart and what is said below it."""

    svg: Markup
    caption: str


def attack_pictures(
    key: str, outcomes: Sequence[Row], controls: Sequence[Row], guarantee: Row | None
) -> list[Picture]:
    """ROC, CMC and restarts, as far as the outcomes hold them.

    Args:
        key: Of this method on the page.
        outcomes: Of the method.
        controls: Methods beside it, with their ``outcomes``.
        guarantee: What is claimed for all that is released, if anything is.
    """
    made = [
        _roc(key, outcomes, controls, guarantee),
        _cmc(key, outcomes, controls),
        _restarts(key, outcomes),
    ]
    return [picture for picture in made if picture is not None]


def finding_picture(key: str, measures: Sequence[Row]) -> Picture | None:
    """AUC per finding in the four settings; None where nothing of the kind was measured."""
    bars = []
    for row in measures:
        value = drawable(row["value"])
        if row["metric"] != "auc" or row["setting"] not in SETTINGS or is_subgroup(row):
            continue
        if value is not None:
            low, high = drawable(row["low"]), drawable(row["high"])
            bars.append(
                Bar(
                    subject=_subject(row),
                    setting=row["setting"],
                    value=value,
                    low=value if low is None else low,
                    high=value if high is None else high,
                )
            )
    if not bars:
        return None
    kept = list(dict.fromkeys(bar.subject for bar in bars))[:SUBJECTS]
    words = "AUC per finding. " + ". ".join(
        f"{subject}: "
        + ", ".join(f"{b.setting} {b.value:.3f}" for b in bars if b.subject == subject)
        for subject in kept
    )
    present = [s for s in SETTINGS if any(bar.setting == s for bar in bars)]
    caption = "; ".join(f"{s}: {SETTINGS[s]}" for s in present)
    return Picture(
        finding_chart(f"{key}-findings", [b for b in bars if b.subject in kept], words=words),
        f"AUC with 95 % intervals over patients. {caption}. Bars begin at guessing, 0.5.",
    )


def _roc(
    key: str, outcomes: Sequence[Row], controls: Sequence[Row], guarantee: Row | None
) -> Picture | None:
    held = _holding(outcomes, "roc")
    if not held:
        return None
    curves = [_curve(row, "roc", "fpr", "tpr", f"{_named(row)}") for row in held]
    curves += _beside(held, controls, "roc", "fpr", "tpr")
    claim = None
    if guarantee is not None:
        epsilon, delta = drawable(guarantee["epsilon"]), drawable(guarantee["delta"])
        claim = None if epsilon is None else (epsilon, delta or 0.0)
    words = "ROC curves. " + "; ".join(_told(row) for row in held)
    caption = (
        "How many true pairs the attacker finds (up) at the price of how many false alarms "
        "(right), with 95 % bands over patients. On the dotted line it guesses; in the upper left "
        "corner it is never wrong."
    )
    return Picture(roc_chart(f"{key}-roc", curves, claim=claim, words=words), caption)


def _cmc(key: str, outcomes: Sequence[Row], controls: Sequence[Row]) -> Picture | None:
    held = _holding(outcomes, "cmc")
    if not held:
        return None
    curves = [_curve(row, "cmc", "ranks", "rate", _named(row)) for row in held]
    curves += _beside(held, controls, "cmc", "ranks", "rate")
    sizes = {row["detail"]["cmc"].get("gallery") for row in held}
    gallery = sizes.pop() if len(sizes) == 1 else None
    words = "Cumulative match curves. " + "; ".join(
        f"{_named(row)}: first {c.y[0]:.1%}, among the first {c.x[-1]:,.0f} {c.y[-1]:.1%}"
        for row, c in zip(held, curves, strict=False)
    )
    caption = (
        "The attacker ranks a gallery of real radiographs by likeness to a private image: how "
        "often the right one is among the first k, with 95 % bands over patients."
    )
    return Picture(
        cmc_chart(
            f"{key}-cmc",
            curves,
            gallery=gallery if isinstance(gallery, int) else None,
            words=words,
        ),
        caption,
    )


def _restarts(key: str, outcomes: Sequence[Row]) -> Picture | None:
    found: dict[str, Dots] = {}  # mean and maximum of one setting have the same restarts
    limited = False
    for row in outcomes:
        values = [
            value
            for value in map(drawable, (row.get("detail") or {}).get("restarts") or ())
            if value is not None
        ]
        if values and row["metric"].startswith("auc"):
            limit = drawable(row["ceiling"])
            limited |= limit is not None
            found[row["setting"]] = Dots(name=row["setting"], values=values, ceiling=limit)
    rows = list(found.values())
    if not rows:
        return None
    words = "Restarts of the adaptive attack. " + "; ".join(
        f"{row.name}: {len(row.values)} from {min(row.values):.3f} to {max(row.values):.3f}"
        for row in rows
    )
    caption = (
        "Each dot is an attacker that learnt anew; the filled one is the best, the tick their "
        "mean, the dotted line guessing"
    )
    return Picture(
        restart_chart(f"{key}-restarts", rows, words=words),
        caption
        + (", the red line, where it is in sight, the ceiling of the claim." if limited else "."),
    )


def _holding(outcomes: Sequence[Row], curve: str) -> list[Row]:
    """Outcomes with such a curve: of each attack one, of the summary if it can be, its largest."""
    held = [row for row in outcomes if (row.get("detail") or {}).get(curve)]
    held.sort(key=lambda row: (not row["headline"], -(drawable(row["value"]) or 0.0)))
    first: dict[str, Row] = {}
    for row in held:
        first.setdefault(row["attack"], row)
    return list(first.values())[:CURVES]


def _beside(
    held: Sequence[Row], controls: Sequence[Row], curve: str, x: str, y: str
) -> list[Curve]:
    """The same curve of the controls, for the outcome that reached most."""
    top = max(held, key=lambda row: drawable(row["value"]) or 0.0)
    found = []
    for control in controls:
        for row in control["outcomes"]:
            if (row.get("detail") or {}).get(curve) and (row["attack"], row["setting"]) == (
                top["attack"],
                top["setting"],
            ):
                made = _curve(row, curve, x, y, f"control: {control['method']['name']}")
                found.append(Curve(name=made.name, x=made.x, y=made.y, control=True))
                break
    return found[:CURVES]


def _curve(row: Row, curve: str, x: str, y: str, name: str) -> Curve:
    data = row["detail"][curve]
    xs, ys = _numbers(data[x]), _numbers(data[y])
    if len(xs) != len(ys) or not xs:
        raise ValueError(f"expected as many {x} as {y}, and at least one")
    low, high = _numbers(data.get("low") or ()), _numbers(data.get("high") or ())
    step = -(-len(xs) // POINTS)
    banded = len(low) == len(high) == len(xs)
    keep = [*range(0, len(xs) - 1, step), len(xs) - 1]
    return Curve(
        name=name,
        x=[xs[i] for i in keep],
        y=[ys[i] for i in keep],
        low=[low[i] for i in keep] if banded else (),
        high=[high[i] for i in keep] if banded else (),
    )


def _numbers(values: Sequence[Any]) -> list[float]:
    found = [drawable(value) for value in values]
    if None in found:
        raise ValueError("expected a curve of numbers")
    return [value for value in found if value is not None]


def _named(row: Row) -> str:
    return f"{str(row['attack']).replace('_', ' ')}: {row['setting']}"


def _told(row: Row) -> str:
    return f"{_named(row)}: {row['metric']} {shown(row['value'], row['metric'])}"


def _subject(row: Row) -> str:
    if not isinstance(row["subject"], str):
        raise TypeError("expected a finding's name")
    return row["subject"]
