"""Parts of a model card, each as it stands in the metadata of a weights file."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from latentdp.metrics.identification import CmcCurve
from latentdp.metrics.usual_range import UsualRange
from latentdp.models.model_card.directions_card import Interval

__all__ = [
    "CriticCard",
    "DeblockingCard",
    "LatentStatistics",
    "LawCard",
    "LikelihoodCard",
    "Memorisation",
    "PopulationCard",
    "SampleMeasure",
    "TrainingCard",
    "VerificationCard",
    "VerifiedPairs",
]


class TrainingCard(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a network was trained; what does not apply to its kind is None, and left out.

    Attributes:
        minutes: Time of the processor.
        steps: Of the optimiser.
        learning_rate: The highest.
        seed: Of the training.
        batch: Images in a step.
        images_shown: In all steps, an image once for each time.
        crop: Side in pixels of the crops that were shown instead of images.
        crops_shown: In all steps.
        patients_per_step: Patients in a step, each with two images.
        schedule: Of the learning rate.
        start: What it began with.
        discriminators: Weight of networks that it learnt against, in bits per dimension a nat.
    """

    minutes: float | None = None
    steps: int | None = None
    learning_rate: float | None = None
    seed: int | None = None
    batch: int | None = None
    images_shown: int | None = None
    crop: int | None = None
    crops_shown: int | None = None
    patients_per_step: int | None = None
    schedule: str | None = None
    start: str | None = None
    discriminators: float | None = None


class LatentStatistics(Struct, frozen=True, kw_only=True):
    """Latents of validation images on one level; N(0, 1) under a perfect flow.

    Attributes:
        dimensions: Of the level.
        mean: Of all of its latents.
        std: Their standard deviation.
        excess_kurtosis: 0 for a normal distribution.
    """

    dimensions: int
    mean: float
    std: float
    excess_kurtosis: float


class Memorisation(Struct, frozen=True, kw_only=True):
    """Distances to the nearest training image, root mean square, in grey levels of 255.

    Attributes:
        sample_median: Of samples of the flow.
        sample_min: The nearest of them.
        val_median: Of real validation images.
        val_min: The nearest of them.
    """

    sample_median: float
    sample_min: float
    val_median: float
    val_min: float


class LikelihoodCard(UsualRange, frozen=True, kw_only=True):
    """The usual range of validation images, and how many images of each split it marks.

    Attributes:
        odd: Share of the images of a split outside of it, in [0, 1], by the split's name.
    """

    odd: Mapping[str, float] = field(default_factory=dict)


class LawCard(Struct, frozen=True, kw_only=True):
    """A law that every flow must keep, as it was tried on these weights.

    Attributes:
        name: What the law says.
        measured: The worst of all images.
        allowed: The largest value that keeps the law.
    """

    name: str
    measured: float
    allowed: float


class PopulationCard(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of which public images it was counted which attributes occur together.

    Attributes:
        images: That were counted.
        combinations: That occur.
        sources: Of these images, where they are not all of the weights.
    """

    images: int
    combinations: int
    sources: tuple[str, ...] | None = None


class SampleMeasure(Struct, frozen=True, kw_only=True):
    """What was measured of fresh samples in the place of validation images.

    Attributes:
        utility: Name of the measure of usefulness.
        setting: Which images it learnt from and is tested on.
        subject: What it is about: ``all`` or ``mean``.
        metric: Name of the metric.
        n: Images.
        patients: Of whom they are.
        value: None where it is no number.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    utility: str
    setting: str
    subject: str
    metric: str
    n: int
    patients: int
    value: float | None
    low: float | None
    high: float | None


class DeblockingCard(Struct, frozen=True, kw_only=True):
    """What takes the grid away from enlarged images of one size.

    Attributes:
        across: Shares of the steps between columns, by their position in the grid.
        down: Of those between rows.
    """

    across: tuple[float, ...]
    down: tuple[float, ...]


class CriticCard(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A critic that chooses among samples; what is not known of it is None, and left out.

    Attributes:
        reader_classes: Classes that its networks tell apart: samples and originals, or findings.
        widths: Channels of the stages of its networks.
        auc: At which it tells samples from originals of the validation split.
        candidates: Samples of which it is said how many count.
        effective_candidates: How many of them count on average.
        images_measured: Validation images that these numbers are of.
        images: Training images of its two parts, ``reader`` and ``ratio``.
        samples: That its parts learnt from.
        seed: Of its training.
        sources: That originals were taken from, of those that the weights learnt from; None for
            all of them.
    """

    reader_classes: int
    widths: tuple[int, ...]
    auc: float | None = None
    candidates: int | None = None
    effective_candidates: float | None = None
    images_measured: int | None = None
    images: Mapping[str, int] | None = None
    samples: int | None = None
    seed: int | None = None
    sources: tuple[str, ...] | None = None


class VerifiedPairs(Struct, frozen=True, kw_only=True):
    """How well a verifier tells pairs of a patient from some impostors.

    Attributes:
        positive_pairs: Pairs of a patient.
        auc: Area under the curve; None where it cannot be measured.
        eer: Equal error rate.
    """

    positive_pairs: int
    auc: Interval | None
    eer: Interval | None


class VerificationCard(Struct, frozen=True, kw_only=True):
    """A verifier on the raw images of one split.

    Attributes:
        images: Of the split.
        patients: Of whom they are.
        patients_with_several: Of them, those with several images.
        pairs_per_patient_at_most: Of one patient.
        impostors_per_pair: Beside each pair of a patient.
        resamples: Of the bootstrap over patients.
        any: Against impostors of any kind.
        hard: Against impostors of the same source, view and sex.
        first: Precision at one: how often an image of the patient is the first one named.
        precision: Mean average precision at R.
        probes: Images that were looked for.
        cmc: How often one is among the first k.
    """

    images: int
    patients: int
    patients_with_several: int
    pairs_per_patient_at_most: int
    impostors_per_pair: int
    resamples: int
    any: VerifiedPairs
    hard: VerifiedPairs
    first: Interval | None = field(name="p@1")
    precision: Interval | None = field(name="map@r")
    probes: int
    cmc: CmcCurve
