"""Originals and the private images made of them, brought together for an evaluation.

For a release of this tool the vault says which belongs to which; for any other method a CSV does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import UNKNOWN, Images
from latentdp.core.system import below, file_key
from latentdp.core.tables import read_table
from latentdp.data import radiograph
from latentdp.data.cohort import Cohort, whole_patients
from latentdp.data.dataset import NORMAL
from latentdp.data.dicom.demographics import Person, person
from latentdp.data.dicom.profile import BASIC, Profile
from latentdp.data.label_space import SEPARATOR, LabelSpace
from latentdp.data.preprocess import resize
from latentdp.errors import InputError, UnsupportedInstance
from latentdp.reports.release_card import IMAGES
from latentdp.vault.run_report import read_report

__all__ = [
    "COLUMNS",
    "SourceLink",
    "PairedRelease",
    "from_csv",
    "from_vault",
    "private_image",
    "read",
    "some_patients",
]

PRACTICE = ("practice", "train")  # values of split
COLUMNS = ("patient", "finding", "label", "sex", "age", "view", "source", "split")


@dataclass(frozen=True)
class SourceLink:
    """One original and its private image.

    Attributes:
        original: Path.
        private: Path.
        known: What somebody wrote about it, by `COLUMNS`; it outranks the file's header.
        label: Of a list, as a release takes it; what is known outranks it.
    """

    original: Path
    private: Path
    known: Mapping[str, str]
    label: int = UNKNOWN


@dataclass(frozen=True, kw_only=True)
class PairedRelease:
    """What was read.

    Attributes:
        links: Those that could be read, ``n``.
        cohort: The originals.
        private: ``(n, h, w)`` the private images, of the originals' size.
        practice: ``(n,)`` True where the CSV's split is ``train`` or ``practice``.
        unreadable: Number of links that could not be read.
    """

    links: tuple[SourceLink, ...]
    cohort: Cohort
    private: Images
    practice: NDArray[np.bool_]
    unreadable: int


def from_vault(
    source: Path, out: Path, vault: Path, about: Path | None = None
) -> list[SourceLink]:
    """The links of a release of this tool, from the reports in its vault.

    Args:
        source: The input folder, or file.
        out: The release folder.
        vault: Its vault.
        about: CSV with ``file`` (below ``source``) and any of `COLUMNS`.

    Raises:
        InputError: No output can be traced to a file that is there.
    """
    base = source if source.is_dir() else source.parent
    known = (
        {} if about is None else {file_key(row["file"]): row for row in _table(about, ("file",))}
    )
    linked: dict[str, SourceLink] = {}
    for report in sorted((vault / "reports").glob("*.jsonl")):
        for row in read_report(report):
            name, output = row.file, row.output
            if row.status != "released" or not output:
                continue
            original, private = base / name, out / IMAGES / output
            if original.is_file() and private.is_file():
                linked[output] = SourceLink(original, private, known.get(file_key(name), {}))
    if not linked:
        raise InputError(
            "expected IN and OUT to be the folders of a run of this vault; no image of OUT can "
            "be traced to a file in IN"
        )
    return [linked[output] for output in sorted(linked)]


def from_csv(pairs: Path, source: Path, out: Path) -> list[SourceLink]:
    """The links of any other method.

    Args:
        pairs: CSV with ``original`` (below ``source``), ``private`` (below ``out``), ``patient``
            and any other of `COLUMNS`.
        source: Folder of originals.
        out: Folder of private images.

    Raises:
        InputError: A column or a file is missing.
    """
    rows = _table(pairs, ("original", "private", "patient"))
    for key, folder in (("original", source), ("private", out)):
        places = [below(folder, row[key]).resolve() for row in rows]
        if not all(place.is_relative_to(folder.resolve()) for place in places):
            raise InputError(f"{pairs.name}: a file of the column {key!r} lies outside its folder")
        if key == "private" and len(set(places)) < len(places):
            raise InputError(f"{pairs.name}: a private image is named more than once")
    split: dict[bool, set[str]] = {True: set(), False: set()}
    for row in rows:
        split[row.get("split") in PRACTICE].add(row["patient"])
    if split[True] & split[False]:
        raise InputError(f"{pairs.name}: a patient is in practice and target")
    if rows and not split[False]:
        raise InputError(f"{pairs.name}: all patients are for practice, nobody is a target")
    links = [SourceLink(below(source, r["original"]), below(out, r["private"]), r) for r in rows]
    missing = sum(not (x.original.is_file() and x.private.is_file()) for x in links)
    if missing or not links:
        raise InputError(
            f"{pairs.name}: {missing} of {len(links)} pairs name a file that is not there"
        )
    return links


def some_patients(links: list[SourceLink], most: int, seed: int) -> list[SourceLink]:
    """The links of patients drawn at random, whole ones, until there are ``most`` images.

    An attack compares every image with every other, and a sample of a large release tells enough.
    """
    ids = np.array([_patient(link, i) for i, link in enumerate(links)])
    return list(compress(links, whole_patients(ids, most, seed)))


def read(
    links: list[SourceLink],
    shape: tuple[int, int],
    space: LabelSpace | None = None,
    *,
    profile: Profile = BASIC,
    detailed: bool = False,
    tell: Callable[[float], None] = lambda _: None,
) -> PairedRelease:
    """Reads both sides of each link; what cannot be read is counted and left out.

    Args:
        links: Of `from_vault` or `from_csv`.
        shape: Height and width of all images.
        space: Of the weights, for ``label``; None where nobody knows them.
        profile: What a person said of the originals when they were released.
        detailed: Whether detail was drawn beyond ``shape``: whoever knows that takes means of
            what lies within a pixel, which the detail leaves as they were.
        tell: Called with the share that is done.

    Raises:
        InputError: Nothing could be read.
    """
    kept: list[tuple[SourceLink, radiograph.Radiograph, NDArray[np.float32], Person]] = []
    for i, link in enumerate(links):
        try:
            kept.append((link, *_both(link, shape, profile, detailed)))
        except (UnsupportedInstance, OSError):
            continue
        tell((i + 1) / len(links))
    if not kept:
        raise InputError("none of the images could be read")
    found = [_findings(link.known) for link, *_ in kept]
    names = tuple(sorted({name for several in found for name in several}))
    marks = np.array([[name in several for name in names] for several in found], dtype=np.bool_)

    def column(name: str, said: Callable[[Person], str]) -> NDArray[np.str_]:
        return np.array([link.known.get(name) or said(p) for link, _, _, p in kept], dtype=np.str_)

    ids = [
        link.known.get("patient") or r.patient or f"file {i}"
        for i, (link, r, *_) in enumerate(kept)
    ]
    return PairedRelease(
        links=tuple(link for link, *_ in kept),
        cohort=Cohort(
            images=np.stack([r.image for _, r, *_ in kept]),
            patients=np.unique(ids, return_inverse=True)[1].astype(np.int64),
            labels=np.array([_label(link, space) for link, *_ in kept], dtype=np.int64),
            findings=_rarest(marks),
            finding_names=names,
            views=np.char.upper(column("view", lambda p: p.view)),
            sexes=column("sex", lambda p: p.sex),
            sources=column("source", lambda _: ""),
            ages=np.array([_years(link.known.get("age"), p) for link, _, _, p in kept]),
            marks=marks if (marks.sum(axis=1) > 1).any() else None,
        ),
        private=np.stack([private for _, _, private, _ in kept]),
        practice=np.array([x.known.get("split") in PRACTICE for x, *_ in kept]),
        unreadable=len(links) - len(kept),
    )


def _patient(link: SourceLink, i: int) -> str:
    """Whose image it is, as `read` will say, from the header alone."""
    if link.known.get("patient"):
        return link.known["patient"]
    said = ""
    try:
        if radiograph.reader(link.original) != "picture":
            said = radiograph.identity(link.original).patient
    except (UnsupportedInstance, OSError):
        pass
    return said or f"file {i}"


def private_image(link: SourceLink) -> NDArray[np.float32]:
    """The private image ``(h, w)`` in [0, 1], at the size of its file.

    Raises:
        UnsupportedInstance: It cannot be read.
    """
    return radiograph.look(link.private)


def _both(
    link: SourceLink, shape: tuple[int, int], profile: Profile, detailed: bool
) -> tuple[radiograph.Radiograph, NDArray[np.float32], Person]:
    taken = radiograph.read(link.original, shape, profile)
    said = person(link.original) if taken.source is not None else Person()
    private = private_image(link)
    (rows, rest), (columns, left) = map(divmod, private.shape, shape)
    if detailed and rest == left == 0:
        blocks = private.reshape(shape[0], rows, shape[1], columns)
        private = blocks.mean(axis=(1, 3), dtype=np.float32)
    return taken, resize(private, shape), said


def _findings(known: Mapping[str, str]) -> set[str]:
    """Those of a row; several stand in it between semicolons or bars, as in lists of labels."""
    parts = re.split(r"[;|]", known.get("finding", ""))
    named = {part.strip().lower() for part in parts} - {""}
    return {"normal" if name in NORMAL else name for name in named}


def _label(link: SourceLink, space: LabelSpace | None) -> int:
    """The label of an original; unknown where the weights do not know what is said of it."""
    words = link.known.get("label", "")
    if space is None or not words:
        return link.label
    try:
        return space.label([words] if space.has_classes else words.split(SEPARATOR))
    except InputError:
        return UNKNOWN


def _rarest(marks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """``(n,)`` the finding of each image that fewest show, so that rare ones keep it; or -1."""
    if not marks.size:
        return np.full(len(marks), -1, dtype=np.int64)
    order = np.argsort(marks.sum(axis=0), kind="stable")
    return np.where(marks.any(axis=1), order[marks[:, order].argmax(axis=1)], -1)


def _years(text: str | None, said: Person) -> float:
    try:
        return float(text) if text else said.age
    except ValueError:
        return math.nan


def _table(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Its rows, without spaces around a value."""
    return [
        {name: value.strip() for name, value in row.items()}
        for _, row in read_table(path, columns)
    ]
