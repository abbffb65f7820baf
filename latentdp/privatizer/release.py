"""What a privatizer returns: what may be released, and what may not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import UNKNOWN, Images, Labels, Latents
from latentdp.errors import InputError
from latentdp.privacy.guarantee import Guarantee

if TYPE_CHECKING:
    from latentdp.privatizer.privatizer import Privatizer

__all__ = ["Rating", "Release"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Release:
    """What may be released of a batch of images.

        >>> import numpy as np, latentdp
        >>> privatizer = latentdp.Privatizer.load(preset="strict")
        >>> privatizer(np.full((2, 64, 64), 0.5), labels=["PA/normal", None])
        <Release of 2 images of 64 x 64 pixels, with labels: epsilon 1 per image (replace-one)>

    Attributes:
        images: ``(n, h, w)`` float32 in [0, 1].
        labels: Released ones ``(n,)`` as numbers; all -1 if none are released.
        guarantee: Of each image and its label; epsilon is infinity if anything is unprotected.
        approximate: The same noise read as (epsilon, delta).
        valid: ``(n,)`` False where decoding gave no finite image; such a row is all zero.
        privatizer: What made it; None where nobody says.
    """

    images: Images
    labels: Labels
    guarantee: Guarantee
    approximate: Guarantee
    valid: NDArray[np.bool_]
    privatizer: Privatizer | None = field(default=None, compare=False)

    @property
    def unprotected(self) -> tuple[str, ...]:
        """What is released exactly."""
        return self.guarantee.unprotected

    @property
    def label_names(self) -> tuple[str | None, ...]:
        """Released labels by their names, several of one separated by ``;``; None for none."""
        if self.privatizer is None:
            return (None,) * len(self.labels)
        space = self.privatizer.label_space
        return tuple(None if label == UNKNOWN else space.name(label) for label in self.labels)

    @property
    def summary(self) -> str:
        """It in a line."""
        n, height, width = self.images.shape
        labels = "with labels" if (self.labels != UNKNOWN).any() else "without labels"
        return f"Release of {n} images of {height} x {width} pixels, {labels}: {self.guarantee}"

    def save(self, folder: str | Path, *, format: str = "png") -> Path:
        """Writes it into a folder, with a public card that states the guarantee of each image.

        **No ledger is charged**: what all images of a patient cost adds up, and adding it up is
        yours. `latentdp.privatize_folder` does it for you.

        Images lie in ``images/``, numbered as they are here, and the names of their labels in
        ``labels.csv``, if any are released; or all of it in ``images.npz``. The card is
        ``card.json``. Images that are not valid are left out.

        Args:
            folder: New or empty; it is there whole or not at all.
            format: ``png`` (8 bits) or ``npz`` (float32, as they are).

        Returns:
            The path of the card.

        Raises:
            InputError: There is something in the folder, another format, or nobody says what
                made the release.
        """
        from latentdp.privatizer.saving import save

        if self.privatizer is None:
            raise InputError("expected a release that a privatizer made; this one names none")
        return save(self, self.privatizer, Path(folder), format)

    def __repr__(self) -> str:
        return f"<{self.summary}>"

    def _repr_html_(self) -> str:
        from latentdp.privatizer.notebook import release_html

        return release_html(self)


@dataclass(frozen=True, kw_only=True, repr=False)
class Rating:
    """How a batch of inputs looks to the flow. **Private**: it follows them without any noise.

    Attributes:
        latents: ``(n, d)``, as `Privatizer.encode` returns them.
        bits: Bits per dimension ``(n,)``.
        odd: ``(n,)`` True for inputs unlike those the flow was trained on.
    """

    latents: Latents
    bits: NDArray[np.float64]
    odd: NDArray[np.bool_]

    def one(self, i: int) -> Rating:
        """Of one of them, as a batch of itself."""
        row = slice(i, i + 1)
        return Rating(latents=self.latents[row], bits=self.bits[row], odd=self.odd[row])

    @classmethod
    def together(cls, ratings: Sequence[Rating]) -> Self:
        """Several batches as one."""
        return cls(
            latents=np.concatenate([rating.latents for rating in ratings]),
            bits=np.concatenate([rating.bits for rating in ratings]),
            odd=np.concatenate([rating.odd for rating in ratings]),
        )
