"""The parts of an evaluation: what its attackers were, whom they attacked, and what it means."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Self

from msgspec import UNSET, Struct, UnsetType, structs

from latentdp.privacy.guarantee import Guarantee
from latentdp.reports.results import Measure, Outcome
from latentdp.reports.stated_epsilon import StatedEpsilon

__all__ = [
    "COUNTED",
    "MethodGuarantee",
    "Control",
    "ControlKind",
    "EvaluatedRelease",
    "JudgedClaim",
    "MethodDescription",
    "People",
    "ReachedAuc",
    "StatedEffort",
    "StatedPopulation",
    "TellingApart",
    "Unavailable",
    "UsedVerifier",
    "Verdict",
]

COUNTED = "; there are "  # before what is counted of the originals
UNNAMED = "something of what is released"


class StatedEffort(Struct, frozen=True, kw_only=True):
    """How hard attackers worked, as `latentdp.evaluation.threat_model.Effort` explains it.

    What a file leaves out is not known; it is never taken for the usual.
    """

    restarts: int | UnsetType = UNSET
    steps: int | UnsetType = UNSET
    patients: int | UnsetType = UNSET
    learning_rate: float | UnsetType = UNSET
    resamples: int | UnsetType = UNSET
    copies: int | UnsetType = UNSET
    seeds: int | UnsetType = UNSET
    reader_steps: int | UnsetType = UNSET


class UsedVerifier(Struct, frozen=True, kw_only=True):
    """The verifier that attackers start from.

    Attributes:
        name: Of shipped weights, or ``not shipped``: a path may be private.
        sha256: Of its weights, in hexadecimal.
    """

    name: str
    sha256: str


class MethodGuarantee(StatedEpsilon, frozen=True, kw_only=True):
    """What is claimed of a whole image.

    Attributes:
        text: All of it in words.
    """

    text: str

    @classmethod
    def of(cls, guarantee: Guarantee, **more: Any) -> Self:
        """A guarantee as a document states it."""
        return super().of(guarantee, text=str(guarantee), **more)

    def beside(self, unprotected: Sequence[str]) -> Self:
        """As `StatedEpsilon.beside`, in words as well."""
        whole = super().beside(unprotected)
        if whole is self:
            return self
        alone = f"epsilon infinity, {whole.reason}; of the noised part alone: {self.text}"
        return structs.replace(whole, text=alone)


class ControlKind(StrEnum):
    """What a control leaves of an image."""

    EVERYTHING = "everything"  # the image as it is
    RELEASED_LABEL = "released label"  # a fresh sample under the label that a method releases
    TRUE_LABEL = "true label"  # the mean picture of the true label
    NOTHING = "nothing"  # noise


class MethodDescription(Struct, frozen=True, kw_only=True):
    """What made images private.

    Attributes:
        name: Of a row in a table: ``dp-pix-4-1``.
        title: What it is, in a few words.
        source: Paper and equation that it follows; empty for our own.
        claim: What its authors say that it gives; empty if nothing.
        guarantee: Of a whole release, as it really is: where something is not protected, epsilon
            is infinity. None where nothing is noised.
        protects_all: Whether nothing is released exactly: no attack may beat its ceiling then.
        control: What it leaves of an image, if it is a control; None for another method, unset in
            a file that does not say.
    """

    name: str
    title: str
    source: str = ""
    claim: str = ""
    guarantee: MethodGuarantee | None = None
    protects_all: bool
    control: ControlKind | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        if self.guarantee is not None and not self.protects_all:
            structs.force_setattr(self, "guarantee", self.guarantee.beside((UNNAMED,)))

    @property
    def bounds_attacks(self) -> MethodGuarantee | None:
        """The guarantee, if no attack may beat its ceiling."""
        return self.guarantee if self.protects_all else None


class People(Struct, frozen=True, kw_only=True):
    """How many people and images one side of an experiment has.

    Attributes:
        images: Number of them.
        patients: Number of them.
        patients_with_several: Number of patients with at least two images.
        size: Pixels on a side; height and width where they differ.
        unreadable: Images that could not be read and were left out.
        where: Where people to practise on come from.
    """

    images: int
    patients: int
    patients_with_several: int | UnsetType = UNSET
    size: int | tuple[int, ...] | UnsetType = UNSET
    unreadable: int | UnsetType = UNSET
    where: str | UnsetType = UNSET


class EvaluatedRelease(Struct, frozen=True, kw_only=True):
    """Which release of this tool was evaluated.

    Attributes:
        release: Its random identifier; empty if its card has none.
        card_sha256: Of its card without what evaluations wrote there, in hexadecimal.
        weights_sha256: Of the weights that made it, in hexadecimal.
        vault: Public tag of its vault, whose key signs the evaluation.
    """

    release: str
    card_sha256: str
    weights_sha256: str
    vault: str


class StatedPopulation(Struct, frozen=True, kw_only=True):
    """Of whom a release was made; claims that rest on its evaluation are about these alone.

    Attributes:
        files: Input files, refused ones among them.
        patients: Patients with an output.
        sources: Keyed digest of the files' contents, in hexadecimal.
    """

    files: int
    patients: int
    sources: str


class Unavailable(Struct, frozen=True, kw_only=True):
    """An attack or a measure that could not be run, and why, in a few words."""

    name: str
    why: str

    @property
    def in_public(self) -> str:
        """Why, without counts of findings in a hospital's own words: a card may quote it."""
        return self.why.partition(COUNTED)[0]


