"""A flow for detail for inference: an image doubled, with detail drawn on several grids."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from latentdp.core.arrays import Images
from latentdp.errors import WeightsError
from latentdp.models.device import computes_bfloat16, placed
from latentdp.models.flow.glow import uninitialised
from latentdp.models.super_resolution.enlarger import Drawn, Enlarger
from latentdp.models.super_resolution.fused_wavelet_flow import FrozenWaveletFlow
from latentdp.models.super_resolution.haar import half, join
from latentdp.models.super_resolution.wavelet_flow import WaveletFlow
from latentdp.privacy.noise import Noise
from latentdp.privacy.samplers.uniform import normal

__all__ = ["SHIFTS", "DetailFlow"]

HOTTEST = 2.0
GRID = 4  # pixels a side of what a detail flow draws as one: two Haar blocks
SHIFTS = (0, 1)  # of flows that are made from now on; before there was one draw


@dataclass(frozen=True)
class DetailFlow(Enlarger):
    """A wavelet flow for inference: one doubling of the cascade.

    What is drawn in blocks is a mosaic: blocks do not quite fit each other. So the first image is
    halved again on a grid that is moved by a shift, its detail is drawn anew there, and the image
    is the mean of all (cycle spinning; Coifman and Donoho 1995, "Translation-invariant
    de-noising"). Of every border of a block in one, another has the middle of a block.

    Halves have even sides. An image whose detail is not finite is its half, enlarged in squares.

    Attributes:
        net: The network, with every ActNorm initialised.
        temperature: Standard deviation of the latents that are drawn, above 0 and at most 2.
        shifts: By how many pixels the grid of each draw is moved, down and to the right: 0 first,
            then any of 1 to 3.
        exact: Its networks in float32 even where bfloat16 is faster.

    Raises:
        WeightsError: A layer has not been initialised by its first batch, or temperature or
            shifts are out of range.
    """

    net: WaveletFlow
    temperature: float = 1.0
    shifts: tuple[int, ...] = (0,)
    exact: bool = True

    def __post_init__(self) -> None:
        waiting = uninitialised(self.net)
        if waiting:
            raise WeightsError(
                f"{len(waiting)} normalisation layers of a detail flow are not initialised; "
                "they would take their statistics from the first images they see"
            )
        t = self.temperature
        if not (isinstance(t, (int, float)) and math.isfinite(t) and 0 < t <= HOTTEST):
            raise WeightsError(
                f"expected the temperature of a detail flow to lie above 0 and up to {HOTTEST:g}"
            )
        first, *others = self.shifts or (None,)
        if first != 0 or len({*others}) < len(others) or not {*others} <= {*range(1, GRID)}:
            raise WeightsError(
                f"expected the shifts of a detail flow to be 0 and, behind it, any of 1 to "
                f"{GRID - 1}, each once"
            )
        placed(self.net).eval().requires_grad_(False)

    @cached_property
    def _fast(self) -> WaveletFlow | FrozenWaveletFlow:
        if type(self.net) is not WaveletFlow:  # what differs differs in what could be folded
            return self.net
        low = computes_bfloat16() and not self.exact
        return FrozenWaveletFlow(self.net, torch.bfloat16 if low else torch.float32)

    @property
    def side(self) -> int:
        """Side in pixels of the halves that it was trained for."""
        return self.size // 2

    @property
    def size(self) -> int:
        """Side in pixels of the larger image that it was trained for."""
        return self.net.config.size

    def draw(self, noise: Noise, shape: tuple[int, ...]) -> Drawn:
        """Latents of the detail of halves ``(n, h, w)`` for each shift.

        The first are ``(n, 3, h, w)``; where the grid is moved, what is beyond the edges adds 2.
        """
        n, height, width = shape
        beyond = [GRID // 2 if shift else 0 for shift in self.shifts]
        return tuple(
            self.temperature * normal(noise, (n, 3, height + more, width + more))
            for more in beyond
        )

    def decode(self, halves: Images, latents: Drawn) -> Images:
        """As `enlarge`, of latents that were drawn; all go through the network together."""
        first = self._drawn(halves, latents[0])
        if len(self.shifts) == 1:
            return first
        total = first.copy()
        _, height, width = first.shape
        for shift, z in zip(self.shifts[1:], latents[1:], strict=True):
            edges = (shift, GRID - shift)
            moved = np.pad(first, ((0, 0), edges, edges), mode="edge")
            total += self._drawn(half(moved), z)[:, shift : shift + height, shift : shift + width]
        total /= np.float32(len(self.shifts))
        return total

    def _drawn(self, halves: Images, latents: NDArray[np.float64]) -> Images:
        device = next(self.net.parameters()).device
        levels = torch.from_numpy((halves * 255 + 0.5) / 256 - 0.5)[:, None].to(device)
        with torch.inference_mode():
            z = torch.from_numpy(latents.astype(np.float32)).to(device)
            image = join(levels, self._fast.decode(z, levels))[:, 0].cpu().numpy()
        out = (((image + 0.5) * 256 - 0.5) / 255).astype(np.float32, copy=False)
        for i in np.flatnonzero(~np.isfinite(out).all(axis=(1, 2))):
            out[i] = halves[i].repeat(2, axis=0).repeat(2, axis=1)
        return np.clip(out, 0, 1, out=out)
