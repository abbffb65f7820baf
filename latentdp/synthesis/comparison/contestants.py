"""Who is compared: each makes a labelled set of a cohort under a budget of each patient.

To add one, extend `Contestant`, say what its epsilon is of, and hand it to the comparison beside
those that there are (`contestants`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentdp.core import plugins
from latentdp.core.arrays import Images
from latentdp.errors import InputError
from latentdp.privacy.guarantee import Relation
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.randomized_response import RandomisedResponse
from latentdp.privatizer import Privatizer
from latentdp.recipe import Recipe
from latentdp.reports.central_comparison import Kind
from latentdp.synthesis.candidates import draw_images
from latentdp.synthesis.comparison.cohort import ComparedCohort, LabelledSet
from latentdp.synthesis.head import shown_by
from latentdp.synthesis.learn import Learner, Learnt, calibrated
from latentdp.synthesis.methods.base import CountsAlone, SynthesisMethod
from latentdp.synthesis.plan import SynthesisPlan

__all__ = [
    "LOCAL",
    "CentralMethod",
    "Contestant",
    "LocalPreset",
    "Made",
    "Originals",
    "contestants",
]

METHODS = "synthesis methods"
LOCAL = "local "
FRESH = "fresh samples"
PRESETS = ("balanced", "tight")  # whose images follow their sources
USUAL = f"{LOCAL}balanced"
TOGETHER = 64  # patients, or images, in memory
SEEDS = 1_000  # apart: seeds of noise, and of draws


@dataclass(frozen=True, kw_only=True)
class Made:
    """A set of one contestant.

    Attributes:
        images: With labels.
        head: Odds ``(tests, f)`` of the reader that labelled them; None where there is none.
        add_remove: Epsilon of a patient under add-remove; None where nobody states it.
    """

    images: LabelledSet
    head: NDArray[np.float64] | None
    add_remove: float | None


class Contestant(ABC):
    """A way to a set.

    Attributes:
        name: Of its rows.
        kind: Whose it is.
        title: What it does.
        accounting: What its epsilon is of, and how it was worked out.
    """

    name: str
    kind: Kind
    title: str
    accounting: str

    @abstractmethod
    def make(
        self, cohort: ComparedCohort, who: NDArray[np.int64],
        *, epsilon: float, delta: float, images: int, seed: int,
    ) -> Made:  # fmt: skip
        """Makes a set under seeded noise, so that it is not private.

        Args:
            cohort: With the weights to start from.
            who: Numbers of the patients to learn from.
            epsilon: Of each patient, replace-one, in nats.
            delta: Of it.
            images: How many to draw, where that is free.
            seed: Of noise.
        """


class Originals(Contestant):
    """The cohort's own images, without any protection."""

    name = "originals"
    kind: Kind = "originals"
    title = "the cohort's own images"
    accounting = "none"

    def make(
        self, cohort: ComparedCohort, who: NDArray[np.int64],
        *, epsilon: float, delta: float, images: int, seed: int,
    ) -> Made:  # fmt: skip
        """All of them, whatever the budget."""
        return Made(images=cohort.originals(who), head=None, add_remove=None)


class CentralMethod(Contestant):
    """A method of synthesis, with the head that labels what it draws.

    Args:
        name: Of its rows.
        method: Its class.
        kind: Whose it is.
        candidates: Drawn for each image, of which the critic of the weights and the head choose.
    """

    def __init__(
        self,
        name: str,
        method: type[SynthesisMethod],
        kind: Kind = "central",
        *,
        candidates: int = 1,
    ) -> None:
        self.name, self.kind, self.title = name, kind, method.title
        self._method, self._candidates = method, candidates
        rounds = f", {method.steps} rounds of its own" if method.steps else ""
        self.accounting = f"Gaussian releases: statistics{rounds}, 60 rounds of the head; GDP"

    def make(
        self, cohort: ComparedCohort, who: NDArray[np.int64],
        *, epsilon: float, delta: float, images: int, seed: int,
    ) -> Made:  # fmt: skip
        """Learns, draws and labels, as ``latentdp synthesize`` does it."""
        plan = SynthesisPlan.calibrate(epsilon, delta, declared=True, steps=self._method.steps)
        learnt = self.release(cohort, who, plan, seed)
        head = calibrated(learnt, cohort.flow)
        assert head is not None  # names are declared
        drawn = draw_images(
            cohort.flow,
            learnt.mixture,
            head,
            SeededNoise(SEEDS + seed),
            images,
            candidates=self._candidates,
        )
        probabilities = head.probabilities(drawn)
        return Made(
            images=LabelledSet.of_nobody(drawn, shown_by(probabilities), probabilities),
            head=head.probabilities(cohort.tests.images),
            add_remove=plan.guarantee(Relation.ADD_REMOVE).epsilon,
        )

    def release(
        self, cohort: ComparedCohort, who: NDArray[np.int64], plan: SynthesisPlan, seed: int
    ) -> Learnt:
        """What is learnt of some patients, as one curator of all of them does it."""
        method = self._method(cohort.public, len(cohort.names))
        learner = Learner(method, plan, declared=True)
        for start in range(0, len(who), TOGETHER):
            learner.add(cohort.seen(who[start : start + TOGETHER]))
        return learner.release(SeededNoise(seed))


