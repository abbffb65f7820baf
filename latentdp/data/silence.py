"""Keeps what readers of files warn of and log to itself: it quotes values of the file."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["silence"]

# Handlers of a program that uses this package sit on the root logger; not propagating keeps them
# out without a change to pydicom's own settings.
_LOGGER = logging.getLogger("pydicom")


class _Quiet:
    """What is put back when the last of several threads leaves: both settings are the process's.

    Each thread for itself would put back what another had set: a line would be heard in between,
    or nothing ever after.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0

    def enter(self) -> None:
        with self._lock:
            if not self._inside:
                self._propagate = _LOGGER.propagate
                self._warnings = warnings.catch_warnings()
                self._warnings.__enter__()
                warnings.simplefilter("ignore")
                _LOGGER.propagate = False
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                _LOGGER.propagate = self._propagate
                self._warnings.__exit__(None, None, None)


_QUIET = _Quiet()


@contextmanager
def silence() -> Iterator[None]:
    """Silences warnings and pydicom's log lines, for the whole process while any thread is inside.

    Example:
        >>> import warnings
        >>> from latentdp.data.silence import silence
        >>> with silence():
        ...     warnings.warn("Doe^Jane is no date")
    """
    _QUIET.enter()
    try:
        yield
    finally:
        _QUIET.leave()
