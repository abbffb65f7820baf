"""Enlarging private images octave by octave, with detail that is drawn and not interpolated.

Each octave's detail follows the smaller image and fresh random bits alone, so that whatever
protects the smaller image protects the larger one (post-processing).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from latentdp.core.arrays import Images, check_images
from latentdp.data.preprocess import resize
from latentdp.errors import WeightsError
from latentdp.models.device import placed
from latentdp.models.flow.glow import uninitialised
from latentdp.models.super_resolution.haar import join
from latentdp.models.super_resolution.wavelet_flow import OctaveNet
from latentdp.privacy.noise import Noise
from latentdp.privacy.samplers.uniform import normal

__all__ = ["SuperResolutionCascade", "DetailFlow"]

PIXELS = 4 * 256 * 256  # of the larger images that go through a network together
HOTTEST = 2.0


@dataclass(frozen=True)
class DetailFlow:
    """One step of the ladder, for inference.

    Attributes:
        net: With every ActNorm initialised.
        temperature: Standard deviation of what is drawn, above 0 and at most 2.

    Raises:
        WeightsError: A layer has not seen its first batch, or the temperature is out of range.
    """

    net: OctaveNet
    temperature: float = 1.0

    def __post_init__(self) -> None:
        waiting = uninitialised(self.net)
        if waiting:
            raise WeightsError(
                f"{len(waiting)} normalisation layers of an octave are not initialised; "
                "they would take their statistics from the first images they see"
            )
        t = self.temperature
        if not (isinstance(t, (int, float)) and math.isfinite(t) and 0 < t <= HOTTEST):
            raise WeightsError(
                f"expected the temperature of an octave to lie above 0 and up to {HOTTEST:g}"
            )
        placed(self.net).eval().requires_grad_(False)

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
        device = next(self.net.parameters()).device
        at_once = max(1, PIXELS // (4 * height * width))
        for start in range(0, n, at_once):
            part = halves[start : start + at_once]
            drawn = self.temperature * normal(noise, (len(part), 3, height, width))
            half = torch.from_numpy((part * 255 + 0.5) / 256 - 0.5)[:, None].to(device)
            with torch.inference_mode():
                z = torch.from_numpy(drawn.astype(np.float32)).to(device)
                image = join(half, self.net.decode(z, half))[:, 0].cpu().numpy()
            out[start : start + at_once] = ((image + 0.5) * 256 - 0.5) / 255
        for i in np.flatnonzero(~np.isfinite(out).all(axis=(1, 2))):
            out[i] = halves[i].repeat(2, axis=0).repeat(2, axis=1)
        return np.clip(out, 0, 1, out=out)


class SuperResolutionCascade:
    """Octaves by the size that they lead to.

    Args:
        octaves: At most one for each size.

    Raises:
        WeightsError: Two of one size.
    """

    def __init__(self, octaves: Sequence[DetailFlow] = ()) -> None:
        self.octaves = {octave.size: octave for octave in octaves}
        if len(self.octaves) < len(octaves):
            raise WeightsError("expected one octave for each size")

    def steps(self, side: int, size: int) -> tuple[int, ...]:
        """Sizes that are climbed through from ``side`` pixels to reach ``size``, or the last."""
        found: tuple[int, ...] = ()
        while side < size and 2 * side in self.octaves:
            side *= 2
            found += (side,)
        return found

    def enlarge(self, images: Images, size: int, noise: Noise, *, detail: bool = True) -> Images:
        """Images ``(n, s, s)`` in [0, 1] at ``size`` pixels on a side.

        Args:
            images: Private ones.
            size: In pixels. What is too large after the last of the `steps` is reduced, and what
                is still too small is enlarged smoothly, which adds no detail.
            noise: Where the random bits of the detail come from.
            detail: False climbs no octave.
        """
        found = check_images(images, images.shape[1:])
        for step in self.steps(images.shape[1], size) if detail else ():
            found = self.octaves[step].enlarge(found, noise)
        if found.shape[1:] == (size, size):
            return found
        out = np.empty((len(found), size, size), dtype=np.float32)
        for i, image in enumerate(found):
            out[i] = resize(image, (size, size))
        return out
