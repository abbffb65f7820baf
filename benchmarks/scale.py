"""What a million radiographs cost, and what limits 1, 10 or 100 workers: timed, then simulated.

    python benchmarks/scale.py [--files 256] [--height 2500] [--width 2000] [--syntax explicit]
        [--options preset=balanced candidates=4] [--size 128] [--ledger URL] [--workers 1 10 100]
        [--bandwidth 1000] [--million 1000000] [--place FOLDER] [--json FILE]

Runs over synthetic files on one thread of this machine are timed stage by stage: what workers do
(digest, read, network, drawn detail, write) and what only the run itself does (decisions, ledger,
records, names), the latter as the difference of two folders, one a quarter of the other, so that
what happens once is not counted for each file. The simulation hands the same chunks and groups as
a run does to so many workers with those times, over storage that delivers ``--bandwidth``
megabytes a second to all of them together, and names what is busiest: the workers, the storage or
the run. An input is read twice, for its digest and for its pixels. It assumes workers as fast as
this thread, and leaves out what Dask and a network add to a task (the arrays are small).
"""

from __future__ import annotations

import argparse
import heapq
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from folders import SYNTAXES, make

from latentdp import Privatizer
from latentdp.data.dicom.profile import Profile
from latentdp.models.device import use_threads
from latentdp.release.dask_executor import FEW, PER_WORKER
from latentdp.release.executor import GROUP
from latentdp.release.inputs import CHUNK
from latentdp.release.privatize import privatize_folder
from latentdp.vault.vault import Vault

# What is timed: the stage, and where the function is called from.
STAGES = {
    "digest": "latentdp.release.tasks.digest_input",
    "read": "latentdp.release.tasks.read_input",
    "network": "latentdp.privatizer.Privatizer.release_and_rate",
    "detail": "latentdp.privatizer.Privatizer.enlarge",
    "write": "latentdp.data.radiograph.write",
    "once": "latentdp.release.run.write_review",
    "card": "latentdp.release.run.Run._write_card",
}
ONCE = (".html", ".png")  # pages of the vault, of one size for any folder


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


def main(arguments: Sequence[str] | None = None) -> None:
    """Times, simulates, prints."""
    options = _parser().parse_args(arguments)
    use_threads(1)
    stages, costs = measured(options)
    print(f"| stage, one thread | ms a file of {options.files} |\n|---|---|")
    for name, seconds in stages.items():
        print(f"| {name} | {1e3 * seconds:.2f} |")
    million = options.million
    cpu = sum((costs.read, costs.release, costs.decide, costs.record)) * million / 3600
    read, written, kept = (n * million * 1e-9 for n in (costs.input, costs.output, costs.vault))
    print(
        f"\n{million:,} files: {cpu:.1f} core hours, {read:,.1f} GB read in two passes, ", end=""
    )
    print(f"{written:.1f} GB written, {kept:.1f} GB in the vault, ", end="")
    print(f"{costs.rows * million:,.0f} rows of the ledger\n")
    rows = [simulate(costs, n, million, options.bandwidth * 1e6) for n in options.workers]
    print("| workers | files/s | hours | workers busy | storage busy | run busy | bottleneck |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        shares = " | ".join(f"{row.busy[k]:.0%}" for k in ("workers", "storage", "run"))
        rate, hours = row.files / row.seconds, row.seconds / 3600
        print(f"| {row.workers} | {rate:,.0f} | {hours:.2f} | {shares} | {row.bottleneck} |")
    if options.json:
        found = {"stages": stages, "costs": asdict(costs), "rows": [asdict(r) for r in rows]}
        options.json.write_text(json.dumps(found, indent=2))


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


def measured(options: argparse.Namespace) -> tuple[dict[str, float], Costs]:
    """Seconds of each stage and costs, a file, of a run over synthetic files."""
    fields = dict(word.split("=", 1) for word in options.options)
    changes: dict[str, Any] = {k: int(v) if v.isdigit() else v for k, v in fields.items()}
    profile = Profile(size=options.size, detail=options.size > 64)
    privatizer = Privatizer.load(label="none", profile=profile, **changes)
    with tempfile.TemporaryDirectory(dir=options.place) as place:
        folder = Path(place)
        shape = options.height, options.width
        few = max(1, options.files // 4)
        for name, files in (("few", few), ("in", options.files)):
            make(folder / name, files, options.syntax, shape)
        for out in ("warm-up", "a"):
            _, own_of_few = _run(privatizer, folder / "few", folder / out, options.ledger)
        spent, own_of_all = _run(privatizer, folder / "in", folder / "out", options.ledger)
        sizes = [
            sum(p.stat().st_size for p in (folder / where).rglob("*.dcm")) / options.files
            for where in ("in", "out")
        ]
        vault = Vault(folder / "out.vault")
        with vault.locked(), closing(vault.ledger()) as book:
            rows = book.verify()
        kept = sum(p.stat().st_size for p in vault.path.rglob("*") if p.suffix not in ONCE)
    stages = {name: spent[name] / options.files for name in STAGES}
    own = max(0.0, own_of_all - own_of_few) / max(1, options.files - few)
    stages["run: decisions, ledger, records, names"] = own
    costs = Costs(
        read=stages["digest"] + stages["read"],
        release=stages["network"] + stages["detail"] + stages["write"],
        decide=own / 2,
        record=own / 2,
        input=2 * sizes[0],
        output=sizes[1],
        vault=kept / options.files,
        rows=rows / options.files,
    )
    return stages, costs


def _run(
    privatizer: Privatizer, source: Path, out: Path, ledger: str | None
) -> tuple[Counter[str], float]:
    """Seconds of the stages, and what the run took besides."""
    spent: Counter[str] = Counter()
    with timers(spent):
        began = time.perf_counter()
        privatize_folder(source, out, privatizer, vault=Path(f"{out}.vault"), ledger=ledger)
        total = time.perf_counter() - began
    return spent, total - sum(spent.values())


@contextmanager
def timers(spent: Counter[str]) -> Iterator[None]:
    """Adds up the seconds of each stage while the block runs."""
    inside: list[str] = []

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            if inside:  # what a stage does itself counts as that stage
                return function(*arguments, **more)
            inside.append(name)
            began = time.perf_counter()
            try:
                return function(*arguments, **more)
            finally:
                spent[name] += time.perf_counter() - began
                inside.pop()

        return call

    with ExitStack() as patches:
        for name, place in STAGES.items():
            patcher = patch(place)
            original, _ = patcher.get_original()
            patches.enter_context(patch(place, timed(name, original)))
        yield


def _groups(n: int, size: int) -> Iterator[int]:
    for start in range(0, n, size):
        yield min(size, n - start)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=256)
    parser.add_argument("--height", type=int, default=2500)
    parser.add_argument("--width", type=int, default=2000)
    parser.add_argument("--syntax", choices=SYNTAXES, default="explicit")
    parser.add_argument("--options", nargs="*", default=[], help="fields of the recipe")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--ledger", help="URL of its database")
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 10, 100])
    parser.add_argument("--bandwidth", type=float, default=1000, help="MB/s of the storage")
    parser.add_argument("--million", type=int, default=1_000_000, help="files of the simulation")
    parser.add_argument("--place", type=Path, help="where the files lie meanwhile")
    parser.add_argument("--json", type=Path)
    return parser


if __name__ == "__main__":
    main()
