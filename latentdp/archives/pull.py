"""Studies of an archive, into a folder: each is there whole, or not at all.

A study is fetched beside the folder and moved into it when all that the archive names of it has
come. What lies there already is not fetched again, unless the archive has more of it by now.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from latentdp.archives.address import Address
from latentdp.archives.archive import Archive, Series, Study, is_uid
from latentdp.archives.connection import Connection, connect
from latentdp.archives.received import keep, make_private, name_of
from latentdp.archives.study_filter import StudyFilter
from latentdp.core.filesystem import alone
from latentdp.core.progress import CountCallback
from latentdp.core.system import can_be_made
from latentdp.errors import Aborted, ArchiveError, Busy, InputError
from latentdp.reports.release_card import CARD
from latentdp.vault.vault import Vault

__all__ = ["Pulled", "beside", "count_studies", "pull"]

REPORT, LOCK, PART, OLD = "report.jsonl", "lock", "part", "old"


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """What became of the studies that fit.

    Attributes:
        studies: How many.
        fetched: Studies that are new in the folder, or new as a whole.
        already: Studies that lay there, with all that the archive has.
        instances: Files that were fetched.
        problems: A line for each study that is not there, or not as a whole; it names none.
        report: What became of each, by its UID: private.
    """

    studies: int
    fetched: int
    already: int
    instances: int
    problems: tuple[str, ...]
    report: Path

    @property
    def exit_code(self) -> int:
        """0 all are there, 1 some are not, 2 none fits."""
        if not self.studies:
            return InputError.exit_code
        return 1 if self.problems else 0


class _Fate(StrEnum):
    FETCHED = "fetched"
    ALREADY = "already"
    INCOMPLETE = "incomplete"
    NONE = "none"  # no series of these modalities


@dataclass
class _PullCounts:
    """Of a run."""

    fates: dict[_Fate, int] = field(default_factory=lambda: dict.fromkeys(_Fate, 0))
    instances: int = 0
    problems: list[str] = field(default_factory=list)


def beside(folder: Path) -> Path:
    """Where a pull works and keeps its report: beside the folder, and as private as it."""
    place = folder.absolute()
    return place.with_name(f"{place.name}.pull")


def count_studies(address: Address, wanted: StudyFilter, connection: Connection) -> int:
    """How many studies fit; nothing is fetched.

    Raises:
        ArchiveError: The archive cannot be reached, or refuses.
        InputError: The extra ``network`` is missing.
    """
    with connect(address, connection) as archive:
        return len(_find(archive, wanted))


def pull(
    address: Address,
    folder: Path,
    wanted: StudyFilter,
    connection: Connection,
    progress: CountCallback | None = None,
) -> Pulled:
    """Fetches studies into ``folder / STUDY / INSTANCE.dcm``; run again it goes on.

    Args:
        address: Of the archive.
        folder: New, or of an earlier pull; for the owner only, as it holds originals.
        wanted: Which studies.
        connection: How to speak to the archive.
        progress: Called with the number of studies done and of all.

    Raises:
        InputError: The folder cannot be made, or is a release or a vault.
        Busy: Another pull writes to it.
        ArchiveError: The archive cannot be reached, or refuses.
        Aborted: The disk is full, or the like.
    """
    _check(folder)
    with connect(address, connection) as archive:
        studies = _find(archive, wanted)
        try:
            with _alone(folder):
                return _pull(archive, folder, wanted, studies, progress)
        except OSError as error:
            raise Aborted(
                f"a file could not be written ({error.strerror}); complete studies are safe, and "
                "running the same command again goes on from here"
            ) from error


def _check(folder: Path) -> None:
    if (folder / CARD).exists():
        raise InputError("expected a private folder for originals, got that of a release")
    if folder.is_dir() and Vault.exists(folder):
        raise InputError("expected a folder for originals, got a vault")
    if folder.exists() and not folder.is_dir():
        raise InputError("expected the output to be a folder, got a file")
    if not folder.absolute().name or not can_be_made(beside(folder)):
        raise InputError(
            "the folder cannot be made there: what lies above it is no folder that may be written "
            "to"
        )
    if folder.exists() and folder.stat().st_dev != folder.absolute().parent.stat().st_dev:
        raise InputError(
            "expected a folder on the same file system as the one above it, got the root of "
            "another; name a folder in it"
        )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Makes both folders, which one pull at a time may write to."""
    make_private(folder)
    place = beside(folder)
    make_private(place)
    try:
        lock = alone(place / LOCK, wait=False)
        with lock:
            _recover(folder)
            yield
    except BlockingIOError:
        raise Busy("another pull is writing to the folder; wait until it ends") from None


