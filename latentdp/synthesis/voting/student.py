"""The student: a linear reader that learnt from noisy answers alone, and is as private as they."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from latentdp.errors import InputError, WeightsError
from latentdp.models.weights_file import WeightsFile
from latentdp.synthesis.head import Head
from latentdp.synthesis.voting.logistic import taught

__all__ = ["Student"]

KIND = "head"
STRENGTH = 3.0  # fixed on public adults (NIH)
PARTS = ("weights", "centre", "scale")


@dataclass(frozen=True)
class Student:
    """A reader of findings.

    Attributes:
        head: Gives probabilities of each.
        findings: Their names, in order.

    Raises:
        InputError: There are more names than findings that the head reads, or fewer.
    """

    head: Head
    findings: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.head.weights) != len(self.findings):
            raise InputError("expected a name for each finding that the student reads")

    @classmethod
    def taught(
        cls,
        head: Head,
        findings: tuple[str, ...],
        thumbnails: NDArray[np.uint8],
        answers: NDArray[np.bool_],
    ) -> Self:
        """By questions and their answers.

        Args:
            head: Whose features it reads; public.
            findings: Their names.
            thumbnails: ``(q, s, s)`` of the questions.
            answers: ``(q, f)`` noisy ones.
        """
        return cls(taught(head, thumbnails, answers, strength=STRENGTH), findings)

    def save(self, path: Path) -> None:
        """Writes it, whole or not at all, with tensors named as in a generator's file."""
        WeightsFile(
            kind=KIND,
            config=json.dumps({"findings": list(self.findings)}),
            card=json.dumps({"learnt_from": "noisy answers of latentdp vote answer"}),
            tensors={f"head.{name}": getattr(self.head, name) for name in PARTS},
        ).write(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            WeightsError: There is none, it is damaged, or of another kind.
        """
        file = WeightsFile.read(path)
        if file.kind != KIND:
            raise WeightsError(f"expected a student of latentdp vote, got a file of {file.kind!r}")
        try:
            tensors = {name: file.tensors[f"head.{name}"].astype(np.float64) for name in PARTS}
            findings = tuple(map(str, json.loads(file.config)["findings"]))
            return cls(Head(**tensors), findings)
        except (KeyError, ValueError, TypeError, InputError) as error:
            raise WeightsError(f"{path.name}: the student is damaged") from error
