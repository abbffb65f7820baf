"""Methods that learn against a verifier: their common fitting.

Every other module of this folder defines methods and a function ``examples_for(weights)``: the
configurations that a comparison on these weights runs by default.
"""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from latentdp.core.arrays import UNKNOWN, Images, Labels
from latentdp.core.progress import ProgressCallback
from latentdp.errors import InputError
from latentdp.evaluation.methods.base import Method
from latentdp.models.networks.anonymizers import anonymized
from latentdp.models.training.anonymizer import AdversarialConfig, AdversarialTraining
from latentdp.models.training.pair_dataset import LabelledImages
from latentdp.privacy.noise import Noise

if TYPE_CHECKING:
    from latentdp.data.cohort import Cohort

__all__ = ["Adversarial"]


class Adversarial(Method):
    """A network that learns to hide who is on an image and to leave what is on it.

    It is deterministic, and there is no guarantee of any kind.

    Args:
        training: How long and how fast it learns; by default `default`.
        features: Channels of the U-Net's first level; the papers' has 32, four times as slow.
        levels: How often the U-Net halves the image, whose side is a multiple of 2 ** levels.
    """

    learns: ClassVar[bool] = True
    default: ClassVar[AdversarialConfig] = AdversarialConfig()

    def __init__(
        self, *, training: AdversarialConfig | None = None, features: int = 16, levels: int = 4
    ) -> None:
        self.training = training or self.default
        self.features, self.levels = features, levels
        self._net: Any = None

    @abstractmethod
    def make(self) -> Any:
        """A new network, images ``(n, 1, h, w)`` in [0, 1] to such images."""

    def fit(
        self, train: Cohort, val: Cohort, *, seed: int, state: Path, tell: ProgressCallback
    ) -> None:
        """Learns against adversaries, which learn on the same images.

        Raises:
            InputError: Too few patients, findings or images of one patient, images of another
                size, or a ``state`` of another run.
        """
        size = train.images.shape[1]
        if train.images.shape[1:] != val.images.shape[1:] or size % 2**self.levels:
            raise InputError(
                f"expected training images of one size, a multiple of {2**self.levels}, got {size}"
            )
        findings = _readings(train, val)
        sides = [
            LabelledImages(np.ascontiguousarray(side.images), side.patients, labels)
            for side, labels in zip((train, val), findings, strict=True)
        ]
        classes = int(findings[0].max()) + 1
        training = AdversarialTraining(
            self.make,
            f"{self.name}, {self.features} features, {self.levels} levels",
            self.training,
            train=sides[0],
            val=sides[1],
            classes=classes,
            seed=seed,
            state=state,
        )
        self._net = training.finish(tell)
        tell(1.0, "anonymizer")

    def privatize(self, images: Images, labels: Labels, noise: Noise) -> tuple[Images, Labels]:
        """Anonymized images; no label."""
        if self._net is None:
            raise InputError(f"the method {self.name!r} must be fitted first")
        return anonymized(self._net, images), np.full_like(labels, UNKNOWN)


def _readings(train: Cohort, val: Cohort) -> tuple[Labels, Labels]:
    """What an adversary learns to tell: findings, or views where there is but one finding."""
    if len(np.unique(train.findings[train.findings != UNKNOWN])) > 1:
        return train.findings, val.findings
    views = np.unique(train.views[train.views != ""])
    if len(views) < 2:
        raise InputError("expected at least 2 findings or views in the training images")
    return _index(train, views), _index(val, views)


def _index(cohort: Cohort, names: Any) -> Labels:
    index = np.full(len(cohort), UNKNOWN, dtype=np.int64)
    for i, name in enumerate(names):
        index[cohort.views == name] = i
    return index
