"""How much an evaluation of a synthetic set tries."""

from __future__ import annotations

from dataclasses import dataclass

from latentdp.synthesis.evaluation.canaries import CANARIES

__all__ = ["QUICK", "WHOLE", "SyntheticEffort"]


@dataclass(frozen=True, kw_only=True)
class SyntheticEffort:
    """How much is tried.

    Attributes:
        shadows: Shadow releases.
        members: Patients who may be in one, at most.
        canaries: That are guessed, at least.
        compared: Images of each side that are compared by features, at most.
        rebuilt: Patients whose images are rebuilt from a site's sums, at most.
        gallery: Originals among which each of these is looked for, at most.
    """

    shadows: int
    members: int
    canaries: int
    compared: int
    rebuilt: int = 100
    gallery: int = 100


WHOLE = SyntheticEffort(shadows=256, members=600, canaries=CANARIES, compared=1_000)
QUICK = SyntheticEffort(shadows=64, members=200, canaries=250, compared=300, rebuilt=40)
