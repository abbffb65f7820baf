"""Where networks compute: on the GPU, if there is one."""

from __future__ import annotations

import math
from typing import TypeVar

import torch
from torch import nn

from latentdp.models.flow.glow import GlowConfig

__all__ = ["computes_bfloat16", "device", "micro_batch", "placed", "use_threads"]

_Net = TypeVar("_Net", bound=nn.Module)


def device() -> torch.device:
    """The device that all networks here use."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def computes_bfloat16() -> bool:
    """Whether it computes bfloat16 itself: a processor that does not is nine times slower at it.

    Measured on an AMD EPYC of 2021 (AVX2): a training step of a flow, 27 against 3 images/s.
    """
    if device().type == "cuda":
        return True
    return any(has for name, has in torch.cpu.get_capabilities().items() if "bf16" in name)


def placed(net: _Net) -> _Net:
    """The network there, laid out as convolutions like it best; it is the same object."""
    net.to(device(), memory_format=torch.channels_last)  # type: ignore[call-overload]
    return net


LARGEST = 16 << 20  # bytes of a hidden layer; more images at a time were no faster


def micro_batch(config: GlowConfig) -> int:
    """As many images as leave the largest hidden layer of a reasonable size, 1 to 256."""
    if device().type == "cuda":
        return 256
    shapes = [shape[1:] for shape in config.level_shapes]
    largest = max(h * math.prod(s) for h, s in zip(config.hidden, shapes, strict=True))
    return min(256, max(1, LARGEST // (4 * largest)))


def use_threads(n: int) -> None:
    """How many processor cores this process may use; 1 where several share the machine.

    It holds for the whole process: only what starts one calls it (a command, a worker).

    Args:
        n: Number of cores; 0 for as many as there are, as it is anyway.
    """
    if n > 0:
        torch.set_num_threads(n)
