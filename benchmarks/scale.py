"""What a million radiographs cost, and what limits 1, 10 or 100 workers: timed, then simulated.

    python benchmarks/scale.py [--files 256] [--height 2500] [--width 2000] [--syntax explicit]
        [--options preset=balanced candidates=4] [--size 128] [--ledger URL] [--workers 1 10 100]
        [--bandwidth 1000] [--million 1000000] [--place FOLDER] [--json FILE]

Runs over synthetic files on one thread of this machine are timed stage by stage: what workers do
(digest, read, network, drawn detail, write) and what only the run itself does (decisions, ledger,
records, names), the latter as the difference of two folders, one a quarter of the other, so that
what happens once is not counted for each file. Card, table and review look at every output once
more; of larger folders they show no more images, so that two folders of small files tell what they
take for each. The simulation hands the same chunks and groups as
a run does to so many workers with those times, over storage that delivers ``--bandwidth``
megabytes a second to all of them together, and names what is busiest: the workers, the storage or
the run. An input is read once, for its digest and for its pixels. Seconds are those of the
processor, which others on the machine change least. It assumes workers as fast as this thread, and
leaves out what Dask and a network add to a task (the arrays are small).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

from _harness import Report, parse, parser
from _radiographs import SYNTAXES, make_radiographs
from _results import Column, Value, markdown
from _simulation import Costs, Simulated, simulate

from latentdp import Privatizer
from latentdp.core.process import tune_allocator
from latentdp.data.dicom.profile import Profile
from latentdp.models.device import use_threads
from latentdp.release.privatize import privatize_folder
from latentdp.vault.default_vault import default_vault
from latentdp.vault.vault import Vault

# What is timed: the stage, and where its functions are called from.
DETAIL = "latentdp.models.super_resolution"
STAGES = {
    "digest": ("latentdp.core.content_digest.ContentDigest.of",),
    "read": ("latentdp.release.executor.take_input",),
    "network": ("latentdp.privatizer.Privatizer.release_and_rate",),
    "detail": (
        f"{DETAIL}.detail_flow.DetailFlow.decode",
        f"{DETAIL}.refiner.Refiner.decode",
        f"{DETAIL}.equalizer.Equalizer.apply",
        f"{DETAIL}.cascade.resize",
    ),
    "latents of detail": (
        f"{DETAIL}.detail_flow.DetailFlow.draw",
        f"{DETAIL}.refiner.Refiner.draw",
    ),
    "encode": ("latentdp.data.radiograph.encode",),
    "write": ("latentdp.vault.drafts.Drafts.write",),
    "review": ("latentdp.release.run.write_review",),
    "card": ("latentdp.release.run.write_documents",),
}
PAGES = ("review", "card")  # a part of them for each file, a part once
OUTPUTS = (300, 900)  # on which that is measured: more than the review shows
SMALL = (320, 256)  # pixels of those inputs
RELEASE = ("network", "detail", "latents of detail", "encode", "write")
ONCE = (".html", ".png")  # pages of the vault, of one size for any folder


COLUMNS = (
    Column("workers", "{workers}"),
    Column("files/s", "{rate:,.0f}"),
    Column("hours", "{hours:.2f}"),
    Column("workers busy", "{workers_busy:.0%}"),
    Column("storage busy", "{storage_busy:.0%}"),
    Column("run busy", "{run_busy:.0%}"),
    Column("bottleneck", "{bottleneck}"),
)


@dataclass(frozen=True)
class Row:
    """A simulated run.

    Attributes:
        workers: How many.
        rate: Files per second.
        hours: Until the last output has its name.
        workers_busy: Share of the time that workers were, on average, in [0, 1].
        storage_busy: The storage.
        run_busy: The run itself.
        bottleneck: What is busiest: ``workers``, ``storage`` or ``run``.
    """

    workers: int
    rate: float
    hours: float
    workers_busy: float
    storage_busy: float
    run_busy: float
    bottleneck: str

    @classmethod
    def of(cls, run: Simulated) -> Self:
        """The same in other units."""
        return cls(
            workers=run.workers,
            rate=run.files / run.seconds,
            hours=run.seconds / 3600,
            workers_busy=run.busy["workers"],
            storage_busy=run.busy["storage"],
            run_busy=run.busy["run"],
            bottleneck=run.bottleneck,
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Times, simulates, prints."""
    options = parse(_parser(), arguments)
    use_threads(1)
    tune_allocator()
    stages, costs, once = measured(options)
    million = options.million
    facts: dict[str, Value] = {
        "files": options.files,
        **{f"ms, {stage}": 1e3 * seconds for stage, seconds in stages.items()},
        "s, once": once,
        "files simulated": million,
        "core hours": (costs.read + costs.release + costs.decide + costs.record) * million / 3600,
        "GB read": costs.input * million * 1e-9,
        "GB written": costs.output * million * 1e-9,
        "GB in the vault": costs.vault * million * 1e-9,
        "rows of the ledger": costs.rows * million,
    }
    with Report(options, COLUMNS, intro=_heading(facts, stages), facts=facts) as report:
        for workers in options.workers:
            report.add(Row.of(simulate(costs, workers, million, options.bandwidth * 1e6)))


