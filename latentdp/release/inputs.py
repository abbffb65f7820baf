"""Input files on their way through a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CHUNK", "Input", "chunks", "name_below"]

CHUNK = 128


@dataclass(frozen=True, kw_only=True)
class Input:
    """One file on its way.

    Attributes:
        path: Where it is.
        name: Its path below the input folder; for the vault only.
        content: Digest of its bytes, or its name if it cannot be opened.
        key: Keyed digest of content, recipe and label: what makes a release the same one.
        label: Class index, -1 for unknown.
    """

    path: Path
    name: str
    content: str
    key: str
    label: int

    @property
    def alone(self) -> str:
        """Stands in for an identifier that the source lacks: only equal files share it."""
        return f"unknown {self.content}"


def chunks(paths: Sequence[Path], size: Callable[[], int]) -> Iterator[Sequence[Path]]:
    """The files that are looked up, reserved and recorded together, as many as ``size`` says."""
    start = 0
    while start < len(paths):
        part = paths[start : start + size()]
        start += len(part)
        yield part


def name_below(source: Path, path: Path) -> str:
    """Path below the input folder. It may hold a patient's name: for the vault only."""
    return path.relative_to(source if source.is_dir() else source.parent).as_posix()
