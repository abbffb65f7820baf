"""The contract of whatever makes images private: our presets, rivals and controls alike.

An evaluation sees nothing but this: images go in, private images come out, and what is claimed
for them is stated. `fit` exists for methods that learn, and learns on public training images.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from latentdp.core.arrays import Images, Labels
from latentdp.core.progress import ProgressCallback
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.noise import Noise
from latentdp.reports.evaluation_parts import ControlKind

if TYPE_CHECKING:
    from latentdp.data.cohort import Cohort
    from latentdp.privatizer import Privatizer

__all__ = ["Method"]


class Method(ABC):
    """Makes images private, each on its own.

    Attributes:
        name: Of a row in a table: ``dp-pix-4-1``.
        title: What it is, in a few words.
        source: Paper and equation that it follows; empty for our own.
        claim: What its authors say that it gives, in a few words; empty if nothing.
        learns: Whether `fit` must be called before anything else.
        control: What it leaves of an image, if it is a control; None for what is to be judged.
    """

    name: str
    title: str
    source: ClassVar[str] = ""
    claim: str = ""
    learns: ClassVar[bool] = False
    control: ClassVar[ControlKind | None] = None

    @property
    def guarantee(self) -> Guarantee | None:
        """Of a whole release, as it really is: epsilon may be huge, or infinity. None for none."""
        return None

    @property
    def protects_all(self) -> bool:
        """Whether it bounds all that is released: then no attack may beat its ceiling."""
        return self.guarantee is not None and self.guarantee.private

    @property
    def privatizer(self) -> Privatizer | None:
        """What a white-box attacker knows of it beyond its outputs; None where nothing helps."""
        return None

    def fit(  # noqa: B027 (most methods do not learn)
        self, train: Cohort, val: Cohort, *, seed: int, state: Path, tell: ProgressCallback
    ) -> None:
        """Learns on public images; does nothing for a method that does not learn.

        Args:
            train: To learn from.
            val: To choose on.
            seed: Of the learning.
            state: A file where the run is kept, so that it can go on after an interruption and
                is not repeated when it is complete.
            tell: Progress.
        """

    @property
    def settings(self) -> str:
        """All that determines it besides its name; for results that are kept."""
        return ""

    @abstractmethod
    def privatize(self, images: Images, labels: Labels, noise: Noise) -> tuple[Images, Labels]:
        """Private images, and the labels that are released beside them (-1: none).

        Args:
            images: ``(n, h, w)`` float32 in [0, 1].
            labels: ``(n,)`` class indices of the cohort's ``labels``, -1 unknown.
            noise: Where every random bit comes from.
        """

    def privatize_many(
        self, images: Images, labels: Labels, noises: Sequence[Noise]
    ) -> tuple[Images, Labels]:
        """Independent private copies ``(k, n, h, w)``, one of each noise; labels ``(k, n)``."""
        copies = [self.privatize(images, labels, noise) for noise in noises]
        private, released = zip(*copies, strict=True)
        return np.stack(private), np.stack(released)
