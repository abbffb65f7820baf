"""What readers learn, against the budget or the size of the cohort, one line for each method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from latentdp.reports.charts import COLOURS, DASHES, shortened
from latentdp.reports.svg import GREY, inline_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Line", "Panel", "budget_chart"]

HEIGHT, WIDTH, MOST = 3.4, 3.3, 3  # inches of a panel, and panels beside each other
MARKERS = "osD^vPX*"
LONGEST = 30  # letters of a name


@dataclass(frozen=True, kw_only=True)
class Line:
    """A method.

    Attributes:
        name: In the legend.
        points: ``(x, y)`` by rising x.
        dashed: Whether it is a control.
    """

    name: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One set of axes.

    Attributes:
        title: Above it.
        lines: All methods, in the same order in all panels.
    """

    title: str
    lines: Sequence[Line]


def budget_chart(
    key: str,
    panels: Sequence[Panel],
    *,
    across: str,
    words: str,
    up: str = "AUC, normal or not",
) -> Markup:
    """Panels with the same axes and of the same size, below each other where there are many.

    Args:
        key: Of this chart on its page.
        panels: At least one.
        across: What stands on the horizontal axis, in powers.
        words: What is seen.
        up: What stands on the vertical axis.
    """
    names = list(dict.fromkeys(line.name for panel in panels for line in panel.lines))
    rows = -(-len(panels) // MOST)
    values = [y for panel in panels for line in panel.lines for _, y in line.points]
    legend = 0.24 * (-(-len(names) // MOST)) + 0.1
    height = rows * HEIGHT + legend

    def paint(figure: Figure) -> None:
        every = figure.subplots(rows, MOST, squeeze=False)
        figure.subplots_adjust(
            left=0.6 / (MOST * WIDTH), right=0.985, top=1 - 0.3 / height,
            bottom=(legend + 0.5) / height, hspace=0.42, wspace=0.22,
        )  # fmt: skip
        flat = every.ravel()
        for axes, panel in zip(flat, panels, strict=False):
            axes.set_ylim(min(0.5, *values) - 0.01, 1.0)
            axes.set_title(panel.title, fontsize=9.5)
            axes.set_xlabel(across)
            _lines(axes, panel, names)
        for axes in flat[len(panels) :]:
            axes.remove()
        flat[0].set_ylabel(up)
        handles = {
            label: handle
            for axes in flat[: len(panels)]
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        figure.legend(handles.values(), handles.keys(), loc="lower center", ncols=MOST)

    return inline_svg(key, words, (MOST * WIDTH, height), paint)


def _lines(axes: Axes, panel: Panel, names: Sequence[str]) -> None:
    axes.set_xscale("log")
    for line in panel.lines:
        number = names.index(line.name)
        axes.plot(
            [x for x, _ in line.points],
            [y for _, y in line.points],
            label=shortened(line.name, LONGEST),
            color=GREY if line.dashed else COLOURS[number % len(COLOURS)],
            linestyle=DASHES[2] if line.dashed else DASHES[number // len(COLOURS) % 2],
            marker=None if line.dashed else MARKERS[number % len(MARKERS)],
            markersize=4.5,
        )
    ticks = sorted({x for line in panel.lines for x, _ in line.points})
    axes.set_xticks(ticks, [f"{x:g}" if x < 1_000 else f"{x:,.0f}" for x in ticks])
    axes.minorticks_off()
