"""Teaching the embedding network who is who: images of one patient together, all others apart.

The loss is the softmax over a batch of pairs, one of each patient, and a memory of past batches:
InfoNCE (van den Oord et al. 2018, arXiv 1807.03748, equation 4) with the positives of Khosla et
al. 2020 (arXiv 2004.11362, equation 2) and the cross-batch memory of Wang et al. 2020 (arXiv
1912.06798). The same loop trains the shipped verifier on (real, real) pairs and adapts it to a
release on (private, real) and (private, private) pairs.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentdp.errors import InputError
from latentdp.models.networks.embedding import EmbeddingNet
from latentdp.models.training.augmentation import Augmentation

__all__ = ["Lessons", "MetricLearning", "MetricLearningConfig"]

Pixels = NDArray[np.uint8] | NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class MetricLearningConfig:
    """How to learn.

    Attributes:
        patients: In a batch; each brings one pair of images.
        several: Share of a batch drawn from the patients who have several images.
        learning_rate: AdamW's peak rate (Loshchilov and Hutter 2019).
        weight_decay: Of the same.
        warmup: Steps until the peak.
        temperature: Of the softmax.
        memory: Embeddings of past batches that pairs are held against.
        ema: Decay of the averaged weights, which are what is used.
        augmentation: Of every image that is shown.
        seed: Of order and augmentation.
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


class Lessons:
    """What pairs are drawn from.

    Args:
        anchors: ``(versions, n, h, w)``, uint8 or float32 in [0, 1]; of each of the n images one
            of the versions is shown.
        partners: The same, of the same images: real ones beside private ones, or the same array.
            Then two versions are shown that differ, where there are two.
        patients: ``(n,)`` indices of patients.

    Raises:
        InputError: There are fewer than two patients.
    """

    def __init__(self, anchors: Pixels, partners: Pixels, patients: NDArray[np.int64]) -> None:
        self.anchors, self.partners = anchors, partners
        self.patients = np.unique(patients, return_inverse=True)[1]
        order = np.argsort(self.patients, kind="stable")
        self.images = np.split(order, np.flatnonzero(np.diff(self.patients[order])) + 1)
        if len(self.images) < 2:
            raise InputError(f"expected images of at least 2 patients, got {len(self.images)}")
        self.several = np.array([i for i, x in enumerate(self.images) if len(x) > 1], dtype=int)
        self.single = np.array([i for i, x in enumerate(self.images) if len(x) == 1], dtype=int)

    def pairs(self, n: int, several: float, g: torch.Generator) -> tuple[Pixels, Pixels, Tensor]:
        """``n`` pairs of as many patients, or fewer: anchors, partners, patients."""
        wanted = min(round(n * several), len(self.several))
        wanted = max(wanted, min(n - len(self.single), len(self.several)))
        chosen = np.concatenate(
            [
                _some(self.several, min(n, wanted), g),
                _some(self.single, max(0, n - wanted), g),
            ]
        )
        first, second = np.empty_like(chosen), np.empty_like(chosen)
        for i, patient in enumerate(chosen):
            images = self.images[patient]
            order = torch.randperm(len(images), generator=g)[:2].tolist()
            first[i], second[i] = images[order[0]], images[order[-1]]
        version = torch.randint(len(self.anchors), (len(chosen),), generator=g).numpy()
        other = torch.randint(len(self.partners), (len(chosen),), generator=g).numpy()
        if self.anchors is self.partners and len(self.anchors) > 1:
            step = torch.randint(len(self.anchors) - 1, (len(chosen),), generator=g).numpy()
            other = (version + 1 + step) % len(self.anchors)
        return (
            np.asarray(self.anchors[version, first]),
            np.asarray(self.partners[other, second]),
            torch.from_numpy(chosen),
        )


def _some(pool: NDArray[np.int64], n: int, g: torch.Generator) -> NDArray[np.int64]:
    return np.asarray(pool[torch.randperm(len(pool), generator=g)[:n].numpy()])


class MetricLearning:
    """One run of learning, a step at a time.

    Args:
        net: Where to start from; it is changed.
        settings: How to learn.
        lessons: One, or several of which each step takes the next.
    """

    def __init__(
        self, net: EmbeddingNet, settings: MetricLearningConfig, lessons: Sequence[Lessons]
    ) -> None:
        self.net, self.settings, self.lessons = net, settings, tuple(lessons)
        self.average = copy.deepcopy(net).requires_grad_(False).eval()
        decayed = [p for p in net.parameters() if p.ndim > 1]
        others = [p for p in net.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": settings.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=settings.learning_rate,
        )
        self.generator = torch.Generator().manual_seed(settings.seed)
        self.step = 0
        self._clear()

    def _clear(self) -> None:
        """Forgets past batches: they are of another network after a change of weights."""
        dimensions = self.net.config.dimensions
        self._memory = [(torch.zeros(0, dimensions), torch.zeros(0, dtype=torch.long))] * len(
            self.lessons
        )

    def learn(self, progress: float) -> float:
        """One step.

        Args:
            progress: How much of the run is done, in [0, 1]; the rate follows a cosine of it.

        Returns:
            The loss.
        """
        s = self.settings
        warm = min(1.0, (self.step + 1) / max(1, s.warmup))
        rate = s.learning_rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        turn = self.step % len(self.lessons)
        anchors, partners, patients = self.lessons[turn].pairs(
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
        past, who = (x.to(device) for x in self._memory[turn])
        loss = 0.5 * (
            _softmax(a, torch.cat([b, past]), patients, torch.cat([patients, who]), s.temperature)
            + _softmax(b, a, patients, patients, s.temperature)
        )
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        if s.memory:
            self._memory[turn] = (
                torch.cat([b.detach().cpu(), past.cpu()])[: s.memory],
                torch.cat([patients.cpu(), who.cpu()])[: s.memory],
            )
        self.step += 1
        self._follow(min(s.ema, (1 + self.step) / (10 + self.step)))
        return float(loss.detach())

    def _follow(self, decay: float) -> None:
        with torch.no_grad():
            for ours, theirs in zip(
                self.average.state_dict().values(), self.net.state_dict().values(), strict=True
            ):
                if ours.is_floating_point():
                    ours.lerp_(theirs, 1 - decay)
                else:
                    ours.copy_(theirs)

    def state(self) -> dict[str, Any]:
        """All that is needed to go on, but the memory, which fills again."""
        return {
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
            "step": self.step,
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Goes on from `state`."""
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.set_state(state["generator"])
        self.step = int(state["step"])
        self._clear()


def _unit(pixels: Pixels) -> Tensor:
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
