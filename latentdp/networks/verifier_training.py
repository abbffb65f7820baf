"""Training a verifier on real images of public data sets, resumable."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from latentdp.atomic import whole
from latentdp.errors import InputError, WeightsError
from latentdp.networks.device import placed
from latentdp.networks.embedding import EmbeddingConfig, EmbeddingNet
from latentdp.networks.metric_learning import Lessons, MetricLearning, Settings
from latentdp.networks.verifier import Verifier

__all__ = ["People", "VerifierTraining"]


@dataclass(frozen=True)
class People:
    """Images and whose they are: ``pixels`` ``(n, size, size)`` uint8, ``patients`` ``(n,)``."""

    pixels: NDArray[np.uint8]
    patients: NDArray[np.int64]


class VerifierTraining:
    """One training run.

    Args:
        config: Shape of the network.
        settings: How to learn.
        train: Who is learnt from.
        state: Where the run is kept so that it can go on after an interruption.
        minutes: Wall-clock length of the whole run, resumed parts counted in; 0 for no limit.
        steps: Number of optimiser steps; 0 for no limit. The first limit reached ends the run.
        start: A verifier whose weights the run begins with, such as one of another size.

    Raises:
        InputError: No limit, or a state of another network.
        WeightsError: The weights to start from are of another shape.
    """

    def __init__(
        self,
        config: EmbeddingConfig,
        settings: Settings,
        train: People,
        state: Path,
        *,
        minutes: float = 0.0,
        steps: int = 0,
        start: Verifier | None = None,
    ) -> None:
        if not (minutes > 0 or steps > 0):
            raise InputError("expected a positive number of minutes or of steps, got neither")
        self.config, self.state, self.minutes, self.steps = config, state, minutes, steps
        torch.manual_seed(settings.seed)
        net = EmbeddingNet(config)
        if start is not None:
            try:
                net.load_state_dict(start.net.state_dict())
            except RuntimeError as error:
                raise WeightsError("the weights to start from are of another shape") from error
        placed(net)
        lessons = Lessons(train.pixels[None], train.pixels[None], train.patients)
        self.learning = MetricLearning(net, settings, [lessons])
        self.elapsed = 0.0
        if state.is_file():
            self._resume()

    @property
    def progress(self) -> float:
        """How much of the run is done, in [0, 1]."""
        by_time = self.elapsed / (60 * self.minutes) if self.minutes > 0 else 0.0
        by_step = self.learning.step / self.steps if self.steps > 0 else 0.0
        return min(1.0, max(by_time, by_step))

    def run(
        self,
        report: Callable[[dict[str, float]], None],
        *,
        every: float = 60.0,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Learns until the limit or until ``stop()``; saves and reports every ``every`` seconds.

        Args:
            report: Called with ``progress``, ``step``, ``images``, ``loss`` and ``rate``
                (images/s).
            every: Seconds between reports.
            stop: Asked before each step.
        """
        began = saved = time.monotonic()
        already, since = self.elapsed, self.learning.step
        losses: list[float] = []
        shown = 2 * self.learning.settings.patients
        while self.progress < 1.0 and not stop():
            losses.append(self.learning.learn(self.progress))
            now = time.monotonic()
            self.elapsed = already + now - began
            if now - saved >= every or self.progress >= 1.0:
                self.save()
                step = self.learning.step
                report(
                    {
                        "progress": self.progress,
                        "step": step,
                        "images": step * shown,
                        "loss": float(np.mean(losses)),
                        "rate": (step - since) * shown / max(now - saved, 1e-9),
                    }
                )
                losses, since, saved = [], step, now
        self.save()

    def verifier(self) -> Verifier:
        """The averaged network as it stands."""
        return Verifier.of(self.learning.average)

    def save(self) -> None:
        """Writes everything that is needed to go on."""
        kept = {
            "config": self.config.to_json(),
            "run": self.learning.state(),
            "elapsed": self.elapsed,
        }
        with whole(self.state) as temporary:
            torch.save(kept, temporary)

    def _resume(self) -> None:
        try:
            kept: dict[str, Any] = torch.load(self.state, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError) as error:
            raise InputError(f"{self.state.name} is damaged; remove it to start anew") from error
        if kept.get("config") != self.config.to_json():
            raise InputError(
                f"{self.state.name} belongs to another network; give the same options or remove it"
            )
        self.learning.resume(kept["run"])
        self.elapsed = kept["elapsed"]
