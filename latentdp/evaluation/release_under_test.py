"""What is evaluated: a release of ours, or one of which only its images are known."""

from __future__ import annotations

from dataclasses import dataclass

from latentdp.core.arrays import Images, Labels
from latentdp.data.cohort import Cohort
from latentdp.errors import InputError
from latentdp.evaluation.mark_cover import MarkCover
from latentdp.evaluation.methods.base import Method
from latentdp.evaluation.pairing import PairedRelease
from latentdp.evaluation.threat_model import FileFacts
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.noise import Noise
from latentdp.reports.evaluation_parts import EvaluatedRelease, StatedPopulation
from latentdp.vault.keys import Keys

__all__ = ["ReleaseOrigin", "ReleaseUnderTest", "UnknownMethod"]


class UnknownMethod(Method):
    """A release of which only its images are known.

    Args:
        claimed: The guarantee that somebody claims for a whole image; None for none.
    """

    name = "release"
    title = "the release under test"

    def __init__(self, claimed: Guarantee | None = None) -> None:
        self._claimed = claimed
        self.claim = "" if claimed is None else str(claimed)

    @property
    def guarantee(self) -> Guarantee | None:
        """What is claimed."""
        return self._claimed

    def privatize(self, images: Images, labels: Labels, noise: Noise) -> tuple[Images, Labels]:
        """Nobody knows how.

        Raises:
            InputError: Always.
        """
        raise InputError("expected a release of this tool; another method cannot be repeated")


@dataclass(frozen=True, kw_only=True)
class ReleaseOrigin:
    """Where a release of ours comes from, to which its evaluation is bound.

    Attributes:
        release: Which one it is.
        population: Of whom it was made.
        keys: Of its vault, to sign with.
    """

    release: EvaluatedRelease
    population: StatedPopulation
    keys: Keys


@dataclass(frozen=True, kw_only=True)
class ReleaseUnderTest:
    """What is evaluated.

    Attributes:
        linked: Originals and their private images.
        method: `ours.Preset` of the release's recipe, or `UnknownMethod`.
        labels: ``(n,)`` released class indices, -1 where none is released.
        protects_all: Whether the method's guarantee covers all that the files hold.
        patient: Of the patient of whom most is released, all images joined; None where nothing
            is claimed.
        files: What can be told of the files without their pixels; None if they have no names.
        known: Other patients to practise on, from public data; None takes half of the release's.
        origin: What its evaluation is bound to; None for another method than ours.
        cover: What lies over its mark on both sides; None where images are not marked.
    """

    linked: PairedRelease
    method: Method
    labels: Labels
    protects_all: bool
    patient: Guarantee | None = None
    files: FileFacts | None = None
    known: Cohort | None = None
    origin: ReleaseOrigin | None = None
    cover: MarkCover | None = None
