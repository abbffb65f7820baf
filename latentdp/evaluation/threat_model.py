"""What an attacker knows: images of both sides, what is public, and how hard it tries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images, Labels
from latentdp.core.cache import ResultCache
from latentdp.data.cohort import Cohort
from latentdp.errors import InputError
from latentdp.evaluation.full_size import FullSize
from latentdp.models.networks.classifier_cache import ClassifierCache
from latentdp.privacy.guarantee import Guarantee
from latentdp.privatizer import Privatizer
from latentdp.reports.evaluation_parts import StatedEffort

__all__ = ["Effort", "FileFacts", "PairedImages", "ThreatModel", "chosen_effort"]


@dataclass(frozen=True, kw_only=True)
class PairedImages:
    """People, and their private images.

    Attributes:
        cohort: The originals, ``(n, h, w)``.
        private: ``(versions, n, h, w)`` float32 in [0, 1]: independent private copies of each. Of
            the target the first version is the release; more exist only where the method can
            make more.
        labels: ``(versions, n)`` released class indices, -1 where none is released.
    """

    cohort: Cohort
    private: Images
    labels: Labels

    def lacks_pairs(self) -> str | None:
        """Why nobody can be verified, in a few words; None if someone can."""
        counts = np.bincount(np.unique(self.cohort.patients, return_inverse=True)[1])
        if len(counts) < 2:
            return f"needs images of at least 2 patients, there are those of {len(counts)}"
        return None if counts.max() > 1 else "needs a patient with at least 2 images"

    def lacks_patients(self) -> str | None:
        """Why nothing can be learnt from them, in a few words; None if something can."""
        patients = len(np.unique(self.cohort.patients))
        return None if patients > 1 else f"needs 2 patients to practise on, there are {patients}"


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How hard an attacker works.

    Attributes:
        restarts: Of whatever is learnt with luck; mean and maximum are reported.
        steps: Of the optimiser, per restart.
        patients: In a step, each with two images.
        learning_rate: Of the optimiser, at its largest.
        resamples: Of patients, in each bootstrap.
        copies: Repeated releases of an image that are put together, the first included.
        seeds: Classifiers of each kind whose utility is averaged.
        reader_steps: Of the optimiser, per classifier of findings, at most.
    """

    restarts: int = 10
    steps: int = 80
    patients: int = 32
    learning_rate: float = 1e-3
    resamples: int = 500
    copies: int = 16
    seeds: int = 3
    reader_steps: int = 400

    @property
    def stated(self) -> StatedEffort:
        """As a document states it."""
        return StatedEffort(**asdict(self))

    @classmethod
    def quick(cls) -> Effort:
        """A first look; too weak to rely on."""
        return cls(restarts=2, steps=30, resamples=200, copies=4, seeds=1, reader_steps=150)


def chosen_effort(
    *, quick: bool = False, restarts: int | None = None, steps: int | None = None
) -> Effort:
    """The effort that a user asks for.

    Args:
        quick: Begin with that of a first look.
        restarts: Instead of its own number; None keeps that.
        steps: Instead of its own number; None keeps that.

    Raises:
        InputError: A number below 1.
    """
    given = {name: n for name, n in (("restarts", restarts), ("steps", steps)) if n is not None}
    for name, number in given.items():
        if number < 1:
            raise InputError(f"expected --{name} of at least 1, got {number}")
    return replace(Effort.quick() if quick else Effort(), **given)


Facts = dict[str, tuple[str | float, ...]]


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """What can be told of the target's files without looking at a pixel.

    A kind is ``name``, ``order`` (place in a listing), ``size``, ``time`` (of modification) or
    ``header:`` with a keyword. Each has one value per image, text or number, in the order of the
    cohort: only who scores the attacker knows that the i-th of both sides belong together.

    Attributes:
        original: Of the files that were given.
        private: Of those that were released.
    """

    original: Facts
    private: Facts


@dataclass(frozen=True, kw_only=True)
class ThreatModel:
    """What an attacker has.

    Attributes:
        target: The release under attack; no attack may fit anything on who is who in it.
        practice: Other patients, whose images the attacker privatized alike.
        guarantee: Of each image; None where nothing is claimed for the whole of it, or where
            something is released exactly.
        privatizer: The flow and the plan, if it is this tool's release: all of it is public.
        more: Makes ``k`` further private copies of some rows of the target, with their
            labels; None where the method is unknown.
        effort: How hard to work.
        seed: Of everything random in the attack.
        verifier: Weights of the verifier to start from; empty for the shipped one that fits.
        classifiers: Those of findings that were taught in the same job, and those that will
            be; by default they live as long as this object.
        notes: What one attack worked out and another can use.
        members: Whether practice images trained the flow.
        files: Of the target, where it lies in files.
        full_size: The release as its files hold it, where it lies in files.
    """

    target: PairedImages
    practice: PairedImages
    guarantee: Guarantee | None = None
    privatizer: Privatizer | None = None
    more: Callable[[int, NDArray[np.int64]], tuple[Images, Labels]] | None = None
    effort: Effort = field(default_factory=Effort)
    seed: int = 0
    verifier: str = ""
    classifiers: ClassifierCache = field(
        default_factory=ClassifierCache, compare=False, repr=False
    )
    notes: ResultCache = field(default_factory=ResultCache, compare=False, repr=False)
    members: bool = False
    files: FileFacts | None = None
    full_size: FullSize | None = None
