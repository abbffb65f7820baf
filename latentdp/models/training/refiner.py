"""Training a refiner: against two critics, on originals that it must give back, resumable.

As in SimGAN (Shrivastava et al. 2017, arXiv 1612.07828): what it makes of private images should
look like originals to networks that learn to tell them apart, and stay, coarsely, what it was.
It also enlarges reduced originals, of which it knows what should come out.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d

from latentdp.core.arrays import Images
from latentdp.data.preprocess import unit
from latentdp.errors import InputError
from latentdp.models.checkpoints import Checkpoint
from latentdp.models.device import device, placed
from latentdp.models.model_card.card import ModelCard
from latentdp.models.super_resolution.refiner_net import RefinerConfig, RefinerNet
from latentdp.models.training.averaged_loop import AveragedLoop
from latentdp.models.training.gan import Moves, cost, judge, sixteen_bits
from latentdp.models.training.loop import Part, check_limits
from latentdp.models.training.maximum_likelihood import halved
from latentdp.models.training.refiner_critics import RefinerCritic
from latentdp.models.training.schedule import cosine
from latentdp.models.training.weight_average import decay_at, follow

__all__ = ["RefinerTraining", "RefinerTrainingConfig"]

Pixels = NDArray[np.uint8]

MOVES = Moves(share=1 / 16, contrast=0.2, brightness=0.1)
CLIP = 20.0  # of the length of the refiner's gradient


@dataclass(frozen=True, kw_only=True)
class RefinerTrainingConfig:
    """How to train a refiner.

    Attributes:
        minutes: Length of the run; 0 for no limit.
        steps: Optimiser steps; 0 for no limit.
        sharp: Originals of the large size in a step.
        usual: Originals of half of it.
        private: Private images.
        alone: Steps in which it only enlarges originals, before critics judge.
        learning_rate: Adam's, of the refiner; critics learn as fast.
        true: Weight of the mean difference to originals that were reduced, in [0, 1].
        stays: Weight of the mean difference of private images to what they were, in squares of
            four pixels.
        penalty: Of the critics' gradients. With a tenth of it images had specks and bars after
            4,000 steps that critics took for originals' letters.
        ema: Decay of the averaged weights.
        seed: Of the run.
    """

    minutes: float = 0.0
    steps: int = 0
    sharp: int = 2
    usual: int = 2
    private: int = 3
    alone: int = 500
    learning_rate: float = 1e-4
    true: float = 30.0
    stays: float = 20.0
    penalty: float = 0.5
    ema: float = 0.999
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.sharp, self.usual, self.private) < 1:
            raise InputError("expected at least one image of each kind in a step")
        check_limits(self.minutes, self.steps)
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise InputError(f"expected a positive learning rate, got {self.learning_rate:g}")


class RefinerTraining(AveragedLoop[RefinerNet]):
    """One training run of a refiner.

    Args:
        config: Shape of the network.
        settings: How to train.
        sharp: Public originals ``(n, size, size)``, 8 bits.
        usual: More of them, of half the size; there may be many more of these.
        private: What the weights make of public images: ``(m, side, side)`` in [0, 1].
        state: Where the run is kept so that it can go on after an interruption.

    Raises:
        InputError: Images of other sizes, or a state of another network.
    """

    def __init__(
        self,
        config: RefinerConfig,
        settings: RefinerTrainingConfig,
        sharp: Pixels,
        usual: Pixels,
        private: Images,
        state: Path | None,
    ) -> None:
        wanted = (config.size, config.size // 2, config.side)
        got = tuple(images.shape[1] if len(images) else 0 for images in (sharp, usual, private))
        if got != wanted:
            raise InputError(f"expected images of {wanted} pixels a side, got {got}")
        super().__init__(
            state,
            config.to_json(),
            minutes=settings.minutes,
            steps=settings.steps,
            images_per_step=settings.sharp + settings.usual + settings.private,
        )
        self.config, self.settings = config, settings
        self._sharp, self._usual, self._private = sharp, usual, private
        torch.manual_seed(settings.seed)
        self.net = placed(RefinerNet(config))
        self.average = copy.deepcopy(self.net).requires_grad_(False)
        self.critics = {
            "texture": placed(RefinerCritic((24, 48, 96, 96), whole=False)),
            "anatomy": placed(RefinerCritic((24, 48, 96, 128, 128), whole=True)),
        }
        self.optimiser = torch.optim.Adam(
            self.net.parameters(), settings.learning_rate, betas=(0.5, 0.9)
        )
        self._critics_optimiser = torch.optim.Adam(
            [p for critic in self.critics.values() for p in critic.parameters()],
            settings.learning_rate,
            betas=(0.5, 0.99),
        )
        self.generator = torch.Generator().manual_seed(settings.seed)
        self._losses: dict[str, float] = {}
        self.schedule(self.optimiser, cosine)
        self.resume()

    def checkpoint(self, name: str, card: ModelCard) -> Checkpoint:
        """The averaged network as a weights file; convolutions as 16-bit floats."""
        return Checkpoint(
            name=name,
            kind="refiner",
            config=self.config.to_json(),
            card=card,
            tensors=halved(self.average, when=".weight"),
        )

    def _parts(self) -> Mapping[str, Part]:
        return {
            **super()._parts(),
            **self.critics,
            "optimiser of critics": self._critics_optimiser,
        }

    def _extras(self) -> dict[str, float]:
        return self._losses

    def _learn(self) -> float:
        s = self.settings
        judged = self.step >= s.alone
        sharp, usual = (
            self._draw(of, n) for of, n in ((self._sharp, s.sharp), (self._usual, s.usual))
        )
        small = torch.cat([avg_pool2d(sharp, 4), avg_pool2d(usual, 2)])
        private = self._draw(self._private, s.private if judged else 0)
        given = torch.cat([small, private])
        made = self._refined(given)
        halves, reduced = avg_pool2d(made, 2), avg_pool2d(made, 4)
        known = s.sharp + s.usual
        true = _apart(made[: s.sharp], sharp) + _apart(halves[s.sharp : known], usual)
        true = true + _apart(reduced[:known], small)
        loss = s.true * true
        self._losses = {"true": float(true.detach())}
        if judged:
            stays = _apart(avg_pool2d(reduced[known:], 4), avg_pool2d(private, 4))
            real = {"texture": sharp, "anatomy": torch.cat([avg_pool2d(sharp, 2), usual])}
            self._teach({"texture": made.detach(), "anatomy": halves.detach()}, real)
            cost = self._cost({"texture": made, "anatomy": halves})
            loss = loss + s.stays * stays + min(1.0, (self.step - s.alone) / 500) * cost
            self._losses |= {"stays": float(stays.detach()), "cost": float(cost.detach())}
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), CLIP)
        self.optimiser.step()
        follow(self.average, self.net, decay_at(self.step, s.ema))
        return float(loss.detach())

    def _refined(self, images: Tensor) -> Tensor:
        g = self.generator
        noise = [
            torch.randn(len(images), 1, *shape, generator=g).to(device())
            for shape in self.net.noise_shapes(*images.shape[2:])
        ]
        with sixteen_bits():
            made: Tensor = self.net(images, noise)
        return made.float()

    def _teach(self, made: Mapping[str, Tensor], real: Mapping[str, Tensor]) -> None:
        """One step of the critics."""
        loss = torch.zeros((), device=device())
        for name, critic in self.critics.items():
            fake, true = (MOVES(side[name], self.generator) for side in (made, real))
            judged = judge(critic, fake, true, step=self.step, penalty=self.settings.penalty)
            loss = loss + judged.loss
        for group in self._critics_optimiser.param_groups:
            group["lr"] = self.optimiser.param_groups[0]["lr"]
        self._critics_optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._critics_optimiser.step()
        self._losses["critics"] = float(loss.detach())

    def _cost(self, made: Mapping[str, Tensor]) -> Tensor:
        """How surely the critics know that images are made."""
        total = torch.zeros((), device=device())
        for name, critic in self.critics.items():
            total = total + cost(critic, MOVES(made[name], self.generator))
        return total

    def _draw(self, images: Pixels | Images, n: int) -> Tensor:
        rows = torch.randint(len(images), (n,), generator=self.generator).numpy()
        chosen = images[rows]
        levels: Images = unit(chosen) if chosen.dtype == np.uint8 else chosen
        return torch.from_numpy(levels - np.float32(0.5))[:, None].to(device())


def _apart(a: Tensor, b: Tensor) -> Tensor:
    difference: Tensor = (a - b).abs().mean()
    return difference
