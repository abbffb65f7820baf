"""What arrives is released, under one recipe and one budget, until somebody stops it.

Files come over the network into the spool, or into a folder that is watched. Once a patient's
files are complete they are released as `latentdp privatize` would, into the same release folder:
each run goes on where the last one stopped. What a budget or an option refuses keeps nobody else
waiting.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from latentdp.archives.arrivals import FileState
from latentdp.archives.connection import need_network
from latentdp.archives.inbox import Inbox, ReceivedInbox, WatchedInbox
from latentdp.archives.received import keep
from latentdp.archives.spool import Spool
from latentdp.errors import Aborted, BudgetExceeded, Busy, InputError
from latentdp.privatizer import Privatizer
from latentdp.release.folders import check_apart
from latentdp.release.job import check_request
from latentdp.release.request import ReleaseRequest
from latentdp.release.run import run_release
from latentdp.release.summary import Summary
from latentdp.vault.run_report import read_report

if TYPE_CHECKING:
    from latentdp.archives.storage_scp import Listener

__all__ = ["WatchEvent", "Notice", "WatchedSource", "Watched", "watch"]

_LONGEST = 1.0  # seconds between two looks
_BUSY = 10.0  # seconds until a vault that another run holds is tried again


class WatchEvent(StrEnum):
    """What a watch tells of."""

    LISTENING = "listening"
    RELEASED = "released"
    REFUSED = "refused"
    WAITING = "waiting"
    TURNED_AWAY = "turned-away"


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something happened.

    Attributes:
        event: What.
        text: In words; it holds nothing of a patient.
        files: Of how many files.
        summary: What became of them, where they were released.
    """

    event: WatchEvent
    text: str = ""
    files: int = 0
    summary: Summary | None = None


@dataclass(frozen=True, kw_only=True)
class WatchedSource:
    """Where files come from.

    Attributes:
        folder: One that is watched; None to listen.
        listener: Where to listen, and to whom; None to watch.
        quiet: Seconds without a new file after which a patient's files are complete.
        keep: Whether received originals are kept once they have an output.

    Raises:
        InputError: Neither, both, or a value is out of its range.
    """

    folder: Path | None = None
    listener: Listener | None = None
    quiet: float = 60.0
    keep: bool = True

    def __post_init__(self) -> None:
        if (self.folder is None) == (self.listener is None):
            raise InputError("give a folder to watch, or --port to listen on: one of them")
        if self.folder is not None and not self.folder.is_dir():
            raise InputError("expected the watched folder to exist; there is none")
        if not 0 <= self.quiet < float("inf"):
            raise InputError(f"expected --quiet in seconds, 0 or more, got {self.quiet:g}")
        if self.folder is not None and not self.keep:
            raise InputError("originals in a watched folder are not ours to delete")


@dataclass(kw_only=True)
class Watched:
    """What a watch has done, while it does it.

    Attributes:
        runs: That released something or had nothing new.
        files: That were decided on.
        released: New outputs.
        quarantined: Files without an output.
        refused: Files that a budget or an option did not allow.
    """

    runs: int = 0
    files: int = 0
    released: int = 0
    quarantined: int = 0
    refused: int = 0

    @property
    def exit_code(self) -> int:
        """0 all have an output, 1 some have none."""
        return 1 if self.quarantined or self.refused else 0


def watch(
    request: ReleaseRequest,
    privatizer: Privatizer,
    spool: Spool,
    source: WatchedSource,
    tell: Callable[[Notice], None],
    stop: threading.Event | None = None,
) -> Watched:
    """Releases what arrives, until ``stop`` is set or the process is interrupted.

    Args:
        request: Of the release; its source is the spool's `work`.
        privatizer: What to do to each image.
        spool: Of this watch.
        source: Where files come from.
        tell: Called with what happens, from one thread at a time.
        stop: Ends it.

    Raises:
        InputError: Something is wrong before anything was received.
        BudgetExceeded: A budget where something is released exactly.
        Aborted: The disk is full, or the like; what was received is safe.
    """
    check_request(request, privatizer)
    _check_apart(source, request, spool)
    inbox: Inbox
    job = _Watch(request, privatizer, tell)
    with ExitStack() as held:
        try:
            held.enter_context(spool.locked())
            if source.folder is not None:
                inbox = WatchedInbox(spool, source.folder, source.quiet)
                job.tell(Notice(event=WatchEvent.LISTENING, text="watching the folder"))
            else:
                inbox = ReceivedInbox(spool, source.quiet, keep=source.keep)
                _listen(held, source.listener, spool.incoming, job)
            job.run(inbox, min(_LONGEST, source.quiet / 4 + 0.05), stop or threading.Event())
        except OSError as error:
            raise Aborted(
                f"a file of the spool could not be written or moved ({error.strerror}); what was "
                "received is safe, and running the same command again goes on from here"
            ) from error
        except KeyboardInterrupt:  # as it is meant to end; whatever runs is gone on with
            pass
    return job.done


