"""The model card of weights: what they were trained on, how well, and what lies beside them.

It stands in the metadata of a weights file and is checked once, when the file is read. One type
serves every kind of network: what a kind does not have, or what was not measured, is None and left
out of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from msgspec import Struct, structs

from latentdp.models.model_card.card_parts import (
    CriticCard,
    DeblockingCard,
    LatentStatistics,
    LawCard,
    LikelihoodCard,
    Memorisation,
    PopulationCard,
    SampleMeasure,
    TrainingCard,
    VerificationCard,
)
from latentdp.models.model_card.directions_card import DirectionsCard

__all__ = ["ModelCard"]


class ModelCard(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A card; each entry may be None.

    Attributes:
        summary: What the weights are, in a line.
        training_data: What they learnt from, in words.
        private_training: Whether that was private.
        conditions: Columns of the manifest that a flow's classes were made of.
        sources: Of the images that they learnt from; empty for all.
        images: Number of images of each split.
        parameters: Number of the network's parameters.
        architecture: The network's configuration as JSON.
        training: How they were trained.
        class_counts_train: Training images of each class of a flow.
        present_in_training: Training images with each finding.
        bits_per_dimension: Of a flow, by the split's name.
        round_trip_error: Largest difference between an image and what comes back of it, in [0, 1].
        latents_val: Of validation images on each level, coarsest first.
        memorisation: How near samples lie to training images.
        likelihood: Between which numbers nearly all validation images lie.
        laws: That every flow must keep, as they were tried.
        samples: What was measured of fresh samples.
        checked: How thoroughly laws and samples were.
        looked_at: What a person saw on samples.
        directions: Public directions of the latent.
        critic: What chooses among samples.
        population: What is drawn of attributes that a label leaves open.
        octaves: Of a flow, the cards of the flows of detail beside it, by their size in pixels.
        deblocking: What takes the grid away from images with detail, by their size in pixels.
        temperature: Of the detail that is drawn: a standard deviation of latents.
        shifts: By how many pixels its grid is moved for each draw; None for one draw.
        gains: Of the equalizer of images of this size, from no frequency to the highest.
        bits_per_detail: Of a detail flow, by the split's name.
        without_density: Images whose detail has no finite density, by the split's name.
        decibels_by_octave: Power in each octave, by split and by what is shown.
        config: Of a detail flow beside a flow, its configuration as JSON.
        verification: Of a verifier, by the split's name.

    Example:
        >>> ModelCard(summary="a test").with_entries(ModelCard(parameters=3)).parameters
        3
    """

    summary: str | None = None
    training_data: str | None = None
    private_training: bool | str | None = None
    conditions: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None
    images: Mapping[str, int] | None = None
    parameters: int | None = None
    architecture: str | None = None
    training: TrainingCard | None = None
    class_counts_train: Mapping[str, int] | None = None
    present_in_training: Mapping[str, int] | None = None
    bits_per_dimension: Mapping[str, float] | None = None
    round_trip_error: float | None = None
    latents_val: tuple[LatentStatistics, ...] | None = None
    memorisation: Memorisation | None = None
    likelihood: LikelihoodCard | None = None
    laws: tuple[LawCard, ...] | None = None
    samples: tuple[SampleMeasure, ...] | None = None
    checked: str | None = None
    looked_at: str | None = None
    directions: DirectionsCard | None = None
    critic: CriticCard | None = None
    population: PopulationCard | None = None
    octaves: Mapping[str, ModelCard] | None = None
    deblocking: Mapping[str, DeblockingCard] | None = None
    temperature: float | None = None
    shifts: tuple[int, ...] | None = None
    gains: tuple[float, ...] | None = None
    bits_per_detail: Mapping[str, float] | None = None
    without_density: Mapping[str, int] | None = None
    decibels_by_octave: Mapping[str, Mapping[str, tuple[float, ...]]] | None = None
    config: str | None = None
    verification: Mapping[str, VerificationCard] | None = None

    def with_entries(self, card: Self) -> Self:
        """The same with every entry that another card has, such as what was measured."""
        given = {name: getattr(card, name) for name in card.__struct_fields__}
        return structs.replace(self, **{k: v for k, v in given.items() if v is not None})

    def lacking(self, *names: str) -> tuple[str, ...]:
        """Which of some entries it does not have."""
        return tuple(name for name in names if getattr(self, name) is None)
