"""The charts that an evaluation's numbers give, each with a caption."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from latentdp.metrics.definitions.verification import AUC
from latentdp.metrics.metric import Quantity
from latentdp.reports.charts import (
    Bar,
    Curve,
    Dots,
    cmc_chart,
    finding_chart,
    restart_chart,
    roc_chart,
)
from latentdp.reports.evaluation_parts import Control, MethodGuarantee
from latentdp.reports.formatting import shown
from latentdp.reports.glossary import SETTINGS
from latentdp.reports.results import Measure, Outcome

__all__ = ["Picture", "attack_pictures", "finding_picture"]

CURVES = 4  # most curves of the method itself in one chart
SUBJECTS = 14  # most findings in one chart
POINTS = 2_000  # most points of a curve that are drawn

Drawn = Callable[[Outcome, str], Curve | None]


@dataclass(frozen=True)
class Picture:
    """A chart and what is said below it."""

    svg: Markup
    caption: str


def attack_pictures(
    key: str,
    outcomes: Sequence[Outcome],
    controls: Sequence[Control],
    guarantee: MethodGuarantee | None,
) -> list[Picture]:
    """ROC, CMC and restarts, as far as the outcomes hold them.

    Args:
        key: Of this method on the page.
        outcomes: Of the method.
        controls: Methods beside it.
        guarantee: What is claimed for all that is released, if anything is.
    """
    pictures = [
        _roc(key, outcomes, controls, guarantee),
        _cmc(key, outcomes, controls),
        _restarts(key, outcomes),
    ]
    return [picture for picture in pictures if picture is not None]


def finding_picture(key: str, measures: Sequence[Measure]) -> Picture | None:
    """AUC per finding in the four settings; None where nothing of the kind was measured."""
    bars = [
        Bar(
            subject=m.subject,
            setting=m.setting,
            value=m.value,
            low=m.value if m.low is None else m.low,
            high=m.value if m.high is None else m.high,
        )
        for m in measures
        if m.metric == AUC and m.setting in SETTINGS and not m.of_a_subgroup
        if m.value is not None
    ]
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
    key: str,
    outcomes: Sequence[Outcome],
    controls: Sequence[Control],
    guarantee: MethodGuarantee | None,
) -> Picture | None:
    attacked = _holding(outcomes, _roc_curve)
    if not attacked:
        return None
    curves = [curve for _, curve in attacked]
    curves += _beside([o for o, _ in attacked], controls, _roc_curve)
    claim = None
    if guarantee is not None and guarantee.epsilon is not None:
        claim = guarantee.epsilon, guarantee.delta
    words = "ROC curves. " + "; ".join(_told(outcome) for outcome, _ in attacked)
    caption = (
        "How many true pairs the attacker finds (up) at the price of how many false alarms "
        "(right), with 95 % bands over patients. On the dotted line it guesses; in the upper left "
        "corner it is never wrong."
    )
    return Picture(roc_chart(f"{key}-roc", curves, claim=claim, words=words), caption)


def _cmc(key: str, outcomes: Sequence[Outcome], controls: Sequence[Control]) -> Picture | None:
    attacked = _holding(outcomes, _cmc_curve)
    if not attacked:
        return None
    curves = [curve for _, curve in attacked]
    sizes = {o.detail.cmc.gallery for o, _ in attacked if o.detail.cmc is not None}
    words = "Cumulative match curves. " + "; ".join(
        f"{c.name}: first {c.y[0]:.1%}, among the first {c.x[-1]:,.0f} {c.y[-1]:.1%}"
        for c in curves
    )
    curves += _beside([o for o, _ in attacked], controls, _cmc_curve)
    caption = (
        "The attacker ranks a gallery of real radiographs by likeness to a private image: how "
        "often the right one is among the first k, with 95 % bands over patients."
    )
    return Picture(
        cmc_chart(
            f"{key}-cmc", curves, gallery=sizes.pop() if len(sizes) == 1 else None, words=words
        ),
        caption,
    )


def _restarts(key: str, outcomes: Sequence[Outcome]) -> Picture | None:
    # Mean and maximum of one setting have the same restarts.
    dots = {
        o.setting: Dots(name=o.setting, values=o.detail.restarts, ceiling=o.ceiling)
        for o in outcomes
        if o.detail.restarts and o.metric.quantity is Quantity.AUC
    }
    rows = list(dots.values())
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
    limited = any(row.ceiling is not None for row in rows)
    return Picture(
        restart_chart(f"{key}-restarts", rows, words=words),
        caption
        + (", the red line, where it is in sight, the ceiling of the claim." if limited else "."),
    )


def _holding(outcomes: Sequence[Outcome], drawn: Drawn) -> list[tuple[Outcome, Curve]]:
    """Outcomes with such a curve: of each attack one, of the summary if it can be, its largest."""
    with_curve = [(o, curve) for o in outcomes if (curve := drawn(o, _named(o))) is not None]
    with_curve.sort(key=lambda pair: (not pair[0].headline, -(pair[0].value or 0.0)))
    first: dict[str, tuple[Outcome, Curve]] = {}
    for outcome, curve in with_curve:
        first.setdefault(outcome.attack, (outcome, curve))
    return list(first.values())[:CURVES]


def _beside(held: Sequence[Outcome], controls: Sequence[Control], drawn: Drawn) -> list[Curve]:
    """The same curve of the controls, for the outcome that reached most."""
    top = max(held, key=lambda outcome: outcome.value or 0.0)
    curves = []
    for control in controls:
        same = (
            drawn(o, f"control: {control.method.name}")
            for o in control.outcomes
            if (o.attack, o.setting) == (top.attack, top.setting)
        )
        curve = next((curve for curve in same if curve is not None), None)
        if curve is not None:
            curves.append(Curve(name=curve.name, x=curve.x, y=curve.y, control=True))
    return curves[:CURVES]


def _roc_curve(outcome: Outcome, name: str) -> Curve | None:
    roc = outcome.detail.roc
    return None if roc is None else _curve(name, roc.fpr, roc.tpr, roc.low, roc.high)


def _cmc_curve(outcome: Outcome, name: str) -> Curve | None:
    cmc = outcome.detail.cmc
    return None if cmc is None else _curve(name, cmc.ranks, cmc.rate, cmc.low, cmc.high)


def _curve(
    name: str,
    xs: Sequence[float],
    ys: Sequence[float | None],
    low: Sequence[float | None],
    high: Sequence[float | None],
) -> Curve | None:
    """A curve of few points, with its band if that is whole; None where a point is missing."""
    rates = [y for y in ys if y is not None]
    if len(rates) != len(xs):
        return None
    step = -(-len(xs) // POINTS)
    keep = [*range(0, len(xs) - 1, step), len(xs) - 1]
    band = [[x for x in limit if x is not None] for limit in (low, high)]
    banded = len(band[0]) == len(band[1]) == len(xs)
    return Curve(
        name=name,
        x=[xs[i] for i in keep],
        y=[rates[i] for i in keep],
        low=[band[0][i] for i in keep] if banded else (),
        high=[band[1][i] for i in keep] if banded else (),
    )


def _named(outcome: Outcome) -> str:
    return f"{outcome.attack.replace('_', ' ')}: {outcome.setting}"


def _told(outcome: Outcome) -> str:
    return f"{_named(outcome)}: {outcome.metric.name} {shown(outcome.value, outcome.metric)}"