class JudgedClaim(Struct, frozen=True, kw_only=True):
    """A claim about a release, held against what was measured.

    Attributes:
        claim: In words.
        holds: Whether it may be made.
        within: Whether the numbers keep its threshold, whatever the strength of the evidence.
        threshold: In words.
        measured: In words, with what speaks against the claim.
    """

    claim: str
    holds: bool
    within: bool | UnsetType = UNSET
    threshold: str
    measured: str


class ReachedAuc(Struct, frozen=True, kw_only=True):
    """How well the strongest attacker told two images of one patient from those of two.

    Attributes:
        attack: Who it was.
        setting: By what, and from whom.
        auc: In [0, 1]; 0.5 is guessing.
        low: Of the 95 % interval over patients.
        high: Upper limit of that interval.
    """

    attack: str
    setting: str
    auc: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, outcome: Outcome | None) -> Self | None:
        """An outcome in short; None for none."""
        if outcome is None:
            return None
        return cls(
            attack=outcome.attack,
            setting=outcome.setting,
            auc=outcome.value,
            low=outcome.low,
            high=outcome.high,
        )


class TellingApart(Struct, frozen=True, kw_only=True):
    """How well patients are told apart; the claims are judged by the stronger of both.

    Attributes:
        against_anyone: From any other patient, by everything that is released: images, labels,
            pseudonyms and what headers keep. None where it was not measured.
        against_alike: From impostors of the same source, view and sex. None where it was not
            measured.
    """

    against_anyone: ReachedAuc | None
    against_alike: ReachedAuc | None


class Verdict(Struct, frozen=True, kw_only=True):
    """What an evaluation means.

    Attributes:
        lines: Sentences; what refutes a guarantee comes first.
        refuted: Whether an attack did better than the claimed guarantee allows.
        claims: About the release.
        telling_apart: How well patients are told apart; unset in a file that does not say.
    """

    lines: tuple[str, ...] = ()
    refuted: bool
    claims: tuple[JudgedClaim, ...] = ()
    telling_apart: TellingApart | UnsetType = UNSET


class Control(Struct, frozen=True, kw_only=True):
    """A method beside the one under test, on the same people.

    Attributes:
        method: What it is.
        outcomes: Of the attacks on it.
        utility: What its images are good for.
        unable: What could not be run.
        seconds: How long it took.
    """

    method: MethodDescription
    outcomes: tuple[Outcome, ...] = ()
    utility: tuple[Measure, ...] = ()
    unable: tuple[Unavailable, ...] | UnsetType = UNSET
    seconds: float | UnsetType = UNSET
