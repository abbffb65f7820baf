"""The picture of a comparison: how well people are found against what the images are good for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from latentdp.reports.charts import shortened
from latentdp.reports.svg import GREY, INK, PAPER, inline_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Point", "front", "pareto_chart"]

LOOKS = {
    "control": ("#6b747e", "^", "controls"),
    "rival": ("#D55E00", "s", "rivals"),
    "ours": ("#0072B2", "o", "latentdp"),  # on top
}
SIZE = (9.0, 5.8)
Box = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Point:
    """A method in the picture.

    Attributes:
        name: Its label.
        group: ``ours``, ``rival`` or ``control``.
        x: Re-identification, with ``x_low`` and ``x_high``.
        y: Utility, with ``y_low`` and ``y_high``.
    """

    name: str
    group: str
    x: float
    x_low: float
    x_high: float
    y: float
    y_low: float
    y_high: float

    def beats(self, other: Point) -> bool:
        """Whether it is better in one number and not worse in the other."""
        same = (self.x, self.y) == (other.x, other.y)
        return self.x <= other.x and self.y >= other.y and not same


def front(points: Sequence[Point]) -> list[Point]:
    """Points that no other beats in one number without losing in the other, by rising x."""
    best = [p for p in points if not any(q.beats(p) for q in points)]
    return sorted(best, key=lambda p: (p.x, p.y))


def pareto_chart(
    key: str, points: Sequence[Point], *, labels_only: float | None, words: str
) -> Markup:
    """Re-identification to the right, utility upwards: the upper left corner is best.

    Args:
        key: Of this chart on its page.
        points: The methods.
        labels_only: Utility of labels without images: at or below it nothing of an image is left.
        words: What is seen.
    """
    points = _raised(points)

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        figure.subplots_adjust(left=0.075, right=0.985, top=0.97, bottom=0.095)
        _limits(axes, points, labels_only)
        axes.axvline(0.5, color=GREY, linewidth=1.1, linestyle=(0, (2, 2)))
        if labels_only is not None:
            axes.axhline(labels_only, color=GREY, linewidth=1.1, linestyle=(0, (6, 2)))
        best = front([p for p in points if p.group != "control"])
        axes.plot(
            [p.x for p in best], [p.y for p in best],
            color="#b6bec7", linewidth=1.2, drawstyle="steps-post", zorder=1,
        )  # fmt: skip
        for group, (colour, marker, title) in LOOKS.items():
            chosen = [p for p in points if p.group == group]
            if chosen:
                _group(axes, chosen, colour, marker, title)
        axes.set(
            xlabel="Re-identification: AUC of the best restart of the adaptive attacker "
            "(0.5 is guessing)",
            ylabel="Utility: AUC learnt on private, tested on originals",
        )
        handles, titles = axes.get_legend_handles_labels()
        axes.legend(
            handles[::-1],
            titles[::-1],
            loc="lower right",
            frameon=True,
            framealpha=0.9,
            edgecolor="none",
        )
        _label(figure, axes, points, labels_only)

    return inline_svg(key, words, SIZE, paint)


def _limits(axes: Axes, points: Sequence[Point], labels_only: float | None) -> None:
    xs = [0.5, *(v for p in points for v in (p.x_low, p.x_high, p.x))]
    ys = [v for p in points for v in (p.y_low, p.y_high, p.y)]
    ys += [] if labels_only is None else [labels_only]
    for low, high, place in ((min(xs), max(xs), axes.set_xlim), (min(ys), max(ys), axes.set_ylim)):
        pad = 0.07 * max(high - low, 0.05)
        place(low - pad, high + pad)


def _raised(points: Sequence[Point]) -> list[Point]:
    """Points with controls from far below moved up to the edge, and named with their number.

    Noise alone has no use at all; on a scale that reaches it, all others would be one heap.
    """
    lows = [p.y_low for p in points if p.group != "control"]
    if not lows:
        return list(points)
    edge = min(lows) - 0.03
    return [
        p if p.group != "control" or p.y >= edge - 0.06 else replace(
            p, name=f"{p.name} (below, at {p.y:.3f})", y=edge, y_low=edge, y_high=edge
        )
        for p in points
    ]  # fmt: skip


def _group(axes: Axes, points: Sequence[Point], colour: str, marker: str, title: str) -> None:
    axes.errorbar(
        [p.x for p in points], [p.y for p in points],
        xerr=_reach([(p.x_low, p.x, p.x_high) for p in points]),
        yerr=_reach([(p.y_low, p.y, p.y_high) for p in points]),
        fmt="none", ecolor=colour, elinewidth=0.9, alpha=0.45, zorder=2,
    )  # fmt: skip
    axes.plot(
        [p.x for p in points], [p.y for p in points], linestyle="none", marker=marker,
        color=colour, markersize=8, markeredgecolor="white", markeredgewidth=0.8, label=title,
        zorder=3,
    )  # fmt: skip


def _reach(limits: Sequence[tuple[float, float, float]]) -> list[list[float]]:
    """How far intervals reach down and up, as error bars want it."""
    down = [max(0.0, value - low) for low, value, _ in limits]
    return [down, [max(0.0, high - value) for _, value, high in limits]]


def _label(figure: Figure, axes: Axes, points: Sequence[Point], labels_only: float | None) -> None:
    """Writes each name where it covers as little as possible; a thin line where it is far."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    renderer = canvas.get_renderer()
    frame = _box(axes.get_window_extent(renderer))
    to_pixels = axes.transData.transform
    at = [tuple(map(float, to_pixels((p.x, p.y)))) for p in points]
    taken: list[tuple[Box, float]] = [((x - 6, y - 6, x + 6, y + 6), 8.0) for x, y in at]
    for p in points:  # error bars may be covered, but rather not
        (x0, y), (x1, _) = to_pixels((p.x_low, p.y)), to_pixels((p.x_high, p.y))
        (x, y0), (_, y1) = to_pixels((p.x, p.y_low)), to_pixels((p.x, p.y_high))
        taken += [((x0, y - 1, x1, y + 1), 1.0), ((x - 1, y0, x + 1, y1), 1.0)]
    (x, _), (_, y) = to_pixels((0.5, 0)), to_pixels((0, 0 if labels_only is None else labels_only))
    taken += [((x - 1, frame[1], x + 1, frame[3]), 3.0), ((frame[0], y - 1, frame[2], y + 1), 3.0)]
    legend = axes.get_legend()
    if legend is not None:
        taken.append((_box(legend.get_window_extent(renderer)), 8.0))
    taken += _captions(axes, renderer, labels_only)
    order = sorted(range(len(points)), key=lambda i: (points[i].group != "ours", at[i]))
    for i in order:
        p, (x, y) = points[i], at[i]
        text = axes.text(
            p.x, p.y, shortened(p.name, 40), fontsize=9, color=LOOKS.get(p.group, (INK,))[0],
            fontweight="bold" if p.group == "ours" else "normal", zorder=2.5, bbox=PAPER,
        )  # fmt: skip
        extent = text.get_window_extent(renderer)
        width, height = extent.width, extent.height
        chosen = min(
            (
                (_cost(box, taken, frame) + 0.012 * distance, box, distance)
                for box, distance in _places(x, y, width, height)
            ),
            key=lambda place: place[0],
        )
        _, box, distance = chosen
        text.set_transform(None)
        text.set_position((box[0], box[1]))
        text.set(ha="left", va="bottom")
        taken.append((box, 12.0))
        if distance > 14:
            near = (min(max(x, box[0]), box[2]), min(max(y, box[1] + 2), box[3] - 2))
            axes.plot(
                [x, near[0]], [y, near[1]], color=GREY, linewidth=0.6, transform=None, zorder=1.5
            )


