"""The card of a classifier that was trained on a private cohort, at which cost to each patient.

It stands in the metadata of the classifier's file, which is public. It holds no number of patients
or images of the cohort, no old identifier, path or date. The vault signs it with the digest of all
that the classifier reads with, so that neither can be put to another.
"""

from __future__ import annotations

import json

from msgspec import UNSET, Struct, UnsetType, structs

from latentdp.core.documents import to_json
from latentdp.reports.release_card_parts import CardWeights
from latentdp.reports.synthesis_card import CentralGuarantee

__all__ = [
    "DirectionRelease",
    "GaussianRelease",
    "ObjectiveRelease",
    "PrivateTraining",
    "SampledRelease",
    "TrainedSite",
    "TrainingRecipe",
    "TrainingRelease",
    "WholeSite",
]


class GaussianRelease(Struct, frozen=True, kw_only=True, tag_field="mechanism", tag="gaussian"):
    """Sums of integer records of all patients with exact normal noise.

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


class SampledRelease(Struct, frozen=True, kw_only=True, tag_field="mechanism", tag="sampled"):
    """The same of patients who are drawn anew for each round, each by a coin of their own.

    Attributes:
        what: Is released.
        rounds: How often, each with fresh noise and coins.
        grid: Length of a record at most, in cells.
        scale: Standard deviation of the noise on each entry of the sum, in cells.
        probability: Of a patient to take part, in (0, 1].
    """

    what: str
    rounds: int
    grid: int
    scale: float
    probability: float


class DirectionRelease(Struct, frozen=True, kw_only=True, tag_field="mechanism", tag="direction"):
    """Directions of a sum with von Mises-Fisher noise.

    Attributes:
        what: Is released.
        rounds: How often, each with fresh noise.
        kappa: Concentration; a round costs at most 2 kappa.
    """

    what: str
    rounds: int
    kappa: float


class ObjectiveRelease(Struct, frozen=True, kw_only=True, tag_field="mechanism", tag="objective"):
    """The minimum of an objective with a random linear term.

    Attributes:
        what: Is released.
        findings: Number of rows of the weights.
        regularisation: Of the squared length of the weights, halved.
        curvature: Largest second derivative of a loss.
        scale: Of the random term.
        pure: Whether its density falls with its length, so that delta is 0; else it is normal.
    """

    what: str
    findings: int
    regularisation: float
    curvature: float
    scale: float
    pure: bool


TrainingRelease = GaussianRelease | SampledRelease | DirectionRelease | ObjectiveRelease


class TrainingRecipe(Struct, frozen=True, kw_only=True):
    """All that was asked for.

    Attributes:
        method: Of training.
        schedule: Of the noise over rounds.
        epsilon: In nats, replace-one, of a patient.
        delta: In (0, 1).
        images_per_patient: Images of a patient that are looked at, at most.
        findings: Their names, which are public by declaration.
        accept_burned_in: A person looked at all inputs and found no text in them.
        all_chests: A person says that every input shows a chest.
        all_frontal: A person says that every input is a frontal view.
        rounds: How often the cohort is asked, where several hospitals agreed on it; else the
            method says it.
    """

    method: str
    schedule: str
    epsilon: float
    delta: float
    images_per_patient: int
    findings: tuple[str, ...]
    accept_burned_in: bool = False
    all_chests: bool = False
    all_frontal: bool = False
    rounds: int | UnsetType = UNSET


class WholeSite(Struct, frozen=True, kw_only=True):
    """(epsilon, delta) of a hospital as a whole: all of its patients replaced by others at once.

    Attributes:
        epsilon: In nats.
        delta: In (0, 1).
        patients: How many there are at most; public.
        unit: ``site``.
    """

    epsilon: float
    delta: float
    patients: int
    unit: str = "site"


class PrivateTraining(Struct, frozen=True, kw_only=True):
    """How a classifier was trained, and what that cost.

    Attributes:
        tool: ``latentdp``.
        version: Of the program.
        use: What the classifier is, and is not for.
        model: ``central``: learnt from a whole cohort by somebody who may see it.
        run: Random identifier.
        recipe: What was asked for.
        releases: All that touched private data, with their noise.
        guarantee: What follows.
        weights: Public ones that it started from.
        public: What was used and is public.
        touched: What touched private data.
        warnings: What a reader must not overlook.
        vault: Public tag of the vault that was charged; empty for several sites.
        sites: What each of several sites answered, under noise of its own.
        learnt: SHA-256 of all that the classifier reads with, in hexadecimal.
        key: By which the vault signs, in hexadecimal.
        signature: Of all that, in hexadecimal.
    """

    tool: str
    version: str
    use: str
    model: str
    run: str
    recipe: TrainingRecipe
    releases: tuple[TrainingRelease, ...]
    guarantee: CentralGuarantee
    weights: CardWeights
    public: tuple[str, ...]
    touched: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    vault: str = ""
    sites: tuple[TrainedSite, ...] = ()
    learnt: str = ""
    key: str = ""
    signature: str = ""

    @property
    def signed(self) -> bytes:
        """What the signature is of."""
        values = to_json(structs.replace(self, signature=""))
        return json.dumps(values, sort_keys=True, separators=(",", ":")).encode()

    @property
    def findings(self) -> tuple[str, ...]:
        """Names, in the order of the classifier's outputs."""
        return self.recipe.findings


class TrainedSite(Struct, frozen=True, kw_only=True):
    """The part of one of several sites.

    Attributes:
        name: What it calls itself.
        key: Its public key, by which it signed, in hexadecimal.
        rounds: Which rounds it answered.
        whole: What the hospital as a whole risks.
        training: How it answers all rounds, and what that cost its patients.
    """

    name: str
    key: str
    rounds: tuple[int, ...]
    whole: WholeSite
    training: PrivateTraining
