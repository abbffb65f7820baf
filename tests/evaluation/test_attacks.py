"""Attacks that are not the verifier's: planted leaks are found, clean releases are not accused.

Everything is seeded, so a test that passes once passes always. Where chance decides what a seed
gives, the test says how often another seed would have failed.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from latentdp import Guarantee, InputError
from latentdp.core.plugins import load, names
from latentdp.core.progress import silent
from latentdp.evaluation.attacks.averaging import attack as averaging
from latentdp.evaluation.attacks.likelihood import attack as likelihood
from latentdp.evaluation.attacks.likelihood import log_likelihoods
from latentdp.metrics.linkage import correlations, matched, some
from latentdp.privacy.mechanisms.base import Mechanism
from latentdp.privacy.mechanisms.laplace_l1 import LaplaceL1
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.plan import Action, Block, Plan
from latentdp.privacy.randomized_response import LabelRelease, RandomisedResponse
from latentdp.recipe import PRESETS
from tests.support import sweeps
from tests.support.attacked import by, privatizer
from tests.support.scenes import (
    noise_only,
    released,
    scene,
)


def test_the_right_one_is_first_and_ties_are_guessed():
    own = np.arange(4)
    right = matched(np.eye(4), own, own, resamples=50, seed=0)
    assert (right.first.value, right.area.value) == (1, 1)
    tied = matched(np.zeros((4, 4)), own, own, resamples=50, seed=0)
    assert (tied.first.value, tied.area.value) == (0.25, 0.5)
    wrong = matched(-np.eye(4), own, own, resamples=50, seed=0)
    assert (wrong.first.value, wrong.area.value) == (0, 0)


def test_an_interval_of_all_right_has_a_width():
    """20 of 20 are compatible with 0.832 (Clopper-Pearson), so they refute no claim above it."""
    own = np.arange(20)
    found = matched(np.eye(20), own, own, resamples=50, seed=0)
    assert found.first.low == pytest.approx(0.025 ** (1 / 20))
    assert found.first.high == 1


def test_scores_that_are_no_numbers_are_refused():
    with pytest.raises(InputError):
        matched(np.full((2, 2), np.nan), np.arange(2), np.arange(2), resamples=5, seed=0)


def test_correlation_ignores_what_all_share_and_flat_rows():
    rng = np.random.default_rng(0)
    x = rng.random((5, 4, 4))
    assert np.diag(correlations(x, 3 * x + 10 * rng.random((4, 4)))) == pytest.approx(np.ones(5))
    assert (correlations(np.ones((5, 16)), x.reshape(5, 16)) == 0).all()
    y = rng.random((7, 4, 4))
    a, b = ((side - side.mean(axis=0)).reshape(len(side), -1) for side in (x, y))
    assert correlations(x, y) == pytest.approx(1 - cdist(a, b, "correlation"))


def test_lots_are_distinct_sorted_and_repeatable():
    rows = some(50, 20, seed=3)
    assert len(set(rows.tolist())) == 20
    assert (np.diff(rows) > 0).all()
    assert np.array_equal(rows, some(50, 20, seed=3))
    assert not np.array_equal(rows, some(50, 20, seed=4))


def examples() -> list[Any]:
    return [
        pytest.param(example, id=f"{name}-{i}")
        for name in names("mechanisms")
        for i, example in enumerate(load("mechanisms", name).examples)
    ]


def weighed(mechanism: Mechanism, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    z = np.random.default_rng(1).normal(size=(n, mechanism.dimensions))
    plan = Plan(
        d=mechanism.dimensions,
        blocks=(Block(action=Action.MECHANISM, size=mechanism.dimensions, mechanism=mechanism),),
    )
    rows, labels = np.arange(n), np.full(n, -1)
    return log_likelihoods(plan, z, labels, rows, noise=SeededNoise(2), tell=silent), rows


@pytest.mark.statistical
@pytest.mark.parametrize("mechanism", sweeps.some(examples(), lambda case: case.id.endswith("-0")))
def test_no_mechanism_is_linked_more_often_than_it_claims(mechanism):
    """Another seed fails at a rate of at most 2.5 %, of a mechanism that is at its limit."""
    scores, rows = weighed(mechanism)
    found = matched(scores, rows, rows, resamples=200, seed=0)
    assert found.first.low <= mechanism.guarantee.gallery_ceiling(len(rows))
    assert found.area.low <= mechanism.guarantee.verification_ceiling()


@pytest.mark.statistical
@pytest.mark.parametrize("preset", sweeps.some(sorted(PRESETS), ["balanced", "high-content"]))
def test_every_preset_can_be_attacked_and_none_is_refuted(tiny_flow, preset):
    """The false-alarm rate is at most 2.5 % a number."""
    scenery = released(privatizer(tiny_flow, preset), patients=7, practised=2)
    if scenery.privatizer.plan.label is LabelRelease.PUBLIC or scenery.privatizer.plan.keeps:
        scenery = replace(scenery, guarantee=None)
    assert likelihood.unavailable_reason(scenery) is None
    found = likelihood.run(scenery, silent)
    assert {o.metric.name for o in found} == {"rank-1", "auc"}
    assert not any(o.refutes for o in found)
    assert found == likelihood.run(scenery, silent)


def test_kept_dimensions_name_the_source(tiny_flow):
    scenery = released(privatizer(tiny_flow, "balanced", keep_label_dims=1), patients=20)
    found = likelihood.run(replace(scenery, guarantee=None), silent)
    assert by(found, "own image, by likelihood", "rank-1").value == 1
    assert by(found, "own image, by likelihood", "rank-1").ceiling is None


@dataclass(frozen=True)
class Boast(LaplaceL1):
    """Claims epsilon 1, whatever it does."""

    @property
    def guarantee(self) -> Guarantee:
        return Guarantee(epsilon=1.0)


def test_a_mechanism_that_claims_too_much_is_refuted(tiny_flow):
    honest = LaplaceL1.calibrate(2000.0, 40)
    fields = {k: v for k, v in honest.describe().items() if k in LaplaceL1.__dataclass_fields__}
    made = privatizer(tiny_flow, "balanced", label="none", directions=40)
    blocks = (
        Block(action=Action.MECHANISM, size=40, mechanism=Boast(**fields)),
        Block(action=Action.RESAMPLE, size=tiny_flow.d - 40),
    )
    made = made.with_plan(replace(made.plan, blocks=blocks))
    assert made.guarantee.epsilon == 1
    found = likelihood.run(released(made), silent)
    assert all(o.refutes for o in found)
    assert by(found, "own image, by likelihood", "rank-1").value > 0.9


def test_what_carries_nothing_cannot_be_attacked(tiny_flow):
    nothing = privatizer(tiny_flow, "strict", label="none")
    assert likelihood.unavailable_reason(released(nothing, patients=5, practised=5))
    assert likelihood.unavailable_reason(scene(noise_only, patients=5, practised=5))


def test_the_likelihood_of_a_label_is_how_often_it_is_told():
    """Of 20,000 answers; 0.02 is more than 5 standard errors: false alarms below 1e-6."""
    response = RandomisedResponse.calibrate(1.0, 3)
    for truth in (-1, 0, 2):
        given = np.full(20_000, truth)
        told = np.bincount(response.respond(given, SeededNoise(truth + 1)), minlength=3) / 20_000
        stated = np.exp(response.log_likelihood(np.full(3, truth), np.arange(3)))
        assert stated.sum() == pytest.approx(1)
        assert told == pytest.approx(stated, abs=0.02)


def test_repeats_tell_more_and_the_ceiling_follows_them(tiny_flow):
    made = privatizer(tiny_flow, "dp-glow", epsilon=600.0)
    found = averaging.run(released(made), silent)
    for how in ("pixels", "latents"):
        once = by(found, f"mean of 1, by {how}", "rank-1")
        four = by(found, f"mean of 4, by {how}", "rank-1")
        assert four.value > once.value
        assert four.ceiling >= once.ceiling
        assert not four.refutes
    assert (
        averaging.run(released(privatizer(tiny_flow, "dp-glow", epsilon=600.0)), silent) == found
    )


def test_averaging_of_noise_tells_nothing():
    scenery = scene(noise_only)
    rng = np.random.default_rng(9)

    def more(k: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shape = (k, *scenery.target.cohort.images[rows].shape)
        return rng.random(shape).astype(np.float32), np.full(shape[:2], -1)

    found = averaging.run(replace(scenery, more=more), silent)
    for outcome in found:
        assert outcome.low <= outcome.chance <= outcome.high
    assert averaging.unavailable_reason(scenery)


def test_the_label_alone_is_used_where_only_it_is_released(tiny_flow):
    scenery = released(privatizer(tiny_flow, "strict", epsilon=6.0))
    found = averaging.run(scenery, silent)
    assert by(found, "mean of 4, by latents", "auc").low > 0.6
