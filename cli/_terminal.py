"""What surrounds the command: streams that cannot show a letter, and signals that end it."""

from __future__ import annotations

import io
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Terminated", "showable", "terminable"]


class Terminated(KeyboardInterrupt):
    """The process was asked to end, as by Slurm, `docker stop` or systemd: as Ctrl-C is."""


def showable() -> None:
    """A letter that a console or log cannot show becomes a stand-in, and ends no run."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


@contextmanager
def terminable() -> Iterator[list[int]]:
    """While it is open SIGTERM raises `Terminated`, once; yields a list that then holds it.

    Whoever catches what follows of it, such as a worker that got the signal too, asks the list.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is ending: nothing is left half-closed
        received.append(number)
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, before)
