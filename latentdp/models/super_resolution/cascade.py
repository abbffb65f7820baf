"""Enlarging private images, step by step, with detail that is drawn, not interpolated.

The detail of each step follows the smaller image and fresh random bits alone, so that whatever
protects the smaller image protects the larger one (post-processing).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images, check_images
from latentdp.data.preprocess import resize
from latentdp.errors import WeightsError
from latentdp.models.super_resolution.deblocking import DeblockingFilter
from latentdp.models.super_resolution.enlarger import PIXELS, Enlarger
from latentdp.privacy.noise import Noise

__all__ = ["SuperResolutionCascade"]


class SuperResolutionCascade:
    """What enlarges an image step by step: a refiner, detail flows, or one after the other.

    Args:
        steps: At most one to each size, and from each side.
        deblocking: What images with detail go through last, by their side in pixels.

    Attributes:
        by_size: Steps, by the side in pixels that they lead to.
        deblocking: As given.

    Raises:
        WeightsError: Two lead to one size, or away from one side.
    """

    def __init__(
        self,
        steps: Sequence[Enlarger] = (),
        deblocking: Mapping[int, DeblockingFilter] | None = None,
    ) -> None:
        self.by_size = {step.size: step for step in steps}
        self._by_side = {step.side: step for step in steps}
        self.deblocking = dict(deblocking or {})
        if min(len(self.by_size), len(self._by_side)) < len(steps):
            raise WeightsError("expected one network of detail for each size")

    def steps(self, side: int, size: int) -> tuple[int, ...]:
        """Sides in pixels after each step from ``side``, up to ``size`` or the last."""
        sides: tuple[int, ...] = ()
        while side < size and side in self._by_side:
            side = self._by_side[side].size
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
        sides = self.steps(images.shape[1], size) if detail else ()
        for side in sides:
            enlarged = self.by_size[side].enlarge(enlarged, noise)
        return self._finished(enlarged, sides, size)

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
        sides = self.steps(images.shape[1], size) if detail else ()
        climbed = [self.by_size[side] for side in sides]
        at_once = max(1, PIXELS // max(size, *sides, 1) ** 2)
        for start in range(0, len(checked), at_once):
            part = checked[start : start + at_once]
            of_images = [
                [step.draw(noise, (1, step.side, step.side)) for step in climbed] for _ in part
            ]
            for step, latents in zip(climbed, zip(*of_images, strict=True), strict=True):
                together = tuple(map(np.concatenate, zip(*latents, strict=True)))
                part = step.decode(part, together)
            yield from self._finished(part, sides, size)

    def without_filters(self) -> SuperResolutionCascade:
        """The same, as the networks draw images: neither equalized nor deblocked."""
        return SuperResolutionCascade(
            [replace(step, equalizer=None) for step in self.by_size.values()]
        )

    def _finished(self, images: Images, sides: Sequence[int], size: int) -> Images:
        """Equalized as the last of the steps wants it, and deblocked; of no step, as they are."""
        equalizer = self.by_size[sides[-1]].equalizer if sides else None
        sized = _at(size, images if equalizer is None else equalizer.apply(images))
        if not sides or size not in self.deblocking:
            return sized
        return self.deblocking[size].apply(sized)


def _at(size: int, images: Images) -> Images:
    """Images ``(n, s, s)`` at another size, smoothly."""
    if images.shape[1:] == (size, size):
        return images
    out = np.empty((len(images), size, size), dtype=np.float32)
    for i, image in enumerate(images):
        out[i] = resize(image, (size, size))
    return out
