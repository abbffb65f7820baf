"""A run of `latentdp privatize` with workers, seen from inside: who does what, and who waits.

    python benchmarks/timeline.py [--files 512] [--height 2500] [--width 2000] [--syntax explicit]
        [--options candidates=1] [--size 64] [--workers 2] [--place FOLDER] [--trace FILE]
        [--picture FILE] [--json FILE]

Spans are recorded in every process of a run over synthetic files. ``--trace`` writes them for
chrome://tracing or Perfetto (Trace Event Format, complete events), ``--picture`` draws them. The
row says what share of the time between a worker's first task and the last one's end the workers
had something to do, and how long they waited at most. Waiting does not depend on what else the
machine does; seconds do.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

from _harness import Report, parse, parser
from _radiographs import SYNTAXES, make_radiographs
from _results import Column
from _spans import IN_RUN, TASKS, Recorder, Span, Traced, bounds, traced_release

from latentdp import Privatizer
from latentdp.data.dicom.profile import Profile
from latentdp.release import executor
from latentdp.release.privatize import privatize_folder

COLUMNS = (
    Column("files", "{files:,}"),
    Column("workers", "{workers}"),
    Column("workers busy", "{busy:.1%}"),
    Column("longest wait, ms", "{longest_wait:.0f}"),
    Column("the run's process busy", "{run_busy:.0%}"),
    Column("seconds", "{seconds:.1f}"),
)


@dataclass(frozen=True)
class Row:
    """A traced run.

    Attributes:
        files: How many.
        workers: Processes beside the run's own.
        busy: Share of the workers' time that they had a task, from the first task of each to the
            end of the last, in [0, 1].
        longest_wait: Of a worker between two tasks, in milliseconds.
        run_busy: Share of that time that the run's own process was in one of its stages.
        seconds: From the first task to the end of the last.
    """

    files: int
    workers: int
    busy: float
    longest_wait: float
    run_busy: float
    seconds: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs, prints, and writes what is asked for."""
    options = parse(_parser(), arguments)
    facts = {"height": options.height, "width": options.width, "size": options.size}
    with Report(options, COLUMNS, facts=facts) as report:
        spans = _traced(options)
        report.add(row_of(spans, options.files))
    if options.trace is not None:
        options.trace.write_text(json.dumps(chrome(spans)), encoding="utf-8")
    if options.picture is not None:
        from _timeline import draw

        draw(spans, options.picture)


def row_of(spans: Sequence[Span], files: int) -> Row:
    """What the spans of a run say."""
    first, last = bounds(spans)
    tasks = [span for span in spans if span.name in TASKS and span.end <= last]
    total, waits, busy = 0.0, [0.0], 0.0
    for process in {span.process for span in tasks}:
        own = sorted((s for s in tasks if s.process == process), key=lambda span: span.start)
        total += last - own[0].start
        busy += sum(span.end - span.start for span in own)
        waits += [b.start - a.end for a, b in pairwise(own)]
        waits.append(last - own[-1].end)
    workers = len({span.process for span in tasks})
    in_run = [s for s in spans if s.name in IN_RUN and s.end > first and s.start < last]
    return Row(
        files=files,
        workers=workers,
        busy=busy / total,
        longest_wait=1e3 * max(waits),
        run_busy=sum(min(s.end, last) - max(s.start, first) for s in in_run) / (last - first),
        seconds=last - first,
    )


def chrome(spans: Sequence[Span]) -> dict[str, Any]:
    """The spans as Trace Event Format has them, in microseconds from the first."""
    start = min(span.start for span in spans)
    return {
        "displayTimeUnit": "ms",
        "traceEvents": [
            {
                "name": span.name,
                "ph": "X",
                "ts": round(1e6 * (span.start - start)),
                "dur": round(1e6 * (span.end - span.start)),
                "pid": span.process,
                "tid": span.process,
            }
            for span in sorted(spans, key=lambda span: span.start)
        ],
    }


def _traced(options: argparse.Namespace) -> list[Span]:
    fields = dict(word.split("=", 1) for word in options.options)
    changes: dict[str, Any] = {k: int(v) if v.isdigit() else v for k, v in fields.items()}
    profile = Profile(size=options.size, detail=options.size > 64)
    privatizer = Privatizer.load(label="none", profile=profile, **changes)
    with tempfile.TemporaryDirectory(dir=options.place) as place:
        folder = Path(place)
        shape = options.height, options.width
        make_radiographs(folder / "in", options.files, options.syntax, shape)
        recorder = Recorder(folder / "spans")
        with recorded(recorder):
            privatize_folder(
                folder / "in", folder / "out", privatizer=privatizer, workers=options.workers
            )
        return recorder.spans()


@contextmanager
def recorded(recorder: Recorder) -> Iterator[None]:
    """Records what this process and its workers do while the block runs."""
    take, read = executor.take_input, executor.read_input
    with ExitStack() as patches:
        for name, target in IN_RUN.items():
            patcher = patch(target)
            original, _ = patcher.get_original()
            patches.enter_context(patch(target, recorder.wrapped(name, original)))
        for target, changed in (
            ("take_input", Traced("take", take, recorder)),
            ("read_input", Traced("read", read, recorder)),
            ("RemoteRelease", traced_release(recorder)),
        ):
            patches.enter_context(patch.object(executor, target, changed))
        yield


def _parser() -> argparse.ArgumentParser:
    options = parser("timeline", __doc__)
    options.add_argument("--files", type=int, default=512)
    options.add_argument("--height", type=int, default=2500)
    options.add_argument("--width", type=int, default=2000)
    options.add_argument("--syntax", choices=SYNTAXES, default="explicit")
    options.add_argument("--options", nargs="*", default=["candidates=1"])
    options.add_argument("--size", type=int, default=64)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--place", type=Path, help="where the files lie meanwhile")
    options.add_argument("--trace", type=Path, metavar="FILE", help="write a chrome trace")
    options.add_argument("--picture", type=Path, metavar="FILE", help="draw it as SVG")
    return options


if __name__ == "__main__":
    main()
