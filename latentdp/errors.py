"""Every error that latentdp raises on purpose, with the exit code that the command gives it.

    LatentDPError                 1
    ├── InputError                2   wrong usage, or nothing usable
    │   ├── UnsupportedInstance   2   one file that cannot be handled (a batch quarantines it)
    │   └── Busy                  2   another run holds the vault or the output folder
    ├── BudgetExceeded            3   the ledger refused; nothing was drawn or written
    ├── WeightsError              4   weights missing, altered, incomplete or incompatible
    ├── Aborted                   5   a run had to stop; what is finished is safe, run it again
    ├── Refuted                   6   an attack did better than the claimed guarantee allows
    └── ArchiveError              7   an archive cannot be reached, or refuses

A message names what was expected and what came. It names attributes and tags, never a value
from a patient's file: a value may be a name.
"""

from __future__ import annotations

__all__ = [
    "Aborted",
    "ArchiveError",
    "BudgetExceeded",
    "Busy",
    "InputError",
    "LatentDPError",
    "Refuted",
    "UnsupportedInstance",
    "WeightsError",
]


class LatentDPError(Exception):
    """Base of all errors that are shown to a user as one line."""

    exit_code = 1


class InputError(LatentDPError):
    """What was asked for is not possible as asked: an option, an array or a folder is wrong."""

    exit_code = 2


class UnsupportedInstance(InputError):
    """One image file cannot be handled. In a batch it is quarantined and the rest goes on.

    Args:
        reason: A short class of reasons, for tables (``"burned-in"``, ``"multi-frame"``, ...).
        message: One sentence: what was expected and what came, without any value of the file.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Busy(InputError):
    """Another run holds the vault or the output folder; when it has ended this one may begin."""


class BudgetExceeded(LatentDPError):
    """The privacy budget of a patient does not allow this release. Nothing was spent."""

    exit_code = 3


class Aborted(LatentDPError):
    """A run had to stop in the middle: a full disk, a dead worker. Running it again goes on."""

    exit_code = 5


class WeightsError(LatentDPError):
    """Weights that cannot be trusted to do what their card says."""

    exit_code = 4


class Refuted(LatentDPError):
    """An attack did better than the claimed guarantee allows, so that is not true."""

    exit_code = 6


class ArchiveError(LatentDPError):
    """An archive cannot be reached, or refuses. Running it again goes on from there."""

    exit_code = 7
