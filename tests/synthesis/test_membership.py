"""Attacks on who was learnt from: under the ceiling of the right noise, above it without any."""

import numpy as np
import pytest

from latentdp.metrics.membership import auc_ceiling
from latentdp.privacy.guarantee import Relation
from latentdp.synthesis.evaluation.membership import (
    likelihood_ratios,
    on_release,
    on_shadows,
    too_few,
)
from latentdp.synthesis.evaluation.shadows import members_of, shadow_releases
from latentdp.synthesis.methods.gaussian import FindingGaussians
from latentdp.synthesis.methods.mixture import ClusterMixture
from latentdp.synthesis.plan import SynthesisPlan
from tests.support.sweeps import slow
from tests.support.synthesis import FINDINGS, public
from tests.synthesis.test_learning import PLAN, world

CLAIMED = SynthesisPlan.calibrate(8.0, 1e-5, declared=True)
MU = CLAIMED.accountant.mu(Relation.ADD_REMOVE)


def attacked(plan, method=FindingGaussians, n=50):
    shadows = shadow_releases(
        method(public(), FINDINGS), plan, world(n), declared=True, shadows=64, seed=1
    )
    return shadows, on_shadows(shadows, mu=MU, delta=0.0, seed=1)


@pytest.mark.statistical
@pytest.mark.parametrize("method", [FindingGaussians, slow(ClusterMixture)])
def test_with_the_noise_that_is_claimed_no_attack_refutes_it(method):
    """A refutation lies five standard errors above a ceiling, once in 3 million."""
    shadows, outcomes = attacked(CLAIMED, method)
    assert shadows.member.shape == (64, 50)
    assert {o.metric.name for o in outcomes} == {"auc"}  # so few cannot have 1 % false alarms
    assert "1 %" in too_few(shadows)
    for outcome in outcomes:
        assert not outcome.refutes, outcome.setting
        assert outcome.ceiling == pytest.approx(auc_ceiling(MU))


def test_without_noise_members_are_found_and_the_claim_is_refuted():
    _, outcomes = attacked(PLAN)
    refuting = {o.setting.partition(", ")[2] for o in outcomes if o.refutes}
    assert "by the released sums (least squares of all coins)" in refuting
    assert "by the generator's density (LiRA)" in refuting
    assert "by the density of drawn latents (DOMIAS)" in refuting


def test_coins_that_nothing_depends_on_are_not_guessed():
    rng = np.random.default_rng(0)
    member = rng.random((64, 400)) < 0.5
    seen = rng.normal(size=member.shape)
    half = likelihood_ratios(seen[:32], member[:32], seen[32:])
    assert np.corrcoef(half.ravel(), member[32:].ravel())[0, 1] == pytest.approx(0, abs=0.04)


def test_members_keep_all_their_images():
    images = world(4)
    chosen = members_of(images, np.array([True, False, False, True]))
    assert chosen.patients.tolist() == [0, 1]
    assert np.array_equal(chosen.latents, images.latents[[0, 3]])


def test_latents_that_repeat_the_cohort_give_it_away():
    cohort, others = world(20, 1), world(200, 2)
    (copied,) = on_release(np.tile(cohort.latents, (3, 1)), cohort, others, 0)
    (apart,) = on_release(world(300, 3).latents, cohort, others, 0)
    assert copied.low > 0.55
    assert apart.low < 0.5 < apart.high
    assert copied.ceiling is None