class FreshSamples(CountsAlone):
    """The public flow as it is: what a generator adds to the head that labels its images."""

    name: ClassVar[str] = FRESH
    title: ClassVar[str] = "the public flow's own images, labelled by the head"
    source: ClassVar[str] = "a control"


class LocalPreset(Contestant):
    """One image of each patient by itself, as ``latentdp privatize`` does it.

    The label's part of the budget goes to randomised response among the sets of findings that the
    cohort has, which count as declared; the rest to the image, which is released without a label.

    Args:
        preset: Its name.
    """

    kind: Kind = "local"

    def __init__(self, preset: str) -> None:
        self.name = f"{LOCAL}{preset}"
        self.title = f"one image of each patient, privatized with {preset} at this epsilon"
        self.accounting = "pure epsilon of the image and its label, delta 0; one image a patient"
        self._preset = preset

    def make(
        self, cohort: ComparedCohort, who: NDArray[np.int64],
        *, epsilon: float, delta: float, images: int, seed: int,
    ) -> Made:  # fmt: skip
        """As many images as there are patients."""
        usual = Recipe.from_preset(self._preset, weights=cohort.flow.name)
        share = usual.label_share
        noise = SeededNoise(seed)
        recipe = replace(usual, label="none", epsilon=(1 - share) * epsilon)
        privatizer = Privatizer(cohort.flow, recipe, noise)
        own = cohort.originals(who)
        first = np.unique(own.patients, return_index=True)[1]
        sets, numbers = np.unique(own.findings[first], axis=0, return_inverse=True)
        numbers = numbers.ravel().astype(np.int64)
        if len(sets) > 1:
            response = RandomisedResponse.calibrate(share * epsilon, len(sets))
            numbers = response.respond(numbers, noise)
        parts: list[Images] = []
        valid: list[NDArray[np.bool_]] = []
        for start in range(0, len(first), TOGETHER):
            release = privatizer(own.images[first[start : start + TOGETHER]])
            parts.append(release.images)
            valid.append(release.valid)
        kept = np.concatenate(valid)
        return Made(
            images=LabelledSet.of_nobody(np.concatenate(parts)[kept], sets[numbers[kept]]),
            head=None,
            add_remove=None,
        )


def contestants(
    names: Collection[str] = (), others: Sequence[Contestant] = ()
) -> list[Contestant]:
    """All methods of synthesis, and what they are to be held against.

    Args:
        names: Of those to keep; empty for the usual ones.
        others: Beside ours; they are kept where they are named.

    Raises:
        InputError: A name that there is not.
    """
    everyone: list[Contestant] = [
        CentralMethod(FRESH, FreshSamples, "public"),
        *(LocalPreset(preset) for preset in PRESETS),
        *(CentralMethod(n, plugins.load(METHODS, n).method) for n in plugins.names(METHODS)),
    ]
    ours = [one.name for one in everyone]
    everyone += others
    known = [one.name for one in everyone]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(
            f"no way to a synthetic cohort {unknown[0]!r}; there are: {', '.join(known)}"
        )
    usual = [name for name in ours if not name.startswith(LOCAL) or name == USUAL]
    return [one for one in everyone if one.name in (names or usual)]
