"""Where noise may go in on the way from a cohort to a classifier, each at the same budget.

The five points of DP-UTIL (Jarin and Eshete 2022, arXiv 2112.12998) are the input, the objective,
the gradient, the output and the prediction; sums that a classifier follows from are a sixth. To
add one, extend `NoisePoint` and hand it to the comparison (`points`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from latentdp.core import plugins
from latentdp.core.arrays import Images
from latentdp.errors import InputError
from latentdp.privacy.gaussian_accountant import mu_of
from latentdp.privacy.guarantee import Relation
from latentdp.privacy.mechanisms.base import clip_norm
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.privacy.randomized_response import RandomisedResponse
from latentdp.private_training.accounting import patient_guarantee
from latentdp.private_training.comparison.noise_point import LearntPoint, NoisePoint
from latentdp.private_training.comparison.votes import PREDICTION, Votes
from latentdp.private_training.methods.base import KIND, TrainingMethod
from latentdp.private_training.readers import LatentReader, LinearReader, Reader
from latentdp.private_training.schedule import CONSTANT
from latentdp.reports.training_card import TrainingRecipe
from latentdp.synthesis.head import start
from latentdp.synthesis.vectors import PatientImages

if TYPE_CHECKING:
    from latentdp.synthesis.public import PublicModel

__all__ = ["points", "reads"]

# Of a method's name; what is not here adds noise to sums.
POINTS = {
    "head": "gradient",
    "sgd": "gradient",
    "vmf": "gradient",
    "objective": "objective",
    "objective_pure": "objective",
    "output": "output",
}
NO_NOISE, INPUT, STATISTICS = "none", "input", "statistics"
TOGETHER = 256  # patients that are handed over at once
LENGTH = 1.5  # of usual features of a head, with the constant


class Unprotected(NoisePoint):
    """Logistic regression on the cohort's own small images."""

    point = NO_NOISE
    name = "no noise"
    title = "logistic regression on the cohort's own images"
    private = False

    def learn(
        self, public: PublicModel, cohort: PatientImages,
        *, epsilon: float, delta: float, seed: int,
    ) -> LearntPoint:  # fmt: skip
        """Whatever the budget."""
        head = start(public, 1, public.samples.shape[1])
        reader = _regression(head.features(cohort.thumbnails), cohort.findings[:, 0])
        return LearntPoint(LinearReader(head.with_weights(reader)), None)


class NoisyInput(NoisePoint):
    """One image of each patient, noised by itself, with its label: nobody need see originals.

    Half of epsilon goes to the label, by randomised response, the other half and delta to the
    pixels of a small image, clipped to a length of 1, by normal noise: another image in its place
    moves it by at most 2.
    """

    point = INPUT
    name = "noisy images"
    title = "pixels and label of one image of each patient, each noised by itself"

    def learn(
        self, public: PublicModel, cohort: PatientImages,
        *, epsilon: float, delta: float, seed: int,
    ) -> LearntPoint:  # fmt: skip
        """A reader that knows the noised records alone."""
        noise = SeededNoise(seed)
        side = public.samples.shape[1]
        head = start(public, 1, side // 2 if side % 2 == 0 else side)
        first = np.unique(cohort.patients, return_index=True)[1]
        pixels = clip_norm(head.features(cohort.thumbnails[first])[:, :-1], 1.0, 2)
        mechanism = NoisySum.calibrate(mu_of(epsilon / 2, delta) / 2)
        cells = mechanism.quantise(pixels)
        noised = mechanism.release(cells.ravel(), noise).reshape(cells.shape)
        response = RandomisedResponse.calibrate(epsilon / 2, 2)
        labels = response.respond(cohort.findings[first, 0].astype(np.int64), noise)
        features = np.column_stack([noised, np.ones(len(noised))])
        return LearntPoint(
            LinearReader(head.with_weights(_regression(features, labels == 1))), None
        )


class Trained(NoisePoint):
    """A method of private training.

    Args:
        method: Its class.
        schedule: Of its noise.
    """

    def __init__(self, method: type[TrainingMethod], schedule: str = CONSTANT) -> None:
        self.point = POINTS.get(method.name, STATISTICS)
        self.name = method.name if schedule == CONSTANT else f"{method.name}, {schedule}"
        self.title = method.title
        self._method, self._schedule = method, schedule

    def learn(
        self, public: PublicModel, cohort: PatientImages,
        *, epsilon: float, delta: float, seed: int,
    ) -> LearntPoint:  # fmt: skip
        """As ``latentdp weights train --private`` does it."""
        recipe = TrainingRecipe(
            method=self._method.name,
            schedule=self._schedule,
            epsilon=epsilon,
            delta=delta,
            images_per_patient=int(np.bincount(cohort.patients).max()),
            findings=("finding",),
        )
        releases = self._method.plan(recipe)
        method = self._method(public, recipe, releases)
        method.check(int(cohort.patients.max()) + 1)
        for part in _parts(cohort):
            method.add(part)
        spent = patient_guarantee(releases, delta, Relation.ADD_REMOVE)
        return LearntPoint(method.learn(SeededNoise(seed)).reader, spent.epsilon)


def points(names: Collection[str] = ()) -> list[NoisePoint]:
    """All points and methods.

    Args:
        names: Of those to keep; empty for all.

    Raises:
        InputError: A name that there is not.
    """
    everyone: list[NoisePoint] = [Unprotected(), NoisyInput()]
    for name in plugins.names(KIND):
        method = plugins.load(KIND, name).method
        everyone += [Trained(method, schedule) for schedule in method.schedules]
    everyone.append(Votes())
    known = [one.name for one in everyone]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(f"no way to a classifier {unknown[0]!r}; there are: {', '.join(known)}")
    order = (NO_NOISE, INPUT, "objective", "gradient", "output", PREDICTION, STATISTICS)
    kept = [one for one in everyone if one.name in (names or known)]
    return sorted(kept, key=lambda one: order.index(one.point))


def _regression(features: NDArray[np.float64], shown: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weights ``(1, k)`` of a logistic reader; of 0 where all or none show it."""
    if shown.all() or not shown.any():
        return np.zeros((1, features.shape[1]))
    # Features have a length of about 1.5 together, where usual settings expect that of each.
    scale = np.sqrt(features.shape[1]) / LENGTH
    fitted = LogisticRegression(max_iter=2_000, fit_intercept=False).fit(scale * features, shown)
    return np.asarray(scale * fitted.coef_)


def _parts(cohort: PatientImages) -> list[PatientImages]:
    """Some whole patients in each."""
    parts = []
    last = int(cohort.patients.max()) + 1
    for first in range(0, last, TOGETHER):
        rows = (cohort.patients >= first) & (cohort.patients < first + TOGETHER)
        parts.append(
            PatientImages(
                latents=cohort.latents[rows],
                thumbnails=cohort.thumbnails[rows],
                findings=cohort.findings[rows],
                read=cohort.read[rows],
                patients=cohort.patients[rows] - first,
            )
        )
    return parts


def reads(reader: Reader, images: Images, latents: NDArray[np.float64]) -> NDArray[np.float64]:
    """Odds ``(n,)`` of one finding.

    Args:
        reader: Of one finding.
        images: ``(n, h, w)``.
        latents: ``(n, m)`` coarse ones of the same.
    """
    if isinstance(reader, LatentReader):
        return np.asarray(reader.odds_of(latents)[:, 0])
    return np.asarray(reader.odds(images, None)[:, 0])
