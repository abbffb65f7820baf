"""What can be learnt of findings from the practice side of a scene, and tested on the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from latentdp.evaluation.threat_model import PairedImages, ThreatModel
from latentdp.models.networks.finding_classifier import Truth
from latentdp.reports.evaluation_parts import COUNTED

__all__ = ["FEWEST", "Lesson", "lessons", "rarer", "readable"]

NONE = "normal"  # as lists of findings are read
ANY = "any finding"
FEWEST = 5  # images with each finding, and without it, on either side


@dataclass(frozen=True)
class Lesson:
    """One side of a scene as far as findings can be read from it.

    Attributes:
        side: Images that show one of the findings.
        names: Findings that enough images of both sides show.
        shown: ``(n, k)`` which of them each image shows.
    """

    side: PairedImages
    names: tuple[str, ...]
    shown: NDArray[np.bool_]

    @property
    def several(self) -> bool:
        """Whether an image shows more than one."""
        return bool((self.shown.sum(axis=1) > 1).any())

    @property
    def truth(self) -> Truth:
        """``(n,)`` the finding of each image, or ``(n, k)`` equal shares of several."""
        if self.several:
            return np.asarray(self.shown / self.shown.sum(axis=1, keepdims=True), np.float32)
        return np.asarray(self.shown.argmax(axis=1), np.int64)

    @property
    def known(self) -> tuple[Truth, str]:
        """Findings of each version that whoever has the release knows, and which these are.

        Those of the released label, which may be wrong on purpose; the true ones where none is
        released, or says too little, as if somebody had read the originals. A class stands for
        the finding that most of its images have.
        """
        labels = self.side.labels
        if self.several:
            shares = np.asarray(self.truth, np.float32)
            return np.repeat(shares[None], len(labels), axis=0), "true findings"
        own = np.asarray(self.shown.argmax(axis=1), np.int64)
        truth = np.repeat(own[None], len(labels), axis=0)
        out = truth.copy()
        for label in np.unique(labels[labels >= 0]):
            members = own[self.side.cohort.labels == label]
            if len(members):
                out[labels == label] = np.bincount(members).argmax()
        covered = (labels >= 0).any() and set(np.unique(own)) == set(np.unique(out))
        return (out, "released labels") if covered else (truth, "true findings")


def readable(scene: ThreatModel) -> str | None:
    """Why findings cannot be read in a scene; None if they can."""
    if scene.practice.cohort.finding_names != scene.target.cohort.finding_names:
        return "practice and target have other findings"
    if not any(side.cohort.shown.any() for side in (scene.practice, scene.target)):
        return "no findings were given (--labels or --about)"
    if len(lessons(scene)[0].names) > 1:
        return None
    counts = zip(
        scene.target.cohort.finding_names,
        *(side.cohort.shown.sum(axis=0).tolist() for side in (scene.practice, scene.target)),
        strict=True,
    )
    there = ", ".join(f"{name} {learnt} and {tested}" for name, learnt, tested in counts)
    return (
        f"too few images of 2 findings to learn from and to test on: {FEWEST} with each and "
        f"{FEWEST} without are needed on either side, of one source{COUNTED}{there}"
    )


def lessons(scene: ThreatModel) -> tuple[Lesson, Lesson]:
    """What is learnt from and what is tested on, with the findings that both have enough of.

    Where there are too few of each, any finding is told from none, if there are enough of these.
    """
    sides = (scene.practice, scene.target)
    found = _lessons(sides)
    if len(found[0].names) < 2 and NONE in scene.target.cohort.finding_names:
        together = _lessons(tuple(map(_together, sides)))
        return together if len(together[0].names) > 1 else found
    return found


def _lessons(given: Sequence[PairedImages]) -> tuple[Lesson, Lesson]:
    sides = [_of_mixed_sources(side) for side in given]
    finding_names = sides[-1].cohort.finding_names
    kept = np.arange(len(finding_names))
    while True:
        shown = [side.cohort.shown[:, kept] for side in sides]
        shown = [marks[marks.any(axis=1)] for marks in shown]
        enough = np.min([rarer(marks) for marks in shown], axis=0, initial=len(sides[0].cohort))
        if len(kept) < 2 or enough.min() >= FEWEST:
            break
        kept = np.delete(kept, enough.argmin())  # its images go, and others may have too few then
    names = tuple(finding_names[i] for i in kept)
    found = []
    for side, marks in zip(sides, shown, strict=True):
        rows = np.asarray(side.cohort.shown[:, kept].any(axis=1))
        found.append(Lesson(_rows(side, rows), names, marks))
    return found[0], found[1]


def rarer(shown: NDArray[np.bool_]) -> NDArray[np.int64]:
    """``(k,)`` images with each finding, or without it: whichever are fewer."""
    having = shown.sum(axis=0)
    return np.asarray(np.minimum(having, len(shown) - having), np.int64)


def _of_mixed_sources(side: PairedImages) -> PairedImages:
    """Images with a finding, of sources that have several: elsewhere the source tells it."""
    cohort = side.cohort
    kept = np.asarray(cohort.shown.any(axis=1))
    for source in np.unique(cohort.sources):
        mine = cohort.sources == source
        if cohort.shown[mine].any(axis=0).sum() < 2:
            kept = kept & ~mine
    return _rows(side, kept)


def _together(side: PairedImages) -> PairedImages:
    """With all findings as one, beside none."""
    cohort = side.cohort
    none = np.array([name == NONE for name in cohort.finding_names])
    some, normal = (cohort.shown[:, which].any(axis=1) for which in (~none, none))
    return replace(
        side,
        cohort=replace(
            cohort,
            marks=None,
            findings=np.select([some, normal], [0, 1], -1).astype(np.int64),
            finding_names=(ANY, NONE),
        ),
    )


def _rows(side: PairedImages, kept: NDArray[np.bool_]) -> PairedImages:
    return PairedImages(
        cohort=side.cohort.take(kept), private=side.private[:, kept], labels=side.labels[:, kept]
    )
