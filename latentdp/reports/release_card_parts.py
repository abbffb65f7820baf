"""The parts of a release card; each says what a reader of ``release.json`` finds there."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from latentdp.core.attributes import Attribute
from latentdp.data.dicom.profile import Profile
from latentdp.data.label_space import LabelSpace
from latentdp.privacy.patient_budget import PatientBudget
from latentdp.reports.evaluation_parts import JudgedClaim, UsedVerifier

__all__ = [
    "CardAttribute",
    "CardCounts",
    "CardImage",
    "CardRecipe",
    "CardWeights",
    "EvaluationSummary",
]


class CardRecipe(Struct, frozen=True, kw_only=True):
    """A `latentdp.recipe.Recipe` as a card states it: without the weights' name, with its digest.

    The fields are explained there; of older cards ``resample_identity``, ``keep_layout``,
    ``unlabelled``, ``candidates``, ``epsilon_per_patient`` and ``images_per_patient`` may be
    unset, and so are ``refuse_odd`` where it was not asked for and ``release_findings`` where
    labels are classes.
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
    keep_layout: int | UnsetType | None = UNSET
    label: str
    label_share: float
    unlabelled: str | UnsetType = UNSET
    temperature: float
    candidates: int | UnsetType = UNSET
    profile: Profile
    epsilon_per_patient: float | UnsetType | None = UNSET
    images_per_patient: int | UnsetType | None = UNSET
    refuse_odd: bool | UnsetType = UNSET
    release_findings: tuple[str, ...] | UnsetType = UNSET

    @property
    def patient_budget(self) -> PatientBudget:
        """Most that all releases of one patient may be; unbounded on older cards.

        Raises:
            InputError: A value is out of its range.
        """
        epsilon, images = self.epsilon_per_patient, self.images_per_patient
        return PatientBudget(
            epsilon=None if epsilon is UNSET else epsilon,
            images=None if images is UNSET else images,
        )


class CardWeights(Struct, frozen=True, kw_only=True):
    """The weights of the flow.

    Attributes:
        name: Theirs.
        sha256: Of the file, in hexadecimal.
        training_data: What they learnt from.
        trained_on_private_data: Whether that was private; ``not stated`` where they do not say.
        caveats: What speaks against them, in sentences.
    """

    name: str
    sha256: str
    training_data: str
    trained_on_private_data: bool | str
    caveats: tuple[str, ...] = ()


class CardAttribute(Struct, frozen=True, kw_only=True):
    """What weights may know of an image, as `latentdp.core.attributes.Attribute`.

    Attributes:
        name: Such as ``Effusion`` or ``view``.
        values: It has one of them, or is unknown.
    """

    name: str
    values: tuple[str, ...]


class CardImage(Struct, frozen=True, kw_only=True):
    """The form of the images.

    Attributes:
        size: Height and width in pixels.
        made_at: The same, as the flow makes them.
        chosen_among: Images that were drawn for each release.
        detail_drawn_at: Sizes to which detail was drawn.
        classes: Of labels.
        attributes: That labels say instead; unset where they are classes.
    """

    size: tuple[int, ...]
    made_at: tuple[int, int]
    chosen_among: int = 1
    detail_drawn_at: tuple[int, ...] = ()
    classes: tuple[str, ...]
    attributes: tuple[CardAttribute, ...] | UnsetType = UNSET

    @property
    def label_space(self) -> LabelSpace:
        """What a label may be."""
        if self.attributes is UNSET:
            return LabelSpace.of_classes(self.classes)
        return LabelSpace(tuple(Attribute(one.name, one.values) for one in self.attributes))


class CardCounts(Struct, frozen=True, kw_only=True):
    """What anybody can count who has the folder.

    What became of the inputs is not told: that two of them show one picture, or that one was
    refused, would say what a picture shows. A card of 0.1 tells it, and it is not read.

    Attributes:
        images_in_release: Files of images, of all runs.
    """

    images_in_release: int


class EvaluationSummary(Struct, frozen=True, kw_only=True):
    """What an evaluation found, in short. Everything may be unset.

    Attributes:
        lines: Sentences of its verdict, and what refuted the guarantee before.
        claims: That it judged.
        inferred: What a private image told of its patient; empty where nobody tried, or on too
            few images.
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
    inferred: str = ""
    images: int | UnsetType = UNSET
    patients: int | UnsetType = UNSET
    quick: bool | UnsetType = UNSET
    seed: int | UnsetType = UNSET
    restarts: int | UnsetType = UNSET
    verifier: UsedVerifier | UnsetType = UNSET
    by: str | UnsetType = UNSET
    date: str | UnsetType = UNSET
    sha256: str | UnsetType = UNSET
