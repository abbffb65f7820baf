"""What public latents say of findings and of patients, as covariances.

Everything is taken within strata (source and view): a finding that comes from one source only
would otherwise look like that source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Groups",
    "across",
    "finding_scatter",
    "leading_directions",
    "patient_scatter",
    "residuals",
]

Matrix = NDArray[np.float64]

# Patients are looked for among this many principal directions of the scatter within findings.
# In more, a thousand pairs of images drown in noise: the eigenvalues that chance alone gives
# exceed the true ones several times.
PATIENT_SUBSPACE = 128
LEADING = 256
FEWEST = 2  # images of a finding, or it has no scatter


@dataclass(frozen=True)
class Groups:
    """What is known of n images, each ``(n,)`` int64.

    Attributes:
        findings: Index of the finding; -1 for unknown, which leaves the image out.
        strata: Index of what images are only compared within: source and view.
        patients: Index of the patient.
    """

    findings: NDArray[np.int64]
    strata: NDArray[np.int64]
    patients: NDArray[np.int64]

    @classmethod
    def of(
        cls, findings: NDArray[np.int64], strata: Sequence[str], patients: Sequence[str]
    ) -> Groups:
        """From names; strata are merged where no stratum holds two findings."""
        stratum = np.unique(np.asarray(strata), return_inverse=True)[1].astype(np.int64)
        patient = np.unique(np.asarray(patients), return_inverse=True)[1].astype(np.int64)
        groups = cls(findings, stratum, patient)
        return groups if groups.compared.any() else cls(findings, np.zeros_like(stratum), patient)

    @property
    def cells(self) -> NDArray[np.int64]:
        """Stratum and finding as one index."""
        both = np.stack([self.strata, self.findings])
        return np.unique(both, axis=1, return_inverse=True)[1].reshape(-1).astype(np.int64)

    @property
    def compared(self) -> NDArray[np.bool_]:
        """Images of a known finding in a stratum that holds at least two, enough of each."""
        keep = np.zeros(len(self.findings), dtype=bool)
        for stratum in np.unique(self.strata):
            here = (self.strata == stratum) & (self.findings >= 0)
            kinds, counts = np.unique(self.findings[here], return_counts=True)
            enough = kinds[counts >= FEWEST]
            if len(enough) >= 2:
                keep |= here & np.isin(self.findings, enough)
        return keep

    def __getitem__(self, rows: NDArray[Any]) -> Groups:
        return Groups(self.findings[rows], self.strata[rows], self.patients[rows])


def residuals(latents: Matrix, groups: Groups) -> Matrix:
    """Latents ``(n, d)`` less the mean of their stratum and finding."""
    cells = groups.cells
    return latents - _means(latents, cells)[cells]


def finding_scatter(latents: Matrix, groups: Groups) -> Matrix:
    """M ``(d, c)`` with M M' the covariance that findings explain within strata.

    The hypothesis matrix of a multivariate analysis of variance with strata as blocks:
    Z'X (X'X)^+ X'Z / n for indicators X of the findings and latents Z, both less the means of
    their stratum. A finding's mean is pooled over the strata.
    """
    rows = groups.compared
    findings, strata, z = groups.findings[rows], groups.strata[rows], latents[rows]
    blocks = np.unique(strata, return_inverse=True)[1]
    x = (findings[:, None] == np.unique(findings)).astype(np.float64)
    x -= _means(x, blocks)[blocks]
    # X is centred within the blocks, so Z need not be.
    values, vectors = np.linalg.eigh(x.T @ x)
    kept = values > 1e-9 * values.max(initial=0)
    root = vectors[:, kept] / np.sqrt(values[kept])
    return np.asarray((z.T @ x) @ root / np.sqrt(len(z)))


def leading_directions(scatter: Matrix) -> Matrix:
    """At most `LEADING` eigenvectors ``(d, m)`` of a covariance ``(d, d)``, largest first."""
    from scipy.linalg import eigh  # not at the top: a release loads this file, and never asks

    d = len(scatter)
    vectors = eigh(scatter, subset_by_index=(d - min(LEADING, d), d - 1))[1]
    return np.ascontiguousarray(vectors[:, ::-1])


def patient_scatter(spread: Matrix, patients: NDArray[np.int64], leading: Matrix) -> Matrix:
    """Covariance ``(d, d)`` of what the images of one patient share, positive semi-definite.

    The covariance across different images of one patient, which is unbiased but has as many
    negative eigenvalues by chance as positive ones. Chance is symmetrical, so all positive ones
    are lowered by the size of the most negative one and what falls below zero is dropped.
    """
    counts = np.bincount(patients)
    several = int((counts > 1).sum())
    basis = leading[:, : min(PATIENT_SUBSPACE, several // 4)]
    if not basis.size:
        return np.zeros((len(leading),) * 2)
    values, vectors = np.linalg.eigh(across(spread @ basis, patients))
    values = np.maximum(values - max(-float(values[0]), 0.0), 0.0)
    shared = basis @ (vectors * np.sqrt(values))
    return np.asarray(shared @ shared.T)


def across(spread: Matrix, patients: NDArray[np.int64]) -> Matrix:
    """Covariance across different images of one patient; a patient counts as often as images."""
    counts = np.bincount(patients)
    kept = counts[patients] > 1
    if not kept.any():
        return np.zeros((spread.shape[1],) * 2)
    z, p = spread[kept], np.unique(patients[kept], return_inverse=True)[1]
    n = np.bincount(p)
    sums = _means(z, p) * n[:, None]
    weight = 1 / (n - 1)
    total = (sums * weight[:, None]).T @ sums - (z * weight[p][:, None]).T @ z
    return np.asarray((total + total.T) / (2 * len(z)))


def _means(z: Matrix, groups: NDArray[np.int64]) -> Matrix:
    """Mean of each group ``(groups, d)``."""
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(int(groups.max()) + 1))
    return np.asarray(np.add.reduceat(z[order], starts) / np.bincount(groups)[:, None])
