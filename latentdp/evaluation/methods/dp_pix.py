r"""DP-Pix: pixelation with Laplace noise on the mean of each cell.

Fan 2018, "Image pixelization with differential privacy" (DBSec): means of b x b cells, plus
Laplace noise of scale 255 m / (b^2 eps) on 8-bit images. That is epsilon for two images which
differ in at most m pixels. Images of two people differ in all of them: each of the N cells may
go from black to white, and the whole image costs N b^2 eps / m.

Noise is drawn exactly, on a grid of grey levels
(`latentdp.privacy.samplers.discrete_laplace.TwoSidedGeometric`), so that this larger number is the
program's and not only the formula's.
"""

from __future__ import annotations

import math

import numpy as np

from latentdp.core.arrays import UNKNOWN, Images, Labels, check_images
from latentdp.errors import InputError
from latentdp.evaluation.methods._weights import Weights, lazily
from latentdp.evaluation.methods.base import Method
from latentdp.privacy.guarantee import Guarantee, above
from latentdp.privacy.noise import Noise
from latentdp.privacy.rounding import printed
from latentdp.privacy.samplers.discrete_laplace import (
    MAX_BASE,
    TwoSidedGeometric,
    two_sided_geometric,
)

__all__ = ["DPPix", "examples_for"]

FINEST = 2**16  # grid steps from black to white, if the noise is not so wide that fewer must do


class DPPix(Method):
    """Cell means and Laplace noise.

    Args:
        size: Side of the images in pixels.
        cell: Side b of a cell, which divides it.
        epsilon: For images that differ in ``pixels`` pixels.
        pixels: The m of the paper.

    Raises:
        InputError: Cells do not tile the image, or a budget that is none.
    """

    source = "Fan 2018, DBSec, Image pixelization with differential privacy"

    def __init__(self, size: int, *, cell: int, epsilon: float, pixels: int = 1) -> None:
        if not 1 <= cell <= size or size % cell:
            raise InputError(f"expected a cell that divides {size} pixels, got {cell}")
        if not (math.isfinite(epsilon) and epsilon > 0) or pixels < 1:
            raise InputError(
                f"expected a positive epsilon and number of pixels, got {epsilon}, {pixels}"
            )
        self.size, self.cell, self.epsilon, self.pixels = size, cell, epsilon, pixels
        self.name = f"dp-pix-{cell}-{epsilon:g}" + (f"-{pixels}" if pixels > 1 else "")
        self.title = f"means of {cell} x {cell} pixels with Laplace noise"
        self.claim = f"epsilon {printed(epsilon)} for {pixels} pixel" + "s" * (pixels > 1)
        steps = FINEST
        while steps > 1 and self.scale * steps * math.log(2) > MAX_BASE - 1:
            steps //= 2
        self.steps = steps
        self._noise = two_sided_geometric(math.ceil(self.scale * steps * math.log(2)))

    @property
    def scale(self) -> float:
        """Of the Laplace noise, in grey levels from 0 to 1."""
        return self.pixels / (self.cell**2 * self.epsilon)

    @property
    def cells(self) -> int:
        """Of an image."""
        return (self.size // self.cell) ** 2

    @property
    def sampler(self) -> TwoSidedGeometric:
        """Noise in steps of the grid."""
        return self._noise

    @property
    def guarantee(self) -> Guarantee | None:
        """Of the whole image: each cell's mean may differ by all grey levels."""
        return Guarantee(epsilon=above(self.cells * self.sampler.loss(self.steps)))

    def privatize(self, images: Images, labels: Labels, noise: Noise) -> tuple[Images, Labels]:
        """Pixelated images; no label."""
        checked = check_images(images, (self.size, self.size))
        n, side = len(checked), self.size // self.cell
        blocks = checked.reshape(n, side, self.cell, side, self.cell)
        means = np.rint(blocks.mean(axis=(2, 4), dtype=np.float64) * self.steps).astype(np.int64)
        added = self.sampler.draw(noise, means.size).reshape(means.shape)
        grey = np.clip((2 * means + added) / (2 * self.steps), 0, 1).astype(np.float32)
        whole = grey.repeat(self.cell, axis=1).repeat(self.cell, axis=2)
        return whole, np.full_like(labels, UNKNOWN)


def examples_for(weights: Weights) -> tuple[Method, ...]:
    """At the size of these weights: the strongest noise is what papers call private."""
    size = lazily(weights).flow.shape[0]
    return (
        DPPix(size, cell=4, epsilon=1.0),
        DPPix(size, cell=8, epsilon=0.1),
        DPPix(size, cell=4, epsilon=0.1),
    )
