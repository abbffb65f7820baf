"""The parts of a release card; each says what a reader of ``release.json`` finds there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from msgspec import UNSET, Struct, UnsetType

from latentdp.data.dicom.profile import Profile
from latentdp.privacy.guarantee import Guarantee
from latentdp.reports.evaluation import JudgedClaim, UsedVerifier
from latentdp.reports.guarantee_words import GALLERY

__all__ = [
    "Bound",
    "CardCounts",
    "CardGuarantee",
    "CardImage",
    "CardRecipe",
    "CardWeights",
    "EvaluationSummary",
    "ImageGuarantee",
    "PatientGuarantee",
    "RunCounts",
    "TopOne",
]


class TopOne(Struct, frozen=True, kw_only=True):
    """How often the source of an image is named first, at most.

    Attributes:
        gallery: Number of equally likely sources.
        rate: In [0, 1]; None where something is unprotected, which may identify by itself.
    """

    gallery: int
    rate: float | None


class ImageGuarantee(Struct, frozen=True, kw_only=True):
    """The guarantee of an image and what it implies.

    The ceilings bound any attacker, and hold only if nothing is unprotected; else they are None.

    Attributes:
        epsilon: In nats, at least 0.
        delta: In [0, 1].
        unit: What is replaced: ``image``.
        relation: ``replace-one``.
        private: False where the noise came from a seed, which voids the guarantee.
        numerics: ``exact`` or ``idealised``.
        verification_auc_at_most: Of who must tell one image's release from another's.
        top1_at_most: Of who must name the source in a gallery.
    """

    epsilon: float
    delta: float
    unit: str
    relation: str
    private: bool
    numerics: str
    verification_auc_at_most: float | None
    top1_at_most: TopOne

    @classmethod
    def of(cls, guarantee: Guarantee, unprotected: Sequence[str]) -> Self:
        """Of a guarantee, beside which some things are released exactly."""
        bounded = not unprotected
        return cls(
            epsilon=guarantee.epsilon,
            delta=guarantee.delta,
            unit=str(guarantee.unit),
            relation=str(guarantee.relation),
            private=guarantee.secure,
            numerics="exact" if guarantee.exact else "idealised",
            verification_auc_at_most=guarantee.verification_ceiling() if bounded else None,
            top1_at_most=TopOne(
                gallery=GALLERY, rate=guarantee.gallery_ceiling(GALLERY) if bounded else None
            ),
        )


class Bound(Struct, frozen=True, kw_only=True):
    """The same noise read as (epsilon, delta)."""

    epsilon: float
    delta: float


class PatientGuarantee(Struct, frozen=True, kw_only=True):
    """The largest sum over the images of a patient.

    Attributes:
        epsilon: In nats.
        delta: In [0, 1].
        images: Releases of one patient in this vault, at most.
        images_in_this_release: The same of this folder.
        unit: ``patient``.
        rule: What is added up.
    """

    epsilon: float
    delta: float
    images: int
    images_in_this_release: int
    unit: str
    rule: str


class CardGuarantee(Struct, frozen=True, kw_only=True):
    """What is guaranteed, and what is not.

    Attributes:
        image: Of each image.
        image_approximate: The same as epsilon and delta.
        patient: Of each patient.
        unprotected: What is released exactly.
        statement: In words.
        not_covered: What no guarantee is about.
    """

    image: ImageGuarantee
    image_approximate: Bound
    patient: PatientGuarantee
    unprotected: tuple[str, ...]
    statement: tuple[str, ...]
    not_covered: tuple[str, ...]


class CardRecipe(Struct, frozen=True, kw_only=True):
    """A `latentdp.recipe.Recipe` as a card states it: without the weights' name, with its digest.

    The fields are explained there; of older cards ``resample_identity``, ``unlabelled`` and
    ``candidates`` may be unset.
    """

    digest: str
    preset: str
    weights_sha256: str
    epsilon: float
    mechanism: str
    directions: int
    clip: float | None
    keep_label_dims: int
    resample_identity: int | UnsetType = UNSET
    label: str
    label_share: float
    unlabelled: str | UnsetType = UNSET
    temperature: float
    candidates: int | UnsetType = UNSET
    profile: Profile


class CardWeights(Struct, frozen=True, kw_only=True):
    """The weights of the flow.

    Attributes:
        name: Theirs.
        sha256: Of the file, in hexadecimal.
        training_data: What they learnt from.
        trained_on_private_data: Whether that was private; ``not stated`` where they do not say.
    """

    name: str
    sha256: str
    training_data: str
    trained_on_private_data: bool | str


class CardImage(Struct, frozen=True, kw_only=True):
    """The form of the images.

    Attributes:
        size: Height and width in pixels.
        made_at: The same, as the flow makes them.
        chosen_among: Images that were drawn for each release.
        detail_drawn_at: Sizes to which detail was drawn.
        classes: Of labels.
    """

    size: tuple[int, ...]
    made_at: tuple[int, int]
    chosen_among: int = 1
    detail_drawn_at: tuple[int, ...] = ()
    classes: tuple[str, ...]


class RunCounts(Struct, frozen=True, kw_only=True):
    """What became of the inputs of the last run, without reasons: some depend on an image.

    Attributes:
        inputs: Files.
        outputs: Images, those of earlier runs included.
        duplicates: Files for which another one's output stands.
        quarantined: Files without an output.
        unlabelled: Of the files that have one, or share one, those without a label although labels
            are released; None where none are, or of older cards.
    """

    inputs: int
    outputs: int
    duplicates: int
    quarantined: int
    unlabelled: int | None = None


class CardCounts(Struct, frozen=True, kw_only=True):
    """How many images there are.

    Attributes:
        images_in_release: Of all runs.
        last_run: What became of its inputs.
    """

    images_in_release: int
    last_run: RunCounts


class EvaluationSummary(Struct, frozen=True, kw_only=True):
    """What an evaluation found, in short. Everything may be unset.

    Attributes:
        lines: Sentences of its verdict, and what refuted the guarantee before.
        claims: That it judged.
        images: That were attacked.
        patients: Whose images these are.
        quick: Whether it was a first look.
        seed: Of everything random.
        restarts: Of attackers that learn.
        verifier: That they start from.
        by: Version of the program.
        date: Of older cards.
        sha256: Of ``evaluation.json``, in hexadecimal.
    """

    lines: tuple[str, ...] = ()
    claims: tuple[JudgedClaim, ...] = ()
    images: int | UnsetType = UNSET
    patients: int | UnsetType = UNSET
    quick: bool | UnsetType = UNSET
    seed: int | UnsetType = UNSET
    restarts: int | UnsetType = UNSET
    verifier: UsedVerifier | UnsetType = UNSET
    by: str | UnsetType = UNSET
    date: str | UnsetType = UNSET
    sha256: str | UnsetType = UNSET
