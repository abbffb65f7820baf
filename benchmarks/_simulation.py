"""How a release by many workers goes: its chunks handed out, without doing the work."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from latentdp.release.dask_executor import FEW, PER_WORKER
from latentdp.release.executor import CHUNK, GROUP

__all__ = ["Costs", "Simulated", "simulate"]


@dataclass(frozen=True)
class Costs:
    """Of one file, in seconds and bytes.

    Attributes:
        read: Digest and reading, by a worker.
        release: Network, detail and writing, by a worker.
        decide: Decisions and reservation, by the run.
        record: Records and names, by the run.
        input: Bytes read of an input, by digest and decoder together.
        output: Bytes of an output.
        vault: Bytes that the vault keeps, its pages left out.
        rows: Of the ledger.
    """

    read: float
    release: float
    decide: float
    record: float
    input: float
    output: float
    vault: float
    rows: float


@dataclass(frozen=True)
class Simulated:
    """A run of many workers.

    Attributes:
        workers: How many.
        files: How many.
        seconds: Until the last output has its name.
        busy: Share of the time that workers (on average), storage and run were.
    """

    workers: int
    files: int
    seconds: float
    busy: dict[str, float]

    @property
    def bottleneck(self) -> str:
        """What is busiest."""
        return max(self.busy, key=lambda name: self.busy[name])


def simulate(costs: Costs, workers: int, files: int, bandwidth: float) -> Simulated:
    """Hands out a run's chunks as the run does: one is read while another is released.

    Args:
        costs: Of one file.
        workers: With one thread each.
        files: In all.
        bandwidth: Of the storage in bytes per second, to and from all workers together.
    """
    chunk = max(CHUNK, PER_WORKER * GROUP * workers)
    free = [0.0] * workers  # when each worker has nothing left to do
    storage = run = asked = 0.0
    busy: Counter[str] = Counter()

    def task(start: float, seconds: float, amount: float) -> float:
        """The earliest free worker does it; its bytes queue at the storage."""
        nonlocal storage
        begin = max(heapq.heappop(free), start)
        storage = max(storage, begin) + amount / bandwidth
        end = storage + seconds
        heapq.heappush(free, end)
        busy["workers"] += seconds
        busy["storage"] += amount / bandwidth
        return end

    def read(n: int, start: float) -> float:
        return max(task(start, k * costs.read, k * costs.input) for k in _groups(n, FEW))

    sizes = list(_groups(files, chunk))
    ready = read(sizes[0], 0.0)
    for i, n in enumerate(sizes):
        run = max(run, ready) + n * costs.decide
        busy["run"] += n * (costs.decide + costs.record)
        asked = run
        if i + 1 < len(sizes):
            ready = read(sizes[i + 1], asked)
        for k in _groups(n, GROUP):
            run = max(run, task(asked, k * costs.release, k * costs.output)) + k * costs.record
    shares = {
        "workers": busy["workers"] / workers / run,
        "storage": busy["storage"] / run,
        "run": busy["run"] / run,
    }
    return Simulated(workers, files, run, shares)


def _groups(n: int, size: int) -> Iterator[int]:
    for start in range(0, n, size):
        yield min(size, n - start)
