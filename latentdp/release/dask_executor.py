"""A run's work on a Dask cluster: the same functions, on other machines.

The run itself stays where it was started, with the vault: only it decides, reserves in the
ledger, writes drafts, records and publishes. Workers read inputs, which they reach under the same
path, as on a shared file system, and send back the files of their images, which they keep in
memory only; they load the weights once each.

A worker that dies loses nothing: what it had not finished is done by another one, under the
reservation that was made before either drew any noise. Of the attempts at an output the run takes
the one whose result it was given; no other one is ever written.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from latentdp.core.version import __version__
from latentdp.errors import Aborted, InputError, LatentDPError, WeightsError
from latentdp.models.checkpoints import shipped
from latentdp.privacy.noise import SystemNoise
from latentdp.privatizer import Privatizer
from latentdp.recipe import Recipe
from latentdp.release.executor import GROUP, Pool
from latentdp.release.tasks import Draw, Task, Written, draw_images, keep
from latentdp.release.worker import this_process
from latentdp.vault.drafts import Drafts

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["cluster"]

PATIENCE = 60  # seconds to wait for the scheduler, and for a first worker
PER_WORKER = 4  # groups of images that are ready for each worker
FEW = 8  # files that are read by one task

LOST = (
    "the cluster was lost, or its workers died over and over, perhaps of too little memory; "
    "running the same command again goes on from here"
)


class ClusterPool(Pool):
    """As `Pool`, on a cluster.

    Args:
        client: Connected.
        privatizer: Of the run.
        source: Input folder or file.
    """

    def __init__(self, client: Client, privatizer: Privatizer, source: Path) -> None:
        super().__init__(None, privatizer)
        self._client, self._source = client, source
        self._recipe = everywhere(privatizer.recipe)

    def chunk(self) -> int:
        """As many as keep all workers busy that there are now."""
        return max(super().chunk(), PER_WORKER * GROUP * len(self._client.nthreads()))

    def release(self, groups: Sequence[Sequence[Task]], drafts: Drafts) -> Iterator[list[Written]]:
        """Privatizes groups of tasks there, and writes a draft of each image here."""
        exact = self._privatizer.flow.exact
        parts = [[RemoteDraws(recipe=self._recipe, exact=exact, tasks=group)] for group in groups]
        results = self._each(draw_remotely, parts, [[]] * len(parts))
        return (
            [keep(drafts, *both) for both in zip(group, draws, strict=True)]
            for group, (draws,) in zip(groups, results, strict=True)
        )

    def _map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        parts = [items[i : i + FEW] for i in range(0, len(items), FEW)]
        # A machine that misses some would say that they cannot be read, and all would go on.
        reach = [[self._source, *filter(_readable, map(_path, part))] for part in parts]
        parts_of_results = self._each(function, parts, reach)
        return (result for results in parts_of_results for result in results)

    def _each(
        self,
        function: Callable[[Any], Any],
        parts: Sequence[Sequence[Any]],
        reach: Sequence[Sequence[Path]],
    ) -> Iterator[list[Any]]:
        """Hands out all parts at once; gives back their results in their order."""
        from dask import config

        remote_tasks = [
            RemoteTask(function=function, items=part, reach=places)
            for part, places in zip(parts, reach, strict=True)
        ]
        with config.set({"distributed.admin.large-graph-warning-threshold": "1TB"}):
            futures = deque(self._client.map(carry_out, remote_tasks, pure=False))
        return _results(futures)


def _path(item: tuple[Any, ...]) -> Path:
    path: Path = item[0]
    return path


def _readable(path: Path) -> bool:
    return os.access(path, os.R_OK)


def _results(futures: deque[Future[Any]]) -> Iterator[list[Any]]:
    while futures:
        yield _result(futures[0])
        futures.popleft().release()  # or Dask would do it again if its worker dies later


def _result(future: Future[Any]) -> Any:
    try:
        return future.result()
    except (InputError, WeightsError) as error:  # of a worker that joined later
        raise Aborted(str(error)) from error
    except (CancelledError, asyncio.CancelledError, OSError, TimeoutError) as error:
        raise Aborted(LOST) from error
    except Exception as error:
        if type(error).__module__.startswith("distributed"):  # KilledWorker and its like
            raise Aborted(LOST) from error
        raise


@contextmanager
def cluster(privatizer: Privatizer, address: str, *, source: Path) -> Iterator[Pool]:
    """A pool of the workers of a Dask cluster.

    Args:
        privatizer: What to do to each image; its weights must be there under the same name.
        address: Of the scheduler, as ``tcp://host:8786``, or the path of its scheduler file.
        source: Folder or file that every worker must reach, as an absolute path.

    Raises:
        InputError: Dask is not installed, no such cluster, another version, other weights, or
            a source that the workers do not reach.
        Aborted: The cluster was lost.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise InputError(
            "--cluster needs Dask: install latentdp[cluster] here, on the scheduler and on every "
            "worker"
        ) from None
    if not isinstance(privatizer.noise, SystemNoise):
        raise InputError("on a cluster all noise is of the workers' operating systems")
    with _connected(Client, address) as client:
        _check(client, privatizer, [source])
        yield ClusterPool(client, privatizer, source)


