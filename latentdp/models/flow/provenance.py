"""What a flow learnt from, as its card says it: read once, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from latentdp.core.documents import from_json
from latentdp.errors import InputError, WeightsError

__all__ = ["FlowProvenance"]


class FlowProvenance(Struct, frozen=True, kw_only=True):
    """Of a flow's model card, what a release and its data depend on.

    Attributes:
        training_data: What it learnt from, in words.
        private_training: Whether that was private; ``not stated`` where the card does not say.
        conditions: Columns of the manifest that its classes were made of.
        sources: Of the images that it learnt from; empty for all.

    Example:
        >>> FlowProvenance.of({}).training_data
        'not stated'
    """

    training_data: str = "not stated"
    private_training: bool | str = "not stated"
    conditions: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @classmethod
    def of(cls, card: Mapping[str, Any]) -> FlowProvenance:
        """From a model card.

        Raises:
            WeightsError: The card says something else than it must.
        """
        try:
            return from_json(dict(card), cls, "the card of the weights")
        except InputError as error:
            raise WeightsError(str(error)) from error
