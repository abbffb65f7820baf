"""The three things done per file, in this process or in several: digest, read, release.

A worker process loads the weights once. Files come back as small arrays of the flow's size, so
memory and traffic do not depend on the size of the inputs.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from latentdp import files
from latentdp.errors import Aborted, InputError, UnsupportedInstance
from latentdp.inputs import CHUNK
from latentdp.noise import Noise
from latentdp.outputs import part_of
from latentdp.privatizer import Privatizer
from latentdp.profile import Profile
from latentdp.recipe import Recipe

__all__ = ["GROUP", "Pool", "Refusal", "Task", "Written", "pool", "release"]

GROUP = 32  # images that go through the flow together

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class Refusal:
    """Why one file cannot be handled."""

    reason: str
    message: str


@dataclass(frozen=True, kw_only=True, repr=False)
class Task:
    """One image to be released.

    Attributes:
        path: Where the private file will lie; it is written under its hidden name.
        image: The input's ``(h, w)`` in [0, 1].
        source: What a DICOM output has to know of its source; None for a picture.
        label: Its class index, -1 for unknown.
        identity: The output's pseudonyms.
        method: What the output says about how it was made.
    """

    path: Path
    image: NDArray[np.float32]
    source: files.Source | None
    label: int
    identity: files.Identity
    method: files.Method


@dataclass(frozen=True, kw_only=True)
class Written:
    """What became of a task.

    Attributes:
        sha256: Of the file; empty if decoding gave no finite image.
        label: The released one.
        bits: Bits per dimension of the input: private.
        odd: Whether the input is unlike those the flow was trained on: private.
    """

    sha256: str
    label: int
    bits: float
    odd: bool


# Reasons that are not the file's format, which `latentdp.dicom.refusals` lists.
NON_FINITE = Refusal("non-finite", "the private latent decoded to no finite image")
LOST = Refusal(
    "lost",
    "its output of an earlier run was moved, removed or altered; --again makes another one "
    "and charges it",
)
NOT_A_FILE = Refusal(
    "not-a-file", "a folder that is linked or cannot be entered, a broken link, or a device"
)


class Pool:
    """Runs the three functions over lists, in order; each list is worked on in parallel."""

    def __init__(
        self, executor: Executor | None, privatizer: Privatizer, workers: int = 1
    ) -> None:
        self._executor, self._privatizer = executor, privatizer
        self._chunk = max(CHUNK, 2 * GROUP * workers)

    def chunk(self) -> int:
        """Files that are worth handling together: as many as keep all workers busy."""
        return self._chunk

    def digests(self, paths: Sequence[Path]) -> Iterator[str]:
        """Reader and SHA-256 of each file; empty for one that cannot be opened."""
        return self._map(_digest, paths)

    def read(self, paths: Sequence[Path]) -> Iterator[files.Radiograph | Refusal]:
        """Each file as an image of the flow's size, or why not."""
        shape, profile = self._privatizer.flow.shape, self._privatizer.recipe.profile
        return self._map(_read, [(path, shape, profile) for path in paths])

    def release(self, groups: Sequence[Sequence[Task]]) -> Iterator[list[Written]]:
        """Privatizes and writes groups of tasks."""
        if self._executor is None:
            return (release(self._privatizer, group) for group in groups)
        return self._executor.map(_release_here, groups)

    def _map(self, function: Callable[[A], B], items: Sequence[A]) -> Iterator[B]:
        if self._executor is None:
            return map(function, items)
        return self._executor.map(function, items, chunksize=8)


@contextmanager
def pool(privatizer: Privatizer, workers: int) -> Iterator[Pool]:
    """A pool of ``workers`` processes; with 1, the work is done in this process.

    Raises:
        InputError: Fewer than one worker.
        Aborted: A worker process died.
    """
    if workers < 1:
        raise InputError(f"expected at least 1 worker, got {workers}")
    if workers == 1:
        yield Pool(None, privatizer)
        return
    # Started fresh, not forked: a fork after torch has made threads can hang.
    executor = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
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


_here: dict[str, Any] = {}  # this worker process's privatizer


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
    from latentdp.flows.machine import use_threads

    run = multiprocessing.parent_process()
    threading.Thread(target=_end_with, args=(run,), daemon=True).start()
    use_threads(1)
    _here["privatizer"] = Privatizer.from_recipe(recipe, noise, exact=exact)


def _release_here(tasks: Sequence[Task]) -> list[Written]:
    return release(_here["privatizer"], tasks)


def release(privatizer: Privatizer, tasks: Sequence[Task]) -> list[Written]:
    """Privatizes some images and writes them under their hidden names.

    Args:
        privatizer: Of the run.
        tasks: At most `GROUP` of them.
    """
    images = np.stack([task.image for task in tasks])
    labels = np.array([task.label for task in tasks])
    made, rating = privatizer.release_and_rate(images, labels=labels)
    written = []
    for i, task in enumerate(tasks):
        sha256 = ""
        if made.valid[i]:
            try:
                # One at a time: a large size would take much memory for all of them.
                image = privatizer.enlarge(made.images[i : i + 1])[0]
                part = part_of(task.path, int(made.labels[i]))
                sha256 = files.write(part, image, task.source, task.identity, task.method)
            except OSError as error:
                raise Aborted(
                    f"an output could not be written ({error.strerror}); nothing half-written "
                    "was left, and running the same command again goes on from here"
                ) from None
        written.append(
            Written(
                sha256=sha256,
                label=int(made.labels[i]),
                bits=float(rating.bits[i]),
                odd=bool(rating.odd[i]),
            )
        )
    return written


def _digest(path: Path) -> str:
    try:
        # The same bytes as a picture and as DICOM are two inputs: one of them is refused.
        return f"{files.reader(path)} {files.digest(path)}" if path.is_file() else ""
    except OSError:
        return ""


def _read(item: tuple[Path, tuple[int, int], Profile]) -> files.Radiograph | Refusal:
    path, shape, profile = item
    try:
        if not path.is_file():
            return NOT_A_FILE
        with path.open("rb"):  # fails here rather than as "not DICOM"
            pass
        return files.read(path, shape, profile)
    except UnsupportedInstance as error:
        return Refusal(error.reason, str(error))
    except OSError:
        return Refusal("unreadable", "the file cannot be opened")
