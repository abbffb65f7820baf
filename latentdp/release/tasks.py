"""The three things done per file, on any machine: digest, read, release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentdp.data import radiograph
from latentdp.data.dicom.profile import Profile
from latentdp.errors import Aborted, UnsupportedInstance
from latentdp.privatizer import Privatizer
from latentdp.release.outputs import part_of

__all__ = ["LOST", "NON_FINITE", "NOT_A_FILE", "Refusal", "Task", "Written", "release"]


@dataclass(frozen=True)
class Refusal:
    """Why one file cannot be handled."""

    reason: str
    message: str


@dataclass(frozen=True, kw_only=True, repr=False)
class Task:
    """One image to be released.

    Attributes:
        path: Where the private file will lie; it is written under its hidden name.
        image: The input's ``(h, w)`` in [0, 1].
        source: What a DICOM output has to know of its source; None for a picture.
        label: Its class index, -1 for unknown.
        identity: The output's pseudonyms.
        method: What the output says about how it was made.
    """

    path: Path
    image: NDArray[np.float32]
    source: radiograph.Source | None
    label: int
    identity: radiograph.Identity
    method: radiograph.Provenance


@dataclass(frozen=True, kw_only=True)
class Written:
    """What became of a task.

    Attributes:
        sha256: Of the file; empty if decoding gave no finite image.
        label: The released one.
        bits: Bits per dimension of the input: private.
        odd: Whether the input is unlike those the flow was trained on: private.
    """

    sha256: str
    label: int
    bits: float
    odd: bool


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


def release(privatizer: Privatizer, tasks: Sequence[Task]) -> list[Written]:
    """Privatizes some images and writes them under their hidden names.

    Args:
        privatizer: Of the run.
        tasks: At most `GROUP` of them.
    """
    images = np.stack([task.image for task in tasks])
    labels = np.array([task.label for task in tasks])
    private, rating = privatizer.release_and_rate(images, labels=labels)
    written = []
    for i, task in enumerate(tasks):
        sha256 = ""
        if private.valid[i]:
            try:
                # One at a time: a large size would take much memory for all of them.
                image = privatizer.enlarge(private.images[i : i + 1])[0]
                part = part_of(task.path, int(private.labels[i]))
                sha256 = radiograph.write(part, image, task.source, task.identity, task.method)
            except OSError as error:
                raise Aborted(
                    f"an output could not be written ({error.strerror}); nothing half-written "
                    "was left, and running the same command again goes on from here"
                ) from None
        written.append(
            Written(
                sha256=sha256,
                label=int(private.labels[i]),
                bits=float(rating.bits[i]),
                odd=bool(rating.odd[i]),
            )
        )
    return written


def digest_input(path: Path) -> str:
    try:
        # The same bytes as a picture and as DICOM are two inputs: one of them is refused.
        return f"{radiograph.reader(path)} {radiograph.digest(path)}" if path.is_file() else ""
    except OSError:
        return ""


def read_input(item: tuple[Path, tuple[int, int], Profile]) -> radiograph.Radiograph | Refusal:
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
