"""Networks that a flow's samples are held against while it trains.

A flow that learns by likelihood alone has grain and blur that any network knows. Held against
networks too, as in Flow-GAN (Grover, Dhar, Ermon, AAAI 2018, arXiv 1705.08868, equation 5), it
loses them and keeps its likelihood: what is minimised is bits per dimension and, with a small
weight, how surely discriminators know its samples. They begin as the networks of its critic, of
the image as it is and at half its size, and learn on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from latentdp.errors import InputError
from latentdp.models.device import device, placed
from latentdp.models.networks.finding_classifier import FindingClassifier
from latentdp.models.training.gan import Moves, cost, judge
from latentdp.models.training.loop import Part

__all__ = ["DiscriminatorConfig", "Discriminators"]

MOVES = Moves(share=1 / 32, contrast=0.1, brightness=0.05, edges="replicate")
BEYOND = 0.1  # of what a picture holds: a sample that lies further out has no gradient there


@dataclass(frozen=True, kw_only=True)
class DiscriminatorConfig:
    """How a flow and discriminators learn against each other.

    Attributes:
        weight: Bits per dimension of the flow's loss for each nat by which samples are known.
        learning_rate: Adam's, of the discriminators, at its peak.
        penalty: Of their gradients.
        alone: Steps in which they learn and the flow follows its likelihood alone.
        ramp: Steps in which the weight then rises.

    Raises:
        InputError: A number that is not positive.
    """

    weight: float = 0.06
    learning_rate: float = 1e-3
    penalty: float = 0.02
    alone: int = 200
    ramp: int = 100

    def __post_init__(self) -> None:
        for name in ("weight", "learning_rate"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise InputError(
                    f"expected a positive {name.replace('_', ' ')} of discriminators, "
                    f"got {getattr(self, name):g}"
                )


class Discriminators:
    """Two networks, one optimiser.

    Their normalisation keeps the statistics that it has: those of a batch would tell a network
    what else is in it.

    Args:
        networks: That tell originals, their first class, from samples, their second; of images
            as they are, and of images at half their size.
        settings: How they learn.
    """

    def __init__(
        self, networks: Sequence[FindingClassifier], settings: DiscriminatorConfig
    ) -> None:
        self.settings = settings
        self.networks = nn.ModuleList(placed(_Odds(network.copied())) for network in networks)
        self.optimiser = torch.optim.Adam(
            self.networks.parameters(), settings.learning_rate, betas=(0.5, 0.99)
        )

    def parts(self) -> dict[str, Part]:
        """What a state holds of them."""
        return {"discriminators": self.networks, "optimiser of discriminators": self.optimiser}

    def weight(self, step: int) -> float:
        """Of their cost in a flow's loss, in bits per dimension a nat."""
        risen = (step - self.settings.alone) / max(1, self.settings.ramp)
        return self.settings.weight * min(1.0, max(0.0, risen))

    def teach(
        self, samples: Tensor, originals: Tensor, step: int, generator: torch.Generator
    ) -> float:
        """One step of the optimiser; returns the share that they told, in [0, 1].

        Args:
            samples: ``(n, 1, h, w)`` in [-0.5, 0.5]; no gradient reaches them.
            originals: As many.
            step: Of the run.
            generator: Of how images are moved.
        """
        loss, told = torch.zeros((), device=device()), 0.0
        shown = (_seen(images.detach(), generator) for images in (samples, originals))
        for network, made, real in zip(self.networks, *shown, strict=True):
            judged = judge(network, made, real, step=step, penalty=self.settings.penalty)
            loss = loss + judged.loss
            told += float(((judged.made < 0).float() + (judged.real > 0).float()).mean()) / 2
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        return told / len(self.networks)

    def cost(self, samples: Tensor, generator: torch.Generator) -> Tensor:
        """How surely they know samples ``(n, 1, h, w)``, in nats; they do not learn from it."""
        total = torch.zeros((), device=device())
        for network, made in zip(self.networks, _seen(samples, generator), strict=True):
            total = total + cost(network, made)
        return total


class _Odds(nn.Module):
    """Log-odds ``(n, 1, 1, 1)`` that images in [-0.5, 0.5] are originals."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.eval().requires_grad_(True)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(images + 0.5).float()
        return (logits[:, 0] - logits[:, 1])[:, None, None, None]


def _seen(images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """As each network sees them; what is not finite, grey: one such pixel would end a run."""
    most = 0.5 + BEYOND
    moved = MOVES(images.nan_to_num(nan=0.0).clamp(-most, most), generator)
    moved = moved.contiguous(memory_format=torch.channels_last)
    return moved, avg_pool2d(moved, 2)
