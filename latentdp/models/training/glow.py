"""Training a flow: maximum likelihood, resumable, on one process or several under torchrun.

What is trained is public-data weights. The guarantee of a release is about the released image
and never about the people in the training set, whom the weights may have memorised.
"""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from latentdp.data.dataset import Dataset
from latentdp.errors import InputError, WeightsError
from latentdp.models.checkpoints import Checkpoint
from latentdp.models.device import computes_bfloat16
from latentdp.models.flow.flow import Flow, load_flow
from latentdp.models.flow.glow import Glow, GlowConfig, LabelledNet, channels_last
from latentdp.models.model_card.card import ModelCard
from latentdp.models.training.conditioning import rows_taken_over
from latentdp.models.training.discriminators import Discriminators
from latentdp.models.training.loop import Part, Report
from latentdp.models.training.maximum_likelihood import (
    MaximumLikelihood,
    MaximumLikelihoodConfig,
    halved,
)
from latentdp.models.training.schedule import SCHEDULES

__all__ = ["GlowTraining", "GlowTrainingConfig"]


@dataclass(frozen=True, kw_only=True)
class GlowTrainingConfig(MaximumLikelihoodConfig):
    """How to train a flow.

    Attributes:
        label_dropout: Share of images shown without their label, so that "unknown" is learnt.
        shift: Largest random shift in pixels, each way, edges repeated.
        mixed: Coupling networks in bfloat16, where the processor computes that itself.
    """

    label_dropout: float = 0.15
    shift: int = 2
    mixed: bool = True


