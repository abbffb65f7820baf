"""What is learnt of noisy sums: names, means, labels; by worlds in which the truth is known."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from latentdp.errors import InputError
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.synthesis.head import (
    Head,
    HeadData,
    gradient_records,
    learn_head,
    start,
    start_among,
    start_drawn,
)
from latentdp.synthesis.learn import Learner, calibrated, seen
from latentdp.synthesis.methods.gaussian import FindingGaussians
from latentdp.synthesis.methods.mixture import ClusterMixture
from latentdp.synthesis.mixture import LatentMixture, shrunk
from latentdp.synthesis.plan import SynthesisPlan
from latentdp.synthesis.public import PublicModel, thumbnails
from latentdp.synthesis.statistics import CohortSum, NoisyBlock, known_findings
from latentdp.synthesis.vectors import PatientImages, RecordBlock, check_shares, joint_records
from tests.support.synthesis import COARSE, FINDINGS, SIDE, patients, public, render
from tests.support.tiny_flow import shared_flow

QUIET = NoisySum(grid=2**16, scale=1.0)
PLAN = SynthesisPlan(delta=1e-5, names_delta=0.0, statistics=QUIET, gradients=QUIET)


def world(n: int, seed: int = 0, *, multi: bool = False) -> PatientImages:
    """Patients whose finding 0 makes thumbnails bright and moves latents by 0.5; 1 is its absence.

    A quarter has finding 0. With ``multi`` every second of these has finding 2, too.
    """
    rng = np.random.default_rng(seed)
    ill = np.arange(n) % 4 == 0
    findings = np.stack([ill, ~ill, np.zeros(n, bool)], axis=1)
    if multi:
        findings[::8, 2] = True
    bright = rng.normal(110, 10, (n, SIDE, SIDE)) + 60 * ill[:, None, None]
    return PatientImages(
        latents=rng.normal(size=(n, COARSE)) + 0.5 * ill[:, None],
        thumbnails=np.clip(bright, 0, 255).astype(np.uint8),
        findings=findings,
        read=np.ones(n, dtype=bool),
        patients=np.arange(n),
    )


def learnt(method, images, plan=PLAN):
    learner = Learner(method(public(), FINDINGS), plan, declared=True)
    learner.add(images)
    return learner.release(SeededNoise(0))


def test_without_noise_the_gaussians_are_those_of_the_findings():
    mixture = learnt(FindingGaussians, world(2_000)).mixture
    assert mixture.weights[:2] == pytest.approx([0.25, 0.75], abs=0.01)
    assert mixture.means[0].mean() == pytest.approx(0.5, abs=0.05)
    assert mixture.means[1].mean() == pytest.approx(0, abs=0.05)
    assert mixture.deviations.mean() == pytest.approx(1, abs=0.1)


def test_without_noise_clusters_have_the_means_of_who_is_in_them():
    found = learnt(ClusterMixture, world(2_000)).mixture
    assert found.weights @ found.means.mean(axis=1) == pytest.approx(0.125, abs=0.03)


def test_prevalence_counts_findings_beside_others():
    result = learnt(FindingGaussians, world(2_000, multi=True))
    assert result.prevalence == pytest.approx([0.25, 0.75, 0.125], abs=0.01)
    assert result.patients == pytest.approx(2_000, rel=0.01)


def test_the_head_tells_findings_and_images_of_nobody_read_teach_it_nothing():
    images = world(2_000)
    test = world(400, 1)
    head = learnt(FindingGaussians, images).head
    odds = head.features(test.thumbnails) @ head.weights.T
    assert (odds[test.findings[:, 0], 0].min() > odds[~test.findings[:, 0], 0]).mean() > 0.99
    unread = PatientImages(**(vars(images) | {"read": np.zeros(2_000, dtype=bool)}))
    assert np.abs(learnt(FindingGaussians, unread).head.weights).max() < 0.01


def test_the_head_is_in_units_of_what_is_drawn():
    made = replace(public(), show=render, d=COARSE)
    learner = Learner(FindingGaussians(made, FINDINGS), PLAN, declared=True)
    moved = replace(world(2_000), thumbnails=render(np.full((2_000, COARSE), 0.4)))
    learner.add(replace(moved, latents=moved.latents + 0.4))
    head = learner.release(SeededNoise(0)).head
    assert head.centre == pytest.approx(128 + 30 * 0.4, abs=15), "the flow's own lie around 128"


def test_pixels_of_what_is_drawn_have_one_unit_and_all_alike_give_one_too():
    rng = np.random.default_rng(0)
    drawn = rng.normal(120, np.linspace(1, 40, SIDE * SIDE), (200, SIDE * SIDE))
    small = np.clip(drawn, 0, 255).astype(np.uint8).reshape(-1, SIDE, SIDE)
    head = start_drawn(small, FINDINGS)
    energy = (head.features(small)[:, :-1] ** 2).sum(axis=1).mean()
    assert len(np.unique(head.scale)) == 1
    assert energy == pytest.approx(4, rel=1e-3), "in units of half of what they vary by"
    assert np.isfinite(start_drawn(np.zeros_like(small), 1).features(small)).all()


def test_heads_of_other_units_and_sides_say_the_same_when_refined():
    rng = np.random.default_rng(0)
    coarse, fine = (start_among(rng.uniform(0, 255, (9, s, s)), FINDINGS) for s in (4, 8))
    head = coarse.with_weights(rng.normal(size=coarse.weights.shape))
    small = rng.integers(0, 256, (5, 8, 8), dtype=np.uint8)
    odds = [h.features(small) @ h.weights.T for h in (head, head.refined(fine))]
    assert odds[0] == pytest.approx(odds[1])


def test_steps_are_longer_where_there_is_less_noise():
    data = HeadData()
    data.add(world(50))
    known, head = np.array([True, False, False]), start(public(), 1, SIDE)
    lengths = [
        np.linalg.norm(learnt.weights) * count  # the gradient is divided by the count
        for count in (50, 5_000)
        for learnt in [
            learn_head(data, known, head, QUIET, count=count, epsilon=2.0, noise=SeededNoise(0))
        ]
    ]
    assert lengths[1] > 5 * lengths[0]


@pytest.mark.parametrize("size", [1, 255, 256, 257, 600])
def test_rounds_read_every_patient_once_however_they_were_added(size):
    data, whole = HeadData(), patients([1, 3] * (size // 2) + [2] * (size % 2), 3)
    data.add(whole)
    head = learnt(FindingGaussians, world(8)).head
    rows = np.concatenate(list(data.records(head, np.ones(FINDINGS, dtype=bool))))
    assert len(rows) == size
    one = HeadData()
    last = whole.patients == size - 1
    one.add(
        PatientImages(
            **{n: getattr(whole, n)[last] for n in ("latents", "thumbnails", "findings", "read")},
            patients=np.zeros(last.sum(), dtype=np.int64),
        )
    )
    (alone,) = one.records(head, np.ones(FINDINGS, dtype=bool))
    assert np.array_equal(alone[0], rows[-1])


def test_a_calibrated_head_finds_findings_as_often_as_the_cohort_has_them():
    flow = shared_flow()
    made = PublicModel.of(flow)
    images = flow.decode(np.random.default_rng(0).normal(size=(60, flow.d)))
    small = thumbnails(images)
    bright = small.mean(axis=(1, 2)) > np.quantile(small.mean(axis=(1, 2)), 0.8)
    learner = Learner(FindingGaussians(made, 1), PLAN, declared=True)
    learner.add(
        PatientImages(
            latents=flow.encode(images)[:, flow.levels[0]],
            thumbnails=small,
            findings=bright[:, None],
            read=np.ones(60, dtype=bool),
            patients=np.arange(60),
        )
    )
    result = learner.release(SeededNoise(0))
    head = calibrated(result, flow)
    drawn = flow.decode(result.mixture.draw(SeededNoise(5), 400, flow.d))
    share = (head.probabilities(drawn) >= 0.5).mean()
    assert share == pytest.approx(0.2, abs=0.1)  # 5 standard errors


def test_a_name_of_one_patient_passes_with_its_part_of_delta_at_most():
    counts = NoisyBlock(np.array([1.0, 500.0, 0.0]), 10.0)
    delta = 1e-3
    assert known_findings(counts, delta, declared=False).tolist() == [False, True]
    low, high = 1.0, 1_000.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        passes = known_findings(NoisyBlock(np.array([middle, 0.0]), 10.0), delta, declared=False)
        low, high = (low, middle) if passes[0] else (middle, high)
    assert 64 * stats.norm.sf((high - 1) / 10) <= delta * (1 + 1e-6)
    assert known_findings(counts, 0.0, declared=True).all()


def test_noise_is_believed_as_far_as_it_explains_a_distance():
    far, near, target = np.full(32, 5.0), np.full(32, 0.1), np.zeros(32)
    assert np.array_equal(shrunk(far, target, 0.0, 2), far)
    assert np.array_equal(shrunk(near, target, 1.0, 2), target)
    assert 4 < shrunk(far, target, 1.0, 2).mean() < 5


def test_a_component_that_does_not_stand_out_of_its_noise_has_the_cohorts_mean():
    loud = NoisySum(grid=1024, scale=1024 * 5.0)
    plan = SynthesisPlan(delta=1e-5, names_delta=0.0, statistics=loud, gradients=QUIET)
    mixture = learnt(FindingGaussians, world(240), plan).mixture
    few, none = mixture.means[0], mixture.means[2]
    assert np.array_equal(few, none)
    assert not np.array_equal(few, mixture.means[1])


@pytest.mark.parametrize("method", [FindingGaussians, ClusterMixture])
def test_a_cohort_that_does_not_stand_out_leaves_the_prior_as_it_is(method):
    loud = NoisySum(grid=1024, scale=1024 * 50.0)
    plan = SynthesisPlan(delta=1e-5, names_delta=0.0, statistics=loud, gradients=QUIET)
    mixture = learnt(method, world(60), plan).mixture
    assert (mixture.means == 0).all()
    assert (mixture.deviations == 1).all()


def test_a_mixture_draws_what_it_says():
    """Means of 4,000 draws within 5 standard errors."""
    mixture = LatentMixture(
        weights=np.array([0.0, 0.25, 0.75]),
        means=np.array([[9.0], [2.0], [-1.0]]),
        deviations=np.array([[1.0], [0.5], [0.5]]),
    )
    drawn = mixture.draw(SeededNoise(1), 4_000, 3)
    assert drawn[:, 0].mean() == pytest.approx(0.25 * 2 - 0.75, abs=0.12)
    assert drawn[:, 1:].std() == pytest.approx(1, abs=0.05)
    assert drawn[:, 0].max() < 5


@pytest.mark.parametrize(
    "wrong",
    [
        {"weights": np.array([0.5, 0.4])},
        {"weights": np.array([-0.5, 1.5])},
        {"means": np.array([[np.nan], [0.0]])},
        {"deviations": np.array([[0.0], [1.0]])},
        {"deviations": np.array([[1.0]])},
    ],
    ids=str,
)
def test_a_mixture_that_is_none_is_refused(wrong):
    right = {
        "weights": np.array([0.5, 0.5]),
        "means": np.zeros((2, 1)),
        "deviations": np.ones((2, 1)),
    }
    with pytest.raises(InputError):
        LatentMixture(**(right | wrong))


def test_shares_that_make_a_record_too_long_are_refused():
    block = RecordBlock(size=1, bound=1.0, share=0.8)
    with pytest.raises(InputError, match="longer than 1"):
        check_shares([block, block])
    with pytest.raises(InputError, match="longer than 1"):
        joint_records([np.zeros((1, 1))] * 2, [block, block], np.zeros(1, dtype=np.int64))


def test_memory_of_a_sum_does_not_grow_with_the_cohort():
    method = FindingGaussians(public(), FINDINGS)
    adder = CohortSum(method.blocks, QUIET)
    records = method.records(world(64))
    adder.add(records)
    tracemalloc.start()
    for _ in range(50):
        adder.add(records)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 20_000


@pytest.mark.parametrize("epsilon", [0.2, 1.0, 8.0, 60.0])
@pytest.mark.parametrize("declared", [True, False])
def test_a_plan_costs_what_was_asked_for_at_most_and_nearly_that(epsilon, declared):
    from latentdp.privacy.guarantee import Relation

    plan = SynthesisPlan.calibrate(epsilon, 1e-5, declared=declared)
    spent = plan.guarantee(Relation.REPLACE_ONE)
    assert 0.999 * epsilon < spent.epsilon <= epsilon
    assert spent.delta == 1e-5
    assert plan.guarantee(Relation.ADD_REMOVE).epsilon < spent.epsilon
    half = plan.statistics.mu(Relation.ADD_REMOVE) ** 2
    rounds = plan.rounds * plan.gradients.mu(Relation.ADD_REMOVE) ** 2
    assert half == pytest.approx(rounds, rel=1e-6)
    assert (plan.names_delta > 0) != declared


def test_others_change_no_digit_of_what_is_seen_of_a_patient():
    """Or the sum would move by more than one record when a patient comes or goes."""
    rng, of = np.random.default_rng(4), np.repeat(np.arange(9), [1, 3, 2, 1, 4, 1, 1, 2, 1])
    images = rng.random((len(of), 16, 16)).astype(np.float32)
    shown, read = rng.random((len(of), FINDINGS)) < 0.5, np.ones(len(of), bool)
    together = seen(shared_flow(), images, shown, read, of)
    for patient in range(9):
        rows = of == patient
        alone = seen(shared_flow(), images[rows], shown[rows], read[rows], of[rows] * 0)
        assert np.array_equal(together.latents[rows], alone.latents)
        assert np.array_equal(together.thumbnails[rows], alone.thumbnails)


def test_others_change_no_digit_of_a_patients_gradient():
    size = SIDE * SIDE
    rng, known = np.random.default_rng(4), np.ones(3, dtype=bool)
    head = Head(
        weights=rng.normal(size=(3, size + 1)),
        centre=np.full(size, 110.0),
        scale=rng.uniform(5, 60, size),
    )
    everyone = world(257)
    together = gradient_records(head, everyone, known)
    for patient in range(0, 257, 16):
        alone = replace(
            everyone,
            **{
                name: getattr(everyone, name)[patient : patient + 1]
                for name in ("latents", "thumbnails", "findings", "read")
            },
            patients=np.zeros(1, dtype=np.int64),
        )
        assert np.array_equal(gradient_records(head, alone, known)[0], together[patient])
