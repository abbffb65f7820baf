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


# What asks a process to end: of a scheduler or service; of a terminal that is closed, where that
# is not to be ignored, as under nohup; and the same of a console on Windows.
_ENDING = ("SIGTERM", "SIGHUP", "SIGBREAK")


class Terminated(KeyboardInterrupt):
    """The process was asked to end, as by Slurm, `docker stop` or systemd: as Ctrl-C is."""


def showable() -> None:
    """A letter that a console or log cannot show becomes a stand-in, and ends no run."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


@contextmanager
def terminable() -> Iterator[list[int]]:
    """While it is open a signal to end raises `Terminated`, once; yields a list that will hold it.

    Whoever catches what follows of it, such as a worker that got the signal too, asks the list.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    asking = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in asking}
    heard = [number for number, was in before.items() if was not in (signal.SIG_IGN, None)]

    def end(number: int, frame: FrameType | None) -> None:
        for each in heard:  # it is ending: nothing is left half-closed
            signal.signal(each, signal.SIG_IGN)
        received.append(number)
        raise Terminated

    for number in heard:
        signal.signal(number, end)
    try:
        yield received
    finally:
        for number in heard:
            signal.signal(number, before[number])
