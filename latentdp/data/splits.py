"""Training, validation and test images, told apart by patient."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Self

from latentdp.errors import InputError

__all__ = ["USUAL_SPLITS", "Splits"]

NAMES = ("train", "val", "test")
USUAL_SPLITS = "80,10,10"


@dataclass(frozen=True)
class Splits:
    """Shares of patients, in percent.

    Where a patient goes follows from a digest of the pseudonym, which only the vault's key links
    to anybody. So all images of one patient go together, those of a later release from the same
    vault too, and whoever has the pseudonyms can check it. Shares are met on average.

    Attributes:
        shares: Of training, validation and test.
    """

    shares: tuple[int, int, int] = (80, 10, 10)

    def __post_init__(self) -> None:
        train, *others = self.shares
        if train < 1 or min(others) < 0 or sum(self.shares) != 100:
            raise InputError(
                "expected --splits to be three percentages, for train, val and test, that add up "
                f"to 100 with some to train, such as {USUAL_SPLITS}"
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """From ``80,10,10``.

        Raises:
            InputError: They are no such percentages.
        """
        try:
            train, val, test = (int(part) for part in text.split(","))
        except ValueError:
            train, val, test = 0, 0, 0
        return cls((train, val, test))

    def of(self, patient: str) -> str:
        """Where all images of a patient go: ``train``, ``val`` or ``test``.

        >>> Splits().of("LDP-0123456789ABCDEF")
        'train'
        """
        drawn = hashlib.sha256(b"latentdp.split.1" + patient.encode()).digest()
        place = int.from_bytes(drawn[:8], "big") % 100
        train, val, _ = self.shares
        return NAMES[(place >= train) + (place >= train + val)]
