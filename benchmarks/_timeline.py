"""A picture of spans: a row for each process, time from left to right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from _spans import IN_RUN, TASKS, Span, bounds

__all__ = ["draw"]

WIDTH, BAR, GAP, LEFT, TOP = 960, 34, 10, 118, 34
FINEST = 0.3  # of a pixel: spans of one name that are closer look like one
COLOURS = {
    "take": "#4477aa", "read": "#4477aa", "release": "#cc6677", "network": "#aa3355",
    "encode": "#ddaa33", "write": "#997700", "decide": "#88ccaa", "settle": "#44aa99",
    "reserve": "#117733", "record": "#228833", "publish": "#999933", "documents": "#bbbbbb",
    "review": "#bbbbbb",
}  # fmt: skip
WORDS = {
    "take": "digest and read", "release": "privatize", "network": "network",
    "encode": "DICOM file", "write": "draft", "reserve": "reserve", "record": "record",
    "publish": "publish", "settle": "decide",
}  # fmt: skip


def draw(spans: Sequence[Span], path: Path) -> None:
    """Writes an SVG of the time from the first task to the end of the last.

    Args:
        spans: Of all processes.
        path: Of the picture.
    """
    first, last = bounds(spans)
    workers = sorted({span.process for span in spans if span.name in TASKS})
    rows = [*workers, *{s.process for s in spans if s.name in IN_RUN} - set(workers)]
    scale = (WIDTH - LEFT - 10) / (last - first)
    parts = []
    for row, process in enumerate(rows):
        y = TOP + row * (BAR + GAP)
        name = f"worker {row + 1}" if process in workers else "run"
        parts.append(f'<text x="8" y="{y + BAR / 2 + 5}">{name}</text>')
        parts.append(f'<rect x="{LEFT}" y="{y}" width="{WIDTH - LEFT - 10}" height="{BAR}" '
                     'fill="#eeeeee"/>')  # fmt: skip
        own = [s for s in spans if s.process == process and s.end > first and s.start < last]
        own = joined(own, FINEST / scale)
        # The longer ones first: what is done inside of them lies above.
        for span in sorted(own, key=lambda span: span.start - span.end):
            x = LEFT + (max(span.start, first) - first) * scale
            width = (min(span.end, last) - max(span.start, first)) * scale
            parts.append(f'<rect x="{x:.2f}" y="{y}" width="{max(width, 0.05):.2f}" '
                         f'height="{BAR}" fill="{COLOURS[span.name]}"/>')  # fmt: skip
    shown = [name for name in WORDS if any(span.name == name for span in spans)]
    x = float(LEFT)
    for name in shown:
        parts.append(f'<rect x="{x:.0f}" y="10" width="12" height="12" fill="{COLOURS[name]}"/>')
        parts.append(f'<text x="{x + 16:.0f}" y="21" font-size="12">{WORDS[name]}</text>')
        x += 38 + 7 * len(WORDS[name])
    height = TOP + len(rows) * (BAR + GAP) + 24
    for tick in range(0, int(last - first) + 1, 1 if last - first < 16 else 5):
        x = LEFT + tick * scale
        parts.append(f'<text x="{x:.0f}" y="{height - 8}" font-size="12">{tick} s</text>')
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'font-family="sans-serif" font-size="14">'
    )
    title = "<title>What the processes of a run do, over time</title>"
    ground = f'<rect width="{WIDTH}" height="{height}" fill="white"/>'
    path.write_text("\n".join([head, title, ground, *parts, "</svg>\n"]), encoding="utf-8")


def joined(spans: Sequence[Span], gap: float) -> list[Span]:
    """Spans of one process; those of one name that are closer than so many seconds are one."""
    last: dict[str, Span] = {}
    ready = []
    for span in sorted(spans, key=lambda span: span.start):
        before = last.get(span.name)
        if before is not None and span.start - before.end < gap:
            last[span.name] = replace(before, end=max(before.end, span.end))
            continue
        if before is not None:
            ready.append(before)
        last[span.name] = span
    return [*ready, *last.values()]
