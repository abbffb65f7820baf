"""What is done per file, on any machine: digest, read, draw, and write the draft."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentdp.core.content_digest import ContentDigest
from latentdp.data import radiograph
from latentdp.data.dicom.bounded_file import MAX_BYTES
from latentdp.data.dicom.profile import Profile
from latentdp.data.synthetic import marked
from latentdp.errors import UnsupportedInstance
from latentdp.privatizer import Privatizer, Rating
from latentdp.release.inputs import is_left_by_system
from latentdp.vault.drafts import Drafts

__all__ = [
    "BEYOND",
    "LEFT_BY_SYSTEM",
    "LOST",
    "NON_FINITE",
    "NOT_A_FILE",
    "ODD",
    "Draw",
    "Refusal",
    "Taken",
    "Task",
    "Written",
    "digest_input",
    "draw_images",
    "keep",
    "read_input",
    "release",
    "take_input",
]


@dataclass(frozen=True)
class Refusal:
    """Why one file cannot be handled."""

    reason: str
    message: str


@dataclass(frozen=True, kw_only=True, repr=False)
class Taken:
    """What is known of one file after its bytes were looked at once.

    Attributes:
        content: Reader and digest; empty for a file that cannot be opened.
        read: What it holds, or why that cannot be handled; None if only the digest was asked for.
    """

    content: str
    read: radiograph.Radiograph | Refusal | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Task:
    """One image to be released.

    Attributes:
        output: Name of the output in the ledger.
        image: The input's ``(h, w)`` in [0, 1].
        source: What a DICOM output has to know of its source; None for a picture.
        label: Its class index, -1 for unknown.
        identity: The output's pseudonyms.
        method: What the output says about how it was made.
        rated: What the run has found of it already, as a batch of one; None for nothing.
    """

    output: str
    image: NDArray[np.float32]
    source: radiograph.Source | None
    label: int
    identity: radiograph.Identity
    method: radiograph.Provenance
    rated: Rating | None = None


@dataclass(frozen=True, kw_only=True)
class _Attempt:
    """What became of a task.

    Attributes:
        label: The released one.
        bits: Bits per dimension of the input: private.
        odd: Whether the input is unlike those the flow was trained on: private.
    """

    label: int
    bits: float
    odd: bool


@dataclass(frozen=True, kw_only=True, repr=False)
class Draw(_Attempt):
    """An image that was drawn, in memory.

    Attributes:
        content: The file; empty if decoding gave no finite image.
    """

    content: bytes


@dataclass(frozen=True, kw_only=True)
class Written(_Attempt):
    """An image whose draft was written.

    Attributes:
        sha256: Of the draft; empty if there is no image.
    """

    sha256: str


# Reasons that are not the file's format, which `latentdp.data.dicom.refusals` lists.
NON_FINITE = Refusal("non-finite", "the private latent decoded to no finite image")


ODD = Refusal(
    "odd",
    "the picture is unlike those that the weights learnt from (--refuse-odd): another part of the "
    "body, one that is turned or inverted, or an unusual exposure",
)


LOST = Refusal(
    "lost",
    "its output of an earlier run was moved, removed or altered; --again makes another one "
    "and charges it",
)


BEYOND = Refusal(
    "beyond-images-per-patient",
    "the patient's budget is used up: as many images are released as --images-per-patient or "
    "--epsilon-per-patient allow",
)


NOT_A_FILE = Refusal(
    "not-a-file",
    "a folder that is linked or cannot be entered, a broken link, a device, or a path that is too "
    "long for this system",
)


LEFT_BY_SYSTEM = Refusal(
    "system-file",
    "no image, by its content, and by its name a file that an operating system or a viewer leaves "
    "(.DS_Store, ._*, Thumbs.db, desktop.ini, autorun.inf)",
)


def release(privatizer: Privatizer, tasks: Sequence[Task], drafts: Drafts) -> list[Written]:
    """Privatizes some images and writes a draft of each.

    Args:
        privatizer: Of the run.
        tasks: At most `GROUP` of them.
        drafts: Of the run.

    Raises:
        Aborted: A draft could not be written.
    """
    draws = draw_images(privatizer, tasks)
    return [keep(drafts, *both) for both in zip(tasks, draws, strict=True)]


def keep(drafts: Drafts, task: Task, draw: Draw) -> Written:
    """Writes the draft of an image, if it is one.

    Raises:
        Aborted: It could not be written.
    """
    sha256 = drafts.write(task.output, draw.content) if draw.content else ""
    return Written(sha256=sha256, label=draw.label, bits=draw.bits, odd=draw.odd)


def draw_images(privatizer: Privatizer, tasks: Sequence[Task]) -> Iterator[Draw]:
    """Privatizes some images; their files come one at a time.

    Args:
        privatizer: Of the run.
        tasks: At most `GROUP` of them.
    """
    images = np.stack([task.image for task in tasks])
    labels = np.array([task.label for task in tasks])
    known = [task.rated for task in tasks if task.rated is not None]
    rated = Rating.together(known) if len(known) == len(tasks) else None
    private, rating = privatizer.release_and_rate(images, labels=labels, rated=rated)
    enlarged = privatizer.enlarge_each(private.images[private.valid])
    for i, task in enumerate(tasks):
        content = b""
        if private.valid[i]:
            image = next(enlarged)
            if task.method.profile.mark:
                image = marked(image)
            content = radiograph.encode(image, task.source, task.identity, task.method)
        yield Draw(
            content=content,
            label=int(private.labels[i]),
            bits=float(rating.bits[i]),
            odd=bool(rating.odd[i]),
        )


def take_input(item: tuple[Path, ContentDigest, tuple[int, int] | None, Profile]) -> Taken:
    """Digest and image of a file, of the same bytes, which are read once.

    Args:
        item: Path, how to digest it, height and width in pixels or None for the digest alone, and
            what is retained of a header.
    """
    path, digest, shape, profile = item
    if shape is None:
        return Taken(content=digest_input(path, digest))
    content = _bytes_of(path)
    if content is None:
        return Taken(content=digest_input(path, digest), read=read_input((path, shape, profile)))
    reader = radiograph.reader(path, content)
    return Taken(
        content=f"{reader} {digest.of(content)}",
        read=read_input((path, shape, profile), content),
    )


def digest_input(path: Path, digest: ContentDigest = ContentDigest.SHA256) -> str:
    """Reader and digest of a file; empty for one that cannot be opened."""
    try:
        # The same bytes as a picture and as DICOM are two inputs: one of them is refused.
        return f"{radiograph.reader(path)} {digest.of_file(path)}" if path.is_file() else ""
    except OSError:
        return ""


def read_input(
    item: tuple[Path, tuple[int, int], Profile], content: bytes | None = None
) -> radiograph.Radiograph | Refusal:
    """A file as an image of the flow's size, or why not.

    Args:
        item: Path, height and width in pixels, and what is retained of a header.
        content: The file's bytes, if they were read already.
    """
    path, shape, profile = item
    try:
        if content is None:
            if not path.is_file():
                return NOT_A_FILE
            with path.open("rb"):  # fails here rather than as "not DICOM"
                pass
        return radiograph.read(path, shape, profile, content)
    except UnsupportedInstance as error:
        if is_left_by_system(path.name):
            return LEFT_BY_SYSTEM
        return Refusal(error.reason, str(error))
    except OSError:
        return Refusal("unreadable", "the file cannot be opened")


def _bytes_of(path: Path) -> bytes | None:
    """All of a file; None of what is none, cannot be opened, or is too large to be held."""
    try:
        if path.is_file() and path.stat().st_size <= MAX_BYTES:
            return path.read_bytes()
    except OSError:
        pass
    return None
