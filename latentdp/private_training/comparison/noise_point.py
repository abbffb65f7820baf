"""What stands on a row of the comparison: a way to a classifier, with noise somewhere on it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latentdp.private_training.readers import Reader
from latentdp.synthesis.vectors import PatientImages

if TYPE_CHECKING:
    from latentdp.synthesis.public import PublicModel

__all__ = ["LearntPoint", "NoisePoint"]


@dataclass(frozen=True)
class LearntPoint:
    """What was learnt of a cohort, and what its noise costs under add-remove.

    Attributes:
        reader: Of one finding.
        add_remove: Epsilon of a patient; None where it is not stated.
    """

    reader: Reader
    add_remove: float | None


class NoisePoint(ABC):
    """A way to a classifier.

    Attributes:
        point: Where noise goes in.
        name: Of its rows.
        title: What it does.
        private: Whether there is any.
    """

    point: str
    name: str
    title: str
    private = True

    @abstractmethod
    def learn(
        self, public: PublicModel, cohort: PatientImages,
        *, epsilon: float, delta: float, seed: int,
    ) -> LearntPoint:  # fmt: skip
        """Learns one finding under seeded noise, so that nobody is protected.

        Args:
            public: Of the weights.
            cohort: All patients, with one column of findings.
            epsilon: Of each patient, replace-one, in nats.
            delta: Of it.
            seed: Of noise.

        Raises:
            InputError: The noise would drown what so few patients say.
        """
