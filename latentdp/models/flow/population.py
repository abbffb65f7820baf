"""What a released label does not say of an image, drawn as it occurs beside what it says.

A flow that knows attributes can draw an image of which some are unknown, but not well: of a label
that says "Effusion" and no more it never saw what the public images with an effusion have in
common, their view, age and other findings. So all that a released label leaves open is drawn at
random, as often as it occurs among public images of which all that is released is true, and the
image is drawn under both (ancestral sampling: Bishop 2006, Pattern Recognition and Machine
Learning, section 8.1.2). That follows the released label and a public table alone, so that it is
post-processing and costs nothing; the released label stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from latentdp.core.arrays import UNKNOWN, Labels
from latentdp.core.attributes import Attribute, check_values, labels_of, values_of
from latentdp.errors import InputError, WeightsError
from latentdp.models.checkpoints import Checkpoint
from latentdp.models.model_card.card_parts import PopulationCard
from latentdp.privacy.noise import Noise

__all__ = [
    "POPULATION",
    "Population",
    "population_of",
    "with_population",
    "without_population",
]

POPULATION = "population"  # the tensor: values of all attributes and, last, a count


@dataclass(frozen=True, eq=False)
class Population:
    """Which values of attributes occur together, and how often.

    Attributes:
        attributes: What is known of an image.
        values: ``(m, attributes)`` combinations, each once; -1 for unknown.
        counts: ``(m,)`` images that have it, at least 1.

    Raises:
        InputError: No combination, values that are none, or a count below 1.
    """

    attributes: tuple[Attribute, ...]
    values: NDArray[np.int64]
    counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        check_values(self.values, len(self.counts), self.attributes)
        if not len(self.counts) or self.counts.min() < 1:
            raise InputError("expected combinations of attributes that occur at least once")

    @classmethod
    def of(cls, attributes: Sequence[Attribute], labels: Labels) -> Self:
        """That of public images with labels ``(n,)``."""
        values, counts = np.unique(values_of(attributes, labels), axis=0, return_counts=True)
        return cls(tuple(attributes), values, counts.astype(np.int64))

    @property
    def images(self) -> int:
        """How many it was counted of."""
        return int(self.counts.sum())

    def completed(self, labels: Labels, noise: Noise) -> Labels:
        """Labels ``(n,)`` with what they leave open drawn at random, a word of noise for each.

            >>> from latentdp.core.attributes import finding
            >>> from latentdp.privacy.noise import SeededNoise
            >>> both = (finding("Edema"), finding("Effusion"))
            >>> wards = Population(both, np.array([[0, 0], [1, 1]]), np.array([30, 10]))
            >>> drawn = wards.completed(np.full(4000, -1), SeededNoise(0))
            >>> values, counts = np.unique(values_of(both, drawn), axis=0, return_counts=True)
            >>> values.tolist(), round(counts[1] / 4000, 2)
            ([[0, 0], [1, 1]], 0.25)

        Where no combination has all that a label says, those count that have most of it.

        Args:
            labels: As they are released; -1 for nothing known.
            noise: Where random bits come from.
        """
        shown, words = values_of(self.attributes, labels), noise.words(len(labels))
        kinds, whose = np.unique(shown, axis=0, return_inverse=True)
        for kind, said in enumerate(kinds):
            rows = np.flatnonzero(whose.ravel() == kind)
            known = said != UNKNOWN
            agreeing = (self.values[:, known] == said[known]).sum(axis=1)
            fitting = np.flatnonzero(agreeing == agreeing.max())
            ends = np.cumsum(self.counts[fitting])
            tickets = (words[rows] % np.uint64(ends[-1])).astype(np.int64)  # its bias is 2^-50
            drawn = self.values[fitting[np.searchsorted(ends, tickets, side="right")]]
            shown[rows] = np.where(known, said, drawn)
        return labels_of(self.attributes, shown)


def with_population(
    checkpoint: Checkpoint, population: Population, sources: Sequence[str] = ()
) -> Checkpoint:
    """The weights with it, instead of any that they had; all other tensors as they were.

    Args:
        checkpoint: The weights.
        population: Of public images.
        sources: Those of the images, if not all of the weights, for the card.
    """
    table = np.concatenate([population.values, population.counts[:, None]], axis=1)
    card = PopulationCard(
        images=population.images, combinations=len(table), sources=tuple(sources) or None
    )
    return replace(
        checkpoint,
        tensors=checkpoint.tensors | {POPULATION: table.astype(np.int32)},
        card=structs.replace(checkpoint.card, population=card),
        sha256="",
    )


def without_population(checkpoint: Checkpoint) -> Checkpoint:
    """The weights without any: what a label leaves open is then told the flow as unknown."""
    tensors = {key: value for key, value in checkpoint.tensors.items() if key != POPULATION}
    card = structs.replace(checkpoint.card, population=None)
    return replace(checkpoint, tensors=tensors, card=card, sha256="")


def population_of(
    tensors: dict[str, NDArray[Any]], attributes: Sequence[Attribute], name: str
) -> Population | None:
    """That of weights; None if they have none.

    Args:
        tensors: Of the weights.
        attributes: Of the flow.
        name: Of the weights, for the message.

    Raises:
        WeightsError: It is damaged, or of other attributes.
    """
    if POPULATION not in tensors:
        return None
    table = np.asarray(tensors[POPULATION])
    whole = table.ndim == 2 and np.issubdtype(table.dtype, np.integer)
    try:
        if attributes and whole:
            counted = table.astype(np.int64)
            return Population(tuple(attributes), counted[:, :-1], counted[:, -1])
    except InputError as error:
        raise WeightsError(f"weights {name!r}: their population is damaged") from error
    raise WeightsError(f"weights {name!r}: their population is damaged, or of no attributes")
