"""The private page on which a person reviews a run before its images are released.

It names sources and shows them: it lies in the vault, for the eyes of its owner.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentdp.data import radiograph
from latentdp.data.contact_sheet import contact_sheet
from latentdp.data.preprocess import resize
from latentdp.errors import UnsupportedInstance
from latentdp.metrics.fit import Fit
from latentdp.metrics.usual_range import UsualRange
from latentdp.reports.html import after, data_uri, look, released_images, write_page
from latentdp.reports.release_card import IMAGES
from latentdp.vault.run_report import ReportRow, possibly_one_person, read_report

__all__ = ["PAGE", "Element", "inventory", "write_review"]

PAGE = "review.html"
ROWS = 2_000  # most files in the table, and in the quarantine list
PAIRS = 60  # most sources on the page, beside what was made of them
AFTER = 240  # most outputs shown alone
SHEET = 12  # pairs on before-after.png
VALUES = 20  # most values shown of one element
LENGTH = 160  # most characters of a value

Image = NDArray[np.float32]
Pair = tuple[ReportRow, Image | None, Image]
Read = Callable[[Sequence[Path]], Iterable[Any]]


@dataclass(frozen=True, kw_only=True)
class Element:
    """One place in the outputs' headers.

    Attributes:
        place: Tags and keywords from the top level down.
        files: Number of outputs that hold it.
        distinct: Number of different values.
        values: Some of them, shortened.
    """

    place: str
    files: int
    distinct: int
    values: tuple[str, ...]


def write_review(
    vault: Path,
    *,
    report: Path,
    source: Path,
    out: Path,
    usual: UsualRange | None,
    read: Read,
) -> Path:
    """Writes ``vault / "review.html"`` (mode 0600) and ``before-after.png``; returns the page.

    Args:
        vault: Its folder.
        report: The private report of the run.
        source: The input folder or file.
        out: The release folder.
        usual: What is no odd input, as `Flow.likelihood_range` states it.
        read: Reads sources: a `radiograph.Radiograph` for each that can be read.
    """
    rows = sorted(_rows(report), key=lambda row: row.file)
    images = {path.relative_to(out / IMAGES).as_posix(): path for path in released_images(out)}
    pairs = _pairs(rows, source if source.is_dir() else source.parent, images, read)
    _sheet(vault / "before-after.png", pairs)
    quarantined: dict[str, list[ReportRow]] = defaultdict(list)
    for row in rows:
        if row.status == "quarantined":
            quarantined[str(row.reason)].append(row)
    alone = [(name, after(path)) for name, path in list(images.items())[:AFTER]]
    write_page(
        vault / PAGE,
        "review.html.j2",
        mode=0o600,
        out=out,
        source=source,
        report=report,
        counts=Counter(row.status for row in rows),
        total=len(rows),
        images=len(images),
        rows=rows[:ROWS],
        limit=ROWS,
        odd=[row for row in rows if row.odd],
        one_person=possibly_one_person(rows),
        fit=Fit(
            odd=sum(bool(row.odd) for row in rows),
            rated=sum(row.bits_per_dimension is not None for row in rows),
        ),
        usual=usual,
        quarantined=dict(sorted(quarantined.items())),
        beyond=[row for row in rows if row.status == "beyond"],
        pairs=[
            (row, None if before is None else data_uri(before), data_uri(private))
            for row, before, private in pairs
        ],
        after=alone,
        elements=inventory(images.values()),
    )
    return vault / PAGE


def inventory(outputs: Iterable[Path]) -> list[Element]:
    """Every place in the outputs' headers with its values, as DICOM TagSniffer lists them."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    holders: Counter[str] = Counter()
    for path in outputs:
        try:
            elements = radiograph.elements(path)
        except UnsupportedInstance:
            elements = [("NOT READABLE", path.name)]
        for place, value in elements:
            counts[place][value] += 1
        holders.update({place for place, _ in elements})
    return [
        Element(
            place=place,
            files=holders[place],
            distinct=len(values),
            values=tuple(map(_short, sorted(values)[:VALUES])),
        )
        for place, values in sorted(counts.items())
    ]


def _rows(report: Path) -> list[ReportRow]:
    """Rows of a report, with what earlier ones tell of the outputs that were there already."""
    rows = read_report(report)
    earlier: dict[str | None, ReportRow] = {}
    if any(row.status == "already" for row in rows):
        for path in sorted(report.parent.glob("*.jsonl")):
            if path != report:
                earlier |= {r.id: r for r in read_report(path) if r.status == "released"}
    return [
        row.or_else(earlier[row.id]) if row.status == "already" and row.id in earlier else row
        for row in rows
    ]


def _pairs(
    rows: Sequence[ReportRow], base: Path, images: dict[str, Path], read: Read
) -> list[Pair]:
    """Sources and what was made of them: odd ones first, then by the outputs' random names."""
    chosen = sorted(
        ((row.output, row) for row in rows if row.output is not None and row.output in images),
        key=lambda pair: (not pair[1].odd, pair[0]),
    )[:PAIRS]
    sources = read([base / row.file for _, row in chosen])
    outputs = [look(images[output]) for output, _ in chosen]
    return [
        (row, getattr(taken, "image", None), image)
        for (_, row), taken, image in zip(chosen, sources, outputs, strict=True)
        if image is not None
    ]


def _sheet(path: Path, pairs: Sequence[Pair]) -> None:
    both = [(before, private) for _, before, private in pairs if before is not None][:SHEET]
    if not both:
        path.unlink(missing_ok=True)  # that of another run
    else:
        sources = np.stack([before for before, _ in both])
        contact_sheet(path, [sources, np.stack([resize(m, sources.shape[1:]) for _, m in both])])


def _short(value: str) -> str:
    return value if len(value) <= LENGTH else value[: LENGTH - 1] + "\N{HORIZONTAL ELLIPSIS}"
