"""Enlarging private images octave by octave, with detail that is drawn and not interpolated.

Each octave's detail follows the smaller image and fresh random bits alone, so that whatever
protects the smaller image protects the larger one (post-processing).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from latentdp.arrays import Images, check_images, resize
from latentdp.checkpoints import Checkpoint
from latentdp.errors import InputError, WeightsError
from latentdp.flows.haar import join
from latentdp.flows.octave import OctaveConfig, OctaveNet
from latentdp.networks.device import placed
from latentdp.noise import Noise
from latentdp.samplers import normal

__all__ = ["PREFIX", "Ladder", "Octave", "with_octaves"]

KIND, CARD, PREFIX = "octave", "octaves", "octave."  # of weights, cards and tensors
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
        if checkpoint.kind != KIND:
            raise WeightsError(f"expected weights of kind {KIND!r}, got {checkpoint.kind!r}")
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


def with_octaves(checkpoint: Checkpoint, octaves: Sequence[Checkpoint]) -> Checkpoint:
    """A flow's weights with the detail of octaves, instead of any that they had.

    All other tensors are as they were.

    Raises:
        InputError: They do not follow one another from the flow's size.
        WeightsError: One is of another kind.
    """
    made = {octave.size: octave for octave in map(Octave.of, octaves)}
    size = json.loads(checkpoint.config)["size"]
    wanted = [size * 2 ** (i + 1) for i in range(len(octaves))]
    if sorted(made) != wanted:
        told = ", ".join(map(str, wanted))
        raise InputError(f"expected octaves for {told} pixels, got {sorted(made)}")
    tensors = {k: v for k, v in checkpoint.tensors.items() if not k.startswith(PREFIX)}
    for octave in octaves:
        start = f"{PREFIX}{Octave.of(octave).size}."
        tensors |= {start + key: tensor for key, tensor in octave.tensors.items()}
    cards = {str(Octave.of(octave).size): octave.card for octave in octaves}
    return replace(checkpoint, tensors=tensors, card=checkpoint.card | {CARD: cards})


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
    def of(cls, checkpoint: Checkpoint) -> Ladder:
        """The octaves in a flow's weights file, where `with_octaves` put them.

        Raises:
            WeightsError: They are damaged.
        """
        found = []
        for size, told in checkpoint.card.get(CARD, {}).items():
            start = f"{PREFIX}{size}."
            tensors = {
                key.removeprefix(start): tensor
                for key, tensor in checkpoint.tensors.items()
                if key.startswith(start)
            }
            config = str(told.get("architecture", ""))
            name = f"{checkpoint.name}, {size} pixels"
            part = Checkpoint(name=name, kind=KIND, config=config, card=told, tensors=tensors)
            found.append(Octave.of(part))
        return cls(found)

    def steps(self, side: int, size: int) -> tuple[int, ...]:
        """Sizes that are climbed through from ``side`` pixels to reach ``size``, or the last."""
        found: tuple[int, ...] = ()
        while side < size and 2 * side in self.octaves:
            side *= 2
            found += (side,)
        return found

    def enlarge(self, images: Images, size: int, noise: Noise) -> Images:
        """Images ``(n, s, s)`` in [0, 1] at ``size`` pixels on a side.

        What is too large after the last of the `steps` is reduced, and what is still too small
        is enlarged smoothly, which adds no detail.
        """
        found = check_images(images, images.shape[1:])
        for step in self.steps(images.shape[1], size):
            found = self.octaves[step].enlarge(found, noise)
        if found.shape[1:] == (size, size):
            return found
        return np.stack([resize(image, (size, size)) for image in found])
