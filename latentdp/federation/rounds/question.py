"""What the coordinator asks in a round: the gradient at these weights. Nobody needs to trust it.

A site reads it as it reads anything from outside: it must be the study, the findings, the weights
and the number of rounds that its steward agreed to, and finite numbers of the right shape.
Whatever the numbers are, a patient's part of the answer is clipped: they can cost nobody more.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from latentdp.core.documents import from_json, read_json, to_json
from latentdp.errors import InputError

__all__ = ["LARGEST", "RoundQuestion", "answer_name", "question_name", "read_document"]

Document = TypeVar("Document")

LARGEST = 1 << 26  # bytes of a file
STEEPEST = 1e6  # of a weight


class RoundQuestion(Struct, frozen=True, kw_only=True):
    """Asks all sites for the sum of their patients' gradients.

    Attributes:
        tool: ``latentdp``.
        format: Of the file.
        study: What all sites call this training; they agreed on it.
        round: Its number, from 1.
        rounds: How many there are.
        findings: Names, one for each row of the weights.
        flow: SHA-256 of the public weights that all started from, in hexadecimal.
        weights: A row for each finding: of the pixels of a thumbnail, and an offset.
    """

    tool: Literal["latentdp"]
    format: Literal[1]
    study: str
    round: int
    rounds: int
    findings: tuple[str, ...]
    flow: str
    weights: tuple[tuple[float, ...], ...]

    @classmethod
    def read(cls, path: Path) -> RoundQuestion:
        """Reads one from outside.

        Raises:
            InputError: It is none, or holds numbers that are no weights.
        """
        question = read_document(path, cls, "a question of latentdp federate ask")
        sizes = {len(row) for row in question.weights}
        if len(sizes) != 1 or len(question.weights) != len(question.findings):
            raise InputError(f"{path.name}: expected a row of weights for each finding")
        if not (np.abs(question.matrix) <= STEEPEST).all():  # NaN is not, either
            raise InputError(f"{path.name}: expected weights that are finite, up to {STEEPEST:g}")
        if not 1 <= question.round <= question.rounds:
            raise InputError(f"{path.name}: expected one of {question.rounds} rounds")
        return question

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The weights ``(f, s * s + 1)``."""
        return np.array(self.weights, dtype=np.float64)

    @property
    def digest(self) -> str:
        """SHA-256 of what is asked, in hexadecimal."""
        text = json.dumps(to_json(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def question_name(number: int) -> str:
    """Of the file with the question of a round, at a site."""
    return f"round-{number:04}.question.json"


def answer_name(number: int) -> str:
    """Of the file with the answer of a round, at a site."""
    return f"round-{number:04}.answer.json"


def read_document(path: Path, kind: type[Document], what: str) -> Document:
    """A document from a file that somebody else wrote.

    Args:
        path: Of the file.
        kind: Of the document.
        what: It is expected to be.

    Raises:
        InputError: It is none, or too large.
    """
    try:
        large = path.stat().st_size > LARGEST
    except OSError:
        large = False  # it is not there, which is said below
    if large:
        raise InputError(f"{path.name}: expected {what}; the file is larger than any")
    try:
        return from_json(read_json(path, what), kind, what)
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from error
