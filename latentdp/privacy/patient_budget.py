"""What one patient's releases may cost together, and how that is split over their images.

The split is a public rule: of a patient with a budget of E at most K images are released, each at
E / K, however many images the patient has. So the epsilon of an image tells nothing about who it
is of, and it stays the same when more images of a patient come later; who has fewer than K spends
less, and of who has more some are left out. By basic composition the K images cost at most E.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from latentdp.errors import InputError
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.units import LARGEST, allowance, micro

__all__ = ["MOST_IMAGES", "UNBOUNDED", "PatientBudget", "Share", "split"]

MOST_IMAGES = 10_000


@dataclass(frozen=True, kw_only=True)
class PatientBudget:
    """Most that all releases of one patient may be, earlier ones included.

        >>> PatientBudget(epsilon=16.0, images=2).most(Guarantee(epsilon=7.5)).epsilon
        16.0
        >>> PatientBudget(images=3).most(Guarantee(epsilon=2.0)).epsilon > 6.0
        True

    Attributes:
        epsilon: In nats; None for no bound.
        images: Number of images, from 1 to `MOST_IMAGES`; None for no bound.

    Raises:
        InputError: A value is out of its range.
    """

    epsilon: float | None = None
    images: int | None = None

    def __post_init__(self) -> None:
        if self.epsilon is not None and not 1e-6 <= self.epsilon <= LARGEST:
            raise InputError(
                f"expected a finite epsilon per patient from 1e-06 to {LARGEST:g}, "
                f"got {self.epsilon}"
            )
        images = self.images
        if images is not None and not (type(images) is int and 1 <= images <= MOST_IMAGES):
            raise InputError(f"expected 1 to {MOST_IMAGES:,} images per patient, got {images!r}")

    def most(self, image: Guarantee) -> Guarantee:
        """The guarantee of a patient of whom as much is released as is allowed.

        It is the same for every patient, whatever images they have: where nothing is bounded,
        that of a patient with a single image.

        Args:
            image: Of each image, of what is noised.
        """
        whole = image.for_patient(self.images or 1)
        return whole if self.epsilon is None else replace(whole, epsilon=self.epsilon)


UNBOUNDED = PatientBudget()


@dataclass(frozen=True, kw_only=True)
class Share:
    """How a patient's budget is split.

    Attributes:
        epsilon: Of one image, in nats.
        images: Most of one patient.
    """

    epsilon: float
    images: int


def split(
    whole: float, images: int | None = None, *, epsilon: float | None = None, usual: float
) -> Share:
    """Splits a patient's epsilon over images, by public numbers alone.

        >>> split(16.0, 2, usual=8.0)
        Share(epsilon=8.0, images=2)
        >>> split(20.0, usual=8.0)
        Share(epsilon=8.0, images=2)
        >>> split(3.0, usual=8.0)
        Share(epsilon=3.0, images=1)

    Args:
        whole: Of the patient.
        images: Most of one patient; None for as many as fit.
        epsilon: Of one image; None to let it follow from ``images``, or else to take the usual.
        usual: Of one image where nothing is said of it, if as much is there.

    Raises:
        InputError: All three are given, one is out of its range, or not even one image fits.
    """
    PatientBudget(epsilon=whole, images=images)
    units = allowance(whole)
    if images is not None:
        if epsilon is not None:
            raise InputError(
                "give two of --epsilon-per-patient, --images-per-patient and --epsilon, not all "
                "three: each follows from the other two"
            )
        if units < images:
            raise InputError(
                f"expected at least 1e-06 of epsilon for each of {images} images of a patient, "
                f"got {whole:g} for all"
            )
        return Share(epsilon=(units // images) / 1e6, images=images)
    if epsilon is not None and micro(epsilon) > units:
        raise InputError(
            f"an image of epsilon {epsilon:g} does not fit into an epsilon per patient of "
            f"{whole:g}"
        )
    each = min(usual if epsilon is None else epsilon, units / 1e6)
    return Share(epsilon=each, images=min(units // micro(each), MOST_IMAGES))
