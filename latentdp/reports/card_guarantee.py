"""The guarantee on a release card: of an image, of a patient, and what is outside of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from msgspec import UNSET, Struct, UnsetType, structs

from latentdp.privacy.guarantee import Guarantee
from latentdp.reports.guarantee_words import GALLERY, PATIENT_RULE
from latentdp.reports.stated_epsilon import StatedEpsilon

__all__ = [
    "ApproximateGuarantee",
    "CardGuarantee",
    "ImageGuarantee",
    "PatientGuarantee",
    "TopOne",
]


class TopOne(Struct, frozen=True, kw_only=True):
    """How often the source of what is released is named first, at most.

    Attributes:
        gallery: Number of equally likely sources.
        rate: In [0, 1]; None where nothing is bounded.
    """

    gallery: int
    rate: float | None


class ApproximateGuarantee(StatedEpsilon, frozen=True, kw_only=True):
    """The same noise read as (epsilon, delta)."""


class _Bounding(StatedEpsilon, frozen=True, kw_only=True):
    """A guarantee with what it implies; a card of 0.1 states that of images alone.

    Attributes:
        unit: What is replaced: ``image`` or ``patient``.
        verification_auc_at_most: Of who must tell two releases apart; None for no bound.
        top1_at_most: Of who must name the source in a gallery.
    """

    unit: str
    verification_auc_at_most: float | UnsetType | None = UNSET
    top1_at_most: TopOne | UnsetType = UNSET

    def __post_init__(self) -> None:
        whole = Guarantee(epsilon=self.value, delta=self.delta)
        bounded = self.epsilon is not None
        if self.verification_auc_at_most is UNSET or not bounded:
            ceiling = whole.verification_ceiling() if bounded else None
            structs.force_setattr(self, "verification_auc_at_most", ceiling)
        if self.top1_at_most is UNSET or not bounded:
            rate = whole.gallery_ceiling(GALLERY) if bounded else None
            structs.force_setattr(self, "top1_at_most", TopOne(gallery=GALLERY, rate=rate))


class ImageGuarantee(_Bounding, frozen=True, kw_only=True):
    """The guarantee of an image and what it implies for any attacker.

    Attributes:
        relation: ``replace-one``.
        private: False where nothing is guaranteed: epsilon is infinity, or the noise came from a
            seed.
        secure: False where the noise came from a seed; on a card of 0.1, ``private`` says so.
        numerics: ``exact`` or ``idealised``.
    """

    relation: str
    private: bool
    secure: bool | UnsetType = UNSET
    numerics: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.secure is UNSET:
            structs.force_setattr(self, "secure", self.private)

    @classmethod
    def of(cls, guarantee: Guarantee, **more: Any) -> Self:
        """Of the guarantee of an image."""
        return super().of(
            guarantee,
            unit=str(guarantee.unit),
            relation=str(guarantee.relation),
            private=guarantee.private,
            secure=guarantee.secure,
            numerics="exact" if guarantee.exact else "idealised",
            **more,
        )

    def beside(self, unprotected: Sequence[str]) -> Self:
        """As `StatedEpsilon.beside`; it is not private then."""
        whole = super().beside(unprotected)
        return structs.replace(whole, private=False) if unprotected else whole


class PatientGuarantee(_Bounding, frozen=True, kw_only=True):
    """The largest sum over the images of a patient, which anyone can join by their pseudonym.

    Attributes:
        images: Releases of one patient in this vault, at most.
        images_in_this_release: The same of this folder.
        rule: What is added up.
    """

    images: int
    images_in_this_release: int
    rule: str

    @classmethod
    def of(cls, guarantee: Guarantee, **more: Any) -> Self:
        """Of the guarantee of a patient, with the numbers of their images."""
        return super().of(guarantee, unit=str(guarantee.unit), rule=PATIENT_RULE, **more)


class CardGuarantee(Struct, frozen=True, kw_only=True):
    """What is guaranteed, and what is not.

    A card of 0.1 states numbers although something is unprotected; they are not believed.

    Attributes:
        image: Of each image.
        image_approximate: The same as epsilon and delta.
        patient: Of each patient.
        unprotected: What is released exactly.
        statement: In words.
        not_covered: What no guarantee is about.
    """

    image: ImageGuarantee
    image_approximate: ApproximateGuarantee
    patient: PatientGuarantee
    unprotected: tuple[str, ...]
    statement: tuple[str, ...]
    not_covered: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("image", "image_approximate", "patient"):
            structs.force_setattr(self, name, getattr(self, name).beside(self.unprotected))
