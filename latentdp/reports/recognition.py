"""Can patients still be found? The one judge, of the verdict in the JSON and of every page.

It takes the strongest of all outcomes of a kind, whoever made the attack, and fails closed: what
nobody named in advance counts, and what cannot be held against a threshold refuses the claim.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec import Struct

from latentdp.errors import InputError
from latentdp.metrics.metric import Quantity
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.results import Impostors, Measure, Outcome

__all__ = ["Recognition", "Thresholds", "judge", "strongest", "told"]

WHOLE = "everything"  # the attack that uses all that is released; without it nothing is claimed
LARGEST_AUC, LARGEST_FIRST = 0.6, 0.02  # stricter ones may be set


class Thresholds(Struct, frozen=True, kw_only=True):
    """Up to where a release may be said to have lost its recognisable features.

    Attributes:
        auc: Largest AUC of telling patients apart, at the upper end of its interval, against
            anyone or against impostors alike, whichever is larger; at most `LARGEST_AUC`.
        first: Largest share of private images whose original is named first; at most
            `LARGEST_FIRST`.

    Raises:
        InputError: A threshold out of its range.
    """

    auc: float = LARGEST_AUC
    first: float = LARGEST_FIRST

    def __post_init__(self) -> None:
        if not (math.isfinite(self.auc) and 0.5 <= self.auc <= LARGEST_AUC):
            raise InputError(
                f"expected a threshold of AUC from 0.5 to {LARGEST_AUC:g}, got {self.auc}"
            )
        if not (math.isfinite(self.first) and 0 <= self.first <= LARGEST_FIRST):
            raise InputError(
                f"expected a threshold of rank-1 from 0 to {LARGEST_FIRST:g}, got {self.first}"
            )


@dataclass(frozen=True, kw_only=True)
class Recognition:
    """What attackers found out about who is on the images.

    Attributes:
        verification: The stronger of the next two; None without any.
        anyone: Who told patients best from anyone, by the upper end of the interval; None where
            nobody was told from anyone.
        whole: Whether one of those who tried used everything that is released.
        alike: Who told them best from impostors of the same source, view and sex.
        first: Who named most originals first.
        strongest: The outcome to fear most, by its advantage over guessing; None if none is rated.
        unrated: Names of attacks of which it cannot be told how much better than guessing they
            are: of no known kind, or with a number in the summary that has no chance level.
        within: Whether all that was measured keeps the thresholds; what was not measured does not.
        objections: Why it does not, where the two above do not say it: a sentence each.
    """

    verification: Outcome | None
    anyone: Outcome | None
    whole: bool
    alike: Outcome | None
    first: Outcome | None
    strongest: Outcome | None
    unrated: tuple[str, ...]
    within: bool
    objections: tuple[str, ...]

    @property
    def against_anyone(self) -> str:
        """From whom, and by what, `anyone` told patients."""
        return "against anyone" + (", with everything that is released" if self.whole else "")

    @property
    def at_chance(self) -> bool:
        """Whether no attacker that can be rated did better than guessing."""
        best = self.strongest
        return best is not None and best.reaches_chance and not best.refutes


def judge(outcomes: Sequence[Outcome], limits: Thresholds) -> Recognition:
    """Judges all attacks on one method.

    Args:
        outcomes: Of every attack, also of those that find no person.
        limits: Up to where nobody is said to be recognised.

    Example:
        >>> judge([], Thresholds()).within
        False
    """
    naming = [o for o in outcomes if o.kind.identifies]
    verifying = [o for o in naming if _verifies(o, naming)]
    anyone, alike = (
        _largest(o for o in verifying if (o.impostors is Impostors.ANYONE) == whoever)
        for whoever in (True, False)
    )
    verification = _largest(verifying)
    first = _largest(o for o in naming if _names_the_source(o))
    kept = _at_most(verification, limits.auc) and _at_most(first, limits.first)
    strangers = dict.fromkeys(o.attack for o in naming if o.kind is AttackKind.UNKNOWN)
    without_chance = dict.fromkeys(o.attack for o in naming if o.headline and o.advantage is None)
    objections = [f"the attack {name!r} is of no known kind" for name in strangers]
    if kept:  # else the claim falls anyway
        objections += [
            f"{o.attack} reached {o.metric.name} {told(o)}, {why}"
            for o in naming
            if not o.reaches_chance and (why := _objection(o, limits))
        ]
    return Recognition(
        verification=verification,
        anyone=anyone,
        whole=any(o.impostors is Impostors.ANYONE and o.attack == WHOLE for o in outcomes),
        alike=alike,
        first=first,
        strongest=strongest([o for o in naming if o.headline]) or strongest(naming),
        unrated=tuple(strangers | without_chance),
        within=kept and not objections,
        objections=tuple(objections),
    )


def strongest(outcomes: Sequence[Outcome]) -> Outcome | None:
    """The outcome to fear most: a refuting one, then by its advantage; None if none is rated.

    One whose interval reaches guessing comes after those that do not.
    """
    rated = [
        ((bool(o.refutes), not o.reaches_chance, gain), -i)
        for i, o in enumerate(outcomes)
        if (gain := o.advantage) is not None
    ]
    return outcomes[-max(rated)[1]] if rated else None


def told(result: Outcome | Measure) -> str:
    """Its number and interval in a sentence: ``0.520 (0.480 to 0.560)``."""
    if result.says_nothing and result.value is not None:
        return f"{result.value:.3f} (too few patients for an interval)"
    value, low, high = (
        "unknown" if x is None else f"{x:.3f}" for x in (result.value, result.low, result.high)
    )
    return f"{value} ({low} to {high})"


def _verifies(outcome: Outcome, others: Sequence[Outcome]) -> bool:
    """An AUC in the summary or against anyone; of a verifier that puts none there, every one.

    A search that puts an AUC there has told patients apart by what it searches with.
    """
    kind, quantity = outcome.kind, outcome.metric.quantity
    if quantity is not Quantity.AUC:
        return False
    if kind is AttackKind.SEARCH:
        return outcome.headline
    if kind not in (AttackKind.VERIFICATION, AttackKind.UNKNOWN):
        return False
    if outcome.impostors is Impostors.ANYONE:
        return True
    same = (o for o in others if o.attack == outcome.attack)
    return outcome.headline or not any(o.headline for o in same)


def _names_the_source(outcome: Outcome) -> bool:
    """How often the own original is named first, by whatever it was sought; of files, leaks."""
    if outcome.metric.quantity is not Quantity.FIRST or outcome.kind is AttackKind.RETRIEVAL:
        return False
    return outcome.kind is not AttackKind.SIDE_CHANNEL or outcome.headline


def _objection(outcome: Outcome, limits: Thresholds) -> str:
    """Why an outcome that is neither a verifier's nor a search's refuses the claim, if it does."""
    kind, quantity = outcome.kind, outcome.metric.quantity
    if kind is AttackKind.RETRIEVAL and quantity is Quantity.FIRST:
        # By its lower end: the few patients with several images leave much room above.
        low = outcome.low
        return "" if low is not None and low <= limits.first else "of patients by other images"
    if not outcome.headline or quantity is Quantity.FIRST:
        return ""
    if quantity is Quantity.AUC:
        return "" if _at_most(outcome, limits.auc) else "above what a verifier may reach"
    return "for which no threshold is stated"


def _largest(outcomes: Iterable[Outcome]) -> Outcome | None:
    """By the upper end of the interval; one without such an end is taken for the largest."""

    def key(outcome: Outcome) -> tuple[float, float]:
        return (
            math.inf if outcome.high is None else outcome.high,
            math.inf if outcome.value is None else outcome.value,
        )

    return max(outcomes, key=key, default=None)


def _at_most(outcome: Outcome | None, limit: float) -> bool:
    return outcome is not None and outcome.high is not None and outcome.high <= limit
