"""The noisy number of patients, which a method releases first: no step divides by the true one."""

from __future__ import annotations

import numpy as np

from latentdp.privacy.noise import Noise
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.private_training.accounting import noise_of
from latentdp.reports.training_card import TrainingRelease
from latentdp.synthesis.head import HeadData

__all__ = ["SHARE", "NoisyCount", "patients_of"]

SHARE = 0.05  # of mu^2
CLEAR = 5.0  # deviations of its noise


def patients_of(data: HeadData) -> int:
    """The true number: **private**."""
    return sum(int(part.patients[-1]) + 1 for part in data.parts if len(part.patients))


class NoisyCount:
    """The number of patients, each of whom adds 1 to it.

    Args:
        data: Of the cohort.
        release: Its noise.
        noise: Fresh bits.

    Attributes:
        patients: The noisy number, at least 1.
        faint: Whether it hardly stands out of its noise.
    """

    def __init__(self, data: HeadData, release: TrainingRelease, noise: Noise) -> None:
        mechanism: NoisySum = noise_of(release)
        total = np.array([patients_of(data) * mechanism.grid], dtype=np.int64)
        noisy = float(mechanism.release(total, noise)[0])
        self.patients = max(1.0, noisy)
        self.faint = noisy < CLEAR * mechanism.deviation
