"""A release, into an archive: the images that its card is about, and nothing else.

Only a folder whose card verifies is sent, so that neither originals nor a vault can leave by
mistake. What was acknowledged is recorded; run again it goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from latentdp.archives.address import Address
from latentdp.archives.connection import Connection, connect
from latentdp.archives.sent_log import SentLog
from latentdp.core.filesystem import digest
from latentdp.core.progress import CountCallback
from latentdp.data.radiograph import reader
from latentdp.errors import InputError
from latentdp.release.verify import verify
from latentdp.reports.release_card import CARD, IMAGES, ReleaseCard
from latentdp.reports.release_contents import contents_digest, image_files
from latentdp.vault.vault import Vault

__all__ = ["Pushed", "push"]


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """What became of the images of a release.

    Attributes:
        images: How many are in it.
        sent: Acknowledged in this run.
        already: Acknowledged in an earlier one.
        pictures: PNG files, which no archive of DICOM takes.
        problems: A line for each image that the archive did not take.
        remarks: A line for each image that it took and had something to say about.
        warnings: What the card says that a reader must not overlook.
    """

    images: int
    sent: int
    already: int
    pictures: int
    problems: tuple[str, ...]
    remarks: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 the archive has all, 1 it did not take some, 2 there is nothing to send."""
        if self.images == self.pictures:
            return InputError.exit_code
        return 1 if self.problems else 0


def push(
    release: Path,
    address: Address,
    connection: Connection,
    progress: CountCallback | None = None,
    *,
    again: bool = False,
) -> Pushed:
    """Sends the DICOM images of a release.

    Args:
        release: Its folder.
        address: Of the archive.
        connection: How to speak to it.
        progress: Called with the number of images done and of all that are to be sent.
        again: Send also what was acknowledged before.

    Raises:
        InputError: It is no release, or its card does not verify; nothing was sent.
        ArchiveError: The archive cannot be reached, or refuses; what was sent is recorded.
    """
    card, digests = _verified(release)
    images = release / IMAGES
    dicom = {place: sha for place, sha in digests.items() if reader(images / place) == "dicom"}
    problems: list[str] = []
    remarks: list[str] = []
    with SentLog(card.release or card.contents_sha256, address) as log:
        left = {p: sha for p, sha in dicom.items() if again or not log.holds(p, sha)}
        sent = 0
        if left:
            with connect(address, connection) as archive:
                outcomes = archive.send(images / place for place in left)
                for done, outcome in enumerate(outcomes, 1):
                    place = outcome.file.relative_to(images).as_posix()
                    if outcome.stored:
                        log.add(place, left[place])
                        sent += 1
                    if outcome.said:
                        lines = remarks if outcome.stored else problems
                        lines.append(f"{place}: {outcome.said}")
                    if progress is not None:
                        progress(done, len(left))
    return Pushed(
        images=len(digests),
        sent=sent,
        already=len(dicom) - len(left),
        pictures=len(digests) - len(dicom),
        problems=tuple(problems),
        remarks=tuple(remarks),
        warnings=tuple(card.warnings),
    )


def _verified(release: Path) -> tuple[ReleaseCard, Mapping[str, str]]:
    """The card of a folder that may be sent, and the SHA-256 of each image of it, by place."""
    if not release.is_dir():
        raise InputError("expected the folder of a release; there is none")
    if Vault.exists(release):
        raise InputError("expected the folder of a release, got a vault, which is never sent")
    card = ReleaseCard.find(release)
    if card is None:
        raise InputError(f"expected the folder of a release, got one without its {CARD}")
    failed = next((check for check in verify(release).checks if not check.ok), None)
    if failed is not None:
        raise InputError(
            f"the card of the release does not verify ({failed.claim}); nothing was sent, and "
            "`latentdp verify` tells more"
        )
    if not card.contents_sha256:
        raise InputError(
            "the card of the release is of version 0.1 and does not say which files it is about; "
            "the same `latentdp privatize` again has it written anew, and nothing is charged"
        )
    digests = dict(_digests(release / IMAGES))
    if contents_digest(release, digests) != card.contents_sha256:
        raise InputError("the release was altered while it was verified; nothing was sent")
    return card, digests


def _digests(images: Path) -> Iterator[tuple[str, str]]:
    for path in image_files(images.parent):
        yield path.relative_to(images).as_posix(), digest(path)
