"""A training run that can be interrupted: its limits, its state file, its rates, its reports."""

from __future__ import annotations

import pickle
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim import Optimizer

from latentdp.core.filesystem import alone, whole
from latentdp.errors import InputError
from latentdp.models.training.schedule import Schedule, scheduler

__all__ = ["Report", "TrainingLoop", "check_limits"]

Report = Callable[[dict[str, float]], None]
Part = nn.Module | Optimizer | torch.Generator


def check_limits(minutes: float, steps: int) -> None:
    """Refuses a run that would never end.

    Raises:
        InputError: Neither a number of minutes nor one of steps is given.
    """
    if not (minutes > 0 or steps > 0):
        raise InputError("expected a positive number of minutes or of steps, got neither")


class TrainingLoop(ABC):
    """Learns a step at a time, and goes on from its state file after an interruption.

    A subclass says what a step does (`_learn`) and what a state holds (`_parts`).

    Args:
        state: The file; of one process if several train together. None for a run that is not
            kept.
        run: What the state must be of, as text: the network's configuration and all else that
            the run depends on.
        minutes: Wall-clock length of the whole run, resumed parts counted in; 0 for no limit.
        steps: Number of optimiser steps; 0 for no limit. The first limit reached ends the run.
        images_per_step: Images that a step learns from.

    Attributes:
        step: Steps done.
        elapsed: Seconds of the whole run.

    Raises:
        InputError: No limit.
    """

    clock: Callable[[], float] = staticmethod(time.monotonic)  # what minutes are measured by

    def __init__(
        self,
        state: Path | None,
        run: str,
        *,
        minutes: float = 0.0,
        steps: int = 0,
        images_per_step: int,
    ) -> None:
        check_limits(minutes, steps)
        self.state, self._run = state, run
        self._minutes, self._steps, self._images_per_step = minutes, steps, images_per_step
        self.step, self.elapsed = 0, 0.0
        self._schedules: list[tuple[Optimizer, Schedule]] = []
        self._schedulers: list[torch.optim.lr_scheduler.LRScheduler] = []

    @abstractmethod
    def _learn(self) -> float:
        """One step of the optimiser; returns the loss."""

    @abstractmethod
    def _parts(self) -> Mapping[str, Part]:
        """All that a state holds, by the name that it has there."""

    def _extras(self) -> dict[str, float]:
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

    def schedule(self, optimiser: Optimizer, share: Schedule) -> None:
        """From now on an optimiser's rate is the one that it was made with times a share."""
        self._schedules.append((optimiser, share))
        self._set_rates()

    def run(
        self,
        report: Report = lambda now: None,
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

        Raises:
            InputError: Another process trains on this state.
        """
        with self._held():
            self._learn_on(report, every, stop)

    def _learn_on(self, report: Report, every: float, stop: Callable[[], bool]) -> None:
        began, saved = self.clock(), time.monotonic()
        already, since = self.elapsed, self.step
        losses: list[float] = []
        while self._agree(self.progress < 1.0 and not stop()):
            losses.append(self._learn())
            self.step += 1
            now = time.monotonic()
            self.elapsed = already + self.clock() - began
            for rate in self._schedulers:
                rate.step()
            finished = self._agree(self.progress >= 1.0)
            if self.leads and (finished or now - saved >= every):
                self.save()
                images = (self.step - since) * self._images_per_step
                report(
                    {
                        "progress": self.progress,
                        "step": self.step,
                        "images": self.step * self._images_per_step,
                        "loss": float(np.mean(losses)),
                        "rate": images / max(now - saved, 1e-9),
                    }
                    | self._extras()
                )
                losses, since, saved = [], self.step, time.monotonic()
        if self.leads:
            self.save()

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Nobody else trains on this state meanwhile: two would overwrite each other's steps."""
        if self.state is None or not self.leads:
            yield
            return
        lock = self.state.with_name(f"{self.state.name}.lock")
        with ExitStack() as held:
            try:
                held.enter_context(alone(lock, wait=False, stays=False))
            except BlockingIOError as error:
                raise InputError(
                    f"{self.state.name} is in use by another training; wait for it or end it"
                ) from error
            yield

    def save(self) -> None:
        """Writes everything that is needed to go on, if the run is kept."""
        if self.state is None:
            return
        kept = {name: _state_of(part) for name, part in self._parts().items()}
        contents = {
            "network": self._run,
            "step": self.step,
            "elapsed": self.elapsed,
            "kept": kept,
        }
        # By a file of Python's: of a full disk it raises an OSError.
        with whole(self.state) as temporary, temporary.open("wb") as file:
            torch.save(contents, file)

    def resume(self) -> bool:
        """Goes on from the state file; False if there is none.

        Raises:
            InputError: It is damaged, or of another run.
        """
        if self.state is None or not self.state.is_file():
            return False
        self._go_on_from(self.state)
        return True

    def branch(self, other: Path) -> None:
        """Goes on from the state of another run of this network, with a time of its own.

        Raises:
            InputError: It is missing, damaged, or of another network.
        """
        if not other.is_file():
            raise InputError(f"no state {other.name} to go on from")
        self._go_on_from(other)
        self.elapsed = 0.0
        self._set_rates()

    def _go_on_from(self, state: Path) -> None:
        damaged = f"{state.name} is damaged; remove it to start anew"
        try:
            contents: dict[str, Any] = torch.load(state, map_location="cpu", weights_only=True)
            same = contents.get("network") == self._run
        except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
            raise InputError(damaged) from error
        except (AttributeError, KeyError) as error:  # something else that torch has written
            raise InputError(damaged) from error
        if not same:
            raise InputError(
                f"{state.name} belongs to another run: of another network, other classes, data or "
                "options; give the same or remove it"
            )
        try:
            self.step, self.elapsed = contents["step"], contents["elapsed"]
            self._restore(contents["kept"])
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            raise InputError(damaged) from error
        self._set_rates()

    def _restore(self, kept: Mapping[str, Any]) -> None:
        """Sets all parts to what a state holds."""
        for name, part in self._parts().items():
            if isinstance(part, torch.Generator):
                part.set_state(kept[name])
            else:
                part.load_state_dict(kept[name])

    def _set_rates(self) -> None:
        """Sets the rates of the next step, wherever the run stands."""

        def of_run(share: Schedule) -> Callable[[int], float]:
            return lambda step: share(step, self.progress)

        self._schedulers = [
            scheduler(optimiser, of_run(share), self.step) for optimiser, share in self._schedules
        ]


def _state_of(part: Part) -> Any:
    return part.get_state() if isinstance(part, torch.Generator) else part.state_dict()
