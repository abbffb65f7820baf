"""Releasing a class label: not at all, exactly, or by randomised response.

The decoder is conditioned on the *released* label only. Were it conditioned on the true one, as
in CADP, the label would be released in full through the image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import UNKNOWN, Labels
from latentdp.errors import InputError
from latentdp.privacy.guarantee import Guarantee, log_ratio
from latentdp.privacy.noise import WORD, Noise
from latentdp.privacy.plan_description import LabelDescription
from latentdp.privacy.samplers.uniform import below

__all__ = ["LabelRelease", "RandomisedResponse", "Unlabelled"]


class LabelRelease(StrEnum):
    """What happens to the label."""

    NONE = "none"
    PUBLIC = "public"
    RESPONSE = "response"


class Unlabelled(StrEnum):
    """What becomes of an input without a label, where labels are released."""

    REFUSE = "refuse"
    UNKNOWN = "unknown"
    RANDOM = "random"


@dataclass(frozen=True, kw_only=True)
class RandomisedResponse:
    """k-ary randomised response (Warner 1965): the truth with probability p, else another class.

    p = threshold / 2^64, so the guarantee is a ratio of integers:
    epsilon = ln(p (k - 1) / (1 - p)).

    Attributes:
        classes: Number of classes k, at least 2.
        threshold: The truth is told when a uniform 64-bit word is below it.
    """

    classes: int
    threshold: int

    def __post_init__(self) -> None:
        if self.classes < 2:
            raise InputError(f"expected at least 2 classes to choose from, got {self.classes}")
        if not 2**WORD <= self.threshold * self.classes <= (2**WORD - 1) * self.classes:
            raise InputError("expected the truth to be at least as likely as any other class")

    @classmethod
    def calibrate(cls, epsilon: float, classes: int) -> RandomisedResponse:
        """The most truthful one that spends at most ``epsilon``."""
        if not (math.isfinite(epsilon) and epsilon > 0):
            raise InputError(f"expected a finite positive epsilon for the label, got {epsilon}")
        if classes < 2:
            raise InputError(f"expected at least 2 classes to choose from, got {classes}")
        # Counted in lies out of 2^64: near certainty these are few, and a float of the truth's
        # probability could not tell them apart.
        lies = math.ceil(2.0**WORD * (classes - 1) / (classes - 1 + math.exp(min(epsilon, 700))))
        most = 2**WORD * (classes - 1) // classes
        response = cls(classes=classes, threshold=2**WORD - min(max(lies, 1), most))
        while response.guarantee.epsilon > epsilon and lies < most:  # rounding of the claim
            lies += max(1, lies >> 40)
            response = cls(classes=classes, threshold=2**WORD - min(lies, most))
        return response

    @property
    def guarantee(self) -> Guarantee:
        """Pure epsilon of the label."""
        lies = 2**WORD - self.threshold
        return Guarantee(epsilon=log_ratio(self.threshold * (self.classes - 1), lies))

    def respond(self, labels: Labels, noise: Noise) -> Labels:
        """Released labels. An unknown label is replaced by a uniform class first."""
        n = labels.size
        truth = np.where(labels == UNKNOWN, below(noise, self.classes, n), labels)
        other = (truth + 1 + below(noise, self.classes - 1, n)) % self.classes
        honest = noise.words(n) < np.uint64(self.threshold)
        return np.where(honest, truth, other)

    def log_likelihood(self, labels: Labels, released: Labels) -> NDArray[np.float64]:
        """Natural logarithm of the probability of released labels, given the true ones.

        Args:
            labels: Class indices, -1 unknown; of a shape that broadcasts with ``released``.
            released: Class indices.
        """
        lies = math.log(2**WORD - self.threshold) - WORD * math.log(2) - math.log(self.classes - 1)
        truth = math.log(self.threshold) - WORD * math.log(2)
        known = np.where(labels == released, truth, lies)
        return np.asarray(np.where(labels == UNKNOWN, -math.log(self.classes), known))

    def describe(self) -> LabelDescription:
        """The parameters that determine the guarantee, for a card."""
        return LabelDescription(
            release=str(LabelRelease.RESPONSE),
            mechanism="randomised-response",
            classes=self.classes,
            threshold=self.threshold,
            truth_probability=self.threshold / 2**WORD,
            epsilon=self.guarantee.epsilon,
        )
