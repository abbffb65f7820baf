"""Public images that voters are asked about, in an order that anybody can work out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentdp.core.progress import CountCallback
from latentdp.data.dicom.profile import Profile
from latentdp.errors import InputError
from latentdp.release.inputs import find_files
from latentdp.release.tasks import Refusal, digest_input, read_input
from latentdp.synthesis.public import thumbnails

__all__ = ["QuestionSource", "Questions", "read_questions"]


@dataclass(frozen=True, kw_only=True)
class QuestionSource:
    """What the file of a question says of whose it is.

    Attributes:
        content: Reader and digest of its bytes.
        patient: As its header spells them; empty where it names nobody.
        picture: Digest of its picture, in whatever file; empty where it names a patient.
    """

    content: str
    patient: str
    picture: str


@dataclass(frozen=True)
class Questions:
    """Images, none twice.

    Attributes:
        names: Of their files, below the folder.
        digests: SHA-256 of reader and content of each.
        thumbnails: ``(q, s, s)``.
        sources: Whose each says that it is.
    """

    names: Sequence[str]
    digests: Sequence[str]
    thumbnails: NDArray[np.uint8]
    sources: Sequence[QuestionSource]

    @property
    def asked(self) -> str:
        """SHA-256 of the list of them."""
        lines = (f"{d}  {name}\n" for d, name in zip(self.digests, self.names, strict=True))
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def read_questions(
    source: Path,
    number: int,
    shape: tuple[int, int],
    profile: Profile,
    progress: CountCallback | None = None,
) -> Questions:
    """The first so many images that can be read, in the order of their digests.

    That order is as good as drawn by lot, and the same wherever the same images lie. A picture
    that lies there twice is asked about once: an answer costs.

    Args:
        source: Folder, or one file.
        number: At least 1.
        shape: At which they are read.
        profile: What a person says of them.
        progress: Called with the number of questions read and of all.

    Raises:
        InputError: There are fewer.
    """
    by_digest: dict[str, Path] = {}
    names: dict[str, str] = {}
    for file in find_files(source):
        content = digest_input(file.path)
        if content and content not in by_digest:
            by_digest[content], names[content] = file.path, file.name
    chosen: list[str] = []
    sources: list[QuestionSource] = []
    small: list[NDArray[np.uint8]] = []
    for content in sorted(by_digest, key=lambda c: c.rpartition(" ")[2]):
        if len(chosen) == number:
            break
        read = read_input((by_digest[content], shape, profile))
        if isinstance(read, Refusal):
            continue
        chosen.append(content)
        sources.append(QuestionSource(content=content, patient=read.patient, picture=read.whole))
        small.append(thumbnails(read.image[None]))
        if progress is not None:
            progress(len(chosen), number)
    if len(chosen) < number:
        raise InputError(
            f"expected at least {number:,} different images to ask about, got {len(chosen):,} "
            "that can be read; give a smaller --questions"
        )
    return Questions(
        names=[names[content] for content in chosen],
        digests=[content.rpartition(" ")[2] for content in chosen],
        thumbnails=np.concatenate(small),
        sources=sources,
    )
