"""A patient's outputs taken together: they share a pseudonym, and their scores add up.

The output of the very image that is looked for is left out, as it is where a person is looked for
by another image: image i is sought by the patient's other outputs. With two images of a patient
that is the search by one; it is another attack from three on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentdp.evaluation.attacks._embedders import Embedder
from latentdp.evaluation.threat_model import ThreatModel

__all__ = ["joined", "outputs_joined", "worth_joining"]


def worth_joining(scene: ThreatModel) -> bool:
    """Whether a patient of the target has three images, and another has two."""
    counts = np.unique(scene.target.cohort.patients, return_counts=True)[1]
    return bool(counts.max() > 2 and (counts > 1).sum() > 1)


def joined(scene: ThreatModel, opponent: Embedder) -> Embedder:
    """The same, where row i of the private side is the mean of the patient's other outputs.

    The likeness to a real image then is the mean of theirs, which orders candidates as their sum
    does. The row of a patient's only image is 0.
    """
    numbers = np.unique(scene.target.cohort.patients, return_inverse=True)[1]
    sums = np.zeros((numbers.max() + 1, opponent.private.shape[1]))
    np.add.at(sums, numbers, opponent.private)
    others = np.maximum(outputs_joined(scene), 1)[:, None]
    return Embedder(opponent.name, (sums[numbers] - opponent.private) / others, real=opponent.real)


def outputs_joined(scene: ThreatModel) -> NDArray[np.int64]:
    """``(n,)`` how many other outputs each image's patient has."""
    _, numbers, counts = np.unique(
        scene.target.cohort.patients, return_inverse=True, return_counts=True
    )
    return np.asarray(counts[numbers] - 1, dtype=np.int64)
