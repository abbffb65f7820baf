"""The contract of a utility measure: what private images are still good for.

A module defines one class and its instance ``utility``. It is given the same `ThreatModel` as an
attack: here classifiers learn from the practice side, and the target side is what they are tested
on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from latentdp.core.progress import ProgressCallback
from latentdp.evaluation.threat_model import ThreatModel
from latentdp.reports.results import Measure

__all__ = ["Utility"]


class Utility(ABC):
    """One way to measure what images are good for.

    Attributes:
        name: Of the plug-in; the name of its module.
        title: What is measured, in a line.
    """

    name: ClassVar[str]
    title: ClassVar[str]

    def unavailable_reason(self, scene: ThreatModel) -> str | None:
        """Why it cannot be measured on this scene, in a few words; None if it can."""
        return None

    @abstractmethod
    def measure(self, scene: ThreatModel, tell: ProgressCallback) -> list[Measure]:
        """Measures.

        Args:
            scene: Not changed.
            tell: Progress.
        """
