"""A run's work on a Dask cluster: the same three functions, on other machines.

The run itself stays where it was started, with the vault: only it decides, reserves in the
ledger, records and gives outputs their names. Workers see pixels and pseudonyms. They reach input
and output under the same paths, as on a shared file system, and load the weights once each.

A worker that dies loses nothing: what it had not finished is done by another one, under the
reservation that was made before either drew any noise. A draft that the first one left is removed
before the second one is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from latentdp import __version__
from latentdp.errors import Aborted, InputError
from latentdp.noise import SystemNoise
from latentdp.outputs import part_of
from latentdp.privatizer import Privatizer
from latentdp.recipe import Recipe
from latentdp.workers import GROUP, Pool, Task, Written, pool, release

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["cluster", "workplace"]

PATIENCE = 60  # seconds to wait for the scheduler, and for a first worker
PER_WORKER = 4  # groups of images that are ready for each thread of the cluster


@dataclass(frozen=True, kw_only=True)
class Order:
    """A group of tasks, and all that a worker needs to carry it out.

    Attributes:
        recipe: With the name of weights that the worker has, too.
        exact: As `Privatizer.from_recipe` has it.
        tasks: What is to be written.
        run: File that names the run that writes to the folder, and what it says.
    """

    recipe: Recipe
    exact: bool
    tasks: tuple[Task, ...]
    run: tuple[Path, str]


class ClusterPool(Pool):
    """As `Pool`, on a cluster.

    Args:
        executor: The cluster's.
        privatizer: Of the run.
        threads: Of all workers together.
        out: The release folder.
    """

    def __init__(
        self, executor: Executor, privatizer: Privatizer, threads: int, out: Path | None
    ) -> None:
        super().__init__(executor, privatizer)
        self.chunk = max(self.chunk, PER_WORKER * GROUP * threads)
        self._tasks = executor
        self._name = SystemNoise().words(2).tobytes().hex()
        self._file = None if out is None else out.resolve() / ".run"

    def release(self, groups: Sequence[Sequence[Task]]) -> Iterator[list[Written]]:
        """Privatizes and writes groups of tasks."""
        assert self._file is not None
        if not self._file.exists() or self._file.read_text() != self._name:
            self._file.write_text(self._name)
        recipe, exact = self._privatizer.recipe, self._privatizer.flow.exact
        orders = [
            Order(recipe=recipe, exact=exact, tasks=tuple(group), run=(self._file, self._name))
            for group in groups
        ]
        return self._tasks.map(_release_there, orders)

    def close(self) -> None:
        """What a worker still writes for this run is written no more."""
        if self._file is not None:
            self._file.unlink(missing_ok=True)


def workplace(
    privatizer: Privatizer, workers: int, address: str | None, *, source: Path, out: Path | None
) -> AbstractContextManager[Pool]:
    """Processes of this machine or, with an address, the workers of a cluster.

    Args:
        privatizer: What to do to each image.
        workers: Processes here.
        address: As for `cluster`; None for none.
        source: As for `cluster`.
        out: As for `cluster`.

    Raises:
        InputError: As `cluster`, or both workers and a cluster.
    """
    if address is None:
        return pool(privatizer, workers)
    if workers != 1:
        raise InputError("give --workers or --cluster, not both: a cluster has its own workers")
    return cluster(privatizer, address, source=source, out=out)


@contextmanager
def cluster(
    privatizer: Privatizer, address: str, *, source: Path, out: Path | None
) -> Iterator[Pool]:
    """A pool of the workers of a Dask cluster.

    Args:
        privatizer: What to do to each image; its weights must be there under the same name.
        address: Of the scheduler, as ``tcp://host:8786``, or the path of its scheduler file.
        source: Folder or file that every worker must reach.
        out: Release folder, likewise; None where nothing is written.

    Raises:
        InputError: Dask is not installed, no such cluster, another version, other weights, or
            paths that do not reach the workers.
        Aborted: Workers died over and over.
    """
    try:
        from distributed import Client
        from distributed.scheduler import KilledWorker
    except ModuleNotFoundError:
        raise InputError(
            "--cluster needs Dask: install latentdp[cluster] here and on every worker"
        ) from None
    if not isinstance(privatizer.noise, SystemNoise):
        raise InputError("on a cluster all noise is of the workers' operating systems")
    with _connected(Client, address) as client:
        _check(client, privatizer, [source, *([out.parent] if out is not None else [])])
        threads = sum(client.nthreads().values())
        executor = client.get_executor(pure=False)
        made = ClusterPool(executor, privatizer, threads, out)
        try:
            yield made
        except KilledWorker:
            raise Aborted(
                "workers of the cluster died over and over, perhaps of too little memory; "
                "running the same command again goes on from here"
            ) from None
        finally:
            made.close()
            executor.shutdown(wait=False)


@contextmanager
def _connected(kind: type[Client], address: str) -> Iterator[Client]:
    place = {"scheduler_file": address} if Path(address).is_file() else {"address": address}
    try:
        client = kind(**place, timeout=PATIENCE, set_as_default=False)
        client.wait_for_workers(1, timeout=PATIENCE)
    except (OSError, ValueError, TimeoutError):
        raise InputError(
            f"no Dask scheduler with a worker answered within {PATIENCE} seconds; expected its "
            "address, such as tcp://host:8786, or its scheduler file"
        ) from None
    try:
        yield client
    finally:
        client.close()


def _check(client: Client, privatizer: Privatizer, paths: Sequence[Path]) -> None:
    """Refuses workers that would do something else, before anything is written."""
    asked = [path.resolve() for path in paths]
    said = client.run(_told, privatizer.recipe, privatizer.flow.exact, asked, on_error="return")
    for answer in said.values():
        if isinstance(answer, BaseException):
            raise InputError(
                "a worker of the cluster cannot load latentdp or these weights "
                f"({type(answer).__name__}); install the same version there, and give weights "
                "of your own under a path that it reaches"
            )
        version, there = answer
        if version != __version__:
            raise InputError(f"expected latentdp {__version__} on every worker, one has {version}")
        if not all(there):
            raise InputError(
                "a worker of the cluster does not reach the input or output folder under its "
                "path; both must lie on a file system that all machines share"
            )


_loading = Lock()


def _told(recipe: Recipe, exact: bool, paths: Sequence[Path]) -> tuple[str, list[bool]]:
    """What a worker is and sees; it loads the weights meanwhile."""
    _privatizer(recipe, exact)
    return __version__, [path.exists() for path in paths]


def _privatizer(recipe: Recipe, exact: bool) -> Privatizer:
    with _loading:  # a worker's threads share it
        return _loaded(recipe, exact)


@lru_cache(maxsize=2)
def _loaded(recipe: Recipe, exact: bool) -> Privatizer:
    from latentdp.flows.machine import use_threads

    use_threads(1)
    return Privatizer.from_recipe(recipe, exact=exact)


def _release_there(order: Order) -> list[Written]:
    """On a worker."""
    privatizer = _privatizer(order.recipe, order.exact)
    file, name = order.run

    def still() -> None:
        """A worker may outlive its run: another one may have taken its work over."""
        try:
            current = file.read_text()
        except OSError:
            current = ""
        if current != name:
            raise Aborted("the run that this was done for has ended")

    still()
    for task in order.tasks:  # drafts of a worker that died
        for label in range(-1, len(privatizer.flow.classes)):
            part_of(task.path, label).unlink(missing_ok=True)
    return release(privatizer, order.tasks, still)
