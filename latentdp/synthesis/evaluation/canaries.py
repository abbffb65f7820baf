"""Canaries in a public stand-in cohort: how much the releases of a plan give away, at least.

Each canary is a patient at the corner of what a patient can be: latents along a coordinate of its
own, beyond the clip, and a picture that is a pattern of its own. By a fair coin it is that or the
opposite, which is replace-one. Whoever knows all but the coins guesses them from every noisy sum:
the one of joint records, the answers to a method that goes on in rounds, and each round of the
head; what is asked in a round follows the noisy sums before it, and so is known.
The others are drawn from the public flow, so no patient is needed, and none is at risk.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import hadamard

from latentdp.core import plugins
from latentdp.core.progress import CountCallback
from latentdp.privacy.audit.best_event import CONFIDENCE
from latentdp.privacy.audit.gaussian_one_run import guessed_mu, guessed_mu_by_run
from latentdp.privacy.gaussian_accountant import Rounds, epsilon_of
from latentdp.privacy.guarantee import Relation
from latentdp.privacy.noise import Noise, SeededNoise
from latentdp.privacy.samplers.uniform import normal
from latentdp.reports.canary_audit import CanaryAudit
from latentdp.synthesis.curator import Curator, Question, answered
from latentdp.synthesis.evaluation.observed_sum import observed
from latentdp.synthesis.head import Head, HeadData, gradient_records
from latentdp.synthesis.learn import Learner
from latentdp.synthesis.methods.base import SynthesisMethod
from latentdp.synthesis.plan import SynthesisPlan
from latentdp.synthesis.public import PublicModel
from latentdp.synthesis.statistics import NoisyBlock
from latentdp.synthesis.vectors import PatientImages

__all__ = ["CANARIES", "audit_plan"]

Matrix = NDArray[np.float64]

CANARIES = 2_000
STAND_IN = 900  # patients: among fewer, noise soon teaches the head to expect a canary
BEYOND = 4.0  # lengths of the clip: what is not clipped shows


@dataclass(frozen=True, kw_only=True)
class _Canaries:
    """Pairs of opposite patients.

    Attributes:
        one: The first of each pair.
        other: The second.
    """

    one: PatientImages
    other: PatientImages

    def __len__(self) -> int:
        return len(self.one.patients)

    def mixed(self, coins: NDArray[np.bool_]) -> PatientImages:
        """The first of a pair where its coin says so, else the second."""
        return replace(
            self.one,
            latents=np.where(coins[:, None], self.one.latents, self.other.latents),
            thumbnails=np.where(coins[:, None, None], self.one.thumbnails, self.other.thumbnails),
        )


def audit_plan(
    public: PublicModel,
    method: str,
    plan: SynthesisPlan,
    *,
    noise: Noise,
    canaries: int = CANARIES,
    exact: bool = True,
    confidence: float = 0.95,
    progress: CountCallback | None = None,
) -> CanaryAudit:
    """Runs a method on a stand-in cohort with canaries, as often as so many of them need.

    Args:
        public: Of the weights; the units of the head are those of its samples.
        method: Of synthesis.
        plan: The noise that is audited.
        noise: Of coins and releases.
        canaries: At least so many are guessed.
        exact: With the noise of a release, or else one in floating point, which is faster.
        confidence: Of the bounds that are told.
        progress: Called with the number of runs done and of all.
    """
    make = plugins.load("synthesis methods", method).method
    public = replace(public, show=None)
    pairs = _pairs(public)
    runs = math.ceil(canaries / len(pairs))
    shares: list[float] = []
    for run in range(runs):
        right = _right(make(public, 1), plan, public, pairs, noise, exact=exact)
        shares.append(right / len(pairs))
        if progress is not None:
            progress(run + 1, runs)
    guesses, right = runs * len(pairs), round(math.fsum(shares) * len(pairs))
    claimed = plan.accountant.mu(Relation.REPLACE_ONE)
    delta = plan.delta - plan.names_delta
    found = guessed_mu(right, guesses, 1 - confidence)
    surely = max(confidence, CONFIDENCE)
    return CanaryAudit(
        method=method,
        delta=delta,
        claimed_mu=claimed,
        claimed_epsilon=epsilon_of(claimed, delta),
        found_mu=found,
        found_mu_by_run=guessed_mu_by_run(shares, 1 - confidence),
        found_epsilon=epsilon_of(found, delta),
        confidence=confidence,
        canaries=guesses,
        right=right,
        runs=runs,
        refuted=guessed_mu(right, guesses, 1 - surely) > claimed,
        surely=surely,
    )


def _right(
    method: SynthesisMethod,
    plan: SynthesisPlan,
    public: PublicModel,
    pairs: _Canaries,
    noise: Noise,
    *,
    exact: bool,
) -> int:
    """Right guesses in one run."""
    others, known = _stand_in(public), np.ones(1, dtype=np.bool_)
    coins = noise.words(len(pairs)) % np.uint64(2) == 1
    seen, statistics, gradients = observed(plan, exact=exact)
    watch = _KnownButCoins(pairs, others)
    learner = _WatchedLearner(method, seen, watch)
    learner.add(others)
    learner.add(pairs.mixed(coins))
    learner.release(noise)
    watch.see(method.records, statistics.released[0], statistics.deviation)
    for head, noisy in zip(learner.heads, gradients.released, strict=True):
        watch.see(partial(_gradients, head, known), noisy, gradients.deviation)
    return int((_decoded(watch.ways, watch.rest) == coins).sum())


class _KnownButCoins:
    """What an attacker who knows all but the coins makes of each noisy sum.

    Args:
        pairs: Whose coins are guessed.
        others: All else in the cohort.

    Attributes:
        ways: Of each sum ``(n, k)`` what a coin moves, in deviations of the noise.
        rest: Of each sum ``(k,)`` what is left of it without what is known.
    """

    def __init__(self, pairs: _Canaries, others: PatientImages) -> None:
        self._pairs, self._others = pairs, others
        self.ways: list[Matrix] = []
        self.rest: list[Matrix] = []

    def see(
        self, records: Callable[[PatientImages], Matrix], noisy: Matrix, deviation: float
    ) -> None:
        """One noisy sum of records."""
        sides = (self._pairs.one, self._pairs.other, self._others)
        one, other, others = map(records, sides)
        middle = others.sum(axis=0) + (one + other).sum(axis=0) / 2
        self.ways.append((one - other) / (2 * deviation))
        self.rest.append((noisy - middle) / deviation)


class _WatchedLearner(Learner):
    """One whose questions and heads are seen: they follow the noisy sums before, and are public.

    Args:
        method: Of synthesis.
        plan: The noise.
        watch: Sees the answers to a method that goes on in rounds.
    """

    def __init__(
        self, method: SynthesisMethod, plan: SynthesisPlan, watch: _KnownButCoins
    ) -> None:
        super().__init__(method, plan, declared=True)
        self.heads: list[Head] = []  # at the beginning of each round
        self._data, self._watch = _SeenData(self.heads), watch

    def _curator(self, noise: Noise) -> Curator:
        return _SeenCurator(self._data.parts, self._plan.steps, noise, self._watch)


class _SeenData(HeadData):
    def __init__(self, heads: list[Head]) -> None:
        super().__init__()
        self.heads = heads

    def records(self, head: Head, known: NDArray[np.bool_]) -> Iterator[Matrix]:
        self.heads.append(head)
        return super().records(head, known)


class _SeenCurator(Curator):
    def __init__(
        self,
        cohort: Sequence[PatientImages],
        rounds: Rounds | None,
        noise: Noise,
        watch: _KnownButCoins,
    ) -> None:
        super().__init__(cohort, rounds, noise)
        self._watch = watch

    def ask(self, question: Question, size: int) -> NoisyBlock:
        answer = super().ask(question, size)
        self._watch.see(lambda images: answered(question, images, size), answer.sums,
                        answer.deviation)  # fmt: skip
        return answer


def _gradients(head: Head, known: NDArray[np.bool_], images: PatientImages) -> Matrix:
    return gradient_records(head, images, known)


def _decoded(ways: Sequence[Matrix], rest: Sequence[Matrix]) -> NDArray[np.bool_]:
    """The likelier side of each coin: least squares of ``rest = coins @ ways + noise``."""
    moves, left = np.concatenate(ways, axis=1), np.concatenate(rest)
    gram = moves @ moves.T
    return np.asarray(np.linalg.solve(gram + np.eye(len(gram)), moves @ left) > 0)


def _pairs(public: PublicModel) -> _Canaries:
    """As many as there are patterns that the head sees at its coarsest."""
    side = public.samples.shape[1]
    step = 2 if side % 2 == 0 else 1
    pixels = (side // step) ** 2
    n = min(pixels - 1, public.coarse)
    patterns = hadamard(1 << (pixels - 1).bit_length())[1 : n + 1, :pixels] > 0
    bright = np.where(patterns, 255, 0).astype(np.uint8).reshape(n, side // step, -1)
    bright = bright.repeat(step, axis=1).repeat(step, axis=2)
    latents = np.zeros((n, public.coarse))
    latents[np.arange(n), np.arange(n) * (public.coarse // n)] = BEYOND * public.clip
    return _Canaries(one=_ill(latents, bright), other=_ill(-latents, 255 - bright))


def _ill(latents: Matrix, thumbnails: NDArray[np.uint8]) -> PatientImages:
    n = len(latents)
    return PatientImages(
        latents=latents,
        thumbnails=thumbnails,
        findings=np.ones((n, 1), dtype=np.bool_),
        read=np.ones(n, dtype=np.bool_),
        patients=np.arange(n),
    )


def _stand_in(public: PublicModel) -> PatientImages:
    """Samples of the flow of whom nobody said anything, so that rounds of the head miss them."""
    rows = np.arange(STAND_IN) % len(public.samples)
    return PatientImages(
        latents=normal(SeededNoise(0), (STAND_IN, public.coarse)),
        thumbnails=public.samples[rows],
        findings=np.zeros((STAND_IN, 1), dtype=np.bool_),
        read=np.zeros(STAND_IN, dtype=np.bool_),
        patients=np.arange(STAND_IN),
    )
