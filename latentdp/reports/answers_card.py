"""The card of answers: what voters were asked, with which noise, at which cost to each patient.

``answers.json`` lies beside ``answers.csv`` and ``student.safetensors`` and is public. It holds no
number of patients or images of the cohort, no votes, and nothing that follows from them: how far
voters agreed is private, and stands in the vault.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, Self

from msgspec import Struct, structs

from latentdp.core.documents import JsonValue, from_json, read_json, to_json
from latentdp.errors import InputError
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.rounding import printed
from latentdp.reports.release_card_parts import CardWeights
from latentdp.reports.synthesis_card import PatientBound

__all__ = [
    "ANSWERS",
    "CARD",
    "MODEL",
    "STUDENT",
    "AnswersCard",
    "AnswersRecipe",
    "ElectionNoise",
    "SiteBound",
    "VotersRecipe",
    "VotesGuarantee",
    "joined_statement",
    "statement",
]

MODEL = "votes"
CARD = "answers.json"
ANSWERS = "answers.csv"
STUDENT = "student.safetensors"

NOT_COVERED = (
    "that two identifiers are one patient, or that one image stands under two patients",
    "patients of this cohort whom the public weights have seen in training",
    "that a statement about all patients like these may be true of one of them",
    "what else was released of a patient, from this vault or another: all figures are of these "
    "answers alone",
    "whoever holds the vault, and so knows which patients stand behind which votes",
    "people on the images that were asked about, which are public and are named in answers.csv",
    "what a reader of this computer's memory, timing or disk could learn during the run",
)
AT_SEVERAL = (
    "that a patient may be known at several of these sites: what each answered of them adds up"
)


class VotersRecipe(Struct, frozen=True, kw_only=True):
    """How voters were taught.

    Attributes:
        voters: Kind, a plug-in.
        number: How many vote.
        findings: Public names, in the order of candidates.
        images_per_patient: Images of a patient that are looked at, at most.
        accept_burned_in: A person looked at all inputs and found no text in them.
        all_chests: A person says that every input shows a chest.
        all_frontal: A person says that every input is a frontal view.
    """

    voters: str
    number: int
    findings: tuple[str, ...]
    images_per_patient: int
    accept_burned_in: bool = False
    all_chests: bool = False
    all_frontal: bool = False


class AnswersRecipe(Struct, frozen=True, kw_only=True):
    """All that was asked for.

    Attributes:
        voters: How they were taught.
        ballot: ``one`` name a question, or yes or no of ``each`` finding.
        aggregator: How votes are answered, a plug-in.
        epsilon: In nats, replace-one, of a patient.
        delta: In (0, 1).
        questions: Images that are asked about.
        asked: SHA-256 of the list of questions: a line ``DIGEST  FILE`` for each, in order.
    """

    voters: VotersRecipe
    ballot: str
    aggregator: str
    epsilon: float
    delta: float
    questions: int
    asked: str


class ElectionNoise(Struct, frozen=True, kw_only=True):
    """All that touched votes, from which the cost follows.

    Attributes:
        aggregator: A plug-in.
        parameter: Of its noise.
        elections: How many, each with fresh noise.
    """

    aggregator: str
    parameter: int
    elections: int


class SiteBound(Struct, frozen=True, kw_only=True):
    """(epsilon, delta) of the hospital as a whole: all voters replaced at once.

    Attributes:
        epsilon: In nats.
        delta: In (0, 1).
        voters: How many may change.
        unit: ``site``.
    """

    epsilon: float
    delta: float
    voters: int
    unit: str = "site"


class VotesGuarantee(Struct, frozen=True, kw_only=True):
    """What is guaranteed, and what is not.

    Attributes:
        replace_one: Of cohorts in which another patient stands in the place of one.
        add_remove: Of cohorts with a patient and without; the same number.
        site: Of the hospital as a whole.
        charged: Epsilon that every patient's account was charged.
        private: False where the noise came from a seed, which voids the guarantee.
        numerics: ``exact``.
        statement: In words.
        not_covered: What no guarantee is about.
    """

    replace_one: PatientBound
    add_remove: PatientBound
    site: SiteBound
    charged: float
    private: bool
    numerics: str
    statement: tuple[str, ...]
    not_covered: tuple[str, ...]


class AnswersCard(Struct, frozen=True, kw_only=True):
    """All that is said of answers in public.

    Attributes:
        tool: ``latentdp``.
        version: Of the program.
        model: ``votes``.
        status: ``complete``, or ``incomplete`` while a run writes.
        run: Random identifier.
        name: What the site calls itself; empty for none.
        recipe: What was asked for; of several sites what all share, with the largest budget.
        noise: What touched votes; None of several sites.
        guarantee: What follows.
        weights: In whose units voters and student read.
        public: What was used and is public.
        touched: What touched private data.
        warnings: What a reader must not overlook.
        answers: SHA-256 of ``answers.csv``, in hexadecimal.
        student: SHA-256 of ``student.safetensors``, in hexadecimal.
        vault: Public tag of the vault that was charged; empty of several sites.
        key: By which the vault signs, in hexadecimal; empty of several sites.
        signature: Of all that, in hexadecimal.
        sites: The cards of several sites, each with voters and noise of its own.
    """

    tool: Literal["latentdp"]
    version: str
    model: Literal["votes"]
    status: str
    run: str
    name: str = ""
    recipe: AnswersRecipe
    noise: ElectionNoise | None
    guarantee: VotesGuarantee
    weights: CardWeights
    public: tuple[str, ...]
    touched: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    answers: str = ""
    student: str = ""
    vault: str = ""
    key: str = ""
    signature: str = ""
    sites: tuple[AnswersCard, ...] = ()

    @property
    def signed(self) -> bytes:
        """What the signature is of."""
        values = to_json(structs.replace(self, signature=""))
        return json.dumps(values, sort_keys=True, separators=(",", ":")).encode()

    def to_json(self) -> dict[str, JsonValue]:
        """JSON values, in the order of ``answers.json``."""
        return to_json(self)  # type: ignore[no-any-return]

    @classmethod
    def find(cls, out: Path) -> Self | None:
        """The card in a folder, or at a path; None if there is none of answers.

        Raises:
            InputError: There is one that cannot be read, is of something else under its name, or
                is incomplete or of another version.
        """
        file = out / CARD if out.is_dir() else out
        named = file.name == CARD and file.exists()
        try:
            values = read_json(file, "a card")
        except InputError as error:
            if not named:
                return None
            raise InputError(
                f"{CARD} is damaged: expected JSON, and it cannot be read; have it made or sent "
                "again"
            ) from error
        if isinstance(values, dict) and values.get("model") == MODEL:
            return from_json(values, cls, "the card of the answers")
        if not named:
            return None
        raise InputError(
            f"{CARD} is of something else: expected the card of answers of latentdp vote; have it "
            "made or sent again"
        )


def statement(replace_one: Guarantee, add_remove: Guarantee, site: SiteBound) -> tuple[str, ...]:
    """The guarantee in words, with the number for the whole hospital beside it."""
    return (
        "All answers, the student and this card together, for whoever does not hold the vault: "
        "any two cohorts in which another patient with all of their images and findings stands in "
        f"the place of one are indistinguishable up to {replace_one.words()}.",
        f"Two cohorts with a patient and without: up to {add_remove.words()}.",
        f"Of the hospital as a whole, all {site.voters} voters at once: epsilon "
        f"{printed(site.epsilon)}, delta {printed(site.delta)} per site; above 10 it is hardly "
        "protected.",
    )


def joined_statement(sites: int, largest: PatientBound, site: SiteBound) -> tuple[str, ...]:
    """The same of several sites, each of which answered by itself."""
    return (
        f"Of {sites} sites each answered by voters of its own, with noise of its own; each "
        "patient's guarantee is that of their own site, of which the largest is epsilon "
        f"{printed(largest.epsilon)}, delta {printed(largest.delta)} per patient.",
        f"Of a hospital as a whole: at most epsilon {printed(site.epsilon)}, delta "
        f"{printed(site.delta)} per site; above 10 it is hardly protected.",
    )
