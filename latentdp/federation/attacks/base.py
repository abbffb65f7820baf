"""What an attack on shared sums is, what it attacks, and what it may know.

Whatever hospitals share, a gradient or a file of statistics, is a sum over patients of one vector
each, with noise or without. A `SharedSum` says how a patient becomes that vector, how much noise
there is, and what helps to turn it back into an image. An attack module defines one class and its
instance ``attack``; it takes a `SharingScene` and returns outcomes, each with what guessing gives
and, where there is noise, the ceiling that follows from it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images
from latentdp.core.progress import ProgressCallback
from latentdp.privacy.guarantee import Relation
from latentdp.privacy.noise import Noise, SeededNoise
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.privacy.samplers.uniform import permutation
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.results import Outcome
from latentdp.synthesis.evaluation.observed_sum import ObservedSum
from latentdp.synthesis.evaluation.shadows import members_of
from latentdp.synthesis.vectors import PatientImages

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["Misfit", "SharedSum", "SharingAttack", "SharingScene", "SitePeople"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class SitePeople:
    """Patients of a site: **private**.

    Attributes:
        seen: As methods see them.
        images: ``(n, h, w)`` in [0, 1], in the same order.
    """

    seen: PatientImages
    images: Images

    @property
    def count(self) -> int:
        """Number of patients."""
        return int(self.seen.patients.max()) + 1

    @property
    def originals(self) -> Images:
        """The first image of each patient ``(p, h, w)``."""
        return self.images[np.flatnonzero(np.diff(self.seen.patients, prepend=-1))]

    def of(self, chosen: NDArray[np.bool_]) -> SitePeople:
        """All images of the patients that are chosen ``(p,)``, numbered anew."""
        rows = chosen[self.seen.patients]
        return SitePeople(seen=members_of(self.seen, chosen), images=self.images[rows])


class Misfit(Protocol):
    """How far images are from giving what was seen."""

    def __call__(self, images: Images) -> tuple[Matrix, Matrix]:
        """Costs ``(t,)`` of images ``(t, h, w)``, one for each target, and their gradients."""


class SharedSum(ABC):
    """A sum over patients, as a coordinator sees it.

    Attributes:
        name: Of the way of sharing.
        mechanism: Its noise; None for none.
    """

    name: str
    mechanism: NoisySum | None = None

    @abstractmethod
    def records(self, people: SitePeople) -> Matrix:
        """The vector ``(p, k)`` that each patient adds; with noise, of a length of at most 1."""

    def exact(self, seen: Matrix) -> Images | None:
        """Images ``(t, h, w)`` that are read off sums ``(t, k)`` of one patient by a formula."""
        return None

    def misfit(self, seen: Matrix) -> Misfit | None:
        """What a search minimises; None where there is nothing to search."""
        return None

    def latents(self, seen: Matrix) -> Matrix | None:
        """Coarse latents ``(t, m)``, as they stand in the sums; None where they do not."""
        return None

    @property
    def deviation(self) -> float:
        """Of the noise on each entry; 0 for none."""
        return 0.0 if self.mechanism is None else self.mechanism.deviation

    @property
    def mu(self) -> float:
        """The sum is mu-GDP under add-remove; infinity without noise."""
        return np.inf if self.mechanism is None else self.mechanism.mu(Relation.ADD_REMOVE)

    def integers(self, records: Matrix) -> Matrix:
        """Records as they are added up: quantised where there is noise."""
        if self.mechanism is None:
            return records
        return self.mechanism.quantise(records).astype(np.float64)

    def sent(self, total: Matrix, noise: Noise) -> Matrix:
        """What is sent of a sum ``(k,)`` of `integers`."""
        if self.mechanism is None:
            return total
        inner = ObservedSum.of(self.mechanism, exact=False)
        return inner.release(np.rint(total).astype(np.int64), noise)


@dataclass(frozen=True, kw_only=True)
class SharingScene:
    """What is attacked, and how hard.

    Attributes:
        shared: The sum.
        site: Whose it is: **private**.
        flow: The public one.
        traits: Of patients ``(p,)``, by name, for whoever asks about the site as a whole.
        seed: Of everything random.
        targets: Patients whose images are rebuilt.
        gallery: Originals among which the right one is looked for.
        together: Patients of a sum whom the attacker does not know; 1 is who knows all but one.
        steps: Of a search.
        shadows: Shadow sites.
    """

    shared: SharedSum
    site: SitePeople
    flow: Flow
    traits: Mapping[str, NDArray[np.bool_]]
    seed: int = 0
    targets: int = 40
    gallery: int = 100
    together: int = 1
    steps: int = 100
    shadows: int = 200

    @cached_property
    def lot(self) -> NDArray[np.int64]:
        """Patients in the order of a lot: targets, the rest of the gallery, others."""
        return permutation(SeededNoise(self.seed), self.site.count)

    @cached_property
    def in_gallery(self) -> int:
        """Originals that there are to compare with; others fill the sums of several."""
        return min(self.gallery, self.site.count - (self.together - 1))

    @property
    def attacked(self) -> int:
        """Number of targets."""
        return min(self.targets, self.in_gallery)

    @cached_property
    def seen(self) -> Matrix:
        """``(t, k)`` of each target: what is left of a sum when what is known was taken off."""
        records = self.shared.integers(self.shared.records(self.site))
        noise, others = SeededNoise(self.seed + 1), self.lot[self.in_gallery :]
        rows = []
        for target in self.lot[: self.attacked]:
            mates = others[permutation(noise, len(others))[: self.together - 1]]
            rows.append(self.shared.sent(records[[target, *mates]].sum(axis=0), noise))
        return np.stack(rows)


class SharingAttack(ABC):
    """One way to attack.

    Attributes:
        name: Of the plug-in; the name of its module.
        title: What the attacker does, in a line.
        kind: What it finds out where it succeeds.
        meaning: What the attacker does, for a person who must decide.
        family: Of readers, as bits are found by it.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    kind: ClassVar[AttackKind] = AttackKind.UNKNOWN
    meaning: ClassVar[str] = ""
    family: ClassVar[str] = ""

    def unavailable_reason(self, scene: SharingScene) -> str | None:
        """Why the attack cannot be made, in a few words; None if it can."""
        return None

    @abstractmethod
    def run(self, scene: SharingScene, tell: ProgressCallback) -> list[Outcome]:
        """Attacks."""
