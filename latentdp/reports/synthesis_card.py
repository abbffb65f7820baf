"""The card of a synthesis: what was learnt from a whole cohort, at which cost to each patient.

``release.json`` lies beside the images and is public. It holds no number of patients or images of
the cohort, no old identifier, path or date.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from msgspec import Struct

from latentdp.core.documents import JsonValue, from_json, read_json, to_json
from latentdp.errors import InputError
from latentdp.privacy.guarantee import Guarantee
from latentdp.reports.release_card import CARD
from latentdp.reports.release_card_parts import CardWeights

__all__ = [
    "CentralGuarantee",
    "FederatedSite",
    "NoisyRelease",
    "PatientBound",
    "SyntheticImages",
    "Synthesis",
    "SynthesisCard",
    "SynthesisRecipe",
]

MODEL = "central"


class PatientBound(Struct, frozen=True, kw_only=True):
    """(epsilon, delta) of a patient under one relation.

    Attributes:
        epsilon: In nats.
        delta: In (0, 1).
        unit: ``patient``.
        relation: ``replace-one`` or ``add-remove``.
    """

    epsilon: float
    delta: float
    unit: str
    relation: str

    @classmethod
    def of(cls, guarantee: Guarantee) -> Self:
        """From a guarantee."""
        return cls(
            epsilon=guarantee.epsilon,
            delta=guarantee.delta,
            unit=str(guarantee.unit),
            relation=str(guarantee.relation),
        )


class CentralGuarantee(Struct, frozen=True, kw_only=True):
    """What is guaranteed, and what is not.

    Attributes:
        replace_one: Of cohorts in which another patient stands in the place of one.
        add_remove: Of cohorts with a patient and without.
        charged: Epsilon that every patient's account was charged: the larger.
        private: False where the noise came from a seed, which voids the guarantee.
        numerics: ``exact``.
        statement: In words.
        not_covered: What no guarantee is about.
    """

    replace_one: PatientBound
    add_remove: PatientBound
    charged: float
    private: bool
    numerics: str
    statement: tuple[str, ...]
    not_covered: tuple[str, ...]


class NoisyRelease(Struct, frozen=True, kw_only=True):
    """A kind of release, from which its cost follows.

    Attributes:
        what: Is released.
        rounds: How often, each with fresh noise.
        grid: Length of a record at most, in cells: its sensitivity under add-remove.
        scale: Standard deviation of the noise on each entry of the sum, in cells.
    """

    what: str
    rounds: int
    grid: int
    scale: float


class SynthesisRecipe(Struct, frozen=True, kw_only=True):
    """All that was asked for.

    Attributes:
        method: Of synthesis.
        epsilon: In nats, replace-one, of a patient.
        delta: In (0, 1).
        images_per_patient: Images of a patient that are looked at, at most.
        declared: Findings whose names are public; empty where names are released privately.
        accept_burned_in: A person looked at all inputs and found no text in them.
        all_chests: A person says that every input shows a chest.
        all_frontal: A person says that every input is a frontal view.
    """

    method: str
    epsilon: float
    delta: float
    images_per_patient: int
    declared: tuple[str, ...] = ()
    accept_burned_in: bool = False
    all_chests: bool = False
    all_frontal: bool = False


class Synthesis(Struct, frozen=True, kw_only=True):
    """How a generator was learnt, and what that cost.

    Attributes:
        run: Random identifier.
        recipe: What was asked for.
        names_delta: The part of delta that the names of findings took.
        releases: All that touched private data, with their noise.
        guarantee: What follows.
        findings: Names, in the order of the head.
        weights: Of the public flow.
        public: What was used and is public.
        touched: What touched private data.
        warnings: What a reader must not overlook.
        sites: Those that learnt it together, each from patients of its own; empty for one cohort.
    """

    run: str
    recipe: SynthesisRecipe
    names_delta: float
    releases: tuple[NoisyRelease, ...]
    guarantee: CentralGuarantee
    findings: tuple[str, ...]
    weights: CardWeights
    public: tuple[str, ...]
    touched: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    sites: tuple[FederatedSite, ...] = ()


class FederatedSite(Struct, frozen=True, kw_only=True):
    """What one of several sites shared.

    Attributes:
        name: What it calls itself.
        key: Its public key, by which it signed, in hexadecimal.
        generator: SHA-256 of what it shared, in hexadecimal.
        synthesis: How that was learnt, and what it cost the site's patients.
    """

    name: str
    key: str
    generator: str
    synthesis: Synthesis


class SyntheticImages(Struct, frozen=True, kw_only=True):
    """The images of a folder; any number is free.

    Attributes:
        count: How many.
        size: Pixels on a side.
        made_at: The same, as the flow makes them.
        detail_drawn_at: Sizes to which detail was drawn.
        chosen_among: Images that were drawn for each.
        file_format: ``png``, ``dicom`` or ``npz``.
        marked: Whether SYNTHETIC is written into a corner of each.
        splits: Percentages to train, validate and test with; empty where no table says which.
    """

    count: int
    size: int
    made_at: int
    detail_drawn_at: tuple[int, ...] = ()
    chosen_among: int = 1
    file_format: str = "png"
    marked: bool = False
    splits: tuple[int, ...] = ()


class SynthesisCard(Struct, frozen=True, kw_only=True):
    """All that is said of a synthetic data set in public.

    Attributes:
        tool: ``latentdp``.
        version: Of the program.
        use: What the images are, and are not for; empty on older cards.
        model: ``central``: learnt from a whole cohort by somebody who may see it.
        status: ``complete``, or ``incomplete`` while a run writes.
        synthesis: How the generator was learnt, and what that cost.
        images: In this folder.
        generator: SHA-256 of the generator's file, in hexadecimal.
        contents_sha256: Digest of images and tables, as of a release; empty on older cards.
        vault: Public tag of the vault that was charged; empty for images that others drew.
        compliance: SHA-256 of the last entry of ``compliance.json``, in hexadecimal; empty on an
            older card.
        refuted: Whether an evaluation refuted what is guaranteed.
    """

    tool: Literal["latentdp"]
    version: str
    use: str = ""
    model: Literal["central"]
    status: str
    synthesis: Synthesis
    images: SyntheticImages
    generator: str
    contents_sha256: str = ""
    vault: str = ""
    compliance: str = ""
    refuted: bool = False

    def to_json(self) -> dict[str, JsonValue]:
        """JSON values, in the order of ``release.json``."""
        return to_json(self)  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, values: object) -> Self:
        """The inverse of `to_json`.

        Raises:
            InputError: A part is missing or of another type.
        """
        return from_json(values, cls, "the card of the synthesis")

    @classmethod
    def find(cls, out: Path) -> Self | None:
        """The card in a folder, or at a path; None if there is none of a synthesis.

        Raises:
            InputError: There is one that is incomplete or of another version.
        """
        try:
            values = read_json(out / CARD if out.is_dir() else out, "a card")
        except InputError:
            return None
        if not (isinstance(values, dict) and values.get("model") == MODEL):
            return None
        return cls.from_json(values)
