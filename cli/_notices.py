"""What a command that goes on and on says of each thing that happens."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from latentdp.core.documents import to_json
from latentdp.privacy.rounding import printed

from ._release_rows import charge, noised_part_alone

if TYPE_CHECKING:
    from latentdp.archives.watch import Notice


def lines(notice: Notice) -> None:
    """A line for people."""
    summary = notice.summary
    if summary is None:
        files = f" ({notice.files} files)" if notice.files else ""
        line(f"{notice.event}: {notice.text}{files}")
        return
    parts = [f"{summary.released} of {notice.files} files"]
    parts += [f"{summary.already} already there"] if summary.already else []
    parts += [f"{summary.duplicates} duplicates"] if summary.duplicates else []
    parts += [f"{summary.beyond} left out (beyond images per patient)"] if summary.beyond else []
    parts += [f"{count} quarantined {why}" for why, count in sorted(summary.quarantined.items())]
    charged = f"epsilon {printed(summary.spent)}, all patients together"
    line(f"released: {', '.join(parts)}; charged {charged}{noised_part_alone(summary.guarantee)}")


def events(notice: Notice) -> None:
    """A line for programs: one JSON object."""
    told: dict[str, object] = {"files": notice.files}
    if notice.text:
        told["text"] = notice.text
    if notice.summary is not None:
        told["counts"] = notice.summary.counts()
        told["written_now"] = notice.summary.released
        told |= charge("charged_now", notice.summary)
    event(str(notice.event), **told)


def event(name: str, **values: object) -> None:
    """Says that something happened, as JSON with the time."""
    typer.echo(json.dumps(to_json({"time": _now(), "event": name, **values})))


def line(text: str) -> None:
    """Says a sentence, with the time."""
    typer.echo(f"{_now()} {text}")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
