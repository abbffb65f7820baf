r"""Subset selection over a public codebook, in stages.

The latent is compared with ``size`` public codewords; the ``nearest`` closest of them are its
subset. With probability p the output is a uniform member of the subset, otherwise a uniform
codeword outside (subset selection, Ye and Barg 2018). The subset has the same size m for every
image, so the probability of any codeword is p / m or (1 - p) / (M - m), whatever rounding or ties
did to the distances, and one stage costs

    epsilon = ln (p (M - m) / ((1 - p) m)).

Above 11 nats one codebook of 2^16 words is too coarse: the next stage codes what the *released*
codewords leave over, with a codebook of its own, and the epsilons add up (adaptive composition).
The crowd has a plain meaning: m of M possible images share each subset.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Latents, check_latents
from latentdp.errors import InputError
from latentdp.privacy.guarantee import Guarantee, above, log_ratio
from latentdp.privacy.mechanisms.base import (
    Mechanism,
    Part,
    clip_norm,
    finite,
    positive,
    without_clip,
)
from latentdp.privacy.noise import WORD, Noise, SeededNoise
from latentdp.privacy.samplers.categorical import bernoulli
from latentdp.privacy.samplers.uniform import below, normal

__all__ = ["Codebook", "examples", "mechanism"]

SIZE = 2**16
STAGE = 11.0  # nats
MAX_DIMENSIONS = 256
MAX_STAGES = 32
ROWS = 32  # images compared with the codebook together


@dataclass(frozen=True, kw_only=True)
class Codebook(Mechanism):
    """Staged subset selection.

    Attributes:
        dimensions: Number of latent dimensions, at most 256.
        size: Number of codewords M of a stage.
        nearest: Size m of a subset, less than M.
        lies: A codeword outside the subset is drawn with probability ``lies`` / 2^64.
        stages: Number of stages.
        gain: Correlation of a stage's codeword with what it codes; a public constant that
            scales the codewords and does not enter the guarantee.
    """

    name: ClassVar[str] = "codebook"
    dimensions: int
    size: int
    nearest: int
    lies: int
    stages: int
    gain: float

    def __post_init__(self) -> None:
        if not 1 <= self.dimensions <= MAX_DIMENSIONS:
            raise InputError(
                f"expected 1 to {MAX_DIMENSIONS} dimensions for the codebook, "
                f"got {self.dimensions}"
            )
        if not 1 <= self.nearest < self.size <= 2**20:
            raise InputError("expected a subset smaller than the codebook")
        if not 1 <= self.stages <= MAX_STAGES:
            raise InputError(f"expected 1 to {MAX_STAGES} stages, got {self.stages}")
        if not 0 < self.gain < 1:
            raise InputError(f"expected a gain between 0 and 1, got {self.gain}")
        truths, outside = 2**WORD - self.lies, self.size - self.nearest
        if not (0 < self.lies < 2**WORD and truths * outside >= self.lies * self.nearest):
            raise InputError("expected the subset to be more likely than what is outside")

    @classmethod
    def calibrate(cls, epsilon: float, dimensions: int, clip: float | None = None) -> Self:
        """Stages of at most 11 nats, with the subset that keeps most of a normal latent."""
        positive(epsilon, dimensions)
        without_clip(cls.name, clip)
        if dimensions > MAX_DIMENSIONS:
            raise InputError(
                f"expected at most {MAX_DIMENSIONS} dimensions for the codebook, "
                f"got {dimensions}; spend epsilon on fewer public directions"
            )
        stages = math.ceil(epsilon / STAGE)
        if stages > MAX_STAGES:
            raise InputError(
                f"expected an epsilon of at most {MAX_STAGES * STAGE:g} for the codebook, got "
                f"{epsilon:g}; another mechanism can spend more"
            )
        each = epsilon / stages
        nearest, gain = _best(each, dimensions)
        odds = math.exp(each) * nearest / (SIZE - nearest)
        lies = math.ceil(2.0**WORD / (1 + odds))
        instance = cls(
            dimensions=dimensions, size=SIZE, nearest=nearest, lies=lies, stages=stages, gain=gain
        )
        while instance.guarantee.epsilon > epsilon:  # rounding of the claim
            instance = replace(instance, lies=instance.lies + 1 + (instance.lies >> 44))
        return instance

    @property
    def guarantee(self) -> Guarantee:
        """Pure epsilon of the whole image, from integers."""
        truths, outside = 2**WORD - self.lies, self.size - self.nearest
        one = log_ratio(truths * outside, self.lies * self.nearest)
        return Guarantee(epsilon=above(self.stages * one) if self.stages > 1 else one)

    @property
    def parts(self) -> tuple[Part, ...]:
        """Its stages."""
        return ((replace(self, stages=1), self.stages),)

    def perturb(self, latents: Latents, noise: Noise) -> NDArray[np.int64]:
        """A codeword's index for each stage, ``(n, stages)``."""
        rest = self._bounded(latents)
        chosen = np.empty((len(rest), self.stages), dtype=np.int64)
        for stage in range(self.stages):
            for rows in _batches(len(rest)):
                chosen[rows, stage] = self._select(rest[rows], stage, noise)
            rest = self._left_over(rest, chosen[:, stage], stage)
        return chosen

    def repair(self, perturbed: NDArray[np.int64], noise: Noise) -> Latents:
        """The sum of the stages' codewords, at the variance of N(0, I). No noise is needed."""
        total = np.zeros((len(perturbed), self.dimensions))
        scale = 1.0
        for stage in range(self.stages):
            words = codewords(self.dimensions, self.size, stage)[perturbed[:, stage]]
            total += scale * self.gain * words
            scale *= math.sqrt(1 - self.gain**2)
        return total / math.sqrt(1 - scale**2)

    def log_likelihood(
        self, latents: Latents, perturbed: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """One of two values for each stage, summed, ``(n,)``."""
        rest = self._bounded(latents)
        inside = math.log(2**WORD - self.lies) - WORD * math.log(2) - math.log(self.nearest)
        outside = math.log(self.lies) - WORD * math.log(2) - math.log(self.size - self.nearest)
        logs = np.zeros(len(perturbed))
        for stage in range(self.stages):
            for rows in _batches(len(perturbed)):
                mine = rest[rows] if len(rest) > 1 else rest  # one latent is compared once
                member = self._members(mine, perturbed[rows, stage], stage)
                logs[rows] += np.where(member, inside, outside)
            rest = self._left_over(rest, perturbed[:, stage], stage)
        return logs

    @property
    def work(self) -> int:
        """The first stage of a latent is the same for all outputs; the others are not."""
        return max(self.dimensions, (self.stages - 1) * self.size)

    @property
    def draw_work(self) -> int:
        """Every codeword of every stage."""
        return self.stages * self.size

    def outcomes(self) -> NDArray[np.int64] | None:
        """All combinations of codewords, if there are at most 4,096."""
        if self.size**self.stages > 4096:
            return None
        return np.array(list(itertools.product(range(self.size), repeat=self.stages)))

    def subset(self, rest: NDArray[np.float64], stage: int) -> NDArray[np.int64]:
        """Indices of the ``nearest`` codewords of each row, ``(n, nearest)``, sorted.

        Always exactly so many, and different ones, whatever the distances are.
        """
        return self._nearest(self._closeness(rest, stage))

    def _closeness(self, rest: NDArray[np.float64], stage: int) -> NDArray[np.float32]:
        """Of every codeword to every row, ``(n, size)``; the largest is the nearest."""
        words = codewords(self.dimensions, self.size, stage)
        # To gain * word, which is what the word stands for: a codebook of variance gain^2 is the
        # best for a normal source (rate-distortion theory), and the words chosen stay normal.
        lengths = squares(self.dimensions, self.size, stage) * np.float32(self.gain / 2)
        return np.asarray(rest.astype(np.float32) @ words.T - lengths)

    def _nearest(self, closeness: NDArray[np.float32]) -> NDArray[np.int64]:
        cut = self.size - self.nearest
        return np.sort(np.argpartition(closeness, cut, axis=1)[:, cut:], axis=1).astype(np.int64)

    def _members(
        self, rest: NDArray[np.float64], chosen: NDArray[np.int64], stage: int
    ) -> NDArray[np.bool_]:
        """Whether each row's codeword is in its `subset`, ``(n,)``.

        Counting the nearer ones is several times faster than finding the subset; only a tie at
        its border needs that.
        """
        closeness = self._closeness(rest, stage)
        mine = np.take_along_axis(closeness, chosen[:, None], axis=1)
        nearer = np.count_nonzero(closeness > mine, axis=1)
        member = nearer < self.nearest
        tied = np.flatnonzero(
            member & (np.count_nonzero(closeness >= mine, axis=1) > self.nearest)
        )
        if tied.size:
            every = np.broadcast_to(closeness, (len(chosen), self.size))
            subset = self._nearest(every[tied])
            member[tied] = (subset == chosen[tied][:, None]).any(axis=1)
        return np.asarray(member)

    def _select(self, rest: NDArray[np.float64], stage: int, noise: Noise) -> NDArray[np.int64]:
        subset, n = self.subset(rest, stage), len(rest)
        lied = bernoulli(noise, self.lies, 2**WORD, n)
        member = subset[np.arange(n), below(noise, self.nearest, n)]
        # The j-th codeword outside: j, moved past the members that come before it.
        j = below(noise, self.size - self.nearest, n)
        passed = (subset - np.arange(self.nearest) <= j[:, None]).sum(axis=1)
        return np.where(lied, j + passed, member)

    def _left_over(
        self, rest: NDArray[np.float64], chosen: NDArray[np.int64], stage: int
    ) -> NDArray[np.float64]:
        """What the released codeword does not say, at unit variance again."""
        words = codewords(self.dimensions, self.size, stage)[chosen]
        left = (rest - self.gain * words) / math.sqrt(1 - self.gain**2)
        return clip_norm(np.asarray(left), 8 * math.sqrt(self.dimensions), 2)

    def _bounded(self, latents: Latents) -> NDArray[np.float64]:
        """So that no input overflows; far outside of what a normal latent reaches."""
        z = finite(check_latents(latents, self.dimensions))
        return clip_norm(z, 8 * math.sqrt(self.dimensions), 2)


@lru_cache(maxsize=8)
def codewords(dimensions: int, size: int, stage: int) -> NDArray[np.float32]:
    """The public codebook of a stage, ``(size, dimensions)``: normal draws of a fixed seed."""
    return normal(SeededNoise(stage), (size, dimensions)).astype(np.float32)


@lru_cache(maxsize=8)
def squares(dimensions: int, size: int, stage: int) -> NDArray[np.float32]:
    """Squared length of each codeword, ``(size,)``."""
    return np.asarray((codewords(dimensions, size, stage) ** 2).sum(axis=1))


@lru_cache(maxsize=64)
def _best(epsilon: float, dimensions: int) -> tuple[int, float]:
    """Size of the subset, and the gain that it has, by simulation with a fixed seed.

    Codewords are ranked by distance for some normal latents; the mean inner product up to every
    rank then tells the gain of every size of a subset.
    """
    words = codewords(dimensions, SIZE, 0)
    lengths = (words**2).sum(axis=1) / 2
    z = normal(SeededNoise(2**31), (64, dimensions)).astype(np.float32)
    products = z @ words.T
    m = np.arange(1, SIZE)
    truth = 1 / (1 + np.exp(-epsilon) * (SIZE - m) / m)
    gain, best = math.sqrt(-math.expm1(-2 * epsilon / dimensions)), 0  # what no code exceeds
    for _ in range(3):  # towards the gain that its own ranking gives
        ranked = np.argsort(gain * lengths - products, axis=1)
        means = np.take_along_axis(products, ranked, axis=1).mean(axis=0).astype(np.float64)
        inside = np.cumsum(means)[:-1]
        kept = truth * inside / m + (1 - truth) * (means.sum() - inside) / (SIZE - m)
        best = int(np.argmax(kept))
        gain = float(np.clip(kept[best] / dimensions, 1e-3, 1 - 1e-6))
    return int(m[best]), gain


def _batches(n: int) -> list[slice]:
    return [slice(i, i + ROWS) for i in range(0, n, ROWS)]


mechanism = Codebook
examples = (
    Codebook(dimensions=1, size=8, nearest=2, lies=2**62, stages=1, gain=0.5),
    Codebook(dimensions=3, size=12, nearest=3, lies=2**62, stages=2, gain=0.4),
    Codebook(dimensions=4, size=64, nearest=5, lies=2**61, stages=1, gain=0.6),
    Codebook(dimensions=16, size=2**12, nearest=20, lies=2**63, stages=3, gain=0.5),
)
