"""How much of the label survives when a budget is spent on the k best latent dimensions.

    python benchmarks/label_directions.py DATA [--weights cxr-adult ...] [--seeds 10]

DATA is a folder with manifest.csv. For each k and epsilon: Laplace noise on the k dimensions that
lead the weights' ranking, a linear discriminant fitted on noised training latents, and its AUC on
noised latents of the validation split, one class against the others (mean over classes and seeds).
This is what the number of directions of the preset ``balanced`` was chosen by.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from latentdp.checkpoints import load, shipped
from latentdp.flows.base import load_flow
from latentdp.flows.dataset import Dataset, read_dataset
from latentdp.mechanisms.laplace import Laplace
from latentdp.noise import SeededNoise

EPSILONS = (1.0, 2.0, 4.0, 8.0, 16.0, None)
SIZES = (1, 2, 3, 4, 6, 8, 16, 64)


def main() -> None:
    """Prints one table per weights file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights", nargs="*", default=sorted(shipped()))
    parser.add_argument("--seeds", type=int, default=10)
    arguments = parser.parse_args()
    for name in arguments.weights:
        flow = load_flow(load(name))
        data = {
            split: read_dataset(
                arguments.data,
                split,
                size=flow.shape[0],
                conditions=flow.card["conditions"],
                sources=flow.card["sources"],
                classes=flow.classes,
            )
            for split in ("train", "val")
        }
        latents = {
            split: flow.encode(d.pixels.astype(np.float32) / np.float32(255))[
                :, list(flow.label_ranking)
            ]
            for split, d in data.items()
        }
        print(f"\n{name}, {len(data['val'])} validation images, {arguments.seeds} seeds")
        print("| epsilon | " + " | ".join(f"k = {k}" for k in SIZES) + " |")
        print("|---" * (len(SIZES) + 1) + "|")
        for epsilon in EPSILONS:
            row = [
                np.mean(
                    [
                        mean_auc(latents, data, k, epsilon, seed)
                        for seed in range(arguments.seeds if epsilon else 1)
                    ]
                )
                for k in SIZES
            ]
            shown = "no noise" if epsilon is None else f"{epsilon:g}"
            print(f"| {shown} | " + " | ".join(f"{auc:.3f}" for auc in row) + " |", flush=True)


def mean_auc(
    latents: dict[str, NDArray[np.float64]],
    data: dict[str, Dataset],
    k: int,
    epsilon: float | None,
    seed: int,
) -> float:
    """Mean over classes of the one-against-rest AUC on the validation split."""
    noise = SeededNoise(seed)
    seen = {split: z[:, :k] for split, z in latents.items()}
    if epsilon is not None:
        mechanism = Laplace.calibrate(epsilon, k)
        seen = {split: mechanism.privatize(z, noise=noise) for split, z in seen.items()}
    found = []
    for label in range(len(data["val"].classes)):
        mine = {split: d.labels == label for split, d in data.items()}
        direction = discriminant(seen["train"], mine["train"])
        found.append(auc(seen["val"] @ direction, mine["val"]))
    return float(np.mean(found))


def discriminant(z: NDArray[np.float64], mine: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Fisher's linear discriminant."""
    within = np.cov(np.concatenate([z[mine] - z[mine].mean(0), z[~mine] - z[~mine].mean(0)]).T)
    within = np.atleast_2d(within) + 1e-6 * np.eye(z.shape[1])
    return np.linalg.solve(within, z[mine].mean(0) - z[~mine].mean(0))


def auc(score: NDArray[np.float64], mine: NDArray[np.bool_]) -> float:
    """Area under the ROC curve by ranks (Mann-Whitney)."""
    n = int(mine.sum())
    return float((rankdata(score)[mine].sum() - n * (n + 1) / 2) / (n * (len(mine) - n)))


if __name__ == "__main__":
    main()
