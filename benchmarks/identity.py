"""Where in the latent identity is, and where findings are: what the empirical tier rests on.

    python benchmarks/identity.py DATA [--identity-weights cxr-adult]
        [--finding-weights cxr-paediatric] [--counts 128 256 512 1024] [--keep 16] [--seed 0]

DATA is a folder with manifest.csv. On val, under true labels, parts of the latent are redrawn at
temperature 1 and all else is kept: whole levels, and the first directions of identity less the
first directions of findings. Reported: the AUC of the shipped verifier, as it is, telling two
redrawn images of one patient from two of others of the same source and view; the share of
redrawn images whose own original is the most alike; and the mean AUC of finding readers taught on
originals and tested on redrawn images (o/p), and the reverse (p/o), one seed. A verifier that
adapts is stronger: `latentdp compare` has it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from latentdp.core.arrays import Images, Labels, Latents
from latentdp.data.dataset import Dataset
from latentdp.models.checkpoints import load
from latentdp.models.flow.flow import Flow, load_flow
from latentdp.models.networks.finding_classifier import ClassifierConfig, FindingClassifier
from latentdp.models.networks.verifier import Verifier, shipped_verifier
from latentdp.models.training.training_data import as_trained
from latentdp.privacy.noise import Noise, SeededNoise
from latentdp.privacy.samplers.uniform import below, normal

IMPOSTORS = 20_000
BATCH = 128


class Part:
    """A split as latents, and parts of them redrawn.

    Args:
        flow: Of the images.
        data: The split.
    """

    def __init__(self, flow: Flow, data: Dataset) -> None:
        self.flow, self.data = flow, data
        self.images = data.pixels.astype(np.float32) / np.float32(255)
        self.latents = np.concatenate(
            [
                flow.encode(self.images[i : i + BATCH], data.labels[i : i + BATCH])
                for i in range(0, len(data), BATCH)
            ]
        )

    def levels(self, levels: Sequence[int], keep: int, noise: Noise) -> Images:
        """Whole levels redrawn, but for the first ``keep`` directions of findings."""
        rows = np.concatenate([np.arange(self.flow.d)[self.flow.levels[i]] for i in levels])
        out = self.latents.copy()
        out[:, rows] = normal(noise, (len(out), len(rows)))
        kept = self.flow.directions[:keep]
        return self._decoded(out + (self.latents - out) @ kept.T @ kept)

    def identity(self, count: int, keep: int, noise: Noise) -> Images:
        """The first directions of identity redrawn, less those of findings."""
        kept = self.flow.directions[:keep]
        rows = self.flow.identity[:count]
        rows = np.linalg.qr((rows - rows @ kept.T @ kept).T)[0].T
        fresh = normal(noise, (len(self.latents), len(rows)))
        return self._decoded(self.latents + (fresh - self.latents @ rows.T) @ rows)

    def _decoded(self, latents: Latents) -> Images:
        labels = self.data.labels
        return np.concatenate(
            [
                self.flow.decode(latents[i : i + BATCH], labels[i : i + BATCH])
                for i in range(0, len(latents), BATCH)
            ]
        )


class Judges:
    """Verifier and readers.

    Args:
        people: Images of people of whom some have several.
        val, train: Images with findings.
        seed: Of impostors and readers.
    """

    def __init__(self, people: Part, val: Part, train: Part, seed: int) -> None:
        self.people, self.val, self.train, self.seed = people, val, train, seed
        self.verifier = Verifier.load(shipped_verifier(people.flow.shape[0]))
        index = [
            np.unique(x, return_inverse=True)[1]
            for x in (people.data.patients, people.data.strata)
        ]
        first, second = np.triu_indices(len(people.data), 1)
        same = index[0][first] == index[0][second]
        other = np.flatnonzero(~same & (index[1][first] == index[1][second]))
        drawn = other[below(SeededNoise(seed), len(other), min(IMPOSTORS, len(other)))]
        rows = np.concatenate([np.flatnonzero(same), drawn])
        self.first, self.second, self.same = first[rows], second[rows], same[rows]
        self.reader = self.fit(train.images)

    def taught(self, images: Images) -> FindingClassifier:
        """On findings of the training images."""
        labels = self.train.data.labels
        course = ClassifierConfig(steps=400, seed=self.seed)
        return FindingClassifier.fit(images[None], labels[None], int(labels.max()) + 1, course)

    def identity(self, images: Images) -> tuple[float, float]:
        """AUC of pairs, and how often the own original is the most alike."""
        seen, originals = (_unit(self.verifier(x)) for x in (images, self.people.images))
        cosines = (seen[self.first] * seen[self.second]).sum(axis=1)
        own = (seen @ originals.T).argmax(axis=1) == np.arange(len(seen))
        return float(roc_auc_score(self.same, cosines)), float(own.mean())

    def findings(self, reader: FindingClassifier, images: Images) -> float:
        """Mean AUC over classes."""
        return _mean_auc(reader.log_odds(images), self.val.data.labels)

    def row(self, people: Images, val: Images, train: Images) -> list[float]:
        """All four numbers of a release."""
        return [
            *self.identity(people),
            self.findings(self.reader, val),
            self.findings(self.fit(train), self.val.images),
        ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table."""
    options = _parser().parse_args(arguments)
    adults, children = (
        load_flow(load(name)) for name in (options.identity_weights, options.finding_weights)
    )
    people = Part(adults, as_trained(adults, options.data, "val"))
    val, train = (Part(children, as_trained(children, options.data, s)) for s in ("val", "train"))
    judges = Judges(people, val, train, options.seed)
    parts = (people, val, train)
    print(f"{len(people.data)} images of val and {int(judges.same.sum())} pairs of one patient; ")
    print(f"findings: {len(val.data)} images, readers taught on {len(train.data)}\n")
    print("| redrawn | dimensions | verifier AUC | own first | o/p | p/o |\n" + "|---" * 6 + "|")
    _print("nothing", 0, judges.row(*(part.images for part in parts)))
    last = len(adults.levels) - 1
    for levels in ((0,), tuple(range(last)), tuple(range(1, last + 1))):
        size = sum(adults.levels[i].stop - adults.levels[i].start for i in levels)
        noise = SeededNoise(options.seed)
        made = [part.levels(levels, options.keep, noise) for part in parts]
        name = f"level {', '.join(map(str, levels))} less {options.keep} of findings"
        _print(name, size - options.keep, judges.row(*made))
    for count in options.counts:
        noise = SeededNoise(options.seed)
        made = [part.identity(count, options.keep, noise) for part in parts]
        _print(f"identity less {options.keep} of findings", count, judges.row(*made))


def _print(name: str, size: int, row: list[float]) -> None:
    print(f"| {name} | {size} | {' | '.join(f'{x:.3f}' for x in row)} |", flush=True)


def _mean_auc(odds: NDArray[np.float64], labels: Labels) -> float:
    return float(np.mean([roc_auc_score(labels == c, odds[:, c]) for c in range(odds.shape[1])]))


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--identity-weights", default="cxr-adult")
    parser.add_argument("--finding-weights", default="cxr-paediatric")
    parser.add_argument("--counts", nargs="*", type=int, default=[128, 256, 512, 1024])
    parser.add_argument("--keep", type=int, default=16, help="directions of findings")
    parser.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    main()
