"""A synthetic data set as whoever got it has it: images, labels, generator and card."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images
from latentdp.core.tables import read_table
from latentdp.data import radiograph
from latentdp.data.preprocess import resize
from latentdp.errors import InputError, UnsupportedInstance
from latentdp.evaluation.mark_cover import MarkCover
from latentdp.privacy.noise import SeededNoise
from latentdp.reports.release_card import IMAGES
from latentdp.reports.release_contents import GENERATOR, LABELS
from latentdp.reports.synthesis_card import SynthesisCard
from latentdp.synthesis.findings import parse_names, probability_of
from latentdp.synthesis.generator import Generator
from latentdp.synthesis.head import shown_by
from latentdp.synthesis.learnt_checks import stated_plan
from latentdp.synthesis.plan import SynthesisPlan

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["SyntheticSet"]


@dataclass(frozen=True, kw_only=True)
class SyntheticSet:
    """What is public.

    Attributes:
        generator: From which the images were drawn.
        plan: The noise that the card states.
        images: ``(n, h, w)`` in [0, 1], of the flow's size.
        shown: ``(n, f)`` which findings the labels name.
        probabilities: ``(n, f)`` that stand beside them, in [0, 1].
        mark: Pixels on a side of images that carry a mark; None for none.
    """

    generator: Generator
    plan: SynthesisPlan
    images: Images
    shown: NDArray[np.bool_]
    probabilities: NDArray[np.float64]
    mark: int | None = None

    @property
    def findings(self) -> tuple[str, ...]:
        """Their names, in the order of the columns."""
        return self.generator.synthesis.findings

    @classmethod
    def read(cls, out: Path, shape: tuple[int, int], most: int) -> Self:
        """Reads a folder.

        Args:
            out: Of `latentdp synthesize`.
            shape: Of the flow's images.
            most: Images that are read.

        Raises:
            InputError: It is no such folder, or its table does not fit.
            WeightsError: Its generator is damaged.
        """
        card = SynthesisCard.find(out)
        if card is None:
            raise InputError("expected OUT to be a data set of latentdp synthesize")
        generator = Generator.load(out / GENERATOR)
        if generator.synthesis != card.synthesis:
            raise InputError("the generator in OUT is of another synthesis than its card")
        names = generator.synthesis.findings
        images, shown, likely = [], [], []
        columns = [probability_of(name) for name in names]
        for _, row in islice(read_table(out / LABELS, ("file", "label", *columns)), most):
            images.append(_small(out / IMAGES / Path(row["file"]).name, shape))
            said = parse_names(row["label"], LABELS)
            shown.append([name in said for name in names])
            likely.append([_probability(row[column]) for column in columns])
        if not images:
            raise InputError("OUT holds no images")
        return cls(
            generator=generator,
            plan=stated_plan(card.synthesis),
            images=np.stack(images),
            shown=np.array(shown, dtype=np.bool_).reshape(len(images), len(names)),
            probabilities=np.array(likely).reshape(len(images), len(names)),
            mark=card.images.size if card.images.marked else None,
        )

    @classmethod
    def drawn(cls, generator: Generator, flow: Flow, images: int, seed: int) -> Self:
        """What anybody would draw from a generator, in memory.

        Args:
            generator: With its card.
            flow: Of its weights.
            images: How many.
            seed: Of the draw, which protects nobody.

        Raises:
            WeightsError: Another flow, or one that decodes no image.
        """
        parts = list(generator.draw(flow, SeededNoise(seed), images, flow.shape[0]))
        odds = np.concatenate([part.probabilities for part in parts])
        return cls(
            generator=generator,
            plan=stated_plan(generator.synthesis),
            images=np.concatenate([part.images for part in parts]),
            shown=shown_by(odds) if odds.shape[1] else np.zeros(odds.shape, dtype=np.bool_),
            probabilities=odds,
        )

    def cover(self, originals: Images) -> MarkCover:
        """What lies over the mark, if images have one, in all images that are compared."""
        if self.mark is None:
            return MarkCover(content=np.zeros((0, 0), dtype=np.float32))
        return MarkCover.of(originals, self.mark)


def _probability(field: str) -> float:
    try:
        value = float(field)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise InputError(f"{LABELS}: a probability is none")
    return value


def _small(path: Path, shape: tuple[int, int]) -> NDArray[np.float32]:
    """An image at the flow's size: means of what lies within a pixel, which detail leaves."""
    try:
        image = radiograph.look(path)
    except (UnsupportedInstance, OSError) as error:
        raise InputError(
            f"OUT lacks an image that its {LABELS} names, or it is damaged"
        ) from error
    (rows, rest), (columns, left) = map(divmod, image.shape, shape)
    if rest == left == 0 and rows and columns:
        blocks = image.reshape(shape[0], rows, shape[1], columns)
        return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32))
    return resize(image, shape)
