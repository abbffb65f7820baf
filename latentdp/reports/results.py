"""What attacks and measures of usefulness find: one number, its interval and its subject."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["Measure", "Outcome"]


FAR = 5 / 1.96  # standard errors of a refutation, in those of the lower end of an interval


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One number that an attack reached.

    Attributes:
        attack: Name of the attack.
        setting: What exactly: ``private against real, impostors of the same sex and view``.
        metric: ``auc``, ``eer``, ``rank-1``, ``p@1``, ``map@r``, ``error``...
        value: The number; larger is more dangerous, but for ``eer`` and ``error``.
        low: Of the 95 % interval over patients.
        high: The same.
        n: Pairs, probes or images that it rests on.
        patients: Patients that it rests on.
        chance: What guessing gives; None where that is unknown.
        ceiling: Largest expected value under the claimed guarantee; None without one.
        headline: Whether it belongs in the summary: one that a steward must see.
        detail: More, as JSON values: ``restarts``, ``curve``, ``gallery``, ``note``...
    """

    attack: str
    setting: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    patients: int
    chance: float | None = None
    ceiling: float | None = None
    headline: bool = False
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def refutes(self) -> bool:
        """Whether it is above the ceiling by more than luck: then the claim is wrong.

        An evaluation looks some fifty times, and some looks are maxima over attackers, so 95 %
        intervals would accuse honest releases. The limit lies `FAR` times as far below the value
        as ``low`` does: five standard errors, 3 in 10 million for one look at a normal one.
        """
        sure = self.value - FAR * (self.value - self.low)
        return self.ceiling is not None and sure > self.ceiling

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self) | {"refutes": self.refutes}


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
