"""Randomised response of a set: of several attributes of an image, each by an answer of its own.

Which attributes are answered is public, as is the share of the budget that each has; of all others
nothing is released. The answers are independent, so their epsilons add up (basic composition):
between two images whose attributes all differ no smaller number holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import UNKNOWN, Labels
from latentdp.core.attributes import Attribute, labels_of, values_of
from latentdp.errors import InputError
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.noise import WORD, Noise
from latentdp.privacy.plan_description import AttributeDescription, LabelDescription
from latentdp.privacy.randomized_response import LabelRelease, RandomisedResponse

__all__ = ["AttributeResponse", "SetResponse"]

_ROUNDING = 1e-12  # the sum of the parts is rounded up, and must not exceed the budget


@dataclass(frozen=True, kw_only=True)
class AttributeResponse:
    """The answer to one attribute.

    Attributes:
        name: Of the attribute.
        response: Among its values.
    """

    name: str
    response: RandomisedResponse


@dataclass(frozen=True, kw_only=True)
class SetResponse:
    """Released labels that know some attributes, each by k-ary randomised response.

        >>> from latentdp.core.attributes import finding
        >>> known = (finding("Edema"), finding("Mass"))
        >>> response = SetResponse.calibrate(2.0, known, ["Mass"])
        >>> [part.name for part in response.parts], round(response.guarantee.epsilon, 6)
        (['Mass'], 2.0)

    Attributes:
        attributes: All that a label may say.
        parts: Those that are answered, in the order of ``attributes``.

    Raises:
        InputError: A part that is no attribute, is there twice, or has another number of values.
    """

    attributes: tuple[Attribute, ...]
    parts: tuple[AttributeResponse, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise InputError("expected at least one attribute that is released")
        _ = self._columns

    @classmethod
    def calibrate(
        cls, epsilon: float, attributes: Sequence[Attribute], released: Sequence[str]
    ) -> SetResponse:
        """The most truthful one that spends at most ``epsilon``, in equal shares.

        Args:
            epsilon: Of all answers together, in nats.
            attributes: All that a label may say.
            released: Names of those that are answered.
        """
        share = epsilon / max(1, len(released)) * (1 - _ROUNDING)
        parts = tuple(
            AttributeResponse(
                name=one.name, response=RandomisedResponse.calibrate(share, len(one.values))
            )
            for one in attributes
            if one.name in released
        )
        if len(parts) != len(released):
            known = ", ".join(one.name for one in attributes)
            raise InputError(f"expected attributes of these weights to be released: {known}")
        return cls(attributes=tuple(attributes), parts=parts)

    @property
    def guarantee(self) -> Guarantee:
        """Pure epsilon of all that is released of a label."""
        return Guarantee(epsilon=0.0).compose(*(part.response.guarantee for part in self.parts))

    def respond(self, labels: Labels, noise: Noise) -> Labels:
        """Released labels ``(n,)``: nothing is unknown of what is answered, all else is.

        Args:
            labels: ``(n,)``, as `latentdp.core.attributes` numbers them. What is unknown of one
                is answered by a uniform value.
            noise: Where random bits come from.
        """
        values = values_of(self.attributes, labels)
        answers = np.full_like(values, UNKNOWN)
        for column, part in self._columns:
            answers[:, column] = part.response.respond(values[:, column], noise)
        return labels_of(self.attributes, answers)

    def log_likelihood(self, labels: Labels, released: Labels) -> NDArray[np.float64]:
        """Natural logarithm of the probability of released labels, given the true ones.

        Args:
            labels: -1 unknown; of a shape that broadcasts with ``released``.
            released: What `respond` returned.
        """
        given = values_of(self.attributes, labels.ravel()).reshape(*labels.shape, -1)
        answers = values_of(self.attributes, released.ravel()).reshape(*released.shape, -1)
        each = [
            part.response.log_likelihood(given[..., column], answers[..., column])
            for column, part in self._columns
        ]
        return np.asarray(np.sum(each, axis=0))

    def describe(self) -> LabelDescription:
        """The parameters that determine the guarantee, for a card."""
        return LabelDescription(
            release=str(LabelRelease.RESPONSE),
            mechanism="randomised-response",
            attributes=tuple(
                AttributeDescription(
                    name=part.name,
                    classes=part.response.classes,
                    threshold=part.response.threshold,
                    truth_probability=part.response.threshold / 2**WORD,
                    epsilon=part.response.guarantee.epsilon,
                )
                for part in self.parts
            ),
            epsilon=self.guarantee.epsilon,
        )

    @property
    def _columns(self) -> list[tuple[int, AttributeResponse]]:
        """Where each part stands among the attributes."""
        places = {one.name: i for i, one in enumerate(self.attributes)}
        columns = [(places.get(part.name, -1), part) for part in self.parts]
        order = [column for column, _ in columns]
        if min(order) < 0 or order != sorted({*order}):
            raise InputError("expected parts of a response to be attributes, each once, in order")
        for column, part in columns:
            if len(self.attributes[column].values) != part.response.classes:
                raise InputError(f"expected an answer among the values of {part.name}")
        return columns
