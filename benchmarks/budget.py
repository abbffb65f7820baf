"""What a reader still sees after a mechanism on the first k public directions.

    python benchmarks/budget.py DATA [--weights cxr-adult ...] [--sizes 1 2] [--epsilons 6 45]
        [--seeds 5] [--json FILE]

DATA is a folder with manifest.csv. For each mechanism, number of directions and epsilon: AUC of a
linear discriminant for the finding (within source and view; fitted on noised training latents) on
noised latents of the validation split, mean over seeds. The directions and shares of the presets
were chosen by this table; the test split is not opened.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from _harness import Report, parse, parser
from _latents import LatentSplits, read_latents
from _results import Column, markdown_head, markdown_row
from numpy.typing import NDArray

from latentdp import InputError
from latentdp.core.plugins import load as plugin
from latentdp.core.plugins import names
from latentdp.models.checkpoints import shipped
from latentdp.models.directions.encode import Encoded
from latentdp.models.directions.probe_table import Probe
from latentdp.privacy.noise import SeededNoise

BARE = "none"  # the mechanism of latents as they are
COLUMNS = (
    Column("weights", "{weights}"),
    Column("mechanism", "{mechanism}"),
    Column("epsilon", "{epsilon:g}", missing="infinite"),
    Column("k", "{k}"),
    Column("AUC", "{auc:.3f}"),
)


@dataclass(frozen=True)
class Row:
    """What a reader finds.

    Attributes:
        weights: Whose directions.
        mechanism: On the first k of them.
        epsilon: Of the image; None without noise.
        k: Number of directions.
        auc: Of the finding; None where the mechanism refuses.
    """

    weights: str
    mechanism: str
    epsilon: float | None
    k: int
    auc: float | None


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints one table per weights file and epsilon."""
    options = parse(_parser(), arguments)
    sizes, seeds = options.sizes, options.seeds
    with Report(options, COLUMNS, facts={"seeds": seeds}, table=False) as report:
        for weights in options.weights:
            splits = on_directions(read_latents(weights, options.data, ("train", "val")))
            bare = [
                Row(weights, BARE, None, k, finding({s: first(e, k) for s, e in splits.items()}))
                for k in sizes
            ]
            report.extend(bare)
            for epsilon in options.epsilons:
                report.say(f"\n{weights}, epsilon {epsilon:g} on the directions, {seeds} seeds")
                report.say(markdown_head(["mechanism", *(f"k = {k}" for k in sizes)]))
                report.say(_line(bare))
                for name in names("mechanisms"):
                    aucs = [kept(name, splits, k, epsilon, seeds) for k in sizes]
                    rows = [
                        Row(weights, name, epsilon, k, auc)
                        for k, auc in zip(sizes, aucs, strict=True)
                    ]
                    report.extend(rows)
                    report.say(_line(rows))


def on_directions(splits: LatentSplits) -> dict[str, Encoded]:
    """Latents along the public directions."""
    onto = splits.flow.directions.T
    return {s: replace(e, latents=e.latents @ onto) for s, e in splits.latents.items()}


def kept(
    mechanism: str, encoded: dict[str, Encoded], k: int, epsilon: float, seeds: int
) -> float | None:
    """Mean AUC over seeds; None where the mechanism refuses."""
    try:
        calibrated = plugin("mechanisms", mechanism).mechanism.calibrate(epsilon, k)
    except InputError:
        return None
    aucs = []
    for seed in range(seeds):
        noise = SeededNoise(seed)
        private = {
            split: with_latents(part, calibrated.privatize(part.latents[:, :k], noise=noise))
            for split, part in encoded.items()
        }
        auc = finding(private)
        if auc is None:
            return None
        aucs.append(auc)
    return float(np.mean(aucs))


def first(part: Encoded, k: int) -> Encoded:
    """The same images with their first k latents."""
    return with_latents(part, part.latents[:, :k])


def with_latents(part: Encoded, latents: NDArray[np.float64]) -> Encoded:
    """The same images with these latents."""
    return replace(part, latents=np.ascontiguousarray(latents))


def finding(encoded: dict[str, Encoded]) -> float | None:
    """AUC of the finding from all the dimensions there are."""
    probe = Probe(encoded, np.eye(encoded["val"].latents.shape[1]), resamples=1)
    auc = probe.finding(probe.whole)
    return None if auc is None else auc.value


def _line(rows: Sequence[Row]) -> str:
    aucs = ["-" if row.auc is None else f"{row.auc:.3f}" for row in rows]
    return markdown_row([rows[0].mechanism, *aucs])


def _parser() -> argparse.ArgumentParser:
    options = parser("budget", __doc__, data=True)
    options.add_argument("--weights", nargs="*", default=sorted(shipped("glow")))
    options.add_argument("--epsilons", nargs="*", type=float, default=[1.0, 6.0, 45.0])
    options.add_argument("--sizes", nargs="*", type=int, default=[1, 2, 3, 4, 8, 16, 32])
    options.add_argument("--seeds", type=int, default=5)
    return options


if __name__ == "__main__":
    main()
