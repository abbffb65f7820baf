"""By what the weights of the public directions were chosen: a grid on images that are not test.

    python benchmarks/directions.py DATA [--weights cxr-adult ...] [--folds 5]
        [--json FILE]

DATA is a folder with manifest.csv. For each alpha and gamma: AUC of a reader for the finding,
within source and view, and of an attacker on identity (impostors matched in source, view and
finding), from k directions without noise. On the validation split, with everything fitted on the
training split, and, because that split is small, also in a cross-validation by patients inside
the training split. The test split is not opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from _harness import Report, parse, parser
from _latents import read_latents
from _results import Column, markdown_head, markdown_row
from numpy.typing import NDArray

from latentdp.models.checkpoints import shipped
from latentdp.models.directions.encode import Encoded
from latentdp.models.directions.finding import DirectionConfig, Scatters
from latentdp.models.directions.probe_table import Probe
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import below

ALPHAS = (0.3, 0.6, 0.9, 1.0)
GAMMAS = (0.0, 0.5, 0.9, 0.98)
SIZES = (1, 2, 8, 64)
COLUMNS = (
    Column("weights", "{weights}"),
    Column("alpha", "{alpha:g}"),
    Column("gamma", "{gamma:g}"),
    Column("k", "{k}"),
    Column("finding", "{finding:.3f}"),
    Column("identity", "{identity:.3f}"),
    Column("finding in cross-validation", "{folds:.3f}"),
)


@dataclass(frozen=True)
class Row:
    """AUC from the first k directions without noise.

    Attributes:
        weights: Of the flow.
        alpha: Shrinkage of the scatter within findings.
        gamma: Weight of what the images of one patient share.
        k: Number of directions.
        finding: Of a reader, on val.
        identity: Of an attacker, on val; None where no patient has two images.
        folds: Of a reader, mean over the folds of train; None where none knows findings.
    """

    weights: str
    alpha: float
    gamma: float
    k: int
    finding: float
    identity: float | None
    folds: float | None


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints one table per weights file."""
    options = parser("directions", __doc__, data=True)
    options.add_argument("--weights", nargs="*", default=sorted(shipped("glow")))
    options.add_argument("--folds", type=int, default=5)
    parsed = parse(options, arguments)
    with Report(parsed, COLUMNS, facts={"folds": parsed.folds}, table=False) as report:
        for weights in parsed.weights:
            splits = read_latents(weights, parsed.data, ("train", "val"))
            report.say(f"\n{weights}: finding / identity on val; finding in cross-validation")
            report.say(markdown_head(["alpha", "gamma", *(f"k = {k}" for k in SIZES)]))
            for rows in grid(weights, splits.latents, parsed.folds):
                report.extend(rows)
                start = [f"{rows[0].alpha:g}", f"{rows[0].gamma:g}"]
                report.say(markdown_row([*start, *map(_cell, rows)]))


def grid(weights: str, latents: dict[str, Encoded], count: int) -> Iterator[list[Row]]:
    """For each alpha and gamma a row for each number of directions."""
    train, val = latents["train"], latents["val"]
    parts = [(train, val), *folds(train, count)]
    scatters = [Scatters.of(fit.latents, fit.groups) for fit, _ in parts]
    probes = [
        (Probe({"train": fit, "val": measured}, part.leading), part)
        for (fit, measured), part in zip(parts, scatters, strict=True)
        if part is not None
    ]
    for alpha, gamma in product(ALPHAS, GAMMAS):
        settings = DirectionConfig(alpha=alpha, gamma=gamma)
        whole, *inside = [
            probe.table(part.directions(settings).rows, SIZES) for probe, part in probes
        ]
        rows = []
        for i, k in enumerate(SIZES):
            finding, identity = whole[i].finding, whole[i].identity
            assert finding is not None
            values = [table[i].finding for table in inside]
            known = [value[0] for value in values if value is not None]
            rows.append(
                Row(
                    weights,
                    alpha,
                    gamma,
                    k,
                    finding[0],
                    None if identity is None else identity[0],
                    float(np.mean(known)) if known else None,
                )
            )
        yield rows


def folds(data: Encoded, count: int) -> list[tuple[Encoded, Encoded]]:
    """The rest and each part, of a split by patients."""
    patients = data.groups.patients
    part = below(SeededNoise(1), count, int(patients.max()) + 1)[patients]
    return [(some(data, part != i), some(data, part == i)) for i in range(count)]


def some(data: Encoded, rows: NDArray[np.bool_]) -> Encoded:
    """These images only."""
    return replace(
        data,
        latents=data.latents[rows],
        groups=data.groups[rows],
        cells=tuple(np.array(data.cells)[rows]),
        labels=data.labels[rows],
        views=data.views[rows],
    )


def _cell(row: Row) -> str:
    """Finding and identity on val, then the finding in cross-validation."""
    text = f"{row.finding:.3f} / " + ("-" if row.identity is None else f"{row.identity:.3f}")
    return text if row.folds is None else f"{text}; {row.folds:.3f}"


if __name__ == "__main__":
    main()
