"""What a worker of a cluster is handed, and does: an errand of some items.

It writes drafts, each attempt its own, and names no output: that is the run's, on its own machine
(`latentdp.cluster`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from latentdp import __version__
from latentdp.errors import InputError
from latentdp.noise import SystemNoise
from latentdp.outputs import part_of
from latentdp.privatizer import Privatizer
from latentdp.recipe import Recipe
from latentdp.workers import Task, Written, release

__all__ = ["Drafts", "Errand", "carry_out", "ready", "write_drafts"]

APART = (
    "a worker of the cluster does not reach the input or output folder under its path, or may not "
    "read what this process may; both must lie on a file system that all machines share"
)

_alone = Lock()


@dataclass(frozen=True, kw_only=True, repr=False)  # a worker logs what it fails on
class Errand:
    """Work for one worker, and what it needs to be the right one.

    Attributes:
        function: Of one item.
        items: What to call it on.
        reach: Folders or files that must be there and readable.
        version: Of this package.
    """

    function: Callable[[Any], Any]
    items: Sequence[Any]
    reach: Sequence[Path]
    version: str = __version__


@dataclass(frozen=True, kw_only=True, repr=False)
class Drafts:
    """Images to be privatized and written.

    Attributes:
        recipe: With the name of weights that the worker has, too.
        exact: As `Privatizer.from_recipe` has it.
        tasks: Each with the path of its draft.
    """

    recipe: Recipe
    exact: bool
    tasks: Sequence[Task]


def carry_out(errand: Errand) -> list[Any]:
    """What any worker does, also one that joined later."""
    if errand.version != __version__:
        raise InputError(
            f"expected latentdp {errand.version} on every worker of the cluster, one has "
            f"{__version__}"
        )
    if not all(os.access(path, os.R_OK) for path in errand.reach):
        raise InputError(APART)
    # What is done to a file is not for several threads at once (`latentdp.dicom.instance`).
    with _alone:
        return [errand.function(item) for item in errand.items]


def write_drafts(drafts: Drafts) -> list[tuple[Written, str]]:
    """Writes each image under a name of this attempt alone."""
    attempt = SystemNoise().words(1).tobytes().hex()
    tasks = [
        replace(task, path=task.path.with_name(f"{attempt}-{task.path.name}"))
        for task in drafts.tasks
    ]
    made = release(_privatizer(drafts.recipe, drafts.exact), tasks)
    return [
        (written, part_of(task.path, written.label).name)
        for task, written in zip(tasks, made, strict=True)
    ]


def ready(given: tuple[Recipe, bool]) -> None:
    """Loads the weights."""
    _privatizer(*given)


@lru_cache(maxsize=2)
def _privatizer(recipe: Recipe, exact: bool) -> Privatizer:
    from latentdp.flows.machine import use_threads

    use_threads(1)
    return Privatizer.from_recipe(recipe, exact=exact)