def _recover(folder: Path) -> None:
    """A pull that died may have moved a study away and not the newer one in its place."""
    place = beside(folder)
    for name in (PART, OLD):
        (place / name).mkdir(mode=0o700, exist_ok=True)
    for old in (place / OLD).iterdir():
        if not (folder / old.name).exists():
            old.rename(folder / old.name)
        else:
            shutil.rmtree(old)
    for part in (place / PART).iterdir():
        shutil.rmtree(part)


def _pull(
    archive: Archive,
    folder: Path,
    wanted: StudyFilter,
    studies: Sequence[Study],
    progress: CountCallback | None,
) -> Pulled:
    counts, path = _PullCounts(), beside(folder) / REPORT
    with path.open("w", encoding="utf-8") as report:
        for done, study in enumerate(studies):
            if progress is not None:
                progress(done, len(studies))
            said = _study(archive, folder, study, wanted, counts)
            if said:
                counts.problems.append(f"study {done + 1} of {len(studies)}: {said}")
            row = {"study": study.uid, "problem": said}
            report.write(json.dumps(row) + "\n")
            report.flush()
    if progress is not None:
        progress(len(studies), len(studies))
    fates = counts.fates
    return Pulled(
        studies=len(studies) - fates[_Fate.NONE],
        fetched=fates[_Fate.FETCHED],
        already=fates[_Fate.ALREADY],
        instances=counts.instances,
        problems=tuple(counts.problems),
        report=path,
    )


def _find(archive: Archive, wanted: StudyFilter) -> list[Study]:
    """Each study that fits once, in the order in which the archive told of them."""
    found: dict[str, Study] = {}
    for query in wanted.queries():
        for study in archive.studies(query):
            if is_uid(study.uid) and query.fits(study):
                found.setdefault(study.uid, study)
    return list(found.values())


def _study(
    archive: Archive, folder: Path, study: Study, wanted: StudyFilter, counts: _PullCounts
) -> str:
    """Has one study in the folder, or says why not."""
    listed = {
        series: archive.instances(series)
        for series in archive.series(study.uid)
        if series.modality in wanted.modalities
    }
    expected = {uid for uids in listed.values() for uid in uids}
    if not expected:
        counts.fates[_Fate.NONE] += 1
        return ""
    place = folder / study.uid
    if {name_of(uid) for uid in expected} <= _names(place):
        counts.fates[_Fate.ALREADY] += 1
        return ""
    part = beside(folder) / PART / study.uid
    make_private(part)
    try:
        said = _fetch(archive, listed, part)
        missing = len({name_of(uid) for uid in expected} - _names(part))
        if missing:
            counts.fates[_Fate.INCOMPLETE] += 1
            return f"{missing} of {len(expected)} instances did not come" + (
                f" ({said})" if said else ""
            )
        counts.instances += len(_names(part))
        counts.fates[_Fate.FETCHED] += 1
        _replace(place, part)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return ""


def _fetch(archive: Archive, listed: dict[Series, set[str]], part: Path) -> str:
    """Has all series in a folder; what went wrong, in words.

    Raises:
        OSError: A file could not be written.
    """
    failed: list[OSError] = []
    said = ""
    for series, expected in listed.items():

        def store(instance: str, data: bytes, expected: set[str] = expected) -> None:
            if instance not in expected:  # nobody asked for it
                return
            try:
                keep(part, instance, data)
            except OSError as error:
                failed.append(error)
                raise

        try:
            said = archive.fetch(series, store) or said
        except ArchiveError:
            if not failed:
                raise
        if failed:
            raise failed[0]
    return said


def _replace(place: Path, part: Path) -> None:
    """Puts a whole study in the place of an earlier part of it, of which nothing is lost."""
    old = part.parents[1] / OLD / place.name
    if place.exists():
        for name in _names(place) - _names(part):
            shutil.copy2(place / name, part / name)
        place.rename(old)
    part.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def _names(folder: Path) -> set[str]:
    """Of the files in a folder that are whole; none where there is no folder."""
    if not folder.is_dir():
        return set()
    return {entry.name for entry in os.scandir(folder) if not entry.name.startswith(".")}
