"""Whether a question shows somebody whom the voters were taught by: it would be published."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentdp.data.patient_id import loose_form
from latentdp.errors import InputError
from latentdp.release.inputs import alone
from latentdp.synthesis.voting.kept_voters import VotersCard
from latentdp.synthesis.voting.questions import Questions, QuestionSource
from latentdp.vault.keys import Keys

__all__ = ["image_token", "refuse_own_images"]


def image_token(thumbnail: NDArray[np.uint8], keys: Keys) -> str:
    """An image by which a copy of it in another file is known, in hexadecimal.

    Args:
        thumbnail: ``(s, s)`` of it.
        keys: Of the vault, without which it cannot be compared with anything.
    """
    return keys.token("image of a voter", thumbnail.tobytes())


def refuse_own_images(questions: Questions, card: VotersCard, keys: Keys) -> None:
    """Questions are published beside their answers, so no patient of the cohort may be on them.

    A question is of the cohort if its header names one of its patients, if it is a file or a
    picture of one that names nobody, or if it looks the same at the size at which voters read.

    Args:
        questions: Read.
        card: Of the voters: whom they were taught by.
        keys: Of the vault.

    Raises:
        InputError: One is of the cohort at least; the message tells how many are.
    """
    accounts = card.accounts
    subjects = {name for a in accounts for name in (a.subject, *a.spellings)}
    pictures = {name for a in accounts for name in a.pictures}

    def names_one(source: QuestionSource) -> bool:
        told = [alone(source.content)]
        if source.patient:
            told += [source.patient, loose_form(source.patient)]
        return any(keys.subject(name) in subjects for name in told) or (
            bool(source.picture) and keys.pictured(source.picture) in pictures
        )

    images = set(card.images)
    own = sum(
        names_one(source) or image_token(small, keys) in images
        for source, small in zip(questions.sources, questions.thumbnails, strict=True)
    )
    if own:
        raise InputError(
            f"{own} of the {len(questions.names)} questions show patients of the cohort that the "
            "voters were taught by, and questions are published with their answers; ask about "
            "images that are public, and of others"
        )