def _check_apart(source: WatchedSource, request: ReleaseRequest, spool: Spool) -> None:
    assert request.out is not None
    assert request.vault is not None
    if source.folder is None:
        return
    check_apart(source.folder, request.out, request.vault)
    folder, place = source.folder.resolve(), spool.path.resolve()
    if folder == place or folder in place.parents or place in folder.parents:
        raise InputError("the spool and the watched folder must not lie inside each other")


def _listen(held: ExitStack, listener: Listener | None, incoming: Path, job: _Watch) -> None:
    need_network()
    from latentdp.archives.storage_scp import StorageScp

    assert listener is not None
    one_at_a_time = threading.Lock()

    def store(instance: str, data: bytes) -> None:
        with one_at_a_time:
            keep(incoming, instance, data)

    def refused(text: str) -> None:
        job.tell(Notice(event=WatchEvent.TURNED_AWAY, text=text))

    scp = held.enter_context(StorageScp(listener, store, refused))
    text = f"listening as {listener.title} on port {scp.port}"
    job.tell(Notice(event=WatchEvent.LISTENING, text=text))


class _Watch:
    """Rounds of a watch, with what came of them."""

    def __init__(
        self, request: ReleaseRequest, privatizer: Privatizer, tell: Callable[[Notice], None]
    ) -> None:
        self._request, self._privatizer, self._tell = request, privatizer, tell
        self._lock = threading.Lock()
        self._later = 0.0  # when a vault that was busy is tried again
        self.done = Watched()

    def tell(self, notice: Notice) -> None:
        """Of one thread after the other."""
        with self._lock:
            self._tell(notice)

    def run(self, inbox: Inbox, pause: float, stop: threading.Event) -> None:
        """Looks, and releases what is complete, until it is stopped."""
        while not stop.wait(pause):
            if time.monotonic() < self._later:
                continue
            groups = inbox.complete()
            if groups:
                self._release(inbox, groups)

    def _release(self, inbox: Inbox, groups: Sequence[Sequence[FileState]]) -> None:
        """All at once, so that an order tells nothing; what is refused, a patient at a time."""
        files = [state for group in groups for state in group]
        taken = inbox.take(files)
        if taken < len(files):
            lost = len(files) - taken
            self.done.refused += lost
            text = "gone or not to be read"
            self.tell(Notice(event=WatchEvent.REFUSED, text=text, files=lost))
        if not taken:
            return
        try:
            summary = run_release(self._request, self._privatizer)
        except Busy as error:
            inbox.give_back()
            self._later = time.monotonic() + _BUSY
            self.tell(Notice(event=WatchEvent.WAITING, text=str(error), files=taken))
        except (BudgetExceeded, InputError) as error:
            if len(groups) > 1:
                inbox.give_back()
                for group in groups:
                    self._release(inbox, [group])
                return
            inbox.refuse()
            self.done.refused += taken
            self.tell(Notice(event=WatchEvent.REFUSED, text=str(error), files=taken))
        else:
            assert summary.report is not None
            rows = read_report(summary.report)
            fates = {
                status: {row.file for row in rows if row.status == status}
                for status in ("quarantined", "beyond")
            }
            inbox.done(fates["quarantined"], left_out=fates["beyond"])
            self.done.runs += 1
            self.done.files += summary.inputs
            self.done.released += summary.released
            self.done.quarantined += sum(summary.quarantined.values())
            self.done.refused += summary.beyond
            self.tell(Notice(event=WatchEvent.RELEASED, files=summary.inputs, summary=summary))
