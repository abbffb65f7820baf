"""Can a small reader tell two kinds of images by a few numbers of each? Patients never mix.

Logistic regression on standardised numbers, tested on patients that it has not seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentdp.errors import InputError
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import permutation

__all__ = ["FOLDS", "Told", "told_apart"]

Matrix = NDArray[np.float64]

FOLDS = 5
STRENGTH = 0.1  # of the fit against the ridge: numbers may be more than images


@dataclass(frozen=True)
class Told:
    """What a reader says of images that it has not seen.

    Attributes:
        scores: ``(n,)`` log-odds of the second kind, in nats.
        folds: ``(n,)`` which reader says so; scores of two readers are not compared.
    """

    scores: Matrix
    folds: NDArray[np.int64]


def told_apart(
    numbers: Matrix, second: NDArray[np.bool_], patients: NDArray[np.int64], seed: int = 0
) -> Told:
    """Reads each image by who learnt on other patients.

    Args:
        numbers: ``(n, f)`` finite numbers of each image.
        second: ``(n,)`` whether it is of the second kind.
        patients: ``(n,)`` whose it is; at least `FOLDS` patients, each with images of both kinds.
        seed: Of the draw of patients into folds.

    Raises:
        InputError: Too few patients.
    """
    from sklearn.linear_model import LogisticRegression  # slow to import
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    who = np.unique(patients, return_inverse=True)[1]
    count = int(who.max(initial=-1)) + 1
    if count < FOLDS:
        raise InputError(f"expected images of at least {FOLDS} patients, got {count}")
    folds = (permutation(SeededNoise(seed), count) % FOLDS)[who].astype(np.int64)
    scores = np.zeros(len(numbers))
    for fold in range(FOLDS):
        tested = folds == fold
        reader = make_pipeline(
            StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=1000)
        ).fit(numbers[~tested], second[~tested])
        scores[tested] = reader.decision_function(numbers[tested])
    return Told(scores, folds)
