"""What is done per file, on any machine: digest, read, draw, and write the draft."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentdp.data import radiograph
from latentdp.data.dicom.profile import Profile
from latentdp.errors import UnsupportedInstance
from latentdp.privatizer import Privatizer
from latentdp.vault.drafts import Drafts

__all__ = [
    "LOST",
    "NON_FINITE",
    "NOT_A_FILE",
    "Draw",
    "Refusal",
    "Task",
    "Written",
    "draw_images",
    "keep",
    "release",
]


@dataclass(frozen=True)
class Refusal:
    """Why one file cannot be handled."""

    reason: str
    message: str


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
    """

    output: str
    image: NDArray[np.float32]
    source: radiograph.Source | None
    label: int
    identity: radiograph.Identity
    method: radiograph.Provenance


@dataclass(frozen=True, kw_only=True)
class _Outcome:
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
class Draw(_Outcome):
    """An image that was drawn, in memory.

    Attributes:
        content: The file; empty if decoding gave no finite image.
    """

    content: bytes


@dataclass(frozen=True, kw_only=True)
class Written(_Outcome):
    """An image whose draft was written.

    Attributes:
        sha256: Of the draft; empty if there is no image.
    """

    sha256: str


# Reasons that are not the file's format, which `latentdp.data.dicom.refusals` lists.
NON_FINITE = Refusal("non-finite", "the private latent decoded to no finite image")


LOST = Refusal(
    "lost",
    "its output of an earlier run was moved, removed or altered; --again makes another one "
    "and charges it",
)


NOT_A_FILE = Refusal(
    "not-a-file", "a folder that is linked or cannot be entered, a broken link, or a device"
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
    private, rating = privatizer.release_and_rate(images, labels=labels)
    for i, task in enumerate(tasks):
        content = b""
        if private.valid[i]:
            # One at a time: a large size would take much memory for all of them.
            image = privatizer.enlarge(private.images[i : i + 1])[0]
            content = radiograph.encode(image, task.source, task.identity, task.method)
        yield Draw(
            content=content,
            label=int(private.labels[i]),
            bits=float(rating.bits[i]),
            odd=bool(rating.odd[i]),
        )


def digest_input(path: Path) -> str:
    """Reader and SHA-256 of a file; empty for one that cannot be opened."""
    try:
        # The same bytes as a picture and as DICOM are two inputs: one of them is refused.
        return f"{radiograph.reader(path)} {radiograph.digest(path)}" if path.is_file() else ""
    except OSError:
        return ""


def read_input(item: tuple[Path, tuple[int, int], Profile]) -> radiograph.Radiograph | Refusal:
    """A file as an image of the flow's size, or why not.

    Args:
        item: Path, height and width in pixels, and what is retained of a header.
    """
    path, shape, profile = item
    try:
        if not path.is_file():
            return NOT_A_FILE
        with path.open("rb"):  # fails here rather than as "not DICOM"
            pass
        return radiograph.read(path, shape, profile)
    except UnsupportedInstance as error:
        return Refusal(error.reason, str(error))
    except OSError:
        return Refusal("unreadable", "the file cannot be opened")
