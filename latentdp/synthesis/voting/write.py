"""Answers, the student and their card, written into a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from latentdp.core.filesystem import digest, write_json
from latentdp.core.tables import write_table
from latentdp.errors import InputError
from latentdp.reports.answers_card import ANSWERS, CARD, STUDENT, AnswersCard
from latentdp.reports.release_contents import settle
from latentdp.synthesis.voting.student import Student
from latentdp.vault.keys import Keys
from latentdp.vault.signature import public_key, signature

__all__ = ["check_destination", "holds", "write_answers"]


def check_destination(out: Path, vault: str) -> None:
    """Refuses a folder that holds something else.

    Args:
        out: The folder.
        vault: Tag of the vault that is charged; empty for none.

    Raises:
        InputError: Other files, or answers that another vault was charged for.
    """
    if out.exists() and not out.is_dir():
        raise InputError("expected the output to be a folder, got a file")
    if not out.is_dir() or not any(out.glob("[!.]*")):
        return
    card = AnswersCard.find(out)
    if card is None:
        raise InputError("the output folder holds other files; name a new or an empty one")
    if card.vault != vault:
        raise InputError("the output folder belongs to another vault; name that one")


def holds(out: Path, run: str, name: str) -> bool:
    """Whether the folder holds just these answers, finished.

    Args:
        out: The folder.
        run: That of the answers.
        name: What the site calls itself.

    Raises:
        InputError: It holds others.
    """
    there = AnswersCard.find(out)
    if there is None:
        return False
    if there.run != run:
        raise InputError("the output folder holds other answers; name a new folder")
    if there.name != name:
        raise InputError("the output folder holds these answers under another --site; name that")
    return there.status == "complete"


def write_answers(
    out: Path,
    card: AnswersCard,
    names: Sequence[str],
    answers: NDArray[np.bool_],
    student: Student,
    keys: Keys | None = None,
) -> AnswersCard:
    """Writes all that is public; the card says at last that it is complete.

    Args:
        out: The folder; it is made if absent.
        card: Without digests.
        names: Of the questions.
        answers: ``(q, f)`` noisy ones.
        student: Taught by them.
        keys: Of the vault that signs; None for no signature.
    """
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / CARD, card.to_json())  # by it the next run of one that dies knows the folder
    findings = card.recipe.voters.findings
    labels = [
        ";".join(name for name, there in zip(findings, row, strict=True) if there)
        for row in answers
    ]
    write_table(out / ANSWERS, ("file", "label"), list(zip(names, labels, strict=True)))
    student.save(out / STUDENT)
    complete = structs.replace(
        card,
        status="complete",
        answers=digest(out / ANSWERS),
        student=digest(out / STUDENT),
        key="" if keys is None else public_key(keys),
    )
    if keys is not None:
        complete = structs.replace(complete, signature=signature(keys, complete.signed))
    write_json(out / CARD, complete.to_json())
    settle(out)
    return complete
