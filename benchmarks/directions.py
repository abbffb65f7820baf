"""By what the weights of the public directions were chosen: a grid on images that are not test.

    python benchmarks/directions.py DATA [--weights cxr-adult ...] [--folds 5]

DATA is a folder with manifest.csv. For each alpha and gamma: AUC of a reader for the finding,
within source and view, and of an attacker on identity (impostors matched in source, view and
finding), from k directions without noise. On the validation split, with everything fitted on the
training split, and, because that split is small, also in a cross-validation by patients inside
the training split. The test split is not opened.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentdp.models.checkpoints import load, shipped
from latentdp.models.directions.encode import Encoded, encode
from latentdp.models.directions.finding import DirectionConfig, Scatters
from latentdp.models.directions.probe_table import Probe
from latentdp.models.flow.flow import load_flow
from latentdp.models.training.training_data import as_trained
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import below

ALPHAS = (0.3, 0.6, 0.9, 1.0)
GAMMAS = (0.0, 0.5, 0.9, 0.98)
SIZES = (1, 2, 8, 64)


def main() -> None:
    """Prints one table per weights file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights", nargs="*", default=sorted(shipped("glow")))
    parser.add_argument("--folds", type=int, default=5)
    arguments = parser.parse_args()
    for name in arguments.weights:
        flow = load_flow(load(name))
        train, val = (
            encode(
                flow,
                as_trained(flow, arguments.data, split),
            )
            for split in ("train", "val")
        )
        print(f"\n{name}: finding / identity on val; finding in cross-validation")
        print("| alpha | gamma | " + " | ".join(f"k = {k}" for k in SIZES) + " |")
        print("|---" * (len(SIZES) + 2) + "|")
        parts = [(train, val), *folds(train, arguments.folds)]
        scatters = [Scatters.of(fit.latents, fit.groups) for fit, _ in parts]
        probes = [
            Probe({"train": fit, "val": measured}, part.leading)
            for (fit, measured), part in zip(parts, scatters, strict=True)
            if part is not None
        ]
        for alpha in ALPHAS:
            for gamma in GAMMAS:
                settings = DirectionConfig(alpha=alpha, gamma=gamma)
                tables = [
                    probe.table(part.directions(settings).rows, SIZES)
                    for probe, part in zip(probes, scatters, strict=True)
                    if part is not None
                ]
                cells = [shown([table[i] for table in tables]) for i in range(len(SIZES))]
                print(f"| {alpha:g} | {gamma:g} | " + " | ".join(cells) + " |", flush=True)


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


def shown(rows: list[dict[str, list[float] | None]]) -> str:
    """Values of the first table and the mean over the others."""
    finding, identity = rows[0]["finding"], rows[0]["identity"]
    inside = [row["finding"][0] for row in rows[1:] if row["finding"] is not None]
    assert finding is not None
    text = f"{finding[0]:.3f} / " + ("-" if identity is None else f"{identity[0]:.3f}")
    return text + (f"; {np.mean(inside):.3f}" if inside else "")


if __name__ == "__main__":
    main()
