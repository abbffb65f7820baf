r"""What voters are: some that are taught by patients, each of whom stands behind one at most.

To add a kind, write a module here with a class that extends `Voters`, and name it ``voters``. Its
docstring proves that another patient in the place of one, or nobody, changes one vote at most in
any election; the contract tests hold it to that.

Images are public questions. In an election of one name each voter casts one vote for the finding
they lean to most. Where findings go together, each finding is an election of its own, yes or no:
a patient with several findings, or with none, may move one vote in each of them, and all are paid
for. How many images a patient has never matters.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, ClassVar, NoReturn, Self

import numpy as np
from numpy.typing import NDArray

from latentdp.errors import InputError
from latentdp.synthesis.head import Head
from latentdp.synthesis.vectors import PatientImages
from latentdp.vault.keys import Keys

__all__ = ["Ballot", "Tensors", "Voters", "counted", "elections"]

Tensors = Mapping[str, NDArray[Any]]


class Ballot(StrEnum):
    """What is voted on."""

    ONE = "one"  # which finding is likeliest
    EACH = "each"  # of each finding, whether it is there

    @classmethod
    def _missing_(cls, value: object) -> NoReturn:
        """Cards come from others, so that any word may stand there."""
        raise InputError(f"expected the ballot to be one or each, got {value!r}")


class Voters(ABC):
    """Voters who were taught: **private**, all of them.

    Args:
        head: Whose features all read; public. It has a row of weights for each finding.
        number: How many vote.
        tensors: What they learnt.

    Attributes:
        name: As an option has it.
        title: Who votes, in a line.
        source: Where the idea comes from.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]

    def __init__(self, head: Head, number: int, tensors: Tensors) -> None:
        self.head, self.number, self.tensors = head, number, tensors

    @classmethod
    @abstractmethod
    def teach(
        cls,
        images: PatientImages,
        subjects: tuple[str, ...],
        keys: Keys,
        *,
        head: Head,
        number: int,
    ) -> Self:
        """Teaches them, without any noise.

        Args:
            images: Of all patients, without latents.
            subjects: Who the patients are.
            keys: Of the vault, unknown to whoever sees answers.
            head: As given to the class.
            number: As given to the class.

        Raises:
            InputError: There are too few patients for so many.
        """

    @abstractmethod
    def leanings(self, questions: NDArray[np.uint8]) -> Iterator[NDArray[np.float64]]:
        """How much each voter leans to each finding ``(q, f)``, above 0 for yes.

        Args:
            questions: ``(q, s, s)`` thumbnails.
        """


def counted(voters: Voters, questions: NDArray[np.uint8], ballot: Ballot) -> NDArray[np.int64]:
    """Votes ``(elections, candidates)``: **private**.

    Args:
        voters: Of whom each votes once.
        questions: ``(q, s, s)`` thumbnails.
        ballot: One election a question between all findings, or one for each finding between no
            and yes, question by question.
    """
    findings = len(voters.head.weights)
    rows = np.arange(len(questions) * (1 if ballot is Ballot.ONE else findings))
    counts = np.zeros((len(rows), findings if ballot is Ballot.ONE else 2), dtype=np.int64)
    for leaning in voters.leanings(questions):
        chosen = leaning.argmax(axis=1) if ballot is Ballot.ONE else (leaning > 0).ravel()
        counts[rows, chosen.astype(np.int64)] += 1
    return counts


def elections(questions: int, findings: int, ballot: Ballot) -> int:
    """How many there are, each of which is paid for."""
    return questions if ballot is Ballot.ONE else questions * findings
