"""Enlarging private images, doubling by doubling, with detail that is drawn, not interpolated.

The detail of each doubling follows the smaller image and fresh random bits alone, so that whatever
protects the smaller image protects the larger one (post-processing).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from latentdp.core.arrays import Images, check_images
from latentdp.data.preprocess import resize
from latentdp.errors import WeightsError
from latentdp.models.device import computes_bfloat16, placed
from latentdp.models.flow.glow import uninitialised
from latentdp.models.super_resolution.equalizer import Equalizer
from latentdp.models.super_resolution.fused_wavelet_flow import FrozenWaveletFlow
from latentdp.models.super_resolution.haar import half, join
from latentdp.models.super_resolution.wavelet_flow import WaveletFlow
from latentdp.privacy.noise import Noise
from latentdp.privacy.samplers.uniform import normal

__all__ = ["SHIFTS", "DetailFlow", "SuperResolutionCascade"]

PIXELS = 4 * 256 * 256  # of the larger images that go through a network together
HOTTEST = 2.0
GRID = 4  # pixels a side of what a detail flow draws as one: two Haar blocks
SHIFTS = (0, 1)  # of flows that are made from now on; before there was one draw

LatentsOfShifts = tuple[NDArray[np.float64], ...]


@dataclass(frozen=True)
class DetailFlow:
    """A wavelet flow for inference: one doubling of the cascade.

    What is drawn in blocks is a mosaic: blocks do not quite fit each other. So the first image is
    halved again on a grid that is moved by a shift, its detail is drawn anew there, and the image
    is the mean of all (cycle spinning; Coifman and Donoho 1995, "Translation-invariant
    de-noising"). Of every border of a block in one, another has the middle of a block.

    Attributes:
        net: The network, with every ActNorm initialised.
        temperature: Standard deviation of the latents that are drawn, above 0 and at most 2.
        shifts: By how many pixels the grid of each draw is moved, down and to the right: 0 first,
            then any of 1 to 3.
        exact: Its networks in float32 even where bfloat16 is faster.
        equalizer: What an image goes through that is enlarged to this size and no further.

    Raises:
        WeightsError: A layer has not been initialised by its first batch, or temperature or
            shifts are out of range.
    """

    net: WaveletFlow
    temperature: float = 1.0
    shifts: tuple[int, ...] = (0,)
    exact: bool = True
    equalizer: Equalizer | None = None

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
    def size(self) -> int:
        """Side in pixels of the larger image that it was trained for."""
        return self.net.config.size

    def enlarge(self, halves: Images, noise: Noise) -> Images:
        """Images ``(n, 2h, 2w)`` in [0, 1] of halves ``(n, h, w)``; h and w are even.

        An image whose detail is not finite is its half, enlarged without detail.
        """
        n, height, width = halves.shape
        out = np.empty((n, 2 * height, 2 * width), dtype=np.float32)
        at_once = max(1, PIXELS // (4 * height * width))
        for start in range(0, n, at_once):
            part = halves[start : start + at_once]
            out[start : start + at_once] = self.decode(part, self.draw(noise, part.shape))
        return out

    def draw(self, noise: Noise, shape: tuple[int, ...]) -> LatentsOfShifts:
        """Latents of the detail of halves ``(n, h, w)`` for each shift.

        The first are ``(n, 3, h, w)``; where the grid is moved, what is beyond the edges adds 2.
        """
        n, height, width = shape
        beyond = [GRID // 2 if shift else 0 for shift in self.shifts]
        return tuple(
            self.temperature * normal(noise, (n, 3, height + more, width + more))
            for more in beyond
        )

    def decode(self, halves: Images, latents: LatentsOfShifts) -> Images:
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


class SuperResolutionCascade:
    """Detail flows, each of which doubles the side of an image.

    Args:
        flows: At most one for each size.

    Attributes:
        flows: The flows by the side in pixels that they lead to.

    Raises:
        WeightsError: Two lead to one size.
    """

    def __init__(self, flows: Sequence[DetailFlow] = ()) -> None:
        self.flows = {flow.size: flow for flow in flows}
        if len(self.flows) < len(flows):
            raise WeightsError("expected one detail flow for each size")

    def steps(self, side: int, size: int) -> tuple[int, ...]:
        """Sides in pixels after each doubling from ``side``, up to ``size`` or the last."""
        sides: tuple[int, ...] = ()
        while side < size and 2 * side in self.flows:
            side *= 2
            sides += (side,)
        return sides

    def enlarge(self, images: Images, size: int, noise: Noise, *, detail: bool = True) -> Images:
        """Images ``(n, s, s)`` in [0, 1] at ``size`` pixels on a side.

        Args:
            images: Private images.
            size: In pixels. What is too large after the last of the `steps` is reduced, and what
                is still too small is enlarged smoothly, which adds no detail.
            noise: Where the random bits of the detail come from.
            detail: Whether to draw detail; without it all enlarging is smooth.
        """
        enlarged = check_images(images, images.shape[1:])
        for side in self.steps(images.shape[1], size) if detail else ():
            enlarged = self.flows[side].enlarge(enlarged, noise)
        return _at(size, self._equalized(enlarged))

    def enlarge_each(
        self, images: Images, size: int, noise: Noise, *, detail: bool = True
    ) -> Iterator[NDArray[np.float32]]:
        """Likewise, one ``(s, s)`` image after the other.

        Each takes its random bits before the next, as if it were alone, but as many go through a
        network together as take little memory.

        Args:
            images: As for `enlarge`.
            size: As for `enlarge`.
            noise: As for `enlarge`.
            detail: As for `enlarge`.
        """
        checked = check_images(images, images.shape[1:])
        steps = self.steps(images.shape[1], size) if detail else ()
        at_once = max(1, PIXELS // size**2)
        for start in range(0, len(checked), at_once):
            part = checked[start : start + at_once]
            of_images = [
                [self.flows[side].draw(noise, (1, side // 2, side // 2)) for side in steps]
                for _ in part
            ]
            for side, latents in zip(steps, zip(*of_images, strict=True), strict=True):
                together = tuple(map(np.concatenate, zip(*latents, strict=True)))
                part = self.flows[side].decode(part, together)
            yield from _at(size, self._equalized(part))

    def without_equalizers(self) -> SuperResolutionCascade:
        """The same, as images are before their power at each frequency is that of originals."""
        return SuperResolutionCascade(
            [replace(flow, equalizer=None) for flow in self.flows.values()]
        )

    def _equalized(self, images: Images) -> Images:
        """As the last doubling wants it; images of another side, that none made, as they are."""
        last = self.flows.get(images.shape[1])
        return images if last is None or last.equalizer is None else last.equalizer.apply(images)


def _at(size: int, images: Images) -> Images:
    """Images ``(n, s, s)`` at another size, smoothly."""
    if images.shape[1:] == (size, size):
        return images
    out = np.empty((len(images), size, size), dtype=np.float32)
    for i, image in enumerate(images):
        out[i] = resize(image, (size, size))
    return out
