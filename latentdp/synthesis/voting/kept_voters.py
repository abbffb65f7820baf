"""Voters as a file of the vault: **private**. It says whom each answer of theirs is charged to."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from msgspec import Struct

from latentdp.core import plugins
from latentdp.core.documents import from_json, to_json
from latentdp.errors import InputError, WeightsError
from latentdp.models.weights_file import WeightsFile
from latentdp.reports.answers_card import VotersRecipe
from latentdp.reports.release_card_parts import CardWeights
from latentdp.synthesis.head import Head
from latentdp.synthesis.voting.voters.base import Voters

__all__ = ["ChargedPatient", "KeptVoters", "VotersCard", "voters_file"]

KIND = "voters"  # of plug-ins, and of the file
FOLDER = "votes"  # of the vault
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
HEAD = ("head.weights", "head.centre", "head.scale")


class ChargedPatient(Struct, frozen=True, kw_only=True):
    """A patient, in the ledger's pseudonyms.

    Attributes:
        subject: Who is charged.
        spellings: Other pseudonyms under which an old ledger may have charged them.
        pictures: Those of whoever is on their pictures that name nobody.
    """

    subject: str
    spellings: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()


class VotersCard(Struct, frozen=True, kw_only=True):
    """What is known of voters.

    Attributes:
        recipe: How they were taught.
        identity: Keyed digest of all files, patients and findings, recipe and weights.
        shape: Height and width at which images are read.
        weights: In whose units features are.
        accounts: All patients that they were taught by.
        images: Keyed digests of the images that they were taught by, as small as they were read;
            empty of voters that an older version kept.
    """

    recipe: VotersRecipe
    identity: str
    shape: tuple[int, int]
    weights: CardWeights
    accounts: tuple[ChargedPatient, ...]
    images: tuple[str, ...] = ()


@dataclass(frozen=True)
class KeptVoters:
    """Voters and what is known of them.

    Attributes:
        voters: Taught.
        card: About them.
        sha256: Of their file; empty for one that is not written.
    """

    voters: Voters
    card: VotersCard
    sha256: str = ""

    def save(self, path: Path) -> None:
        """Writes them, whole or not at all."""
        head = self.voters.head
        arrays = (head.weights, head.centre, head.scale)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        WeightsFile(
            kind=KIND,
            config=json.dumps(to_json(self.card.recipe)),
            card=json.dumps(to_json(self.card)),
            tensors={**dict(zip(HEAD, arrays, strict=True)), **self.voters.tensors},
        ).write(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            InputError: There are none.
            WeightsError: The file is damaged.
        """
        if not path.is_file():
            raise InputError(
                "the vault holds no voters of this name; make them with latentdp vote train"
            )
        file = WeightsFile.read(path)
        try:
            card = from_json(json.loads(file.card), VotersCard, "the card of the voters")
            tensors = dict(file.tensors)
            weights, centre, scale = (tensors.pop(name) for name in HEAD)
            head = Head(weights=weights, centre=centre, scale=scale)
            kind = plugins.load(KIND, card.recipe.voters).voters
            return cls(kind(head, card.recipe.number, tensors), card, file.sha256)
        except (KeyError, ValueError, TypeError, InputError) as error:
            raise WeightsError(f"{path.name}: the voters in the vault are damaged") from error


def voters_file(vault: Path, name: str) -> Path:
    """Where a vault keeps voters.

    Raises:
        InputError: A name that no file should have.
    """
    if not NAME.fullmatch(name):
        raise InputError("expected the name of the voters to have 1 to 64 letters, digits, - or _")
    return vault / FOLDER / f"{name}.safetensors"
