"""The contract of an attack.

An attack module defines one class and its instance ``attack``. It is given a `Scene`: the
release under attack, other patients whose images the attacker privatized with the same recipe to
practise on, and what is public of the method. It returns `Outcome` rows: a number with its
interval, how many it rests on, what chance gives, and the ceiling that the claimed epsilon
implies. An outcome that lies far above its ceiling refutes the claim.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from latentdp.arrays import Images, Labels
from latentdp.cohort import Cohort
from latentdp.guarantee import Guarantee
from latentdp.matching import matched
from latentdp.methods import Tell
from latentdp.notes import Notes
from latentdp.privatizer import Privatizer

__all__ = ["Attack", "Effort", "FileFacts", "Outcome", "Scene", "Side"]


@dataclass(frozen=True, kw_only=True)
class Side:
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
        learning_rate: Of the same.
        resamples: Of each bootstrap.
        copies: Repeated releases of an image that are put together, the first included.
        seeds: Readers of each kind whose utility is averaged.
        reader_steps: Of the optimiser, per reader, at most.
    """

    restarts: int = 10
    steps: int = 80
    patients: int = 32
    learning_rate: float = 1e-3
    resamples: int = 500
    copies: int = 16
    seeds: int = 3
    reader_steps: int = 400

    @classmethod
    def quick(cls) -> Effort:
        """A first look; too weak to rely on."""
        return cls(restarts=2, steps=50, resamples=200, copies=4, seeds=1, reader_steps=150)


FAR = 5 / 1.96  # standard errors of a refutation, in those of the lower end of an interval

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
class Scene:
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
        readers: Private folder of readers that were taught before; None for memory alone.
        notes: What one attack worked out and another can use.
        members: Whether practice images trained the flow.
        files: Of the target, where it lies in files.
    """

    target: Side
    practice: Side
    guarantee: Guarantee | None = None
    privatizer: Privatizer | None = None
    more: Callable[[int, NDArray[np.int64]], tuple[Images, Labels]] | None = None
    effort: Effort = field(default_factory=Effort)
    seed: int = 0
    verifier: str = ""
    readers: Path | None = None
    notes: Notes = field(default_factory=Notes, compare=False, repr=False)
    members: bool = False
    files: FileFacts | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One number that an attack reached.

    Attributes:
        attack: Name of the attack.
        setting: What exactly: ``private against real, impostors of the same sex and view``.
        metric: ``auc``, ``eer``, ``rank-1``, ``p@1``, ``map@r``, ``error``...
        value: The number; larger is more dangerous, but for ``eer`` and ``error``.
        low: Of the 95 % interval over patients.
        high: The same.
        n: Pairs, probes or images that it rests on.
        patients: Patients that it rests on.
        chance: What guessing gives; None where that is unknown.
        ceiling: Largest expected value under the claimed guarantee; None without one.
        headline: Whether it belongs in the summary: one that a steward must see.
        detail: More, as JSON values: ``restarts``, ``curve``, ``gallery``, ``note``...
    """

    attack: str
    setting: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    patients: int
    chance: float | None = None
    ceiling: float | None = None
    headline: bool = False
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def refutes(self) -> bool:
        """Whether it is above the ceiling by more than luck: then the claim is wrong.

        An evaluation looks some fifty times, and some looks are maxima over attackers, so 95 %
        intervals would accuse honest releases. The limit lies `FAR` times as far below the value
        as ``low`` does: five standard errors, 3 in 10 million for one look at a normal one.
        """
        sure = self.value - FAR * (self.value - self.low)
        return self.ceiling is not None and sure > self.ceiling

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self) | {"refutes": self.refutes}


class Attack(ABC):
    """One way to attack.

    Attributes:
        name: Of the plug-in; the name of its module.
        title: What the attacker does, in a line.
    """

    name: ClassVar[str]
    title: ClassVar[str]

    def unable(self, scene: Scene) -> str | None:
        """Why the attack cannot be made on this scene, in a few words; None if it can."""
        return None

    @abstractmethod
    def run(self, scene: Scene, tell: Tell) -> list[Outcome]:
        """Attacks.

        Args:
            scene: Not changed.
            tell: Progress.
        """

    def linked(
        self,
        scene: Scene,
        scores: NDArray[Any],
        rows: NDArray[Any],
        setting: str,
        *,
        copies: int = 1,
        headline: bool = False,
        detail: dict[str, Any] | None = None,
    ) -> list[Outcome]:
        """Rank-1 and AUC of finding the originals of private target images.

        Args:
            scene: Its target's originals are the candidates.
            scores: ``(p, n)`` of p private images against all n originals; larger is likelier.
            rows: ``(p,)`` where the originals of the p are.
            setting: Of the outcomes, likewise ``headline`` (of the rank-1) and ``detail``.
            copies: Releases of each image that the attacker put together.
            headline: Whether the rank-1 belongs in the summary.
            detail: Of both.
        """
        n, patients = scores.shape[1], scene.target.cohort.patients[rows]
        found = matched(scores, rows, patients, resamples=scene.effort.resamples, seed=scene.seed)
        whole = scene.guarantee
        if whole is not None:
            whole = whole.compose(*[whole] * (copies - 1))
        return [
            Outcome(
                attack=self.name,
                setting=setting,
                metric=metric,
                value=value.value,
                low=value.low,
                high=value.high,
                n=len(rows),
                patients=len(set(patients.tolist())),
                chance=chance,
                ceiling=ceiling,
                headline=headline and metric == "rank-1",
                detail={"gallery": n} | (detail or {}),
            )
            for metric, value, chance, ceiling in (
                ("rank-1", found.first, 1 / n, whole.gallery_ceiling(n) if whole else None),
                ("auc", found.area, 0.5, whole.verification_ceiling() if whole else None),
            )
        ]
