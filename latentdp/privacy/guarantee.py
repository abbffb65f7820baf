"""A privacy guarantee as data: frozen, composable, and explicit about its unit and relation.

Every guarantee here is *local*: it holds for the released image of one person, against an
observer who sees everything that was released and knows the weights, the code and the recipe.
The relation is replace-one over all possible images: for any two images x and x' and any set of
outputs S, P[M(x) in S] <= exp(epsilon) P[M(x') in S] + delta.

What is learnt from a whole cohort is *central* instead (`latentdp.privacy.gaussian_accountant`):
its unit is the patient, and x and x' are cohorts that differ in one of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from latentdp.errors import InputError
from latentdp.privacy.rounding import FEW, printed

__all__ = ["Guarantee", "Relation", "Unit", "above", "log_ratio"]


class Unit(StrEnum):
    """Whom epsilon is about."""

    IMAGE = "image"
    PATIENT = "patient"


class Relation(StrEnum):
    """Which pairs are indistinguishable up to epsilon."""

    REPLACE_ONE = "replace-one"
    ADD_REMOVE = "add-remove"  # of cohorts: with the patient and without


@dataclass(frozen=True, kw_only=True)
class Guarantee:
    """(epsilon, delta)-differential privacy of one whole release.

    What is released exactly, beside whatever is noised, leaves nothing of it: epsilon is infinity
    then, and what the noise is worth by itself stands in `noised_part`.

    Attributes:
        epsilon: Of the whole, in nats, at least 0; infinity means no protection.
        delta: In [0, 1]; 0 is pure differential privacy, 1 no protection.
        unit: What is replaced: one image, or all images of one patient.
        relation: The neighbouring relation.
        secure: False if the noise came from a seed, which voids the guarantee.
        exact: False if the proof is about real numbers and the program computes with floats.
        unprotected: What is released exactly, in words; epsilon is infinity if there is anything.
        noised_epsilon: Of what is noised beside it; None if nothing is known of it.

    Example:
        >>> noise = Guarantee(epsilon=8.0)
        >>> whole = noise.beside("the class label")
        >>> whole.epsilon, whole.private, whole.noised_part == noise
        (inf, False, True)
    """

    epsilon: float
    delta: float = 0.0
    unit: Unit = Unit.IMAGE
    relation: Relation = Relation.REPLACE_ONE
    secure: bool = True
    exact: bool = True
    unprotected: tuple[str, ...] = ()
    noised_epsilon: float | None = None

    def __post_init__(self) -> None:
        if math.isnan(self.epsilon) or self.epsilon < 0:
            raise InputError(f"expected epsilon of at least 0, got {self.epsilon}")
        if not 0 <= self.delta <= 1:
            raise InputError(f"expected delta in [0, 1], got {self.delta}")
        if self.unprotected and math.isfinite(self.epsilon):
            raise InputError(
                "expected an infinite epsilon where something is released exactly, "
                f"got {self.epsilon}"
            )
        try:
            object.__setattr__(self, "unit", Unit(self.unit))
            object.__setattr__(self, "relation", Relation(self.relation))
        except ValueError as error:
            raise InputError(f"a guarantee has no such unit or relation: {error}") from error

    def beside(self, *unprotected: str) -> Guarantee:
        """What is left of it where these things are released exactly as well: none of the whole.

        Without any it is left as it is.
        """
        more = [line for line in unprotected if line not in self.unprotected]
        if not more:
            return self
        return replace(
            self,
            epsilon=math.inf,
            unprotected=(*self.unprotected, *more),
            noised_epsilon=self.noised_part.epsilon,
        )

    @property
    def noised_part(self) -> Guarantee:
        """What holds of the noise alone, between sources that agree in all that is unprotected.

        Of the whole where nothing is.
        """
        if not self.unprotected:
            return self
        noised = math.inf if self.noised_epsilon is None else self.noised_epsilon
        return replace(self, epsilon=noised, unprotected=(), noised_epsilon=None)

    @property
    def private(self) -> bool:
        """Whether it promises anything of the whole."""
        return self.secure and math.isfinite(self.epsilon) and self.delta < 1

    @property
    def reason(self) -> str:
        """Why epsilon is infinity; empty if it is not."""
        if math.isfinite(self.epsilon):
            return ""
        exactly = "; ".join(self.unprotected)
        return f"unprotected: {exactly}" if exactly else "no bound is known"

    def compose(self, *others: Guarantee) -> Guarantee:
        """What all of them together give (basic composition: the sums).

        Raises:
            InputError: Units or relations differ; such numbers must not be added.
        """
        everything = (self, *others)
        if {(g.unit, g.relation) for g in everything} != {(self.unit, self.relation)}:
            raise InputError("guarantees of different units or relations cannot be composed")
        noised = replace(
            self.noised_part,
            epsilon=_sum_above([g.noised_part.epsilon for g in everything]),
            delta=min(_sum_above([g.delta for g in everything]), 1.0),
            secure=all(g.secure for g in everything),
            exact=all(g.exact for g in everything),
        )
        return noised.beside(*dict.fromkeys(line for g in everything for line in g.unprotected))

    def for_patient(self, images: int) -> Guarantee:
        """The same for a patient of whom ``images`` images are released this way."""
        if images < 1:
            raise InputError(f"expected at least 1 image, got {images}")
        if self.unit is not Unit.IMAGE:
            raise InputError(f"expected the guarantee of an image, got that of a {self.unit}")
        whole = self.compose(*[self] * (images - 1))
        return replace(whole, unit=Unit.PATIENT)

    def verification_ceiling(self) -> float:
        """Largest AUC any attacker can reach in telling one image's release from another's.

        1 / (1 + exp(-epsilon)) for pure epsilon, the ROC of randomised response;
        delta is added, which can only overstate the ceiling.
        """
        return min(1.0, 1.0 / (1.0 + math.exp(-self.epsilon)) + self.delta)

    def gallery_ceiling(self, size: int) -> float:
        """Largest chance that the right one of ``size`` equally likely sources is named first."""
        if size < 1:
            raise InputError(f"expected a gallery of at least 1, got {size}")
        if self.epsilon > 700:
            return 1.0
        odds = math.exp(self.epsilon)
        return min(1.0, odds / (odds + size - 1) + self.delta)

    def words(self, digits: int = FEW) -> str:
        """The guarantee in a line, with epsilon and delta rounded up to so many digits."""
        epsilon = printed(self.epsilon, digits)
        delta = f", delta {printed(self.delta, digits)}" if self.delta else ""
        numerics = "" if self.exact else ", idealised numerics"
        void = "" if self.secure else " -- NOT PRIVATE: the noise came from a seed"
        whole = f"epsilon {epsilon}{delta} per {self.unit} ({self.relation}{numerics}){void}"
        if not self.unprotected:
            return whole
        return (
            f"{whole} -- NO GUARANTEE: {self.reason}; of the noised part alone: "
            f"{self.noised_part.words(digits)}"
        )

    def __str__(self) -> str:
        return self.words()


def _sum_above(values: list[float]) -> float:
    """The sum, rounded up; exact where at most one value is not zero."""
    total = math.fsum(values)
    return math.nextafter(total, math.inf) if sum(v > 0 for v in values) > 1 else total


def above(x: float) -> float:
    """The next float above ``x`` by a relative 1e-12: rounding never understates a guarantee."""
    return x * (1 + 1e-12) if math.isfinite(x) else x


def log_ratio(numerator: int, denominator: int) -> float:
    """Natural logarithm of a ratio of at least 1 of integers of any size, never understated."""
    shifted = (numerator << 64) // denominator + 1
    return above(max(0.0, math.log(shifted) - 64 * math.log(2)) + 1e-14)