def _heading(facts: Mapping[str, Value], stages: Iterable[str]) -> str:
    lines = [[stage, f"{facts[f'ms, {stage}']:.2f}"] for stage in stages]
    table = markdown(["stage, one thread", f"ms a file of {facts['files']}"], lines)
    return (
        f"{table}\n{facts['files simulated']:,} files: {facts['core hours']:.1f} core hours, "
        f"{facts['GB read']:,.1f} GB read, "
        f"{facts['GB written']:.1f} GB written, {facts['GB in the vault']:.1f} GB in the vault, "
        f"{facts['rows of the ledger']:,.0f} rows of the ledger"
    )


def measured(options: argparse.Namespace) -> tuple[dict[str, float], Costs, float]:
    """Seconds of each stage and costs, a file, of a run over synthetic files; seconds once."""
    fields = dict(word.split("=", 1) for word in options.options)
    changes: dict[str, Any] = {k: int(v) if v.isdigit() else v for k, v in fields.items()}
    profile = Profile(size=options.size, detail=options.size > 64)
    privatizer = Privatizer.load(label="none", profile=profile, **changes)
    with tempfile.TemporaryDirectory(dir=options.place) as place:
        folder = Path(place)
        shape = options.height, options.width
        few = max(1, options.files // 4)
        for name, files in (("few", few), ("in", options.files)):
            make_radiographs(folder / name, files, options.syntax, shape)
        for out in ("warm-up", "a"):
            _, own_of_few = _run(privatizer, folder / "few", folder / out, options.ledger)
        spent, own_of_all = _run(privatizer, folder / "in", folder / "out", options.ledger)
        sizes = [
            sum(p.stat().st_size for p in (folder / where).rglob("*.dcm")) / options.files
            for where in ("in", "out")
        ]
        vault = Vault(default_vault(folder / "out"))
        with vault.locked(), closing(vault.ledger()) as book:
            rows = book.verify()
        kept = sum(p.stat().st_size for p in vault.path.rglob("*") if p.suffix not in ONCE)
        pages, once = _pages(folder)
    stages = {name: spent[name] / options.files for name in STAGES if name not in PAGES}
    more = max(1, options.files - few)
    own = max(0.0, own_of_all - own_of_few) / more
    stages["run: decisions, ledger, records, names"] = own
    stages["run: card, table, review"] = pages
    costs = Costs(
        read=stages["digest"] + stages["read"],
        release=sum(stages[name] for name in RELEASE),
        decide=own / 2,
        record=own / 2 + pages,
        input=sizes[0],
        output=sizes[1],
        vault=kept / options.files,
        rows=rows / options.files,
    )
    return stages, costs, once


def _pages(folder: Path) -> tuple[float, float]:
    """Seconds of card, table and review: a file, and whatever their number."""
    profile = Profile(size=64, detail=False)
    fastest = Privatizer.load(label="none", profile=profile, candidates=1)
    seconds = []
    for count in OUTPUTS:
        place = folder / f"small-{count}"
        make_radiographs(place, count, "explicit", SMALL)
        spent, _ = _run(fastest, place, folder / f"pages-{count}", None)
        seconds.append(sum(spent[name] for name in PAGES))
    (few, many), (of_few, of_many) = OUTPUTS, seconds
    each = max(0.0, of_many - of_few) / (many - few)
    return each, of_few - few * each


def _run(
    privatizer: Privatizer, source: Path, out: Path, ledger: str | None
) -> tuple[Counter[str], float]:
    """Seconds of the stages, and what the run took besides."""
    spent: Counter[str] = Counter()
    with timers(spent):
        began = time.process_time()
        privatize_folder(source, out, privatizer=privatizer, ledger=ledger)
        total = time.process_time() - began
    return spent, total - sum(spent.values())


@contextmanager
def timers(spent: Counter[str]) -> Iterator[None]:
    """Adds up the seconds of each stage while the block runs."""

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            began, before = time.process_time(), sum(spent.values())
            try:
                return function(*arguments, **more)
            finally:
                within = sum(spent.values()) - before  # a stage in a stage counts as itself alone
                spent[name] += time.process_time() - began - within

        return call

    with ExitStack() as patches:
        for name, places in STAGES.items():
            for place in places:
                original, _ = patch(place).get_original()
                patches.enter_context(patch(place, timed(name, original)))
        yield


def _parser() -> argparse.ArgumentParser:
    options = parser("scale", __doc__)
    options.add_argument("--files", type=int, default=256)
    options.add_argument("--height", type=int, default=2500)
    options.add_argument("--width", type=int, default=2000)
    options.add_argument("--syntax", choices=SYNTAXES, default="explicit")
    options.add_argument("--options", nargs="*", default=[], help="fields of the recipe")
    options.add_argument("--size", type=int, default=128)
    options.add_argument("--ledger", help="URL of its database")
    options.add_argument("--workers", nargs="+", type=int, default=[1, 10, 100])
    options.add_argument("--bandwidth", type=float, default=1000, help="MB/s of the storage")
    options.add_argument("--million", type=int, default=1_000_000, help="files of the simulation")
    options.add_argument("--place", type=Path, help="where the files lie meanwhile")
    return options


if __name__ == "__main__":
    main()
