"""Maximum likelihood: what the training of a flow and of an octave have in common."""

from __future__ import annotations

import copy
import math
from abc import abstractmethod
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latentdp.networks.resumable import Resumable

__all__ = ["MaximumLikelihood", "halved"]


Net = TypeVar("Net", bound=nn.Module)


class _Settings(Protocol):
    @property
    def minutes(self) -> float: ...
    @property
    def steps(self) -> int: ...
    @property
    def batch(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def ema(self) -> float: ...


class MaximumLikelihood(Resumable, Generic[Net]):
    """Adam with a warm-up over 200 steps and a cosine to 1 %, and an average of the weights.

    Args:
        net: What learns, on its device.
        settings: ``minutes``, ``steps``, ``batch``, ``learning_rate`` and ``ema``.
        state: As `Resumable` has it, likewise ``network``.
        network: See there.
        seed: Of order, noise and augmentation.

    Attributes:
        net: What learns.
        average: The averaged network, which is what is evaluated and exported.
    """

    def __init__(
        self, net: Net, settings: _Settings, state: Path, network: str, *, seed: int
    ) -> None:
        super().__init__(
            state,
            network,
            minutes=settings.minutes,
            steps=settings.steps,
            shown=settings.batch,
        )
        self.net, self._how = net, settings
        self.generator = torch.Generator().manual_seed(seed)
        self.optimiser = torch.optim.Adam(net.parameters(), lr=settings.learning_rate)
        self.average: Net = copy.deepcopy(net).requires_grad_(False)

    @abstractmethod
    def _loss(self) -> Tensor:
        """Of a fresh batch: bits per dimension."""

    def _begin(self) -> None:
        """The average starts where the network does."""
        self.average.load_state_dict(self.net.state_dict())

    def _kept(self) -> dict[str, Any]:
        return {
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
        }

    def _restore(self, kept: dict[str, Any]) -> None:
        self.net.load_state_dict(kept["net"])
        self.average.load_state_dict(kept["average"])
        self.optimiser.load_state_dict(kept["optimiser"])
        self.generator.set_state(kept["generator"])

    def _learn(self) -> float:
        warm = min(1.0, (self.step + 1) / 200)
        cosine = 0.5 * (1 + math.cos(math.pi * self.progress))
        for group in self.optimiser.param_groups:
            group["lr"] = self._how.learning_rate * warm * (0.01 + 0.99 * cosine)
        self.optimiser.zero_grad(set_to_none=True)
        loss = self._loss()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        if bool(torch.isfinite(norm)):  # of all processes' mean gradient, so all decide alike
            self.optimiser.step()
        decay = min(self._how.ema, (2 + self.step) / (11 + self.step))
        pairs = zip(self.average.parameters(), self.net.parameters(), strict=True)
        with torch.no_grad():
            for ours, theirs in pairs:
                ours.lerp_(theirs, 1 - decay)
        return float(loss.detach())


def halved(net: nn.Module, *, when: str) -> dict[str, NDArray[Any]]:
    """The tensors of a network for a file, those of its convolutions as 16-bit floats.

    Both directions use the same rounded values, so invertibility is untouched. Mixing matrices,
    normalisation and priors stay as they are.

    Args:
        net: Whose they are.
        when: What the name of a tensor that is rounded contains.
    """
    found = {}
    for key, tensor in net.state_dict().items():
        array = tensor.detach().cpu().numpy()
        found[key] = array.astype(np.float16) if when in key and array.ndim == 4 else array
    return found
