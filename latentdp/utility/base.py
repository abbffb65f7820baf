"""The contract of a utility measure: what private images are still good for.

A module defines one class and its instance ``utility``. It is given the same `Scene` as an attack:
here the practice side is what a reader learns from, and the target side what it is tested on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from latentdp.attacks.base import Scene
from latentdp.methods import Tell

__all__ = ["Measure", "Utility"]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number of utility.

    Attributes:
        utility: Name of the measure.
        setting: What exactly: ``p/o`` for learnt on private, tested on original images.
        subject: Finding, ``mean`` of the findings, a subgroup (``sex F``), or ``all``.
        metric: ``auc``, ``ssim``, ``psnr``, ``distance``, ``gap``.
        value: The number; ``low`` and ``high`` are its 95 % interval over patients.
        n: Images that it rests on.
        patients: Patients that it rests on.
        headline: Whether it belongs in the summary.
        detail: More, as JSON values: ``seeds``, ``curve``, ``note``...
    """

    utility: str
    setting: str
    subject: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    patients: int
    headline: bool = False
    detail: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


class Utility(ABC):
    """One way to measure what images are good for.

    Attributes:
        name: Of the plug-in; the name of its module.
        title: What is measured, in a line.
    """

    name: ClassVar[str]
    title: ClassVar[str]

    def unable(self, scene: Scene) -> str | None:
        """Why it cannot be measured on this scene, in a few words; None if it can."""
        return None

    @abstractmethod
    def measure(self, scene: Scene, tell: Tell) -> list[Measure]:
        """Measures.

        Args:
            scene: Not changed.
            tell: Progress.
        """