class GlowTraining(MaximumLikelihood[Glow]):
    """One training run of a flow.

    Args:
        config: Shape of the network; its classes are those of ``train``.
        settings: How to train.
        train: The training split.
        val: The validation split, only looked at.
        state: Where the run is kept so that it can go on after an interruption.
        start: Weights that a new run begins with, as in fine-tuning. A class of theirs is taken
            over by its name, and a class that they do not have begins as "unknown"; for
            attributes see `rows_taken_over`.
        branch: State of another run of this network that a new run goes on from.
        discriminators: What its samples are held against, beside likelihood; None for nothing.
        only: What else a state must be of to be gone on from, as text.

    Attributes:
        config: Shape of the network.
        rank: Number of this process among those that train together, from 0.
        world: How many processes train together.
        device: Where this process computes.

    Raises:
        InputError: Too few images, a state of another network, or several processes that are to
            train against discriminators.
        WeightsError: The weights to start from are of another shape.
    """

    settings: GlowTrainingConfig

    def __init__(
        self,
        config: GlowConfig,
        settings: GlowTrainingConfig,
        train: Dataset,
        val: Dataset,
        state: Path,
        start: Checkpoint | None = None,
        branch: Path | None = None,
        discriminators: Discriminators | None = None,
        only: str = "",
    ) -> None:
        if len(train) < 2:
            raise InputError(f"expected at least 2 training images, got {len(train)}")
        self.config, self.train, self.val = config, train, val
        self.discriminators, self._told = discriminators, 0.0
        self.rank, self.world = 0, 1
        if "RANK" in os.environ and "WORLD_SIZE" in os.environ:
            cuda = torch.cuda.is_available()
            if not dist.is_initialized():
                dist.init_process_group("nccl" if cuda else "gloo")
            self.rank, self.world = dist.get_rank(), dist.get_world_size()
        local = int(os.environ.get("LOCAL_RANK", "0"))
        self.device = torch.device(f"cuda:{local}" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(settings.seed)
        super().__init__(
            channels_last(self._build(config).to(self.device)),
            settings,
            state,
            config.to_json() + (f" from {start.sha256}" if start is not None else "") + only,
            seed=settings.seed * 1000 + self.rank,
        )
        if discriminators is not None:
            if self.world > 1:
                raise InputError("expected one process to train against discriminators")
            self.schedule(discriminators.optimiser, SCHEDULES[settings.schedule])
        self._set_mixed(settings.mixed and computes_bfloat16())
        if not self.resume():
            self._open(start, branch)
        self.parallel: nn.Module = self.net
        if self.world > 1:
            self.parallel = nn.parallel.DistributedDataParallel(self.net)

    @property
    def leads(self) -> bool:
        """Whether this is the first process."""
        return self.rank == 0

    def run(
        self,
        report: Report = lambda now: None,
        *,
        every: float = 60.0,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Learns, saves and reports as `TrainingLoop.run`.

        A report also has ``val``: bits per dimension of validation images.
        """
        super().run(report, every=every, stop=stop)
        if self.world > 1:  # leave together: a process that is alone at exit aborts
            dist.barrier()
            dist.destroy_process_group()

    def flow(self) -> Flow:
        """The averaged network as it stands, for inference."""
        return Flow(copy.deepcopy(self.average), ModelCard())

    def checkpoint(self, name: str, card: ModelCard) -> Checkpoint:
        """The averaged network as a weights file.

        The coupling networks' weights are stored as float16, which halves the file.
        """
        return Checkpoint(
            name=name,
            kind="glow",
            config=self.config.to_json(),
            card=card,
            tensors=halved(self.average, when=".net."),
        )

    def _open(self, start: Checkpoint | None, branch: Path | None) -> None:
        """A new run."""
        if branch is not None:
            self.branch(branch)
            return
        if start is None:
            self._initialise()
        else:
            self.net.load_state_dict(_taken_over(start, self.net, self.config))
        self._begin()

    def _build(self, config: GlowConfig) -> Glow:
        """The network that is trained, freshly initialised."""
        return Glow(config)

    def _extras(self) -> dict[str, float]:
        pixels, labels = self.val.pixels[:512], self.val.labels[:512]
        return {"val": self.flow().bits_per_dimension(pixels, labels)} | self._judged()

    def _judged(self) -> dict[str, float]:
        """Share of originals and samples that discriminators told apart in the last step."""
        return {} if self.discriminators is None else {"told": self._told}

    def _parts(self) -> Mapping[str, Part]:
        theirs = {} if self.discriminators is None else self.discriminators.parts()
        return {**super()._parts(), **theirs}

    def _restore(self, kept: Mapping[str, Any]) -> None:
        super()._restore(kept)
        if self.rank:  # only the first process's stream is kept; the others start a new one
            self.generator.manual_seed((self.settings.seed + self.step) * 1000 + self.rank)

    def _initialise(self) -> None:
        """ActNorm's first batch: public training images, never a patient's."""
        pixels, labels = self._batch(min(256, len(self.train)))
        with torch.no_grad():
            self.net(pixels, labels)
        if self.world > 1:
            for tensor in self.net.state_dict().values():
                dist.broadcast(tensor, 0)

    def _loss(self) -> Tensor:
        pixels, labels = self._batch(max(1, self.settings.batch // self.world))
        log_density: Tensor = self.parallel(pixels, labels)
        bits = 8 - log_density.mean() / (self.config.size**2 * math.log(2))
        return bits if self.discriminators is None else bits + self._known(pixels, labels)

    def _known(self, originals: Tensor, labels: Tensor) -> Tensor:
        """What discriminators, which learn too, add to the loss of fresh samples."""
        judges, g = self.discriminators, self.generator
        assert judges is not None
        weight = judges.weight(self.step)
        latents = torch.randn(len(originals), self.config.size**2, generator=g).to(self.device)
        with torch.set_grad_enabled(weight > 0):
            samples = self.net.decode(latents, labels)
        self._told = judges.teach(samples, originals, self.step, g)
        return weight * judges.cost(samples, g) if weight else samples.new_zeros(())

    def _batch(self, n: int) -> tuple[Tensor, Tensor]:
        s, g = self.settings, self.generator
        rows = self._rows(n)
        pixels = torch.from_numpy(self.train.pixels[rows.numpy()]).float()[:, None]
        if s.shift:
            pixels = _shift(pixels, s.shift, g)
        pixels = (pixels + torch.rand(pixels.shape, generator=g)) / 256 - 0.5
        labels = self._labels_of(rows)
        pixels = pixels.to(self.device, memory_format=torch.channels_last)
        return pixels, labels.to(self.device)

    def _rows(self, n: int) -> Tensor:
        """Which images a batch is of."""
        return torch.randint(len(self.train), (n,), generator=self.generator)

    def _labels_of(self, rows: Tensor) -> Tensor:
        """Labels ``(n,)`` that the network is given beside them; -1 is "unknown"."""
        labels = torch.from_numpy(self.train.labels[rows.numpy()]).clone()
        labels[torch.rand(len(rows), generator=self.generator) < self.settings.label_dropout] = -1
        return labels

    def _agree(self, yes: bool) -> bool:
        """All processes take the first one's decision, or they would wait for each other."""
        if self.world == 1:
            return yes
        flag = torch.tensor([int(yes)], device=self.device)
        dist.broadcast(flag, 0)
        return bool(flag.item())

    def _set_mixed(self, mixed: bool) -> None:
        for module in self.net.modules():
            if isinstance(module, LabelledNet):
                module.mixed = mixed


def _taken_over(start: Checkpoint, net: Glow, config: GlowConfig) -> dict[str, Tensor]:
    """The tensors of other weights, for a network that may have other classes."""
    load_flow(start)  # refuses what is damaged
    theirs = GlowConfig.from_json(start.config)
    if replace(theirs, classes=config.classes, attributes=config.attributes) != config:
        raise WeightsError(
            "the weights to start from have another size or other blocks: expected "
            f"{config.to_json()}, got {theirs.to_json()}"
        )
    shares = rows_taken_over(theirs.conditioning, config.conditioning)
    tensors = {}
    for key, ours in net.state_dict().items():
        tensor = torch.from_numpy(np.asarray(start.tensors[key]).copy()).to(ours.dtype)
        if key.endswith((".label", ".constant")):
            tensor = torch.tensordot(torch.from_numpy(shares).to(tensor.dtype), tensor, dims=1)
        tensors[key] = tensor
    return tensors


def _shift(pixels: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Shifts each image by up to ``most`` pixels in both directions, repeating its edges."""
    n, _, height, width = pixels.shape
    padded = nn.functional.pad(pixels, (most, most, most, most), mode="replicate")
    down = torch.randint(2 * most + 1, (n, 1), generator=generator) + torch.arange(height)
    right = torch.randint(2 * most + 1, (n, 1), generator=generator) + torch.arange(width)
    return padded[torch.arange(n)[:, None, None], 0, down[:, :, None], right[:, None, :]][:, None]
