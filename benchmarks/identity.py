"""Where in the latent identity is, and where findings are: what the empirical tier rests on.

    python benchmarks/identity.py DATA [--identity-weights cxr-adult]
        [--finding-weights cxr-paediatric] [--counts 128 256 512 1024] [--keep 16] [--seed 0]
        [--json FILE]

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
from dataclasses import dataclass

import numpy as np
from _harness import Report, parse, parser
from _readers import mean_auc, taught
from _results import Column, Value
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from latentdp.core.arrays import Images, Latents
from latentdp.data.dataset import Dataset
from latentdp.data.preprocess import unit
from latentdp.models.checkpoints import load
from latentdp.models.flow.flow import Flow, load_flow
from latentdp.models.networks.finding_classifier import FindingClassifier
from latentdp.models.networks.verifier import Verifier, shipped_verifier
from latentdp.models.training.training_data import as_trained
from latentdp.privacy.noise import Noise, SeededNoise
from latentdp.privacy.samplers.uniform import below, normal

IMPOSTORS = 20_000
BATCH = 128


COLUMNS = (
    Column("redrawn", "{redrawn}"),
    Column("dimensions", "{dimensions}"),
    Column("verifier AUC", "{verifier:.3f}"),
    Column("own first", "{own_first:.3f}"),
    Column("o/p", "{op:.3f}"),
    Column("p/o", "{po:.3f}"),
)


@dataclass(frozen=True)
class Row:
    """What a release with parts redrawn still shows.

    Attributes:
        redrawn: Which parts.
        dimensions: How many.
        verifier: AUC of pairs of one patient.
        own_first: Share of images whose own original is the most alike.
        op: Mean AUC of findings, taught on originals, read on redrawn images.
        po: The reverse.
    """

    redrawn: str
    dimensions: int
    verifier: float
    own_first: float
    op: float
    po: float


class Part:
    """A split as latents, and parts of them redrawn.

    Args:
        flow: Of the images.
        data: The split.
    """

    def __init__(self, flow: Flow, data: Dataset) -> None:
        self.flow, self.data = flow, data
        self.images = unit(data.pixels)
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
        impostors = other[below(SeededNoise(seed), len(other), min(IMPOSTORS, len(other)))]
        rows = np.concatenate([np.flatnonzero(same), impostors])
        self.first, self.second, self.same = first[rows], second[rows], same[rows]
        self.originals = self.reader(train.images)

    def reader(self, images: Images) -> FindingClassifier:
        """Of findings, taught on the training images or on what was made of them."""
        return taught(images, self.train.data.labels, self.seed)

    def identity(self, images: Images) -> tuple[float, float]:
        """AUC of pairs, and how often the own original is the most alike."""
        seen, originals = (_unit(self.verifier(x)) for x in (images, self.people.images))
        cosines = (seen[self.first] * seen[self.second]).sum(axis=1)
        own = (seen @ originals.T).argmax(axis=1) == np.arange(len(seen))
        return float(roc_auc_score(self.same, cosines)), float(own.mean())

    def row(self, redrawn: str, dimensions: int, release: Sequence[Images]) -> Row:
        """Of a release of the people, of val and of train."""
        people, val, train = release
        labels = self.val.data.labels
        op = mean_auc(self.originals, val, labels)
        po = mean_auc(self.reader(train), self.val.images, labels)
        return Row(redrawn, dimensions, *self.identity(people), op, po)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table."""
    options = parse(_parser(), arguments)
    adults, children = (
        load_flow(load(name)) for name in (options.identity_weights, options.finding_weights)
    )
    people = Part(adults, as_trained(adults, options.data, "val"))
    val, train = (Part(children, as_trained(children, options.data, s)) for s in ("val", "train"))
    judges = Judges(people, val, train, options.seed)
    parts, keep = (people, val, train), options.keep
    facts: dict[str, Value] = {
        "images of people": len(people.data),
        "pairs of one patient": int(judges.same.sum()),
        "images with findings": len(val.data),
        "images that readers learn on": len(train.data),
    }
    intro = (
        f"{len(people.data)} images of val and {int(judges.same.sum())} pairs of one patient; "
        f"findings: {len(val.data)} images, readers taught on {len(train.data)}"
    )
    with Report(options, COLUMNS, intro=intro, facts=facts) as report:
        report.add(judges.row("nothing", 0, [part.images for part in parts]))
        last = len(adults.levels) - 1
        for levels in ((0,), tuple(range(last)), tuple(range(1, last + 1))):
            size = sum(adults.levels[i].stop - adults.levels[i].start for i in levels)
            noise = SeededNoise(options.seed)
            release = [part.levels(levels, keep, noise) for part in parts]
            name = f"level {', '.join(map(str, levels))} less {keep} of findings"
            report.add(judges.row(name, size - keep, release))
        for count in options.counts:
            noise = SeededNoise(options.seed)
            release = [part.identity(count, keep, noise) for part in parts]
            report.add(judges.row(f"identity less {keep} of findings", count, release))


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def _parser() -> argparse.ArgumentParser:
    options = parser("identity", __doc__, data=True, seed=True)
    options.add_argument("--identity-weights", default="cxr-adult")
    options.add_argument("--finding-weights", default="cxr-paediatric")
    options.add_argument("--counts", nargs="*", type=int, default=[128, 256, 512, 1024])
    options.add_argument("--keep", type=int, default=16, help="directions of findings")
    return options


if __name__ == "__main__":
    main()
