"""The weights that methods share: each file is loaded once, and kept by those who hold it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias, Union

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["LazyFlow", "Weights", "lazily"]


class LazyFlow:
    """A flow that is loaded when it is first needed, and that lives as long as this object.

    Args:
        weights: Name or path of weights, or a flow that is loaded already.

    Attributes:
        name: Of the weights, as they were asked for.
    """

    def __init__(self, weights: str | Flow) -> None:
        self._weights = weights
        self.name = weights if isinstance(weights, str) else weights.name

    @cached_property
    def flow(self) -> Flow:
        """The flow.

        Raises:
            WeightsError: The weights are refused.
        """
        if not isinstance(self._weights, str):
            return self._weights
        from latentdp.models.flow.flow import load_flow

        return load_flow(self._weights)


Weights: TypeAlias = Union[str, "Flow", LazyFlow]
"""Name or path of weights, a flow, or one of several methods, which share it."""


def lazily(weights: Weights) -> LazyFlow:
    """The same, loaded once at most by all to whom the result is given."""
    return weights if isinstance(weights, LazyFlow) else LazyFlow(weights)