def _captions(axes: Axes, renderer: Any, labels_only: float | None) -> list[tuple[Box, float]]:
    """Names of the lines, and where is best."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    texts = [
        axes.annotate("guessing", (0.5, bottom), (-3, 6), textcoords="offset points", rotation=90,
                      fontsize=8.5, color=GREY, ha="right", va="bottom"),
        axes.annotate("\N{NORTH WEST ARROW} better", (left, top), (4, 0), fontweight="bold",
                      textcoords="offset points", color=INK, ha="left", va="top"),
    ]  # fmt: skip
    if labels_only is not None:
        texts.append(
            axes.annotate("labels alone, without any image", (right, labels_only), (0, 3),
                          textcoords="offset points", fontsize=8.5, color=GREY, ha="right",
                          va="bottom")
        )  # fmt: skip
    return [(_box(text.get_window_extent(renderer)), 8.0) for text in texts]


def _places(x: float, y: float, width: float, height: float) -> list[tuple[Box, float]]:
    """Boxes around a point, near ones first, each with its distance in pixels."""
    boxes = []
    for reach in (8.0, 16.0, 26.0, 38.0, 54.0, 74.0):
        for across, up in (
            (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1), (0, 1), (0, -1),
            (1, 0.5), (-1, 0.5), (1, -0.5), (-1, -0.5),
        ):  # fmt: skip
            left = x + across * reach - (0 if across > 0 else width if across < 0 else width / 2)
            lower = y + up * reach - height * (1 - up) / 2
            boxes.append(((left, lower, left + width, lower + height), reach))
    return boxes


def _cost(box: Box, taken: Sequence[tuple[Box, float]], frame: Box) -> float:
    """How much a box covers, in heights of a line; much where it leaves the frame."""
    area = (box[2] - box[0]) * (box[3] - box[1])
    cost = 40 * (1 - _shared(box, frame) / area)
    scale = (box[3] - box[1]) ** 2
    return cost + sum(weight * _shared(box, other) / scale for other, weight in taken)


def _shared(a: Box, b: Box) -> float:
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    return max(0.0, wide) * max(0.0, high)


def _box(extent: Any) -> Box:
    return (float(extent.x0), float(extent.y0), float(extent.x1), float(extent.y1))
