"""Whom an evaluation is about: all files that its release was made of, by their content."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from latentdp.core.filesystem import digest
from latentdp.reports.evaluation_parts import StatedPopulation
from latentdp.vault.keys import Keys
from latentdp.vault.run_report import read_report

__all__ = ["population", "sources_digest"]

UNREADABLE = "unreadable"  # in place of the content of a folder or file that cannot be opened


def population(source: Path, vault: Path, keys: Keys) -> StatedPopulation:
    """What is there of all files that runs of a vault were given.

    Args:
        source: The input folder, or file.
        vault: Of the release.
        keys: Of that vault.
    """
    base = source if source.is_dir() else source.parent
    rows = [
        row for path in sorted((vault / "reports").glob("*.jsonl")) for row in read_report(path)
    ]
    names = {row.file for row in rows if os.path.lexists(base / row.file)}
    patients = {row.patient for row in rows if row.patient and row.file in names}
    return StatedPopulation(
        files=len(names),
        patients=len(patients),
        sources=sources_digest((base / name for name in names), keys),
    )


def sources_digest(paths: Iterable[Path], keys: Keys) -> str:
    """Keyed digest of files by their contents, in hexadecimal; names and order do not count."""
    return keys.token("evaluated population", *sorted(map(_content, paths)))


def _content(path: Path) -> str:
    try:
        return digest(path)
    except OSError:
        return UNREADABLE
