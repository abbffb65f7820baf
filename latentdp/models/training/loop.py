"""A training run that can be interrupted: its limits, its state file, and what it tells."""

from __future__ import annotations

import pickle
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from latentdp.core.filesystem import whole
from latentdp.errors import InputError

__all__ = ["TrainingLoop"]

Report = Callable[[dict[str, float]], None]


class TrainingLoop(ABC):
    """Learns a step at a time, and goes on from its state file after an interruption.

    Args:
        state: The file; of one process if several train together.
        network: What the state must be of, as text: the network's configuration.
        minutes: Wall-clock length of the whole run, resumed parts counted in; 0 for no limit.
        steps: Number of optimiser steps; 0 for no limit. The first limit reached ends the run.
        shown: Images a step.

    Attributes:
        step: Steps done.
        elapsed: Seconds of the whole run.

    Raises:
        InputError: No limit.
    """

    clock: Callable[[], float] = staticmethod(time.monotonic)  # what minutes are measured by

    def __init__(
        self, state: Path, network: str, *, minutes: float, steps: int, shown: int
    ) -> None:
        if not (minutes > 0 or steps > 0):
            raise InputError("expected a positive number of minutes or of steps, got neither")
        self.state, self._network = state, network
        self._minutes, self._steps, self._shown = minutes, steps, shown
        self.step, self.elapsed = 0, 0.0

    @abstractmethod
    def _learn(self) -> float:
        """One step of the optimiser; returns the loss."""

    @abstractmethod
    def _kept(self) -> dict[str, Any]:
        """All that is needed to go on: tensors and plain values."""

    @abstractmethod
    def _restore(self, kept: dict[str, Any]) -> None:
        """Goes on from `_kept`."""

    def _told(self) -> dict[str, float]:
        """What a report says besides."""
        return {}

    def _agree(self, yes: bool) -> bool:
        """What all processes that train together decide; of one process what it says."""
        return yes

    @property
    def leads(self) -> bool:
        """Whether this process saves and reports."""
        return True

    @property
    def progress(self) -> float:
        """How much of the run is done, in [0, 1]."""
        by_time = self.elapsed / (60 * self._minutes) if self._minutes > 0 else 0.0
        by_step = self.step / self._steps if self._steps > 0 else 0.0
        return min(1.0, max(by_time, by_step))

    def run(
        self, report: Report, *, every: float = 60.0, stop: Callable[[], bool] = lambda: False
    ) -> None:
        """Learns until the limit or until ``stop()``; saves and reports every ``every`` seconds.

        Args:
            report: Called with ``progress``, ``step``, ``images``, ``loss`` and ``rate``
                (images/s).
            every: Seconds between reports.
            stop: Asked before each step.
        """
        began, saved = self.clock(), time.monotonic()
        already, since = self.elapsed, self.step
        losses: list[float] = []
        while self._agree(self.progress < 1.0 and not stop()):
            losses.append(self._learn())
            self.step += 1
            now = time.monotonic()
            self.elapsed = already + self.clock() - began
            finished = self._agree(self.progress >= 1.0)
            if self.leads and (finished or now - saved >= every):
                self.save()
                report(
                    {
                        "progress": self.progress,
                        "step": self.step,
                        "images": self.step * self._shown,
                        "loss": float(np.mean(losses)),
                        "rate": (self.step - since) * self._shown / max(now - saved, 1e-9),
                    }
                    | self._told()
                )
                losses, since, saved = [], self.step, time.monotonic()
        if self.leads:
            self.save()

    def save(self) -> None:
        """Writes everything that is needed to go on."""
        kept = {
            "network": self._network,
            "step": self.step,
            "elapsed": self.elapsed,
            "kept": self._kept(),
        }
        with whole(self.state) as temporary:
            torch.save(kept, temporary)

    def resume(self) -> bool:
        """Goes on from the state file; False if there is none.

        Raises:
            InputError: It is damaged, or of another network.
        """
        if not self.state.is_file():
            return False
        found = self._read(self.state)
        self.step, self.elapsed = found["step"], found["elapsed"]
        self._restore(found["kept"])
        return True

    def branch(self, other: Path) -> None:
        """Goes on from the state of another run of this network, with a time of its own.

        Raises:
            InputError: It is missing, damaged, or of another network.
        """
        if not other.is_file():
            raise InputError(f"no state {other.name} to go on from")
        found = self._read(other)
        self.step = found["step"]
        self._restore(found["kept"])

    def _read(self, state: Path) -> dict[str, Any]:
        damaged = f"{state.name} is damaged; remove it to start anew"
        try:
            found: dict[str, Any] = torch.load(state, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError) as error:
            raise InputError(damaged) from error
        if found.get("network") != self._network:
            raise InputError(
                f"{state.name} belongs to another network or other classes; "
                "give the same options or remove it"
            )
        return found
