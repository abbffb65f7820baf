r"""Gaussians whose random Fourier features are those of the cohort, finding by finding.

DP-MERF without its network: a mean of random features describes a distribution (the embedding of a
Gaussian kernel), and that of a Gaussian is known in closed form. So the generator is fitted to
noisy mean features by a few seconds of public optimisation, and no image is clipped.

Sensitivity. Public frequencies w_1 ... w_R make of coarse latents z the features

    phi(z) = (cos w_1 z ... cos w_R z,  sin w_1 z ... sin w_R z) / sqrt(R),

whose length is 1 exactly, since cos^2 + sin^2 = 1. Let image j of a patient have the row of shares
l_j and the findings y_j, as in `gaussian`. The patient's record is

    v = (a mean l_j,  p clip(mean y_j, B) / B,  b mean l_j x phi(z_j))

with means over the patient's images, x the outer product, and a^2 + p^2 + b^2 = 1. The length of
an outer product is the product of the lengths, so |l_j x phi(z_j)| <= 1, and so is the mean of
such. Hence |v|^2 <= a^2 + p^2 + b^2 = 1, whatever the images, their number and their findings, and
the sum moves by at most 1 with a patient more or less, and by at most 2 with another in their
place. The number of patients enters only as the sum of the noisy counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from latentdp.privacy.mechanisms.base import clip_norm
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import normal
from latentdp.synthesis.methods._moments import CLEAR, NARROWEST, WIDEST
from latentdp.synthesis.methods.base import REST, SynthesisMethod
from latentdp.synthesis.mixture import LatentMixture
from latentdp.synthesis.public import GROUP
from latentdp.synthesis.statistics import NoisyStatistics
from latentdp.synthesis.vectors import PatientImages, RecordBlock

__all__ = ["RandomFeatures", "method"]

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

FREQUENCIES = 256  # at most; half as many as coarse latents, or their embedding is ill-conditioned
SPREAD = 0.25  # deviation of log variances around the prior's 0, as it is expected
ITERATIONS = 200


@dataclass(frozen=True)
class _LatentGaussian:
    """A mean ``(m,)`` and log variances ``(m / 16,)`` of coarse latents."""

    mean: Vector
    log_variances: Vector


class RandomFeatures(SynthesisMethod):
    """Noisy mean features of each finding, and Gaussians that have these."""

    name: ClassVar[str] = "features"
    title: ClassVar[str] = "one Gaussian of each finding that matches random Fourier features"
    source: ClassVar[str] = "DP-MERF, fitted in closed form in the flow's coarsest latents"
    measured: ClassVar[str] = "random Fourier features of coarse latents by finding"

    @property
    def moments(self) -> tuple[RecordBlock, ...]:
        """Sums of features by finding."""
        size = (self.findings + 1) * 2 * len(self._frequencies)
        return (RecordBlock(size=size, bound=1.0, share=REST, by_finding=True),)

    def moments_of(self, images: PatientImages) -> tuple[NDArray[np.float64], ...]:
        """As in the proof above: l x phi."""
        # Image by image: a matrix product is rounded as the size of its batch has it, and then a
        # patient would change the last digits of others.
        angles = np.stack([(self._frequencies * z).sum(axis=1) for z in images.latents])
        features = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
        features /= math.sqrt(len(self._frequencies))
        sums = images.shares[:, :, None] * features[:, None, :]
        return (sums.reshape(len(sums), -1),)

    def fit(self, statistics: NoisyStatistics, known: NDArray[np.bool_]) -> LatentMixture:
        """The cohort's Gaussian starts from the prior's; the mean of each finding from its."""
        counts, _, sums = statistics.blocks
        patients = np.maximum(counts.sums[known], 0.0)
        rows = sums.sums.reshape(self.findings + 1, -1)[known]
        total, m = float(patients.sum()), self.public.coarse
        if total <= CLEAR * math.sqrt(len(rows)) * counts.deviation:
            return LatentMixture.prior(m)
        prior = _LatentGaussian(np.zeros(m), np.zeros(self.public.groups))
        deviation = sums.deviation / total * math.sqrt(len(rows))
        cohort = self._matched(rows.sum(axis=0) / total, deviation, prior, variances=True)
        components = [
            self._matched(row / count, sums.deviation / count, cohort, variances=False)
            if count > CLEAR * counts.deviation
            else cohort
            for row, count in zip(rows, patients, strict=True)
        ]
        variances = np.clip(np.exp(cohort.log_variances), NARROWEST, WIDEST)
        return LatentMixture(
            weights=patients / total,
            means=clip_norm(np.stack([one.mean for one in components]), self.public.clip, 2),
            deviations=np.tile(np.sqrt(np.repeat(variances, GROUP)), (len(rows), 1)),
        )

    @cached_property
    def _frequencies(self) -> Matrix:
        """``(R, m)``, public: of a length of about 1, so that features of the prior vary by 1."""
        m = self.public.coarse
        return normal(SeededNoise(1), (min(FREQUENCIES, m // 2), m)) / math.sqrt(m)

    @cached_property
    def _grouped(self) -> Matrix:
        """``(R, m / 16)`` squares of the frequencies, added up by group."""
        squares = self._frequencies**2
        return np.asarray(squares.reshape(len(squares), -1, GROUP).sum(axis=2))

    def _expected(self, gaussian: _LatentGaussian) -> tuple[Vector, Vector, Vector]:
        """Mean features of a Gaussian: damping, cosines and sines, ``(R,)`` each."""
        damping = np.exp(-self._grouped @ np.exp(gaussian.log_variances) / 2)
        angles = self._frequencies @ gaussian.mean
        scale = damping / math.sqrt(len(angles))
        return damping, scale * np.cos(angles), scale * np.sin(angles)

    def _matched(
        self, features: Vector, deviation: float, start: _LatentGaussian, *, variances: bool
    ) -> _LatentGaussian:
        """The likeliest Gaussian, given noisy mean features and where it is expected.

        How far the mean is expected from the start follows the distance of the features that
        noise does not explain; where it explains all, the start stays as it is.

        Args:
            features: ``(2 R,)`` with independent noise on each entry.
            deviation: Standard deviation of that noise, above 0.
            start: Where it is expected.
            variances: Whether these are fitted, too.
        """
        damping, *expected = self._expected(start)
        away = float(((features - np.concatenate(expected)) ** 2).sum())
        explained = len(features) * deviation**2
        if away <= explained:
            return start
        distance = min(1.0, (away - explained) / float((damping**2).mean()))
        m = len(start.mean)

        def gaussian(x: Vector) -> _LatentGaussian:
            return _LatentGaussian(x[:m], x[m:] if variances else start.log_variances)

        def cost(x: Vector) -> tuple[float, Vector]:
            here = gaussian(x)
            _, cosine, sine = self._expected(here)
            miss = (np.concatenate([cosine, sine]) - features) / deviation**2
            off = np.concatenate([here.mean - start.mean, here.log_variances])[: len(x)]
            width = np.concatenate([np.full(m, distance), np.full(len(x) - m, SPREAD**2)])
            of_cosine, of_sine = np.split(miss, 2)
            gradient = [self._frequencies.T @ (of_sine * cosine - of_cosine * sine)]
            if variances:
                shrinks = self._grouped.T @ (of_cosine * cosine + of_sine * sine)
                gradient.append(-np.exp(here.log_variances) * shrinks / 2)
            value = float((miss**2).sum() * deviation**2 + (off**2 / width).sum()) / 2
            return value, np.concatenate(gradient) + off / width

        begin = np.concatenate([start.mean, start.log_variances])[: None if variances else m]
        result = minimize(
            cost, begin, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS}
        )
        return gaussian(np.asarray(result.x))


method = RandomFeatures
