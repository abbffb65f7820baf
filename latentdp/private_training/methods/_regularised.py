"""Regularised logistic readers of patients' mean images: one strongly convex objective.

A patient is one vector x, |x| <= 1, the clipped mean of the features of those of their images
that somebody read, and the share y in [0, 1] of these that show a finding. Their loss is log(1 +
exp(u)) - y u at u = <w, x>, for each finding: its first derivative is in [-1, 1], its second at
most 1 / 4. The objective adds R |w|^2 / 2, and a public linear term.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from latentdp.errors import Aborted
from latentdp.privacy.mechanisms.base import clip_norm
from latentdp.synthesis.head import Head
from latentdp.synthesis.vectors import PatientImages, patient_means

__all__ = ["CURVATURE", "LENGTH", "TOLERANCE", "MeanImages", "head_of", "minimum"]

Matrix = NDArray[np.float64]

CURVATURE = 0.25  # largest second derivative of a loss
LENGTH = math.sqrt(2)  # of usual features of a head, with the constant 1
TOLERANCE = 1e-6  # length of the gradient at what counts as the minimum, at most
CLOSE = TOLERANCE / 10  # by the program's numbers, whose own error is far smaller than the rest
MOST_STEPS = 200


@dataclass(frozen=True)
class MeanImages:
    """Patients as these methods see them: **private**.

    Attributes:
        features: ``(p, k)`` of a length of at most 1.
        shares: ``(p, f)`` of a patient's images that show a finding.
    """

    features: Matrix
    shares: Matrix

    @classmethod
    def of(cls, images: PatientImages, head: Head) -> MeanImages:
        """Means over images that were read; who has none has features of 0, and no loss."""
        read = images.read[:, None].astype(np.float64)
        part = patient_means(read, images.patients)
        weight = np.divide(1.0, part, out=np.zeros_like(part), where=part > 0)
        scaled = head.features(images.thumbnails) / LENGTH
        means = weight * patient_means(read * scaled, images.patients)
        shares = weight * patient_means(read * images.findings, images.patients)
        features = clip_norm(means, 1.0, 2)
        # By rounding it may be longer than 1, by a few units of the last digit.
        return cls(features=features * (1 - 1e-12), shares=np.clip(shares, 0.0, 1.0))


def minimum(people: MeanImages, regularisation: float, linear: Matrix) -> Matrix:
    """Weights ``(f, k)`` at the minimum, where the gradient is at most `TOLERANCE` long.

    Args:
        people: Of the cohort.
        regularisation: R, above 0.
        linear: ``(f, k)`` the linear term.

    Raises:
        Aborted: It was not found; nothing was released.
    """
    f = len(linear)
    rows = [
        _row(people.features, people.shares[:, i], regularisation, linear[i], CLOSE / f)
        for i in range(f)
    ]
    return np.stack(rows)


def head_of(head: Head, weights: Matrix) -> Head:
    """The reader of images whose weights these are."""
    return head.with_weights(weights / LENGTH)


def _row(
    x: Matrix, y: NDArray[np.float64], regularisation: float, linear: NDArray[np.float64],
    close: float,
) -> NDArray[np.float64]:  # fmt: skip
    """Newton's method; a step is halved until the gradient gets shorter.

    Not until the objective falls: near the minimum that is less than its last digit.
    """

    def slope(w: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(x.T @ (expit(x @ w) - y) + regularisation * w + linear)

    w = -linear / (regularisation + CURVATURE * len(x))
    for _ in range(MOST_STEPS):
        gradient = slope(w)
        now = float(np.linalg.norm(gradient))
        if now <= close:
            return w
        p = expit(x @ w)
        hessian = (x * (p * (1 - p))[:, None]).T @ x + regularisation * np.eye(len(w))
        step, length = np.linalg.solve(hessian, gradient), 1.0
        while np.linalg.norm(slope(w - length * step)) > (1 - length / 4) * now and length > 1e-9:
            length /= 2
        w = w - length * step
    raise Aborted("the minimum of the objective was not found; nothing was released")
