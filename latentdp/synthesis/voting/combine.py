"""Sites that share nothing but answers: each question is decided by what most sites said.

Every site asked its own voters, with noise of its own, and charged its own patients; what is added
up here is public, and costs nothing. The student is the mean of those of the sites.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentdp.core.site_name import check_name
from latentdp.core.tables import read_table
from latentdp.errors import Aborted, InputError
from latentdp.reports.answers_card import ANSWERS, STUDENT, AnswersCard
from latentdp.synthesis.head import averaged
from latentdp.synthesis.voting.describe import joined_card
from latentdp.synthesis.voting.student import Student
from latentdp.synthesis.voting.verify import verify_answers
from latentdp.synthesis.voting.voters.base import Ballot
from latentdp.synthesis.voting.write import check_destination, holds, write_answers

__all__ = ["SiteAnswers", "combine_answers", "read_sites_answers"]


@dataclass(frozen=True)
class SiteAnswers:
    """What a site answered, as its card says it.

    Attributes:
        card: Whose claims hold.
        names: Of the questions.
        answers: ``(q, f)``.
        student: Taught by them.
    """

    card: AnswersCard
    names: tuple[str, ...]
    answers: NDArray[np.bool_]
    student: Student

    @classmethod
    def read(cls, folder: Path) -> SiteAnswers:
        """From a folder of ``latentdp vote answer``.

        Raises:
            InputError: There are none, or a claim on the card does not hold.
        """
        if not folder.is_dir():
            raise InputError(f"{folder.name}: expected a folder of latentdp vote answer")
        failed = [check.claim for check in verify_answers(folder).checks if not check.ok]
        if failed:
            raise InputError(f"{folder.name}: its card does not hold: {', '.join(failed)}")
        card = AnswersCard.find(folder)
        assert card is not None  # it was verified
        student = Student.load(folder / STUDENT)
        if student.findings != card.recipe.voters.findings:
            raise InputError(f"{folder.name}: its student reads other findings than its card says")
        rows = [row for _, row in read_table(folder / ANSWERS, ("file", "label"))]
        findings = card.recipe.voters.findings
        return cls(
            card=card,
            names=tuple(row["file"] for row in rows),
            answers=np.array(
                [[name in row["label"].split(";") for name in findings] for row in rows]
            ),
            student=student,
        )


def read_sites_answers(
    folders: Sequence[Path], trusted: Collection[str] = ()
) -> list[SiteAnswers]:
    """Answers of sites that fit together.

    Args:
        folders: Of at least two sites.
        trusted: Public keys, of which each site must have one; empty for any.

    Raises:
        InputError: One does not hold, or they do not fit together.
    """
    sites = [SiteAnswers.read(folder) for folder in folders]
    if len(sites) < 2:
        raise InputError("expected answers of at least 2 sites")
    first = sites[0].card
    keys: set[str] = set()
    for site in sites:
        card = site.card
        if card.sites:
            raise InputError("expected answers of single sites; some were combined before")
        if not card.name:
            raise InputError("a site did not say who it is; it must give --site NAME")
        check_name(card.name)
        if trusted and card.key not in trusted:
            raise InputError(f"the key of site {card.name!r} is none that you trust: {card.key}")
        if card.key in keys:
            raise InputError(f"two answers come from the vault of site {card.name!r}")
        keys.add(card.key)
        if site.names != sites[0].names or _agreed(card) != _agreed(first):
            raise InputError(
                f"site {card.name!r} was asked other questions, or of other findings, ballot or "
                f"weights than site {first.name!r}; all must give the same"
            )
    return sites


def combine_answers(sites: Sequence[SiteAnswers], out: Path) -> AnswersCard:
    """Decides each question by what most sites said; called again, it writes nothing.

    Args:
        sites: That fit together.
        out: New or empty folder.

    Raises:
        InputError: The folder holds something else.
        Aborted: Writing failed in the middle.
    """
    check_destination(out, "")
    card = joined_card([site.card for site in sites])
    try:
        if holds(out, card.run, card.name):
            there = AnswersCard.find(out)
            assert there is not None
            return there
        first = sites[0]
        answers = _decided([site.answers for site in sites], Ballot(card.recipe.ballot))
        heads = [site.student.head for site in sites]
        student = Student(averaged(heads, [1.0] * len(heads)), first.student.findings)
        return write_answers(out, card, first.names, answers, student)
    except OSError as error:
        raise Aborted(
            f"a file could not be written ({error.strerror}); run the same command again"
        ) from error


def _agreed(card: AnswersCard) -> tuple[object, ...]:
    """What must be the same at all sites."""
    recipe = card.recipe
    return recipe.asked, recipe.ballot, recipe.voters.findings, card.weights.sha256


def _decided(answers: Sequence[NDArray[np.bool_]], ballot: Ballot) -> NDArray[np.bool_]:
    """Answers ``(q, f)`` of most sites; a tie is decided by the question's place, evenly."""
    votes = np.sum(answers, axis=0)
    if ballot is Ballot.EACH:
        return np.asarray(2 * votes > len(answers), dtype=np.bool_)
    findings = votes.shape[1]
    turn = (np.arange(findings) + np.arange(len(votes))[:, None]) % findings
    winners = (votes * findings + turn).argmax(axis=1)
    return np.asarray(np.eye(findings, dtype=np.bool_)[winners])
