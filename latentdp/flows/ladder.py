"""Enlarging private images octave by octave, with detail that is drawn and not interpolated.

Each octave's detail follows the smaller image and fresh random bits alone, so that whatever
protects the smaller image protects the larger one (post-processing).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from latentdp.arrays import Images, check_images, resize
from latentdp.checkpoints import Checkpoint, load, shipped
from latentdp.errors import InputError, WeightsError
from latentdp.flows.haar import join
from latentdp.flows.octave import OctaveConfig, OctaveNet
from latentdp.networks.device import placed
from latentdp.noise import Noise
from latentdp.samplers import normal

__all__ = ["Ladder", "Octave"]

PIXELS = 4 * 256 * 256  # of the larger images that go through a network together


@dataclass(frozen=True)
class Octave:
    """One step of the ladder, for inference.

    Attributes:
        net: In evaluation mode.
        card: The model card; ``temperature`` is the standard deviation of what is drawn.
        name: Of the weights.
        sha256: Of the weights file.
    """

    net: OctaveNet
    card: dict[str, Any]
    name: str = ""
    sha256: str = ""

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Octave:
        """The octave of a checkpoint.

        Raises:
            WeightsError: Unknown kind, or tensors that do not fit the configuration.
        """
        if checkpoint.kind != "octave":
            raise WeightsError(f"expected weights of kind 'octave', got {checkpoint.kind!r}")
        try:
            net = OctaveNet(OctaveConfig.from_json(checkpoint.config))
            net.load_state_dict(
                {k: torch.from_numpy(np.asarray(v)).float() for k, v in checkpoint.tensors.items()}
            )
        except (KeyError, TypeError, ValueError, RuntimeError, InputError) as error:
            raise WeightsError(
                f"weights {checkpoint.name!r} do not fit their configuration"
            ) from error
        ready = placed(net).eval().requires_grad_(False)
        return cls(ready, checkpoint.card, checkpoint.name, checkpoint.sha256)

    @property
    def size(self) -> int:
        """Side in pixels of the larger image that it was trained for."""
        return self.net.config.size

    @property
    def temperature(self) -> float:
        """Standard deviation of what is drawn."""
        return float(self.card.get("temperature", 1.0))

    def enlarge(self, halves: Images, noise: Noise) -> Images:
        """Images ``(n, 2h, 2w)`` in [0, 1] of halves ``(n, h, w)``; h and w are even."""
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
        # A detail that is not finite is none: the pixel is that of the half.
        wrong = ~np.isfinite(out)
        if wrong.any():
            out[wrong] = np.repeat(np.repeat(halves, 2, axis=1), 2, axis=2)[wrong]
        return np.clip(out, 0, 1)


class Ladder:
    """Octaves by the size that they lead to.

    Args:
        octaves: At most one for each size.
    """

    def __init__(self, octaves: Sequence[Octave]) -> None:
        self.octaves = {octave.size: octave for octave in octaves}
        if len(self.octaves) < len(octaves):
            raise InputError("expected one octave for each size")

    @classmethod
    def shipped(cls) -> Ladder:
        """Those that come with the package."""
        return cls([Octave.of(load(name)) for name in shipped("octave")])

    def enlarge(self, images: Images, size: int, noise: Noise) -> Images:
        """Images ``(n, s, s)`` in [0, 1] at ``size`` pixels on a side.

        As many octaves as it takes to reach the size or the last octave; what then is too large
        is reduced, and what is still too small is enlarged smoothly, which adds no detail.
        """
        found = check_images(images, images.shape[1:])
        while found.shape[1] < size and 2 * found.shape[1] in self.octaves:
            found = self.octaves[2 * found.shape[1]].enlarge(found, noise)
        if found.shape[1:] == (size, size):
            return found
        return np.stack([resize(image, (size, size)) for image in found])
