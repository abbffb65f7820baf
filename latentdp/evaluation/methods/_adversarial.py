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
from latentdp.models.training.anonymizer import AdversarialConfig, AdversarialTraining, disguised
from latentdp.models.training.pair_dataset import Material
from latentdp.privacy.noise import Noise

if TYPE_CHECKING:
    from latentdp.data.cohort import Cohort

__all__ = ["Adversarial"]


class Adversarial(Method):
    """A network that learns to disguise who is on an image and to leave what is on it.

    It is deterministic, and there is no guarantee of any kind.

    Args:
        rules: Of the game it learns by; by default `default`.
        features: Of the U-Net's first level; the papers' has 32, four times as slow.
        levels: Of the U-Net; the image's side is a multiple of 2 ** levels.
    """

    learns: ClassVar[bool] = True
    default: ClassVar[AdversarialConfig] = AdversarialConfig()

    def __init__(
        self, *, rules: AdversarialConfig | None = None, features: int = 16, levels: int = 4
    ) -> None:
        self.rules = rules or self.default
        self.features, self.levels = features, levels
        self._net: Any = None

    @abstractmethod
    def make(self) -> Any:
        """A new network, images ``(n, 1, h, w)`` in [0, 1] to such images."""

    def fit(
        self, train: Cohort, val: Cohort, *, seed: int, state: Path, tell: ProgressCallback
    ) -> None:
        """Plays the game.

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
            Material(np.ascontiguousarray(side.images), side.patients, found)
            for side, found in zip((train, val), findings, strict=True)
        ]
        classes = int(findings[0].max()) + 1
        game = AdversarialTraining(
            self.make, self.rules, train=sides[0], val=sides[1], classes=classes, seed=seed
        )
        key = f"{self.name}, {self.features} features, {self.levels} levels"
        self._net = game.play(state, key, tell)
        tell(1.0, "disguise")

    def privatize(self, images: Images, labels: Labels, noise: Noise) -> tuple[Images, Labels]:
        """Disguised images; no label."""
        if self._net is None:
            raise InputError(f"the method {self.name!r} must be fitted first")
        return disguised(self._net, images), np.full_like(labels, UNKNOWN)


def _readings(train: Cohort, val: Cohort) -> tuple[Labels, Labels]:
    """What a reader learns to read: the findings, or the views where there is but one finding."""
    if len(np.unique(train.findings[train.findings != UNKNOWN])) > 1:
        return train.findings, val.findings
    views = np.unique(train.views[train.views != ""])
    if len(views) < 2:
        raise InputError("expected at least 2 findings or views in the training images")
    return _index(train, views), _index(val, views)


def _index(cohort: Cohort, names: Any) -> Labels:
    found = np.full(len(cohort), UNKNOWN, dtype=np.int64)
    for i, name in enumerate(names):
        found[cohort.views == name] = i
    return found