def everywhere(recipe: Recipe) -> Recipe:
    """The recipe with the path of weights as every working directory understands it."""
    if recipe.weights in shipped():
        return recipe
    return replace(recipe, weights=str(Path(recipe.weights).absolute()))


@contextmanager
def _connected(kind: type[Client], address: str) -> Iterator[Client]:
    place = {"scheduler_file": address} if Path(address).is_file() else {"address": address}
    client = None
    try:
        client = kind(**place, timeout=PATIENCE, set_as_default=False)
        client.wait_for_workers(1, timeout=PATIENCE)
    except Exception:  # noqa: BLE001 (an address may be wrong in as many ways as there are)
        if client is not None:
            client.close()
        raise InputError(
            f"no Dask scheduler with a worker answered within {PATIENCE} seconds; expected its "
            "address, such as tcp://host:8786 (for tls:// with the certificates in Dask's own "
            "configuration), or its scheduler file"
        ) from None
    try:
        yield client
    finally:
        client.close()


def _check(client: Client, privatizer: Privatizer, reach: Sequence[Path]) -> None:
    """Refuses a cluster that would do something else, before anything is written."""
    recipe, exact = everywhere(privatizer.recipe), privatizer.flow.exact
    remote_task = RemoteTask(
        function=ready, items=[(recipe, exact)], reach=reach, version=__version__
    )
    try:
        client.submit(carry_out, remote_task, pure=False).result()  # by way of the scheduler
        answers = list(client.run(carry_out, remote_task, on_error="return").values())
    except Exception as error:  # noqa: BLE001 (whatever a worker or the scheduler lacks)
        answers = [error]
    for answer in answers:
        if isinstance(answer, LatentDPError):
            raise answer
        if isinstance(answer, BaseException):
            raise InputError(
                f"a machine of the cluster cannot load latentdp ({type(answer).__name__}); "
                "install the same version on the scheduler and on every worker"
            )


APART = (
    "a worker of the cluster does not reach the input folder under its path, or may not read what "
    "this process may; it must lie on a file system that all machines share"
)


_alone = Lock()


@dataclass(frozen=True, kw_only=True, repr=False)  # a worker logs what it fails on
class RemoteTask:
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
class RemoteDraws:
    """Images to be privatized.

    Attributes:
        recipe: With the name of weights that the worker has, too.
        exact: As `Privatizer.from_recipe` has it.
        tasks: One for each.
    """

    recipe: Recipe
    exact: bool
    tasks: Sequence[Task]


def carry_out(remote_task: RemoteTask) -> list[Any]:
    """What any worker does, also one that joined later."""
    if remote_task.version != __version__:
        raise InputError(
            f"expected latentdp {remote_task.version} on every worker of the cluster, one has "
            f"{__version__}"
        )
    if not all(os.access(path, os.R_OK) for path in remote_task.reach):
        raise InputError(APART)
    # The networks use all cores as it is; more threads would only hold more pictures.
    with _alone:
        return [remote_task.function(item) for item in remote_task.items]


def draw_remotely(draws: RemoteDraws) -> list[Draw]:
    """Draws each image, and writes nothing."""
    privatizer = this_process.privatizer(draws.recipe, exact=draws.exact)
    return list(draw_images(privatizer, draws.tasks))


def ready(given: tuple[Recipe, bool]) -> None:
    """Loads the weights."""
    recipe, exact = given
    this_process.privatizer(recipe, exact=exact)
