"""The contract of a mechanism.

A mechanism module defines one frozen dataclass and two names: ``mechanism`` (the class) and
``examples`` (instances that the contract tests run over). Nothing has to be registered: the
command, the documentation and the tests list the folder.

The dataclass's fields are the mechanism's real parameters, and ``guarantee`` is computed from
them. A mechanism works in two steps. ``perturb`` clips, then adds noise, per image; its output is
what the proof is about, integers wherever the mechanism claims exact numerics. ``repair`` turns
that output into a latent and never sees the image again, so it is free. ``log_likelihood`` says
how probable a perturbed output is under an image: with it anybody can enumerate a small mechanism,
audit a large one with the best possible test, or attack a release with full knowledge.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import fields, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Latents
from latentdp.errors import InputError
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.noise import Noise
from latentdp.privacy.plan_description import Parameters
from latentdp.privacy.units import LARGEST

__all__ = [
    "Mechanism",
    "Part",
    "check_grid",
    "clip_norm",
    "finite",
    "number",
    "positive",
    "without_clip",
]

Part = tuple["Mechanism", int]


class Mechanism(ABC):
    """Privatizes ``(n, dimensions)`` latents, each row on its own.

    Attributes:
        name: Of the plug-in; the name of its module.
        dimensions: Number of latent dimensions that it is made for.
    """

    name: ClassVar[str]
    dimensions: int

    @property
    @abstractmethod
    def guarantee(self) -> Guarantee:
        """Of one whole row, derived from the parameters."""

    def approximate(self, delta: float) -> Guarantee:
        """The same noise read as (epsilon, delta); never larger than ``guarantee``."""
        return replace(self.guarantee, delta=delta)

    @abstractmethod
    def perturb(self, latents: Latents, noise: Noise) -> NDArray[Any]:
        """Clip, then noise: what the guarantee is about.

        Args:
            latents: ``(n, dimensions)``, any floats; not changed.
            noise: Where every random bit comes from.

        Returns:
            ``(n, m)``, for some m of the mechanism; int64 if its numerics are exact.
        """

    @abstractmethod
    def repair(self, perturbed: NDArray[Any], noise: Noise) -> Latents:
        """Post-processing: perturbed ``(n, m)`` to finite latents ``(n, dimensions)``.

        For latents that were N(0, I), what comes back is N(0, I) again or near it.
        """

    def privatize(self, latents: Latents, /, *, noise: Noise) -> Latents:
        """Clip, then noise, then repair. The input is not changed."""
        return self.repair(self.perturb(latents, noise), noise)

    @abstractmethod
    def log_likelihood(self, latents: Latents, perturbed: NDArray[Any]) -> NDArray[np.float64]:
        """Natural logarithm of the probability of each row of ``perturbed``, ``(n,)``.

        Args:
            latents: ``(n, dimensions)``, or ``(1, dimensions)`` for all rows alike.
            perturbed: ``(n, m)`` as from `perturb`.
        """

    @property
    def work(self) -> int:
        """About how many numbers `log_likelihood` looks at for each row, for who must choose."""
        return self.dimensions

    @property
    def draw_work(self) -> int:
        """About how many numbers `perturb` looks at for each row."""
        return self.dimensions

    def outcomes(self) -> NDArray[Any] | None:
        """Every possible row of `perturb`, if there are few; else None.

        Where the support is infinite, all rows up to a probability below 1e-12.
        """
        return None

    @property
    def parts(self) -> tuple[Part, ...]:
        """Smaller mechanisms, each with a number, whose guarantees add up to this one's.

        An audit cannot certify a large epsilon; it audits the parts, and they are added on paper.
        """
        return ((self, 1),)

    def describe(self) -> Parameters:
        """The parameters, which determine the guarantee, for a card."""
        parameters = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        return {"mechanism": self.name, **parameters}

    @classmethod
    def from_card(cls, described: Parameters) -> Self:
        """The mechanism that `describe` described.

        Raises:
            InputError: A parameter is missing or out of its range.
        """
        try:
            kinds = {f.name: f.type for f in fields(cls)}  # type: ignore[arg-type]
            instance = cls(**{name: number(described[name], kind) for name, kind in kinds.items()})
            _ = instance.guarantee
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise InputError(
                f"a parameter of the mechanism {cls.name!r} is missing, out of range or no number"
            ) from error
        return instance

    @classmethod
    @abstractmethod
    def calibrate(cls, epsilon: float, dimensions: int, clip: float | None = None) -> Self:
        """The instance that spends at most ``epsilon`` on one whole row.

        Args:
            epsilon: In nats; finite and positive.
            dimensions: Number of latent dimensions, at least 1.
            clip: Public bound in standard deviations of the latent; None for the mechanism's
                own default. Directional mechanisms have none and refuse one.
        """


def number(value: Any, kind: Any) -> Any:
    """A parameter from a card, if it is of its declared kind: "int" or "float", and finite.

    Raises:
        TypeError: Another type; a bool is none of them, and an int is a float.
        ValueError: Not finite, or too large for a float.
    """
    kind = getattr(kind, "__name__", kind)
    if type(value) is not int and not (kind == "float" and type(value) is float):
        raise TypeError(f"expected {kind}")
    if not (abs(value) < 2**1000):
        raise ValueError("expected a finite number")
    return value if kind == "int" else float(value)


def finite(latents: Latents) -> Latents:
    """NaN becomes 0 and infinities the largest floats: a clip then bounds every input."""
    return np.nan_to_num(latents, nan=0.0)


def clip_norm(latents: Latents, bound: float, order: int) -> Latents:
    """Rows scaled down to a norm of at most ``bound``, up to rounding; never scaled up.

    Args:
        latents: ``(n, d)``, finite; up to the largest floats, whose norm would overflow.
        bound: Positive.
        order: 1 or 2.
    """
    largest = np.abs(latents).max(axis=1, keepdims=True, initial=0.0)
    shape = latents / np.where(largest > 0, largest, 1.0)
    norm = np.linalg.norm(shape, ord=order, axis=1, keepdims=True)
    with np.errstate(over="ignore"):
        inside = largest * norm <= bound
    return np.where(inside, latents, shape * (bound / np.where(norm > 0, norm, 1.0)))


def positive(epsilon: float, dimensions: int) -> None:
    """Refuses what is no budget and no number of dimensions.

    Raises:
        InputError: ``epsilon`` is outside of what the ledger can count, a micro-epsilon to
            `latentdp.privacy.units.LARGEST`, or there is no dimension.
    """
    if not 1e-6 <= epsilon <= LARGEST:
        raise InputError(f"expected a finite epsilon from 1e-06 to {LARGEST:g}, got {epsilon}")
    if dimensions < 1:
        raise InputError(f"expected at least 1 dimension, got {dimensions}")


def check_grid(dimensions: int, clip: float, steps: int) -> None:
    """Refuses a grid whose indices, or the squares of these, could leave 64 bits or be NaN.

    Raises:
        InputError: No dimension, or a clip or a number of steps that is out of range.
    """
    if not 1 <= dimensions <= 2**24:
        raise InputError(f"expected 1 to 2**24 dimensions, got {dimensions}")
    if not 1e-6 <= clip <= 1e9:
        raise InputError(f"expected a clip from 1e-06 to 1e+09, got {clip}")
    if not 1 <= steps <= 2**31:
        raise InputError(f"expected 1 to 2**31 grid steps, got {steps}")


def without_clip(name: str, clip: float | None) -> None:
    """Refuses a clip for a mechanism that bounds its input in another way.

    Raises:
        InputError: There is a clip.
    """
    if clip is not None:
        raise InputError(f"the mechanism {name!r} has no clip; leave it out")
