"""The generator as a file: who has it and the public weights draws labelled images for nothing.

It holds no flow, only what was learnt: a mixture over coarse latents, a head, the names of
findings, and the statement of what they cost. Everything that is drawn is post-processing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images
from latentdp.core.documents import from_json, to_json
from latentdp.errors import InputError, WeightsError
from latentdp.models.checkpoints import find
from latentdp.models.weights_file import WeightsFile
from latentdp.privacy.noise import Noise
from latentdp.reports.synthesis_card import Synthesis
from latentdp.synthesis.candidates import draw_images
from latentdp.synthesis.head import Head, shown_by
from latentdp.synthesis.mixture import LatentMixture
from latentdp.synthesis.statistics import NoisyBlock, NoisyStatistics

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["Drawn", "Generator"]

KIND = "generator"
BATCH = 32  # images that are drawn together
FAILURES = 100  # batches in a row without a finite image


@dataclass(frozen=True)
class Drawn:
    """Some images and how the head reads them.

    Attributes:
        images: ``(n, s, s)`` in [0, 1].
        probabilities: ``(n, f)`` of each finding; f is 0 where none is known.
    """

    images: Images
    probabilities: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Generator:
    """What was learnt of a cohort, and what it cost.

    Attributes:
        mixture: Over the flow's coarsest latents.
        head: Labels; None where no finding is known.
        synthesis: How it was made, with the names of the findings.
        statistics: The noisy sums that it follows from, which those of other sites add up with;
            None where they are not enough, and in older files.

    Raises:
        InputError: The head has another number of findings than there are names.
    """

    mixture: LatentMixture
    head: Head | None
    synthesis: Synthesis
    statistics: NoisyStatistics | None = None

    def __post_init__(self) -> None:
        rows = 0 if self.head is None else len(self.head.weights)
        if rows != len(self.synthesis.findings):
            raise InputError("expected a name for each finding that the head reads")

    def draw(
        self, flow: Flow, noise: Noise, n: int, size: int, *, candidates: int = 1
    ) -> Iterator[Drawn]:
        """``n`` images at ``size`` pixels a side, some at a time.

        Args:
            flow: Of the weights that it was learnt with.
            noise: Random bits; they protect nobody here.
            n: At least 1.
            size: Of the images; detail is drawn where the weights can.
            candidates: Drawn for each image, of which a critic and the head choose one; without a
                critic there is only one.

        Raises:
            WeightsError: Another flow, or one that decodes no image.
        """
        self._check(flow)
        failures = 0
        while n > 0:
            images = draw_images(
                flow, self.mixture, self.head, noise, min(BATCH, n), candidates=candidates
            )
            failures = 0 if len(images) else failures + 1
            if failures == FAILURES:
                raise WeightsError("the weights decode what was learnt to no finite image")
            if len(images):
                n -= len(images)
                probabilities = np.zeros((len(images), 0))
                if self.head is not None:
                    probabilities = self.head.probabilities(images)
                yield Drawn(flow.cascade.enlarge(images, size, noise), probabilities)

    def labels(self, probabilities: NDArray[np.float64]) -> list[str]:
        """Names of what is more likely than not, or of what is most likely, joined by ``;``."""
        names = self.synthesis.findings
        if not names:
            return [""] * len(probabilities)
        shown = shown_by(probabilities)
        return [";".join(n for n, s in zip(names, row, strict=True) if s) for row in shown]

    def save(self, path: Path) -> None:
        """Writes it, whole or not at all."""
        tensors = {
            "mixture.weights": self.mixture.weights,
            "mixture.means": self.mixture.means,
            "mixture.deviations": self.mixture.deviations,
        }
        if self.head is not None:
            tensors |= {
                "head.weights": self.head.weights,
                "head.centre": self.head.centre,
                "head.scale": self.head.scale,
            }
        if self.statistics is not None:
            blocks = self.statistics.blocks
            tensors |= {f"statistics.{i}": block.sums for i, block in enumerate(blocks)}
            tensors["statistics.deviations"] = np.array([block.deviation for block in blocks])
        WeightsFile(
            kind=KIND,
            config=json.dumps({"findings": list(self.synthesis.findings)}),
            card=json.dumps(to_json(self.synthesis), sort_keys=True),
            tensors=tensors,
        ).write(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            WeightsError: There is none, it is damaged, or of another kind.
        """
        file = WeightsFile.read(find(str(path)))
        if file.kind != KIND:
            raise WeightsError(
                f"expected a generator of latentdp synthesize, got weights of kind {file.kind!r}"
            )
        tensors = {k: v.astype(np.float64) for k, v in file.tensors.items()}
        try:
            head = None
            if "head.weights" in tensors:
                head = Head(
                    weights=tensors["head.weights"],
                    centre=tensors["head.centre"],
                    scale=tensors["head.scale"],
                )
            return cls(
                mixture=LatentMixture(
                    weights=tensors["mixture.weights"],
                    means=tensors["mixture.means"],
                    deviations=tensors["mixture.deviations"],
                ),
                head=head,
                synthesis=from_json(json.loads(file.card), Synthesis, "the card of the generator"),
                statistics=_statistics(tensors),
            )
        except (KeyError, ValueError, TypeError, IndexError, RecursionError, InputError) as error:
            raise WeightsError(f"{path.name}: the generator is damaged") from error

    def _check(self, flow: Flow) -> None:
        if flow.sha256 != self.synthesis.weights.sha256:
            raise WeightsError(
                f"the generator was learnt with other weights ({self.synthesis.weights.name}); "
                "name those with --weights"
            )
        if self.mixture.means.shape[1] != flow.levels[0].stop:
            raise WeightsError("the generator is of other weights: its latents do not fit")


def _statistics(tensors: Mapping[str, NDArray[np.float64]]) -> NoisyStatistics | None:
    deviations = tensors.get("statistics.deviations")
    if deviations is None:
        return None
    return NoisyStatistics(
        tuple(
            NoisyBlock(tensors[f"statistics.{i}"], float(deviation))
            for i, deviation in enumerate(deviations)
        )
    )
