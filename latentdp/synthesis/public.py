"""What is known of a flow without any patient: constants of its weights, and its own samples.

Nothing here depends on a cohort, so all of it may be used for nothing: clips, scales of features,
centres of clusters. Samples are drawn under a fixed seed; they are of the public weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images
from latentdp.errors import InputError
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import normal

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["GROUP", "SIDE", "PublicModel", "thumbnails"]

Matrix = NDArray[np.float64]

SAMPLES = 256
GROUP = 16  # neighbouring coarse latents; of the shipped weights, one channel
SIDE = 16  # pixels of a thumbnail, at most
SLACK = 1.25  # over the usual length of a latent; other hospitals' and children's stay below it


@dataclass(frozen=True, kw_only=True)
class PublicModel:
    """Of a flow's weights, what methods need.

    Attributes:
        coarse: Number of coarsest latents, the first ones; a multiple of `GROUP`.
        samples: ``(n, s, s)`` uint8 thumbnails of the flow's own samples.
        render: Makes thumbnails ``(n, s, s)`` of coarse latents ``(n, coarse)``; None where no
            method asks for it.
        pull_back: Takes coarse latents and a cost's gradients by grey levels of their thumbnails
            ``(n, s, s)``, and gives those by the latents; None likewise.
        show: Makes thumbnails ``(k, s, s)`` of whole latents ``(n, d)``, with their detail, but
            for those that give no image; None likewise.
        d: Number of all latents.
    """

    coarse: int
    samples: NDArray[np.uint8]
    render: Callable[[Matrix], NDArray[np.uint8]] | None = None
    pull_back: Callable[[Matrix, Matrix], Matrix] | None = None
    show: Callable[[Matrix], NDArray[np.uint8]] | None = None
    d: int = 0

    def __post_init__(self) -> None:
        if self.coarse % GROUP:
            raise InputError(
                f"expected weights whose coarsest level has a multiple of {GROUP} latents, "
                f"got {self.coarse}"
            )

    @classmethod
    def of(cls, flow: Flow) -> Self:
        """By drawing a few samples."""
        coarse = flow.levels[0].stop

        def whole(latents: Matrix) -> Matrix:
            return np.pad(latents, ((0, 0), (0, flow.d - coarse)))

        def render(latents: Matrix) -> NDArray[np.uint8]:
            return thumbnails(flow.decode_valid(whole(latents))[0])

        def pull_back(latents: Matrix, gradients: Matrix) -> Matrix:
            step = flow.shape[0] // gradients.shape[1]
            by_pixel = np.repeat(np.repeat(gradients, step, 1), step, 2) * (255 / step**2)
            return flow.pull_back(whole(latents), by_pixel)[:, :coarse]

        def show(latents: Matrix) -> NDArray[np.uint8]:
            images, valid = flow.decode_valid(latents)
            return thumbnails(images[valid])

        return cls(
            coarse=coarse,
            samples=show(normal(SeededNoise(0), (SAMPLES, flow.d))),
            render=render,
            pull_back=pull_back,
            show=show,
            d=flow.d,
        )

    def rendered(self, latents: Matrix) -> NDArray[np.uint8]:
        """What coarse latents ``(n, coarse)`` look like, without any detail: ``(n, s, s)``.

        Raises:
            InputError: There is no flow to ask.
        """
        if self.render is None:
            raise InputError("expected a flow that shows what its latents look like")
        return self.render(latents)

    def pulled_back(self, latents: Matrix, gradients: Matrix) -> Matrix:
        """Gradients by coarse latents ``(n, coarse)`` of those by their thumbnails ``(n, s, s)``.

        Raises:
            InputError: There is no flow to ask.
        """
        if self.pull_back is None:
            raise InputError("expected a flow that says how its latents change its images")
        return self.pull_back(latents, gradients)

    @property
    def clip(self) -> float:
        """Largest length of the coarse latents of an image; it is sqrt(coarse) for a usual one."""
        return SLACK * math.sqrt(self.coarse)

    @property
    def groups(self) -> int:
        """Number of groups of coarse latents."""
        return self.coarse // GROUP


def thumbnails(images: Images) -> NDArray[np.uint8]:
    """Images ``(n, h, w)`` in [0, 1] as means over squares, 8-bit, ``(n, s, s)``.

    ``s`` is `SIDE`, or the largest size below it that divides the side of an image.
    """
    n, height, _ = images.shape
    side = next(s for s in range(min(SIDE, height), 0, -1) if height % s == 0)
    step = height // side
    means = images.reshape(n, side, step, side, step).mean(axis=(2, 4))
    return np.asarray(np.rint(means * 255), dtype=np.uint8)
