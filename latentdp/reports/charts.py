"""The charts of an evaluation: ROC and CMC curves, restarts, and what is left for a classifier.

Colours are those of Okabe and Ito (2008), which colour-blind readers tell apart; whatever a
colour says, a marker, a dash or a place says too.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from latentdp.core.text import printable
from latentdp.reports.svg import GREY, INK, PAPER, inline_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "COLOURS",
    "Bar",
    "Curve",
    "Dots",
    "cmc_chart",
    "finding_chart",
    "restart_chart",
    "roc_chart",
    "shortened",
]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
SETTINGS = {"o/o": "#8a939d", "o/p": "#E69F00", "p/o": "#0072B2", "p/p": "#009E73"}
WIDTH = 4.7  # inches: two beside each other fill the page


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A curve with its band over patients.

    Attributes:
        name: In the legend.
        x: Rising.
        y: As long as ``x``, in [0, 1].
        low: Lower edge of the band, as long as ``x``; empty without one.
        high: Upper edge of it; empty without one.
        control: Whether it is shown in grey, for comparison.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    control: bool = False


@dataclass(frozen=True, kw_only=True)
class Dots:
    """Restarts of one attack.

    Attributes:
        name: What the attack was made on.
        values: AUC of each restart.
        ceiling: That the claim implies, if any.
    """

    name: str
    values: Sequence[float]
    ceiling: float | None = None


@dataclass(frozen=True, kw_only=True)
class Bar:
    """AUC of one finding in one setting.

    Attributes:
        subject: The finding.
        setting: ``o/o``, ``o/p``, ``p/o`` or ``p/p``.
        value: The AUC.
        low: Lower limit of its interval; as ``value`` without one.
        high: Upper limit of it; as ``value`` without one.
    """

    subject: str
    setting: str
    value: float
    low: float
    high: float


def roc_chart(
    key: str, curves: Sequence[Curve], *, claim: tuple[float, float] | None, words: str
) -> Markup:
    """ROC curves.

    Args:
        key: Of this chart on its page.
        curves: Rates of true positives over those of false ones.
        claim: Epsilon and delta of what is claimed: an attacker stays below
            min(exp(epsilon) x + delta, 1 - exp(-epsilon) (1 - delta - x)) (Kairouz, Oh and
            Viswanath 2015, theorem 2.1).
        words: What is seen.
    """
    in_sight = claim is not None and claim[0] < 20  # above, it is the frame

    def paint(figure: Figure) -> None:
        axes = _panel(figure)
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (2, 2)), label="guessing")
        if claim is not None and in_sight:
            odds, delta = math.exp(claim[0]), claim[1]
            grid = sorted({i / 200 for i in range(201)} | {min(1.0, (1 - delta) / (odds + 1))})
            most = [min(odds * x + delta, 1 - (1 - delta - x) / odds, 1.0) for x in grid]
            axes.plot(
                grid, most, color="#a61b12", linewidth=1.2, label="most that the claim allows"
            )
        _curves(axes, curves)
        axes.set(
            xlim=(0, 1), ylim=(0, 1),
            xlabel="False alarms among wrong pairs", ylabel="True pairs found",
        )  # fmt: skip
        _legend(axes)

    return inline_svg(key, words, _size(curves, 1 + in_sight), paint)


def cmc_chart(key: str, curves: Sequence[Curve], *, gallery: int | None, words: str) -> Markup:
    """Cumulative match characteristic: how often the right one is among the first k named.

    Args:
        key: Of this chart on its page.
        curves: Rates over ranks, from 1.
        gallery: Its size, for the line of guessing.
        words: What is seen.
    """
    last = max([2.0, *(max(curve.x) for curve in curves if curve.x)])

    def paint(figure: Figure) -> None:
        axes = _panel(figure)
        if gallery:
            ranks = [last ** (i / 60) for i in range(61)]
            axes.plot(
                ranks, [min(1.0, rank / gallery) for rank in ranks],
                color=GREY, linewidth=1, linestyle=(0, (2, 2)), label="guessing",
            )  # fmt: skip
        _curves(axes, curves)
        axes.set_xscale("log")
        axes.set(
            xlim=(1, last), ylim=(0, 1),
            xlabel=f"First k named{f' of {gallery:,}' if gallery else ''}",
            ylabel="Right one among them",
        )  # fmt: skip
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}")
        axes.minorticks_off()
        _legend(axes)

    return inline_svg(key, words, _size(curves, bool(gallery)), paint)


def restart_chart(key: str, rows: Sequence[Dots], *, words: str) -> Markup:
    """Each restart of an attack that learns: a dot; their mean: a tick; the largest is filled."""
    height = 0.55 + 0.62 * len(rows)

    def paint(figure: Figure) -> None:
        axes = figure.add_axes((0.03, 0.5 / height, 0.94, 1 - 0.55 / height))
        every = [0.5, *(value for row in rows for value in row.values)]
        low, high = min(0.45, *every), max(0.65, *every)
        axes.set(
            xlim=(low - 0.03 * (high - low), high + 0.1 * (high - low)),
            ylim=(len(rows) - 0.4, -0.6), xlabel="AUC of each restart",
        )  # fmt: skip
        axes.axvline(0.5, color=GREY, linewidth=1, linestyle=(0, (2, 2)))
        for y, row in enumerate(rows):
            *rest, top = sorted(row.values)
            axes.plot(
                rest, [y] * len(rest), "o", markerfacecolor="white", markeredgecolor=COLOURS[0],
                markersize=6,
            )  # fmt: skip
            axes.plot([top], [y], "o", color=COLOURS[0], markersize=7)
            middle = math.fsum(row.values) / len(row.values)
            axes.plot([middle, middle], [y - 0.2, y + 0.2], color=INK, linewidth=2)
            axes.annotate(
                f"{top:.3f}", (top, y), (7, 0), textcoords="offset points", va="center",
                fontsize=8.5,
            )  # fmt: skip
            axes.annotate(
                shortened(row.name, 70), (0, y - 0.27), xycoords=("axes fraction", "data"),
                va="bottom", fontsize=8, color=GREY, bbox=PAPER,
            )  # fmt: skip
            if row.ceiling is not None and row.ceiling <= high:
                axes.plot([row.ceiling] * 2, [y - 0.25, y + 0.3], color="#a61b12", linewidth=1.4)
        axes.yaxis.set_visible(False)
        axes.spines["left"].set_visible(False)

    return inline_svg(key, words, (WIDTH, height), paint)


def finding_chart(key: str, bars: Sequence[Bar], *, words: str) -> Markup:
    """AUC per finding, in groups of settings; bars begin at guessing."""
    subjects = list(dict.fromkeys(bar.subject for bar in bars))
    settings = [s for s in SETTINGS if any(bar.setting == s for bar in bars)]
    width = 0.84 / max(1, len(settings))

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        for j, setting in enumerate(settings):
            chosen = [bar for bar in bars if bar.setting == setting]
            at = [
                subjects.index(bar.subject) + (j - (len(settings) - 1) / 2) * width
                for bar in chosen
            ]
            axes.bar(
                at, [bar.value - 0.5 for bar in chosen], 0.9 * width, bottom=0.5,
                color=SETTINGS[setting], linewidth=0,
                label=setting,
            )  # fmt: skip
            axes.errorbar(
                at, [bar.value for bar in chosen],
                yerr=[[max(0.0, bar.value - bar.low) for bar in chosen],
                      [max(0.0, bar.high - bar.value) for bar in chosen]],
                fmt="none", ecolor=INK, elinewidth=1, capsize=2,
            )  # fmt: skip
        axes.axhline(0.5, color=GREY, linewidth=1.2)
        low = min(0.5, *(min(bar.low, bar.value) for bar in bars))
        axes.set(
            xlim=(-0.6, max(len(subjects), 2) - 0.4),
            ylim=(0.5 if low >= 0.5 else max(0.0, low - 0.03), 1.0),
            ylabel="AUC",
        )
        axes.set_xticks(range(len(subjects)), [shortened(s, 18) for s in subjects])
        if len(subjects) > 6:
            axes.tick_params(axis="x", labelrotation=35)
            for label in axes.get_xticklabels():
                label.set(ha="right", rotation_mode="anchor")
        axes.grid(visible=False, axis="x")
        axes.legend(
            ncols=4, loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2, handlelength=1.4
        )
        figure.subplots_adjust(
            left=0.08, right=0.99, top=0.88, bottom=0.3 if len(subjects) > 6 else 0.1
        )

    return inline_svg(key, words, (9.0, 3.6 if len(subjects) > 6 else 3.0), paint)


def shortened(text: str, length: int) -> str:
    """A label that fits, and that can be printed."""
    safe = " ".join(printable(text).split())
    return safe if len(safe) <= length else safe[: length - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _curves(axes: Axes, curves: Sequence[Curve]) -> None:
    own = 0
    for i, curve in enumerate(curves):
        if curve.control:
            colour, width = "#8a939d", 1.2
            dash = DASHES[(1 + i) % len(DASHES)]
        else:
            colour, width, dash = COLOURS[own % len(COLOURS)], 2.0, DASHES[own % len(DASHES)]
            own += 1
        if len(curve.low) == len(curve.high) == len(curve.x) > 0:
            axes.fill_between(
                curve.x, curve.low, curve.high, color=colour, alpha=0.16, linewidth=0
            )
        axes.plot(
            curve.x, curve.y, color=colour, linewidth=width, linestyle=dash,
            label=_folded(curve.name), zorder=2 if curve.control else 3,
        )  # fmt: skip


def _size(curves: Sequence[Curve], others: int) -> tuple[float, float]:
    """Of a chart with the names of curves, and of others, in the legend below it."""
    lines = others + sum(_folded(curve.name).count("\n") + 1 for curve in curves)
    return WIDTH, 4.1 + 0.165 * lines


def _folded(name: str) -> str:
    """A name on at most two lines of a legend."""
    return textwrap.fill(shortened(name, 100), 50, max_lines=2, placeholder=" ...")


def _panel(figure: Figure) -> Axes:
    """The axes of a chart above its legend: of one size, however long that is."""
    width, height = figure.get_size_inches()
    return figure.add_axes((0.56 / width, 1 - 3.5 / height, 1 - 0.7 / width, 3.4 / height))


def _legend(axes: Axes) -> None:
    axes.legend(
        loc="upper left", bbox_to_anchor=(-0.02, -0.145), borderaxespad=0, fontsize=8.5,
        handlelength=2.4, labelspacing=0.35,
    )  # fmt: skip
