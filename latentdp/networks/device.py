"""Where networks compute: on the GPU, if there is one."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

__all__ = ["device", "placed"]

_Net = TypeVar("_Net", bound=nn.Module)


def device() -> torch.device:
    """The device that all networks here use."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def placed(net: _Net) -> _Net:
    """The network there, laid out as convolutions like it best; it is the same object."""
    net.to(device(), memory_format=torch.channels_last)  # type: ignore[call-overload]
    return net
