"""Public directions of the latent: what separates findings and says least about the patient.

From public training latents, encoded without their label. First the discriminants: orthonormal
vectors of which each makes the most of finding scatter over a denominator among those orthogonal
to the earlier ones (Foley and Sammon 1975, "An optimal set of discriminant vectors"; Okada and
Tomita 1985, "An optimal orthonormal system for discriminant analysis"). c findings give c - 1.
Going on in that way was measured to add sampling noise, on which a classifier fitted to the
same images overfits, so the remaining directions are principal ones of what is left, patients'
directions counted against them. The denominator is

    (1 - gamma) ((1 - alpha) within + alpha v I) + gamma patient

with the scatter within findings, its mean variance v, and the scatter between patients. Finding
scatter is taken within strata (source and view), or a direction would learn the source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from latentdp.errors import InputError
from latentdp.metrics.scatter import (
    Groups,
    across,
    finding_scatter,
    leading_directions,
    patient_scatter,
    residuals,
)
from latentdp.models.model_card.directions_card import DirectionsCard, DirectionShares, ProbeTable

__all__ = ["Directions", "Scatters", "DirectionConfig", "discriminants", "shares"]

Matrix = NDArray[np.float64]

ALPHA, GAMMA = 0.9, 0.9  # chosen on validation images by benchmarks/directions.py


@dataclass(frozen=True, kw_only=True)
class DirectionConfig:
    """How many directions, and what they are weighed against.

    Attributes:
        count: Most directions to find.
        alpha: Shrinkage of the scatter within findings towards the identity, in [0, 1].
        gamma: Weight of the scatter between patients, in [0, 1).
    """

    count: int = 64
    alpha: float = ALPHA
    gamma: float = GAMMA

    def __post_init__(self) -> None:
        if self.count < 1:
            raise InputError(f"expected a count of at least 1, got {self.count}")
        if not 0 <= self.alpha <= 1:
            raise InputError(f"expected alpha in [0, 1], got {self.alpha}")
        if not 0 <= self.gamma < 1:
            raise InputError(f"expected gamma in [0, 1), got {self.gamma}")


@dataclass(frozen=True, kw_only=True)
class Directions:
    """Public directions and where they come from.

    Attributes:
        rows: ``(k, d)``, orthonormal, best first; the largest entry of each is positive.
        discriminants: How many of them are discriminants; the others are principal directions.
        ratios: ``(discriminants,)`` finding scatter over the denominator.
        images: Number of images with a known finding that they come from.
        compared: Of these, images in strata that hold two findings or more.
        patients: Patients with two images or more.
        settings: How many were asked for, and against what they were weighed.
        identity: ``(m, d)`` orthonormal, what one patient's images share first; m may be 0.
            `latentdp.models.directions.identity` makes them.
    """

    rows: Matrix
    discriminants: int
    ratios: Matrix
    images: int
    compared: int
    patients: int
    settings: DirectionConfig
    identity: Matrix = field(default_factory=lambda: np.zeros((0, 0)))

    def describe(
        self, shares: Mapping[str, DirectionShares], probes: ProbeTable
    ) -> DirectionsCard:
        """For a card.

        Args:
            shares: What each direction says, by the split's name.
            probes: What the first k carry.
        """
        return DirectionsCard(
            count=len(self.rows),
            discriminants=self.discriminants,
            ratios=tuple(float(f"{ratio:.5g}") for ratio in self.ratios),
            alpha=self.settings.alpha,
            gamma=self.settings.gamma,
            images=self.images,
            images_compared=self.compared,
            patients_with_pairs=self.patients,
            shares=shares,
            probes=probes,
        )


@dataclass(frozen=True, kw_only=True)
class Scatters:
    """What training latents ``(n, d)`` say of findings and patients.

    Attributes:
        within: ``(d, d)`` covariance within stratum and finding.
        leading: ``(d, m)`` leading eigenvectors of it, m at most `LEADING`.
        patient: ``(d, d)`` covariance of what the images of one patient share.
        finding: M ``(d, c)`` of `finding_scatter`.
        images: Images with a known finding.
        compared: Of these, images in strata that hold two findings or more.
        patients: Patients with two images or more.
    """

    within: Matrix
    leading: Matrix
    patient: Matrix
    finding: Matrix
    images: int
    compared: int
    patients: int

    @classmethod
    def of(cls, latents: Matrix, groups: Groups) -> Scatters | None:
        """None where fewer than two findings are known."""
        known = groups.findings >= 0
        latents, groups = latents[known], groups[known]
        compared = groups.compared
        if not compared.any():
            return None
        spread = residuals(latents, groups)
        freedom = max(1, len(spread) - int(groups.cells.max()) - 1)
        within = spread.T @ spread / freedom
        leading = leading_directions(within)
        return cls(
            within=within,
            leading=leading,
            patient=patient_scatter(spread, groups.patients, leading),
            finding=finding_scatter(latents, groups),
            images=len(latents),
            compared=int(compared.sum()),
            patients=int((np.bincount(groups.patients) > 1).sum()),
        )

    def shrunk(self, alpha: float) -> Matrix:
        """The scatter within findings, shrunk towards the identity of the same mean variance.

        Args:
            alpha: Share of the identity, in [0, 1].
        """
        from sklearn.covariance import shrunk_covariance  # slow to import

        return np.asarray(shrunk_covariance(self.within, shrinkage=alpha))

    def directions(self, settings: DirectionConfig) -> Directions:
        """Discriminants, then principal directions; at most a quarter of the dimensions."""
        d, alpha, gamma = len(self.within), settings.alpha, settings.gamma
        count = min(settings.count, max(1, d // 4))
        variance = float(np.trace(self.within)) / d
        denominator = (1 - gamma) * self.shrunk(alpha) + gamma * self.patient
        # Fewer images than dimensions and no shrinkage: this alone keeps it definite.
        denominator[np.diag_indices(d)] += 1e-6 * variance + np.finfo(float).tiny
        rows, ratios = discriminants(self.finding, denominator, count)
        rest = self.within - gamma / (1 - gamma) * self.patient
        rows = np.concatenate([rows, _principal(rest, self.leading, rows, count - len(rows))])
        return Directions(
            rows=_signed(rows),
            discriminants=len(ratios),
            ratios=ratios,
            images=self.images,
            compared=self.compared,
            patients=self.patients,
            settings=settings,
        )


def discriminants(
    scatter: Matrix, denominator: Matrix, count: int, *, beyond_rank: bool = False
) -> tuple[Matrix, Matrix]:
    """Orthonormal discriminant vectors.

    Args:
        scatter: M ``(d, c)``; the numerator is M M'.
        denominator: S ``(d, d)``, positive definite.
        count: How many at most.
        beyond_rank: Go on after as many as the rank of M.

    Returns:
        Rows ``(k, d)``, and the ratio w'M M'w / w'S w of each, ``(k,)``.
    """
    d = len(denominator)
    rank = int(np.linalg.matrix_rank(scatter)) if scatter.size else 0
    limit = count if beyond_rank and rank else min(count, rank)
    factor = cho_factor(denominator, lower=True)
    solved = cho_solve(factor, scatter)
    rows, images = np.zeros((0, d)), np.zeros((d, 0))
    ratios: list[float] = []
    for _ in range(limit):
        # S^-1 M on the complement of the rows W: (S^-1 - S^-1 W (W' S^-1 W)^-1 W' S^-1) M.
        left = solved
        if len(rows):
            left = solved - images @ np.linalg.solve(rows @ images, rows @ solved)
        gram = scatter.T @ left
        values, vectors = np.linalg.eigh((gram + gram.T) / 2)
        row = left @ vectors[:, -1]
        for _ in range(2):  # twice is enough against rounding
            row -= rows.T @ (rows @ row)
        length = float(np.linalg.norm(row))
        if values[-1] <= 1e-12 * max(ratios, default=0.0) or length == 0:
            break
        row /= length
        ratios.append(float(((scatter.T @ row) ** 2).sum() / (row @ denominator @ row)))
        rows = np.concatenate([rows, row[None]])
        images = np.concatenate([images, cho_solve(factor, row)[:, None]], axis=1)
    return rows, np.array(ratios)


def shares(rows: Matrix, latents: Matrix, groups: Groups) -> DirectionShares:
    """What each direction says, measured on any images with known findings.

    Returns:
        ``finding``: variance between findings (within strata) over variance within findings;
        ``patient``: the patient's part of the variance within findings, which is the
        intraclass correlation. Both are corrected for chance and can be a little below zero.
    """
    known = groups.findings >= 0
    coordinates, groups = latents[known] @ rows.T, groups[known]
    spread = residuals(coordinates, groups)
    cells = int(groups.cells.max(initial=0)) + 1
    within = (spread**2).sum(0) / max(1, len(coordinates) - cells)
    within = np.maximum(within, np.finfo(float).tiny)
    compared = groups.compared
    finding = np.zeros(len(rows))
    if compared.any():
        m = finding_scatter(coordinates, groups)
        finding = (m**2).sum(1) / within - m.shape[1] / int(compared.sum())
    patient = np.diag(across(spread, groups.patients)) / within
    return DirectionShares(
        finding=tuple(round(float(x), 4) for x in finding),
        patient=tuple(round(float(x), 4) for x in patient),
    )


def _principal(scatter: Matrix, leading: Matrix, rows: Matrix, count: int) -> Matrix:
    """Leading eigenvectors ``(count, d)`` of the scatter in the complement of the rows.

    Looked for in the span of ``leading`` only: what is counted against the scatter within
    findings lies in it, so that those outside are smaller.
    """
    if count < 1:
        return np.zeros((0, len(scatter)))
    basis = np.linalg.qr(np.concatenate([rows.T, leading], axis=1))[0][:, len(rows) :]
    vectors = np.linalg.eigh(basis.T @ scatter @ basis)[1]
    return np.ascontiguousarray((basis @ vectors[:, ::-1][:, :count]).T)


def _signed(rows: Matrix) -> Matrix:
    """Signs that do not depend on the order of labels or on the linear algebra library."""
    largest = np.take_along_axis(rows, np.abs(rows).argmax(axis=1)[:, None], axis=1)
    return np.asarray(rows * np.where(largest < 0, -1.0, 1.0))
