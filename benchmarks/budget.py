"""What a reader still sees after a mechanism on the first k public directions.

    python benchmarks/budget.py DATA [--weights cxr-adult ...] [--sizes 1 2] [--epsilons 6 45]

DATA is a folder with manifest.csv. For each mechanism, number of directions and epsilon: AUC of a
linear discriminant for the finding (within source and view; fitted on noised training latents) on
noised latents of the validation split, mean over seeds. The directions and shares of the presets
were chosen by this table; the test split is not opened.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentdp import InputError
from latentdp.core.plugins import load as plugin
from latentdp.core.plugins import names
from latentdp.models.checkpoints import load, shipped
from latentdp.models.directions.encode import Encoded, encode
from latentdp.models.directions.probe_table import Probe
from latentdp.models.flow.flow import load_flow
from latentdp.models.training.training_data import as_trained
from latentdp.privacy.noise import SeededNoise


def main() -> None:
    """Prints one table per weights file and epsilon."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights", nargs="*", default=sorted(shipped("glow")))
    parser.add_argument("--epsilons", nargs="*", type=float, default=[1.0, 6.0, 45.0])
    parser.add_argument("--sizes", nargs="*", type=int, default=[1, 2, 3, 4, 8, 16, 32])
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    for name in arguments.weights:
        flow = load_flow(load(name))
        encoded = {}
        for split in ("train", "val"):
            data = as_trained(flow, arguments.data, split)
            whole = encode(flow, data)
            encoded[split] = replace(whole, latents=whole.latents @ flow.directions.T)
        sizes = arguments.sizes
        bare = [
            finding({s: first(e, e.latents[:, :k]) for s, e in encoded.items()}) for k in sizes
        ]
        for epsilon in arguments.epsilons:
            print(f"\n{name}, epsilon {epsilon:g} on the directions, {arguments.seeds} seeds")
            print("| mechanism | " + " | ".join(f"k = {k}" for k in sizes) + " |")
            print("|---" * (len(sizes) + 1) + "|")
            print("| none | " + " | ".join(f"{auc:.3f}" for auc in bare) + " |")
            for mechanism in names("mechanisms"):
                row = [kept(mechanism, encoded, k, epsilon, arguments.seeds) for k in sizes]
                print(f"| {mechanism} | " + " | ".join(row) + " |", flush=True)


def kept(mechanism: str, encoded: dict[str, Encoded], k: int, epsilon: float, seeds: int) -> str:
    """Mean AUC over seeds, or a dash where the mechanism refuses."""
    try:
        made = plugin("mechanisms", mechanism).mechanism.calibrate(epsilon, k)
    except InputError:
        return "-"
    found = []
    for seed in range(seeds):
        noise = SeededNoise(seed)
        private = {
            split: first(part, made.privatize(part.latents[:, :k], noise=noise))
            for split, part in encoded.items()
        }
        found.append(finding(private))
    return f"{np.mean(found):.3f}"


def first(part: Encoded, latents: NDArray[np.float64]) -> Encoded:
    """The same images with these latents."""
    return replace(part, latents=np.ascontiguousarray(latents))


def finding(encoded: dict[str, Encoded]) -> float:
    """AUC of the finding from all the dimensions there are."""
    probe = Probe(encoded, np.eye(encoded["val"].latents.shape[1]), resamples=1)
    told = probe.finding(probe.whole)
    return float("nan") if told is None else told.value


if __name__ == "__main__":
    main()
