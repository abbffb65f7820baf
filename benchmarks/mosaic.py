"""Detail drawn on one grid, on two, equalized, deblocked: told from originals by simple numbers.

    python benchmarks/mosaic.py DATA [--weights cxr-paediatric] [--source NAME ...]
        [--sizes 128 256 512] [--most 133] [--seed 0] [--split test] [--sheet FILE] [--json FILE]

DATA is a folder with manifest.csv. Originals of a size, by default of the sources that detail of
this size learnt from, are reduced to what the weights make, and their detail is drawn anew, so
that nothing but the detail differs. On one grid the temperature is fitted to val as on two; only
the last two rows of a size go through the equalizer of the weights, and the last one through their
deblocking filter besides. Columns: how much the mean step between neighbours differs by its
position modulo 8 (spread over mean; last of originals), and the AUC of a logistic reader of these
steps, of the same without a sixteenth of the picture at each edge, and of each statistic of
`latentdp evaluate`, on patients that it has not seen, with 95 % intervals over patients.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from _harness import Report, parse, parser
from _results import Column, Interval
from _simple_readers import STATISTICS, area, rounded

from latentdp.core.arrays import Images
from latentdp.data.contact_sheet import contact_sheet
from latentdp.data.dataset import Dataset, read_dataset
from latentdp.data.preprocess import shrink, unit
from latentdp.models.flow.flow import load_flow
from latentdp.models.model_card.wavelet_flow import temperature
from latentdp.models.super_resolution.cascade import SuperResolutionCascade
from latentdp.models.super_resolution.detail_flow import DetailFlow
from latentdp.privacy.noise import SeededNoise

EQUALIZED, DEBLOCKED = "two grids, equalized", "the same, deblocked"
SHIFTS = {"one grid": (0,), "two grids": (0, 1), EQUALIZED: (0, 1), DEBLOCKED: (0, 1)}
SHOWN = 4
COLUMNS = (
    Column("size", "{size}"),
    Column("drawn on", "{drawn}"),
    Column("images", "{images}"),
    Column("unevenness, originals", "{uneven:.3f}, {originals:.3f}"),
    *(Column(name.replace("_", ", "), f"{{{name}:.3f}}") for name in STATISTICS),
)


@dataclass(frozen=True)
class Row:
    """Detail of one kind beside originals of a size."""

    size: int
    drawn: str
    images: int
    uneven: float
    originals: float
    grid: Interval | None
    grid_inside: Interval | None
    periodicity: Interval | None
    spectrum: Interval | None
    sharpness: Interval | None
    histogram: Interval | None


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table; writes a sheet of the largest size."""
    options = parse(_parser(), arguments)
    flow = load_flow(options.weights)
    octaves = flow.card.octaves or {}
    options.sources = {int(size): card.sources for size, card in octaves.items()}
    with Report(options, COLUMNS, intro=f"{options.split}; {options.weights}") as report:
        cascades = {name: _cascade(flow.cascade, name, options) for name in SHIFTS}
        for size in options.sizes:
            data = _read(options, options.split, size)
            data = data.only(np.arange(len(data)) < options.most)
            originals = unit(data.pixels)
            small = shrink(originals, flow.shape[0])
            sheet = [originals[:SHOWN]]
            for name, cascade in cascades.items():
                drawn = cascade.enlarge(small, size, SeededNoise(options.seed))
                report.add(_row(size, name, data, originals, rounded(drawn), options.seed))
                sheet.append(drawn[:SHOWN])
            if options.sheet:
                contact_sheet(options.sheet, sheet)


def _cascade(
    cascade: SuperResolutionCascade, name: str, options: argparse.Namespace
) -> SuperResolutionCascade:
    """The same networks on other grids, each at the temperature that gives originals' power."""

    def fitted(flow: DetailFlow) -> DetailFlow:
        if flow.shifts == SHIFTS[name]:
            return flow
        shifted = replace(flow, shifts=SHIFTS[name], equalizer=None)
        return replace(
            shifted,
            temperature=temperature(shifted, _read(options, "val", flow.size).pixels),
        )

    needed = [flow for size, flow in cascade.by_size.items() if size <= max(options.sizes)]
    if not all(isinstance(flow, DetailFlow) for flow in needed):
        raise SystemExit("expected weights whose detail is drawn by detail flows alone")
    fits = SuperResolutionCascade(
        [fitted(flow) for flow in needed], cascade.deblocking if name == DEBLOCKED else {}
    )
    return fits if name in (EQUALIZED, DEBLOCKED) else fits.without_filters()


def _read(options: argparse.Namespace, split: str, size: int) -> Dataset:
    sources = options.source or options.sources.get(size)
    return read_dataset(options.data, split, size=size, sources=sources, enlarge=False)


def _row(size: int, name: str, data: Dataset, originals: Images, drawn: Images, seed: int) -> Row:
    return Row(
        size=size,
        drawn=name,
        images=len(originals),
        uneven=_unevenness(drawn),
        originals=_unevenness(originals),
        **{
            key: area(numbers_of, originals, drawn, data.patients, seed)
            for key, numbers_of in STATISTICS.items()
        },
    )


def _unevenness(images: Images) -> float:
    steps = np.abs(np.diff(images, axis=2)).mean(axis=(0, 1))
    means = np.array([steps[k::8].mean() for k in range(8)])
    return float(means.std() / means.mean())


def _parser() -> argparse.ArgumentParser:
    options = parser("mosaic", __doc__, data=True, seed=True)
    options.add_argument("--weights", default="cxr-paediatric")
    options.add_argument("--source", nargs="+", default=[])
    options.add_argument("--sizes", type=int, nargs="+", default=[128, 256, 512])
    options.add_argument("--most", type=int, default=133, help="images, at most")
    options.add_argument("--split", default="test")
    options.add_argument("--sheet", type=Path, help="PNG of some images of the last size")
    return options


if __name__ == "__main__":
    main()
