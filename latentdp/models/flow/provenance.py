"""What a flow learnt from, as its card says it."""

from __future__ import annotations

from msgspec import Struct

from latentdp.models.model_card.card import ModelCard

__all__ = ["FlowProvenance"]

NOT_STATED = "not stated"


class FlowProvenance(Struct, frozen=True, kw_only=True):
    """Of a flow's model card, what a release and its data depend on.

    Attributes:
        training_data: What it learnt from, in words.
        private_training: Whether that was private; ``not stated`` where the card does not say.
        conditions: Columns of the manifest that its classes were made of.
        sources: Of the images that it learnt from; empty for all.

    Example:
        >>> FlowProvenance.of(ModelCard()).training_data
        'not stated'
    """

    training_data: str = NOT_STATED
    private_training: bool | str = NOT_STATED
    conditions: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @classmethod
    def of(cls, card: ModelCard) -> FlowProvenance:
        """From a model card."""
        private = card.private_training
        return cls(
            training_data=card.training_data or NOT_STATED,
            private_training=NOT_STATED if private is None else private,
            conditions=card.conditions or (),
            sources=card.sources or (),
        )
