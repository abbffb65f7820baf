"""What attacks and measures of usefulness find: one number, its interval and its subject."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import force_setattr

from latentdp.core.documents import JsonValue, from_json, to_json
from latentdp.metrics.bootstrap import Estimate
from latentdp.metrics.definitions.likeness import LOOKS
from latentdp.metrics.definitions.prediction import GAP
from latentdp.metrics.metric import Goal, Metric
from latentdp.reports.attack_kinds import AttackKind, kind_of
from latentdp.reports.result_detail import Detail

__all__ = ["Impostors", "Measure", "Outcome"]


FAR = 5 / 1.96  # standard errors of a refutation, in those of the lower end of an interval
_GROUPS = ("sex ", "age ", "view ")  # with which the names of subgroups begin


class Impostors(StrEnum):
    """Whom an attacker must tell a patient from."""

    ANYONE = "anyone"  # all that is released counts: also what tells groups of people apart
    ALIKE = "alike"  # of the same source, view and sex


class Outcome(Struct, frozen=True, kw_only=True):
    """One number that an attack reached.

    Numbers of numpy become Python's; what is not finite becomes None.

    Attributes:
        attack: Name of the attack.
        setting: What exactly: ``private against real, impostors of the same sex and view``.
        metric: What the number is; its goal is the attacker's.
        value: The number.
        low: Lower limit of the 95 % interval over patients.
        high: Upper limit of that interval.
        n: Pairs, probes or images that it rests on.
        patients: Patients that it rests on.
        chance: What guessing gives; None where that is unknown.
        ceiling: Largest expected value under the claimed guarantee; None without one.
        headline: Whether it belongs in the summary: one that a steward must see.
        detail: More: ``restarts``, ``roc``, ``gallery``, ``note``...
        impostors: Whom a patient was told from; unset where nobody was, or a file does not say.
        refutes: Whether it is above the ceiling by more than luck: then the claim is wrong. Left
            out, it follows from the numbers; what a file states and they do not is believed too.
        declared: Whether it rests on what every card declares to follow the source, and on no
            more; unset where it does not.

    Example:
        >>> from latentdp.metrics.definitions.verification import AUC
        >>> found = Outcome(attack="frozen", setting="", metric=AUC, value=0.9, low=0.89,
        ...                 high=0.91, n=100, patients=50, chance=0.5, ceiling=0.6,
        ...                 headline=True)
        >>> found.refutes, found.kind
        (True, <AttackKind.VERIFICATION: 'verification'>)
    """

    attack: str
    setting: str
    metric: Metric
    value: float | None
    low: float | None
    high: float | None
    n: int
    patients: int
    chance: float | None
    ceiling: float | None
    headline: bool
    detail: Detail = msgspec.field(default_factory=Detail)
    impostors: Impostors | UnsetType = UNSET
    refutes: bool | UnsetType = UNSET
    declared: bool | UnsetType = UNSET

    def __post_init__(self) -> None:
        _set_plain(self, "value", "low", "high", "chance", "ceiling")
        force_setattr(self, "refutes", self.refutes is True or self._far_above_its_ceiling())

    def _far_above_its_ceiling(self) -> bool:
        """An evaluation looks some fifty times, and some looks are maxima over attackers.

        95 % intervals would therefore accuse honest releases. The limit lies `FAR` times as far
        below the value as ``low`` does: five standard errors, 3 in 10 million for one look at a
        normal one.
        """
        if self.value is None or self.low is None or self.ceiling is None:
            return False
        return self.value - FAR * (self.value - self.low) > self.ceiling

    @classmethod
    def of(
        cls,
        estimate: Estimate,
        *,
        attack: str,
        setting: str,
        metric: Metric,
        n: int,
        patients: int,
        chance: float | None = None,
        ceiling: float | None = None,
        headline: bool = False,
        detail: Mapping[str, object] | None = None,
    ) -> Outcome:
        """The outcome with the value and interval of an estimate; else as the attributes."""
        return cls(
            attack=attack,
            setting=setting,
            metric=metric,
            value=estimate.value,
            low=estimate.low,
            high=estimate.high,
            n=n,
            patients=patients,
            chance=chance,
            ceiling=ceiling,
            headline=headline,
            detail=Detail(detail),
        )

    @property
    def kind(self) -> AttackKind:
        """What its attack is about."""
        return kind_of(self.attack)

    @property
    def advantage(self) -> float | None:
        """What it gains over guessing: 0 nothing, 1 certainty; None without a chance level."""
        if self.value is None or self.chance is None:
            return None
        if self.metric.goal is Goal.LOWER:
            return (self.chance - self.value) / self.chance if self.chance > 0 else None
        return (self.value - self.chance) / (1 - self.chance) if self.chance < 1 else None

    @property
    def says_nothing(self) -> bool:
        """Whether its interval is all that there is, from 0 to 1: it rests on too few patients."""
        return _whole(self.low, self.high)

    @property
    def reaches_chance(self) -> bool:
        """Whether its interval holds the chance level, or lies on the far side of it."""
        inverse = self.metric.goal is Goal.LOWER
        limit = self.high if inverse else self.low
        if limit is None or self.chance is None:
            return False
        return limit >= self.chance if inverse else limit <= self.chance

    def to_json(self) -> dict[str, JsonValue]:
        """JSON values."""
        return to_json(self)  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, values: object) -> Outcome:
        """The inverse of `to_json`.

        Raises:
            InputError: A part is missing or of another type.
        """
        return from_json(values, cls, "the outcome of an attack")


class Measure(Struct, frozen=True, kw_only=True):
    """One number of utility.

    Numbers of numpy become Python's; what is not finite becomes None.

    Attributes:
        utility: Name of the measure.
        setting: What exactly: ``p/o`` for learnt on private, tested on original images.
        subject: Finding, ``mean`` of the findings, a subgroup (``sex F``), or ``all``.
        metric: What the number is; its goal is that of whoever uses the images.
        value: The number.
        low: Lower limit of its 95 % interval over patients.
        high: Upper limit of that interval.
        n: Images that it rests on.
        patients: Patients that it rests on.
        headline: Whether it belongs in the summary.
        detail: More: ``seeds``, ``learnt_with``, ``note``...
    """

    utility: str
    setting: str
    subject: str
    metric: Metric
    value: float | None
    low: float | None
    high: float | None
    n: int
    patients: int
    headline: bool
    detail: Detail = msgspec.field(default_factory=Detail)

    def __post_init__(self) -> None:
        _set_plain(self, "value", "low", "high")

    @classmethod
    def of(
        cls,
        estimate: Estimate,
        *,
        utility: str,
        setting: str,
        metric: Metric,
        n: int,
        patients: int,
        subject: str = "all",
        headline: bool = False,
        detail: Mapping[str, object] | None = None,
    ) -> Measure:
        """The measure with the value and interval of an estimate; else as the attributes."""
        return cls(
            utility=utility,
            setting=setting,
            subject=subject,
            metric=metric,
            value=estimate.value,
            low=estimate.low,
            high=estimate.high,
            n=n,
            patients=patients,
            headline=headline,
            detail=Detail(detail),
        )

    @property
    def says_nothing(self) -> bool:
        """Whether its interval is all that there is, from 0 to 1: it rests on too few patients."""
        return _whole(self.low, self.high)

    @property
    def of_looks(self) -> bool:
        """Whether it says if private images look like originals, whoever is on them."""
        return self.metric in LOOKS

    @property
    def of_a_subgroup(self) -> bool:
        """Whether it is about a subgroup, or a gap between subgroups."""
        return self.metric == GAP or self.subject.startswith(_GROUPS)

    def to_json(self) -> dict[str, JsonValue]:
        """JSON values."""
        return to_json(self)  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, values: object) -> Measure:
        """The inverse of `to_json`.

        Raises:
            InputError: A part is missing or of another type.
        """
        return from_json(values, cls, "a measure of utility")


def _set_plain(result: Outcome | Measure, *numbers: str) -> None:
    """Numbers of numpy become Python's, what is not finite becomes None, a mapping `Detail`."""
    for name in numbers:
        value = getattr(result, name)
        finite = value is not None and math.isfinite(value)
        force_setattr(result, name, float(value) if finite else None)
    if not isinstance(result.detail, Detail):
        force_setattr(result, "detail", Detail(result.detail))


def _whole(low: float | None, high: float | None) -> bool:
    return low is not None and high is not None and low <= 0 and high >= 1
