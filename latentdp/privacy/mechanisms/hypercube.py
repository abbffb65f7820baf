r"""PrivUnit on the hypercube: exact, in integers, for any number of dimensions.

The signs u of the latent (after a public rotation) are a corner of the hypercube. The output is a
corner that agrees with u in at least ``agree`` places with probability p, and in fewer otherwise,
uniform within each of the two groups (Duchi, Jordan and Wainwright 2018, section 4.2.3; on the
sphere Bhowmick et al. 2018 call it PrivUnit). Both groups have the same size for every u: m and
2^k - m. So the probability of any output is p / m or (1 - p) / (2^k - m), whatever computed u, and

    epsilon = ln (p (2^k - m) / ((1 - p) m)).

All of it is integers: p = 1 - lies / 2^64, the number of agreements is drawn from binomial
coefficients, and the places by sorting words.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct, idct
from scipy.special import gammaln

from latentdp.core.arrays import Latents, check_latents
from latentdp.errors import InputError
from latentdp.privacy.guarantee import Guarantee, log_ratio
from latentdp.privacy.mechanisms.base import Mechanism, finite, positive, without_clip
from latentdp.privacy.noise import WORD, Noise, SeededNoise
from latentdp.privacy.postprocessing import fresh_radius
from latentdp.privacy.samplers.categorical import Choice, bernoulli
from latentdp.privacy.samplers.uniform import orders

__all__ = ["Hypercube", "examples", "mechanism"]

MAX_DIMENSIONS = 2**14


@dataclass(frozen=True, kw_only=True)
class Hypercube(Mechanism):
    """Randomised signs.

    Attributes:
        dimensions: Number of latent dimensions k.
        agree: The truthful group agrees in at least so many signs; 1 to k.
        lies: The other group is drawn from with probability ``lies`` / 2^64.
    """

    name: ClassVar[str] = "hypercube"
    dimensions: int
    agree: int
    lies: int

    def __post_init__(self) -> None:
        if not 1 <= self.dimensions <= MAX_DIMENSIONS:
            raise InputError(
                f"expected 1 to {MAX_DIMENSIONS} dimensions for the hypercube, "
                f"got {self.dimensions}"
            )
        if not 1 <= self.agree <= self.dimensions:
            raise InputError(f"expected agreement in 1 to {self.dimensions}, got {self.agree}")
        truths, outside = 2**WORD - self.lies, 2**self.dimensions - self._inside
        if not (0 < self.lies < 2**WORD and truths * outside >= self.lies * self._inside):
            raise InputError("expected the truthful group to be the more likely one")

    @classmethod
    def calibrate(cls, epsilon: float, dimensions: int, clip: float | None = None) -> Self:
        """The threshold that keeps most signs at this epsilon.

        Beyond 44 nats and one bit a dimension there is nothing left to spend on: it then claims
        less than ``epsilon``.
        """
        positive(epsilon, dimensions)
        without_clip(cls.name, clip)
        if dimensions > MAX_DIMENSIONS:
            raise InputError(
                f"expected at most {MAX_DIMENSIONS} dimensions for the hypercube, got {dimensions}"
            )
        k = np.arange(dimensions + 1)
        log_mass = (
            gammaln(dimensions + 1) - gammaln(k + 1) - gammaln(dimensions - k + 1)
        ) - dimensions * math.log(2)
        log_moment = log_mass + np.log(np.maximum(k, 1e-300))
        # Index i stands for the threshold agree = i + 1.
        upper = np.logaddexp.accumulate(log_mass[::-1])[::-1][1:]
        lower = np.logaddexp.accumulate(log_mass)[:-1]
        log_odds = np.clip(epsilon + upper - lower, -700, 700)
        truth = 1 / (1 + np.exp(-log_odds))
        mean_above = np.exp(np.logaddexp.accumulate(log_moment[::-1])[::-1][1:] - upper)
        mean_below = np.exp(np.logaddexp.accumulate(log_moment)[:-1] - lower)
        best = int(np.argmax(truth * mean_above + (1 - truth) * mean_below))
        agree = best + 1
        lies = min(max(1, math.ceil(2.0**WORD / (1 + math.exp(log_odds[best])))), 2**WORD - 1)
        instance = cls(dimensions=dimensions, agree=agree, lies=lies)
        while instance.guarantee.epsilon > epsilon:
            instance = replace(instance, lies=instance.lies + 1 + (instance.lies >> 40))
        return instance

    @property
    def guarantee(self) -> Guarantee:
        """Pure epsilon of the whole image, from integers."""
        outside = 2**self.dimensions - self._inside
        return Guarantee(
            epsilon=log_ratio((2**WORD - self.lies) * outside, self.lies * self._inside)
        )

    def perturb(self, latents: Latents, noise: Noise) -> NDArray[np.int64]:
        """Signs as 0 and 1, ``(n, dimensions)``."""
        signs = self.signs(latents)
        n = len(signs)
        lied = bernoulli(noise, self.lies, 2**WORD, n)
        true, false = self._agreements
        # Both are drawn for every row, so that the work does not depend on the lie.
        count = np.where(lied, false.draw(noise, n), true.draw(noise, n))
        keeps = orders(noise, n, self.dimensions) < count[:, None]
        return np.where(keeps, signs, 1 - signs)

    def repair(self, perturbed: NDArray[np.int64], noise: Noise) -> Latents:
        """The corner turned back, with a fresh length."""
        return fresh_radius(_turn_back(np.where(perturbed == 1, 1.0, -1.0)), noise)

    def log_likelihood(
        self, latents: Latents, perturbed: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """One of two values for each row, ``(n,)``."""
        agreements = (perturbed == self.signs(latents)).sum(axis=1)
        outside = 2**self.dimensions - self._inside
        inside = math.log(2**WORD - self.lies) - WORD * math.log(2) - math.log(self._inside)
        beyond = math.log(self.lies) - WORD * math.log(2) - math.log(outside)
        return np.where(agreements >= self.agree, inside, beyond)

    def outcomes(self) -> NDArray[np.int64] | None:
        """All corners, of at most 8 dimensions."""
        if self.dimensions > 8:
            return None
        return np.array(list(itertools.product((0, 1), repeat=self.dimensions)))

    def signs(self, latents: Latents) -> NDArray[np.int64]:
        """Signs of the turned latent as 0 and 1, ``(n, dimensions)``; 0 counts as positive."""
        z = np.clip(finite(check_latents(latents, self.dimensions)), -1e100, 1e100)
        return (_turn(z) >= 0).astype(np.int64)

    @property
    def _inside(self) -> int:
        return _corners(self.dimensions, self.agree)

    @cached_property
    def _agreements(self) -> tuple[Choice, Choice]:
        """Numbers of agreements in the truthful group and in the other."""
        counts = [math.comb(self.dimensions, j) for j in range(self.dimensions + 1)]
        none = [0] * len(counts)
        true = none[: self.agree] + counts[self.agree :]
        return Choice(tuple(true)), Choice(tuple(counts[: self.agree] + none[self.agree :]))


@lru_cache(maxsize=256)
def _corners(k: int, agree: int) -> int:
    """How many corners agree with a given one in at least ``agree`` of ``k`` places."""
    return sum(math.comb(k, j) for j in range(agree, k + 1))


@lru_cache(maxsize=16)
def _flips(k: int) -> NDArray[np.float64]:
    """Public random signs, ``(2, k)``."""
    words = SeededNoise(k).words(2 * k).reshape(2, k)
    return np.where(words & np.uint64(1), 1.0, -1.0)


def _turn(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """A public rotation that spreads each dimension over all: signs, cosines, twice."""
    first, second = _flips(z.shape[1])
    return np.asarray(dct(second * dct(first * z, norm="ortho"), norm="ortho"))


def _turn_back(z: NDArray[np.float64]) -> NDArray[np.float64]:
    first, second = _flips(z.shape[1])
    return np.asarray(first * idct(second * idct(z, norm="ortho"), norm="ortho"))


mechanism = Hypercube
examples = (
    Hypercube(dimensions=1, agree=1, lies=2**62),
    Hypercube(dimensions=5, agree=4, lies=2**63),
    Hypercube.calibrate(4.0, 8),
    Hypercube.calibrate(8.0, 16),
    Hypercube.calibrate(100.0, 4096),
)
