r"""Images of the flow that patients vote for, round by round, until they look like the cohort.

Private Evolution with the public flow as its API: patients never shape an image, they only vote
for the nearest of those that are there. Those with votes stay and have offspring, varied in the
latent; the others go. It needs no clip and no private gradient, and is as good as its candidates
are many, which are few where patients are: a vote must stand out of the noise.

Sensitivity. The first release has counts and findings alone: with l_j and y_j as in `gaussian` it
is of the records (a mean l_j, p clip(mean y_j, B) / B) with a^2 + p^2 = 1, of a length of at most
1. Then there are T rounds. In each, let h_j be 1 at the candidate whose thumbnail is nearest to
that of image j, and 0 elsewhere, so that |h_j| = 1. The patient's record is mean h_j, over their
images: |mean h_j| <= 1, however many images vote and for whatever. So in each of the T + 1
releases the sum moves by at most 1 with a patient more or less, and by at most 2 with another in
their place, given all answers before. Candidates follow public samples and noisy votes
alone, their number the noisy count; so all releases compose as Gaussian ones, each chosen in view
of those before, do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentdp.privacy.noise import Noise, SeededNoise
from latentdp.privacy.samplers.uniform import normal
from latentdp.synthesis.curator import Curator
from latentdp.synthesis.methods.base import CountsAlone
from latentdp.synthesis.mixture import LatentMixture
from latentdp.synthesis.statistics import NoisyStatistics
from latentdp.synthesis.vectors import PatientImages

__all__ = ["PrivateEvolution", "method"]

Matrix = NDArray[np.float64]
Votes = NDArray[np.float64]

STEPS = 4
VOTES = 3.0  # deviations of its noise that a candidate's votes have on average
FEWEST, MOST = 4, 96  # candidates
HEARD = 1.0  # deviations of its noise below which votes count as none
VARIED = (0.7, 0.5, 0.4)  # share of an offspring's length that is new, round by round
WIDTH = 0.4  # deviation of what is drawn around a candidate at last


@dataclass(frozen=True)
class _Candidates:
    """Coarse latents ``(k, m)``, and the pixels of their thumbnails ``(k, s * s)``."""

    latents: Matrix
    flat: Matrix

    def nearest(self, images: PatientImages) -> Matrix:
        """1 at the nearest of each image ``(n, k)``; of equally near ones the first.

        All numbers are integers below 2^53, so that it is exact in any order of adding up.
        """
        own = images.thumbnails.reshape(len(images.thumbnails), -1).astype(np.float64)
        distance = (self.flat**2).sum(axis=1) - 2 * own @ self.flat.T
        return np.asarray(np.eye(len(self.flat))[distance.argmin(axis=1)])


class PrivateEvolution(CountsAlone):
    """Noisy votes for the flow's own samples and their offspring."""

    name: ClassVar[str] = "evolve"
    title: ClassVar[str] = "the flow's own images that are nearest to the cohort's, by vote"
    source: ClassVar[str] = "Private Evolution, with the flow as its API"
    asked: ClassVar[str] = "votes for the nearest of the candidates"
    steps: ClassVar[int] = STEPS

    def rounds(
        self,
        patients: float,
        statistics: NoisyStatistics,
        known: NDArray[np.bool_],
        curator: Curator,
    ) -> LatentMixture:
        """All rounds."""
        noise = SeededNoise(2)  # public: all that is private is in the votes
        many = int(np.clip(patients / (VOTES * curator.deviation), FEWEST, MOST))
        candidates = self._rendered(normal(noise, (many, self.public.coarse)))
        for new in (*VARIED, None):
            answer = curator.ask(candidates.nearest, many)
            votes = _heard(answer.sums, answer.deviation)
            if new is not None:
                candidates = self._rendered(_offspring(candidates.latents, votes, new, noise))
        return LatentMixture.around(candidates.latents, votes, WIDTH)

    def _rendered(self, latents: Matrix) -> _Candidates:
        small = self.public.rendered(latents)
        return _Candidates(latents, small.reshape(len(small), -1).astype(np.float64))


def _heard(votes: Votes, deviation: float) -> Votes:
    """Shares of noisy votes ``(k,)`` that stand out of the noise; even ones where none does."""
    heard = np.maximum(votes - HEARD * deviation, 0.0)
    if not heard.any():
        heard = np.ones_like(votes)
    return np.asarray(heard / heard.sum())


def _offspring(parents: Matrix, votes: Votes, new: float, noise: Noise) -> Matrix:
    """As many candidates as there are parents: the elected ones, and variations of them.

    Args:
        parents: ``(k, m)`` coarse latents.
        votes: ``(k,)`` shares.
        new: Share in (0, 1) of a variation's length that is not its parent's.
        noise: Public.
    """
    k, m = parents.shape
    # Evenly spaced along the cumulative shares: each is chosen as often as it has votes.
    chosen = np.searchsorted(np.cumsum(votes), (np.arange(k) + 0.5) / k, side="right")
    chosen = np.minimum(chosen, int(np.flatnonzero(votes)[-1]))
    first = np.diff(chosen, prepend=-1) > 0
    varied = math.sqrt(1 - new**2) * parents[chosen] + new * normal(noise, (k, m))
    return np.asarray(np.where(first[:, None], parents[chosen], varied))


method = PrivateEvolution
