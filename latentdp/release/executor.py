"""Where the things of `latentdp.release.tasks` are done: in this process or in several.

A worker process loads the weights once. Files come back as small arrays of the flow's size, so
memory and traffic do not depend on the size of the inputs.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TypeVar

from latentdp.core.content_digest import ContentDigest
from latentdp.data import radiograph
from latentdp.errors import Aborted
from latentdp.privacy.noise import Noise
from latentdp.privatizer import Privatizer
from latentdp.recipe import Recipe
from latentdp.release.tasks import (
    Refusal,
    Taken,
    Task,
    Written,
    read_input,
    release,
    take_input,
)
from latentdp.release.worker import this_process
from latentdp.vault.drafts import Drafts

__all__ = ["CHUNK", "GROUP", "Pool", "pool", "preload"]

CHUNK = 128  # files that are looked up, reserved and recorded together, at least
GROUP = 32  # images that go through the flow together

A = TypeVar("A")
B = TypeVar("B")


class Pool:
    """Runs the functions over lists, in order; each list is worked on in parallel."""

    def __init__(
        self, executor: Executor | None, privatizer: Privatizer, workers: int = 1
    ) -> None:
        self._executor, self._privatizer, self._workers = executor, privatizer, workers
        self._chunk = max(CHUNK, 2 * GROUP * workers)

    def chunk(self) -> int:
        """Files that are worth handling together: as many as keep all workers busy."""
        return self._chunk

    def chunks(self, files: Sequence[A]) -> Iterator[Sequence[A]]:
        """The files in parts of `chunk`, which may be larger from part to part."""
        start = 0
        while start < len(files):
            part = files[start : start + self.chunk()]
            start += len(part)
            yield part

    def groups(self, images: Sequence[A]) -> list[Sequence[A]]:
        """Images that go through the flow together: not so many that a worker has none."""
        size = max(1, min(GROUP, -(-len(images) // self._workers)))
        return [images[i : i + size] for i in range(0, len(images), size)]

    def take(
        self, paths: Sequence[Path], digest: ContentDigest, *, pixels: bool
    ) -> Iterator[Taken]:
        """The digest of each file and, if asked for, what `read` gives, of the same bytes.

        Args:
            paths: Of the files.
            digest: How to digest them.
            pixels: Whether to read what they hold.
        """
        shape, profile = self._privatizer.flow.shape, self._privatizer.recipe.profile
        wanted = shape if pixels else None
        return self._map(take_input, [(path, digest, wanted, profile) for path in paths])

    def read(self, paths: Sequence[Path]) -> Iterator[radiograph.Radiograph | Refusal]:
        """Each file as an image of the flow's size, or why not."""
        shape, profile = self._privatizer.flow.shape, self._privatizer.recipe.profile
        return self._map(read_input, [(path, shape, profile) for path in paths])

    def release(self, groups: Sequence[Sequence[Task]], drafts: Drafts) -> Iterator[list[Written]]:
        """Privatizes groups of tasks, and writes a draft of each image.

        Several workers begin with it at once, before the first result is asked for.
        """
        privatizer = self._privatizer
        if self._executor is None:
            return (release(privatizer, group, drafts) for group in groups)
        remote = RemoteRelease(
            recipe=privatizer.recipe, exact=privatizer.flow.exact, drafts=drafts
        )
        return self._executor.map(remote, groups)

    def _map(self, function: Callable[[A], B], items: Sequence[A]) -> Iterator[B]:
        if self._executor is None:
            return map(function, items)
        return self._executor.map(function, items, chunksize=8)


def preload(workers: int) -> None:
    """Has libraries loaded for workers that will be needed, while this process loads its own."""
    if workers > 1 and sys.platform == "linux":
        _context()
        forkserver.ensure_running()


@contextmanager
def pool(privatizer: Privatizer, workers: int) -> Iterator[Pool]:
    """A pool of ``workers`` processes; with 1, the work is done in this process.

    Raises:
        Aborted: A worker process died.
    """
    if workers == 1:
        yield Pool(None, privatizer)
        return
    executor = ProcessPoolExecutor(
        workers,
        mp_context=_context(),
        initializer=_start,
        initargs=(privatizer.recipe, privatizer.noise, privatizer.flow.exact),
    )
    try:
        with _uninterrupted():  # the processes start here and inherit that they ignore Ctrl-C
            for _ in range(workers):
                executor.submit(os.getpid)
        yield Pool(executor, privatizer, workers)
    except BrokenProcessPool:
        raise Aborted(
            "a worker process died, perhaps of too little memory or over one damaged file; "
            "running the same command again goes on from here"
        ) from None
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _context() -> BaseContext:
    """How worker processes begin: not as forks of this one, which may hold threads of torch.

    On Linux they are forks of one that imported what they need, and did nothing else: so that is
    paid for once. Elsewhere each starts fresh.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["latentdp.release.preload"])
    return context


@dataclass(frozen=True)
class RemoteRelease:
    """`release` in a worker process, with the privatizer that it keeps.

    Attributes:
        recipe: Of the privatizer.
        exact: As `Privatizer.from_recipe` has it.
        drafts: Of the run.
    """

    recipe: Recipe
    exact: bool
    drafts: Drafts

    def __call__(self, tasks: Sequence[Task]) -> list[Written]:
        """As `release`."""
        privatizer = this_process.privatizer(self.recipe, exact=self.exact)
        return release(privatizer, tasks, self.drafts)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C is for the run, which ends its workers; a worker would print a traceback."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end_with(run: BaseProcess | None) -> None:
    """Ends this worker with its run: its successor makes what is still owed, and only it."""
    if run is not None:
        run.join()
    os._exit(1)


def _start(recipe: Recipe, noise: Noise, exact: bool) -> None:
    """Begins a worker process: it is tied to its run, and loads the weights."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Windows does not hand this down
    run = multiprocessing.parent_process()
    threading.Thread(target=_end_with, args=(run,), daemon=True).start()
    this_process.privatizer(recipe, exact=exact, noise=noise)
