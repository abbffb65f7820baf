"""Spans of time that the processes of a run record: what was done, where, and when."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from latentdp.release.executor import RemoteRelease
from latentdp.release.tasks import Task, Written

__all__ = ["IN_RUN", "TASKS", "Recorder", "Span", "Traced", "bounds", "traced_release"]

TASKS = ("take", "read", "release")  # what workers are given

# Stages of the run's own process, and of a worker inside a task.
IN_RUN = {
    "decide": "latentdp.release.decide.Decider._input",
    "settle": "latentdp.release.decide.Decider._settled",
    "reserve": "latentdp.release.reserve.Reserver.reserve",
    "record": "latentdp.vault.ledger.Ledger.finish",
    "publish": "latentdp.release.outputs.Outputs.publish",
    "documents": "latentdp.release.run.write_documents",
    "review": "latentdp.release.run.write_review",
}
IN_WORKER = {
    "network": "latentdp.privatizer.privatizer.Privatizer.release_and_rate",
    "encode": "latentdp.data.radiograph.encode",
    "write": "latentdp.vault.drafts.Drafts.write",
}


@dataclass(frozen=True)
class Span:
    """Something that a process did.

    Attributes:
        name: What.
        process: Its id.
        start: In seconds of a clock that all processes of a machine share.
        end: Likewise.
    """

    name: str
    process: int
    start: float
    end: float


def bounds(spans: Sequence[Span]) -> tuple[float, float]:
    """From the first task to the end of the last release; what follows are pages."""
    first = min(span.start for span in spans if span.name in TASKS)
    return first, max(span.end for span in spans if span.name == "release")


@dataclass(frozen=True)
class Recorder:
    """Writes spans, a file for each process; it may be sent to another one.

    Attributes:
        folder: Where they lie.
    """

    folder: Path

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Records what the block takes."""
        start = time.monotonic()
        try:
            yield
        finally:
            span = Span(name, os.getpid(), start, time.monotonic())
            self.folder.mkdir(exist_ok=True)
            with (self.folder / f"{span.process}.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(span)) + "\n")

    def wrapped(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, each call of it recorded."""

        def call(*arguments: Any, **more: Any) -> Any:
            with self.span(name):
                return function(*arguments, **more)

        return call

    def spans(self) -> list[Span]:
        """All that were recorded."""
        lines = [
            line
            for path in sorted(self.folder.glob("*.jsonl"))
            for line in path.read_text(encoding="utf-8").splitlines()
        ]
        return [Span(**json.loads(line)) for line in lines]


@dataclass(frozen=True)
class Traced:
    """A task for a worker, recorded there.

    Attributes:
        name: Of the span.
        function: Of one item.
        recorder: Where to.
    """

    name: str
    function: Callable[[Any], Any]
    recorder: Recorder

    def __call__(self, item: Any) -> Any:
        """As the function."""
        with self.recorder.span(self.name):
            return self.function(item)


@dataclass(frozen=True)
class _TracedRelease:
    fields: dict[str, Any]
    recorder: Recorder

    def __call__(self, tasks: Sequence[Task]) -> list[Written]:
        _look_inside(self.recorder)
        with self.recorder.span("release"):
            return RemoteRelease(**self.fields)(tasks)


def traced_release(recorder: Recorder) -> Callable[..., Any]:
    """In place of `RemoteRelease`: the same, recorded with its stages."""
    return lambda **fields: _TracedRelease(fields, recorder)


_inside: set[int] = set()


def _look_inside(recorder: Recorder) -> None:
    """Once in each worker process, which ends with its run."""
    if os.getpid() in _inside:
        return
    _inside.add(os.getpid())
    for name, target in IN_WORKER.items():
        patcher = patch(target)
        original, _ = patcher.get_original()
        patch(target, recorder.wrapped(name, original)).start()
