"""Learning who is who: embeddings of one patient's images together, all others apart.

The loss is the softmax over a batch of pairs, one of each patient, and a memory of past batches:
InfoNCE (van den Oord et al. 2018, arXiv 1807.03748, equation 4) with the positives of Khosla et
al. 2020 (arXiv 2004.11362, equation 2) and the cross-batch memory of Wang et al. 2020 (arXiv
1912.06798). The same loop trains the shipped verifier on (real, real) pairs and adapts it to a
release on (private, real) and (private, private) pairs.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentdp.models.networks.embedding import EmbeddingNet
from latentdp.models.training.augmentation import Augmentation
from latentdp.models.training.averaged_loop import AveragedLoop
from latentdp.models.training.pair_dataset import PairDataset
from latentdp.models.training.schedule import cosine
from latentdp.models.training.weight_average import decay_at, follow

__all__ = ["MetricLearning", "MetricLearningConfig"]


@dataclass(frozen=True, kw_only=True)
class MetricLearningConfig:
    """How to learn.

    Attributes:
        patients: Patients in a batch; each brings one pair of images.
        several: Share of a batch drawn from the patients who have several images, in [0, 1].
        learning_rate: AdamW's peak rate (Loshchilov and Hutter 2019).
        weight_decay: AdamW's decay of matrices and convolutions.
        warmup: Steps until the peak.
        temperature: What cosines are divided by before the softmax.
        memory: Embeddings of past batches that pairs are held against.
        ema: Decay of the averaged weights, which are what is used.
        augmentation: Random changes of every image that is shown.
        seed: Seed of order and augmentation.
    """

    patients: int = 64
    several: float = 0.7
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warmup: int = 100
    temperature: float = 0.08
    memory: int = 1024
    ema: float = 0.998
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = 0


class MetricLearning(AveragedLoop[EmbeddingNet]):
    """One run; a step's rate follows a cosine of the progress.

    What a state does not hold is the memory, which fills again.

    Args:
        net: Where to start from; it is changed.
        settings: How to learn.
        datasets: Where pairs come from: one, or several of which each step takes the next.
        state: Where the run is kept so that it can go on after an interruption; None for nowhere.
        minutes: Wall-clock length of the whole run, resumed parts counted in; 0 for no limit.
        steps: Number of optimiser steps; 0 for no limit. The first limit reached ends the run.

    Attributes:
        net: What learns.
        average: The averaged network, in evaluation mode.

    Raises:
        InputError: No limit.
    """

    def __init__(
        self,
        net: EmbeddingNet,
        settings: MetricLearningConfig,
        datasets: Sequence[PairDataset],
        *,
        state: Path | None = None,
        minutes: float = 0.0,
        steps: int = 0,
    ) -> None:
        super().__init__(
            state,
            net.config.to_json(),
            minutes=minutes,
            steps=steps,
            images_per_step=2 * settings.patients,
        )
        self.net, self.settings, self.datasets = net, settings, tuple(datasets)
        self.average = copy.deepcopy(net).requires_grad_(False).eval()
        self.generator = torch.Generator().manual_seed(settings.seed)
        decayed = [p for p in net.parameters() if p.ndim > 1]
        others = [p for p in net.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": settings.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=settings.learning_rate,
        )
        self.schedule(self.optimiser, partial(cosine, warm=max(1, settings.warmup)))
        self._memories = [_Memory(settings.memory, net.config.dimensions) for _ in self.datasets]

    def _learn(self) -> float:
        s = self.settings
        turn = self.step % len(self.datasets)
        anchors, partners, patients = self.datasets[turn].pairs(
            s.patients, s.several, self.generator
        )
        device = self.net.power.device
        shown = torch.cat([_unit(anchors), _unit(partners)])[:, None]
        shown = s.augmentation(shown, self.generator)
        self.net.train()
        self.optimiser.zero_grad(set_to_none=True)
        embedded = self.net(shown.to(device, memory_format=torch.channels_last))
        a, b = embedded.chunk(2)
        patients = patients.to(device)
        past, who = self._memories[turn].on(device)
        loss = 0.5 * (
            _softmax(a, torch.cat([b, past]), patients, torch.cat([patients, who]), s.temperature)
            + _softmax(b, a, patients, patients, s.temperature)
        )
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        self._memories[turn].add(b, patients)
        follow(self.average, self.net, decay_at(self.step, s.ema))
        return float(loss.detach())

    def _restore(self, kept: Mapping[str, Any]) -> None:
        super()._restore(kept)
        for memory in self._memories:  # of another network, after a change of weights
            memory.clear()


class _Memory:
    """The latest embeddings ``(m, dimensions)`` of partners and whose they are ``(m,)``."""

    def __init__(self, size: int, dimensions: int) -> None:
        self.size, self.dimensions = size, dimensions
        self.clear()

    def clear(self) -> None:
        self.embeddings = torch.zeros(0, self.dimensions)
        self.patients = torch.zeros(0, dtype=torch.long)

    def on(self, device: torch.device) -> tuple[Tensor, Tensor]:
        return self.embeddings.to(device), self.patients.to(device)

    def add(self, embeddings: Tensor, patients: Tensor) -> None:
        latest = embeddings.detach().cpu()
        self.embeddings = torch.cat([latest, self.embeddings])[: self.size]
        self.patients = torch.cat([patients.cpu(), self.patients])[: self.size]


def _unit(pixels: NDArray[np.uint8] | NDArray[np.float32]) -> Tensor:
    """Grey levels in [0, 1]."""
    tensor = torch.from_numpy(pixels)
    return tensor.float() / 255 if tensor.dtype == torch.uint8 else tensor


def _softmax(
    queries: Tensor, keys: Tensor, patients: Tensor, others: Tensor, temperature: float
) -> Tensor:
    """Mean cross-entropy of the keys of one's own patient, among all keys."""
    logits = queries @ keys.T / temperature
    own = (patients[:, None] == others[None, :]).float()
    log = logits - logits.logsumexp(dim=1, keepdim=True)
    return -((log * own).sum(dim=1) / own.sum(dim=1)).mean()
