"""A worker process: it is set up once, and keeps the networks of the runs that it works for."""

from __future__ import annotations

from threading import Lock

from latentdp.core.process import tune_allocator
from latentdp.privacy.noise import Noise
from latentdp.privatizer import Privatizer
from latentdp.recipe import Recipe

__all__ = ["WorkerProcess", "this_process"]

KEPT = 2  # privatizers: a cluster's worker may serve two runs at once


class WorkerProcess:
    """What a process keeps between the tasks that it is given.

    In the process of the run itself, where nobody asks for a privatizer, it is empty.
    """

    def __init__(self) -> None:
        self._loaded: dict[tuple[Recipe, bool], Privatizer] = {}
        self._lock = Lock()
        self._ready = False

    def privatizer(self, recipe: Recipe, *, exact: bool, noise: Noise | None = None) -> Privatizer:
        """That of a recipe, loaded when it is first asked for.

        Args:
            recipe: With the name of weights that this machine has.
            exact: As `Privatizer.from_recipe` has it.
            noise: Only tests give one.

        Raises:
            WeightsError: The weights are refused.
        """
        with self._lock:
            self._set_up()
            privatizer = self._loaded.pop((recipe, exact), None)
            if privatizer is None:
                privatizer = Privatizer.from_recipe(recipe, noise, exact=exact)
            self._loaded[recipe, exact] = privatizer  # as the newest
            while len(self._loaded) > KEPT:
                del self._loaded[next(iter(self._loaded))]
            return privatizer

    def _set_up(self) -> None:
        """Once: several workers share a machine, so that each has one core."""
        if self._ready:
            return
        from latentdp.models.device import use_threads

        tune_allocator()
        use_threads(1)
        self._ready = True


this_process = WorkerProcess()
