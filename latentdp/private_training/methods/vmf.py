r"""Steps along directions with von Mises-Fisher noise: directional privacy.

Only the direction of the sum of all gradients is used, and a direction near it is released, with a
density proportional to exp(kappa <y, v>) on the unit sphere (Faustini et al. 2022, arXiv
2211.04686; Weggenmann and Kerschbaum 2021). The guarantee of the papers is in a metric: a round
costs kappa times the distance between the directions of two cohorts' sums. **Nothing bounds that
distance**: a patient may turn the direction of a sum that nearly vanishes all the way round. As
differential privacy it is therefore the worst case that counts.

Sensitivity. For any two unit vectors v and v' and any y, |kappa <y, v> - kappa <y, v'>| <=
kappa |v - v'| <= 2 kappa. So a round costs 2 kappa under either relation, whatever is clipped, and
rounds add up: no delta, and no sampling helps. No number of patients enters. The sampler works in
floating point, for which there is no proof: the numerics are idealised.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from latentdp.privacy.mechanisms.vmf import VonMisesFisher
from latentdp.privacy.noise import Noise
from latentdp.private_training.methods.base import Taught, TrainingMethod
from latentdp.private_training.readers import LinearReader, sides_of
from latentdp.reports.training_card import DirectionRelease, TrainingRecipe, TrainingRelease
from latentdp.reports.training_words import IDEALISED
from latentdp.synthesis.descent import Descent
from latentdp.synthesis.head import HeadData, start
from latentdp.synthesis.public import PublicModel
from latentdp.synthesis.vectors import PatientImages

__all__ = ["NoisyDirections", "method"]

ROUNDS = 2  # few: rounds add up, and each is as noisy as its share of the budget is small
STEP = 3.0  # length of a step
DIRECTIONS = "direction of the sum of the patients' clipped gradients"
CLOSE = 0.1  # mean cosine between a noisy direction and the true one below which little is learnt


class NoisyDirections(TrainingMethod):
    """Gradient steps of fixed length in noisy directions."""

    name: ClassVar[str] = "vmf"
    title: ClassVar[str] = "logistic readers of tiny images, by noisy directions of gradients"
    source: ClassVar[str] = "Faustini et al. 2022, von Mises-Fisher noise on gradients"
    numerics: ClassVar[str] = IDEALISED

    def __init__(
        self, public: PublicModel, recipe: TrainingRecipe, releases: Sequence[TrainingRelease]
    ) -> None:
        super().__init__(public, recipe, releases)
        self._data = HeadData()
        self._head = start(public, self.findings, sides_of(public)[-1])

    @classmethod
    def plan(cls, recipe: TrainingRecipe) -> tuple[TrainingRelease, ...]:
        """Rounds of equal kappa."""
        kappa = recipe.epsilon / (2 * ROUNDS) * (1 - 1e-11)
        return (DirectionRelease(what=DIRECTIONS, rounds=ROUNDS, kappa=kappa),)

    def add(self, images: PatientImages) -> None:
        """Keeps thumbnails and findings."""
        self._data.add(images)

    def learn(self, noise: Noise) -> Taught:
        """All rounds; whoever's sum vanishes has the first axis as direction."""
        everything = np.ones(self.findings, dtype=np.bool_)
        size = self._head.weights.size
        release = self.releases[0]
        assert isinstance(release, DirectionRelease)
        mechanism = VonMisesFisher(dimensions=size, kappa=release.kappa)
        way = Descent(self._head.weights, rounds=ROUNDS, step=STEP, momentum=0.0)
        for _ in range(ROUNDS):
            total = np.zeros((1, size))
            for records in self._data.records(self._head.with_weights(way.weights), everything):
                total += records.sum(axis=0)
            direction = mechanism.perturb(total, noise)[0]
            way.follow(direction.reshape(way.weights.shape))
        return Taught(
            LinearReader(self._head.with_weights(way.weights)), release.kappa / size < CLOSE
        )

    def parameters(self, side: int) -> int:
        """A weight for each pixel of a tiny image and finding, and offsets."""
        return int(self._head.weights.size)

    def most_parameters(self, patients: float) -> float:
        """Its noise does not shrink with the number of patients: the rule has no meaning.

        The card says FAINT where a direction is hardly the true one.
        """
        return float("inf")


method = NoisyDirections
