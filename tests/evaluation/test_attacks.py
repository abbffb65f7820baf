"""Attacks that are not the verifier's: planted leaks are found, clean releases are not accused.

Everything is seeded, so a test that passes once passes always. Where chance decides what a seed
gives, the test says how often another seed would have failed.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from latentdp import Guarantee, InputError, Privatizer, Recipe
from latentdp.core.plugins import load, names
from latentdp.core.progress import silent
from latentdp.evaluation.attacks.attributes import attack as attributes
from latentdp.evaluation.attacks.averaging import attack as averaging
from latentdp.evaluation.attacks.features import attack as features
from latentdp.evaluation.attacks.likelihood import attack as likelihood
from latentdp.evaluation.attacks.likelihood import log_likelihoods
from latentdp.evaluation.attacks.membership import attack as membership
from latentdp.evaluation.attacks.reconstruction import attack as reconstruction
from latentdp.evaluation.attacks.side_channels import ALARM
from latentdp.evaluation.attacks.side_channels import attack as side_channels
from latentdp.metrics.linkage import correlations, matched, some
from latentdp.models.flow.flow import Flow
from latentdp.privacy.mechanisms.base import Mechanism
from latentdp.privacy.mechanisms.laplace_l1 import LaplaceL1
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.plan import Action, Block, Plan
from latentdp.privacy.randomized_response import LabelRelease, RandomisedResponse
from latentdp.recipe import PRESETS
from latentdp.reports.results import Outcome
from tests.support.scenes import (
    noise_only,
    released,
    scene,
    untouched,
    with_files,
)
from tests.support.sweeps import slow


def by(found: list[Outcome], words: str, metric: str) -> Outcome:
    (one,) = [o for o in found if words in o.setting and o.metric.name == metric]
    return one


def privatizer(flow: Flow, preset: str = "balanced", seed: int = 0, **changes: Any) -> Privatizer:
    return Privatizer(flow, Recipe.from_preset(preset, **changes), SeededNoise(seed))


# --- Matching ---------------------------------------------------------------------------------


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


# --- Likelihood -------------------------------------------------------------------------------


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
@pytest.mark.parametrize("mechanism", examples())
def test_no_mechanism_is_linked_more_often_than_it_claims(mechanism):
    """Another seed fails at a rate of at most 2.5 %, of a mechanism that is at its limit."""
    scores, rows = weighed(mechanism)
    found = matched(scores, rows, rows, resamples=200, seed=0)
    assert found.first.low <= mechanism.guarantee.gallery_ceiling(len(rows))
    assert found.area.low <= mechanism.guarantee.verification_ceiling()


@pytest.mark.statistical
@pytest.mark.parametrize("preset", sorted(PRESETS))
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


# --- Averaging --------------------------------------------------------------------------------


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


# --- Attributes -------------------------------------------------------------------------------


def test_sex_and_age_are_read_where_they_are():
    found = attributes.run(scene(untouched), silent)
    assert by(found, "sex from private", "auc").value > 0.9
    assert by(found, "age from private", "auc").value > 0.8


@pytest.mark.statistical
@pytest.mark.parametrize("seeds", [2, slow(6)])
def test_noise_has_no_attributes(seeds):
    """Means of seeds, whose standard deviation is 0.06: 4.5 of theirs, so 1 of 50,000 fails."""
    runs = [attributes.run(scene(noise_only, seed=seed), silent) for seed in range(seeds)]
    for name in ("sex", "age", "view"):
        found = [by(run, f"{name} from private", "auc").value for run in runs]
        assert abs(np.mean(found) - 0.5) < 4.5 * 0.06 / seeds**0.5
    assert by(runs[0], "sex from original", "auc").value > 0.9


def test_what_labels_alone_tell_is_beside_it():
    scenery = scene(noise_only)
    sides = [
        replace(side, labels=(side.cohort.sexes == "M").astype(np.int64)[None])
        for side in (scenery.target, scenery.practice)
    ]
    found = attributes.run(replace(scenery, target=sides[0], practice=sides[1]), silent)
    assert by(found, "sex from labels alone", "auc").value == 1
    assert by(found, "sex from private", "auc").value > 0.9
    assert by(found, "sex from private", "auc").headline


def test_an_attribute_that_is_not_known_is_left_out():
    scenery = scene(untouched, patients=10, practised=12)
    blank = np.full(36, "")
    practice = replace(scenery.practice, cohort=replace(scenery.practice.cohort, sexes=blank))
    found = attributes.run(replace(scenery, practice=practice), silent)
    assert not [o for o in found if o.setting.startswith("sex")]


# --- Membership -------------------------------------------------------------------------------


def test_members_that_are_likelier_are_told(tiny_flow):
    scenery = replace(scene(noise_only), privatizer=privatizer(tiny_flow))
    assert membership.unavailable_reason(scenery)
    scenery = replace(scenery, members=True)
    assert membership.unavailable_reason(scenery) is None
    (same,) = membership.run(scenery, silent)
    assert same.low <= 0.5 <= same.high  # these are alike
    soft = replace(scenery.practice.cohort, images=0.5 + 0.1 * scenery.practice.cohort.images)
    other = replace(scenery, practice=replace(scenery.practice, cohort=soft))
    (told,) = membership.run(other, silent)
    assert abs(told.value - 0.5) > 0.3
    assert told.ceiling is None


def test_members_are_compared_within_source_and_view(tiny_flow):
    scenery = replace(scene(noise_only), privatizer=privatizer(tiny_flow), members=True)
    apart = replace(scenery.practice.cohort, sources=np.full(180, "y"))
    other = replace(scenery, practice=replace(scenery.practice, cohort=apart))
    assert membership.run(other, silent) == []


# --- Reconstruction ---------------------------------------------------------------------------


def test_an_image_that_is_only_hidden_is_reconstructed():
    def hidden(cohort, rng):
        return np.ascontiguousarray(1 - cohort.images[:, ::-1, ::-1])

    found = reconstruction.run(scene(hidden), silent)
    assert by(found, "explained", "explained").low > 0.7
    assert by(found, "own image", "rank-1").value > 0.9


def test_noise_explains_nothing_of_an_original():
    found = reconstruction.run(scene(noise_only), silent)
    assert by(found, "explained", "explained").value < 0.01
    assert by(found, "own image", "auc").low <= 0.5 <= by(found, "own image", "auc").high


def test_what_the_label_explains_is_not_counted():
    """The image is that of its label: nothing is explained beyond the label."""

    def mean_of_label(cohort, rng):
        means = np.stack([cohort.images[cohort.labels == c].mean(axis=0) for c in (0, 1)])
        return means[cohort.labels]

    scenery = scene(mean_of_label)
    sides = [
        replace(side, labels=side.cohort.labels[None])
        for side in (scenery.target, scenery.practice)
    ]
    told = reconstruction.run(replace(scenery, target=sides[0], practice=sides[1]), silent)
    assert abs(by(told, "explained", "explained").value) < 0.02
    untold = reconstruction.run(scenery, silent)
    assert by(untold, "explained", "explained").value > 0.05


# --- Features ---------------------------------------------------------------------------------


def identity_in_a_pixel(cohort, rng):
    private = noise_only(cohort, rng)
    private[:, 3, 7] = (cohort.patients * 37 % 101) / 101
    return private


def own_pixel_copied(cohort, rng):
    private = noise_only(cohort, rng)
    private[:, 5, 2] = cohort.images[:, 5, 2]
    return private


def test_identity_written_into_one_pixel_is_found():
    found = features.run(scene(identity_in_a_pixel), silent)
    verification = by(found, "two private images", "auc")
    assert verification.detail["features"][0] == "pixel (3, 7)"
    assert verification.value > 0.95
    assert verification.headline


def test_a_pixel_of_the_original_that_was_copied_is_found():
    found = features.run(scene(own_pixel_copied), silent)
    linkage = by(found, "own image", "rank-1")
    assert linkage.detail["features"][0] == "pixel (5, 2)"
    assert linkage.value > 0.9
    assert linkage.headline


def test_one_latent_dimension_that_was_copied_is_found(tiny_flow):
    def planted(cohort, rng):
        z = 0.1 * rng.normal(size=(len(cohort), tiny_flow.d))
        z[:, 17] = tiny_flow.encode(cohort.images)[:, 17]
        return tiny_flow.decode(z)

    # At a low temperature: this flow decodes a sixth of the pixels of others to beyond [0, 1], and
    # what the clip takes with it no attacker finds.
    made = privatizer(tiny_flow, "dp-glow", epsilon=600.0)
    found = features.run(replace(scene(planted), privatizer=made), silent)
    linkage = by(found, "own image", "auc")
    assert "latent 17" in linkage.detail["features"]
    assert linkage.value > 0.9


@pytest.mark.statistical
def test_noise_has_no_feature_that_tells():
    """Of 6 seeds; each fails with 5 % for a false feature and 5 % for an interval, so 2 may."""
    wrong = 0
    for seed in range(6):
        found = features.run(scene(noise_only, seed=seed), silent)
        wrong += any(o.headline for o in found)
        wrong += not all(o.low <= o.chance <= o.high for o in found)
    assert wrong <= 2


@pytest.mark.parametrize("attack", [features, attributes, reconstruction])
def test_the_same_seed_gives_the_same_outcomes(attack):
    one, other = (
        attack.run(scene(own_pixel_copied, patients=20, practised=20), silent) for _ in range(2)
    )
    assert one == other


# --- Side channels ----------------------------------------------------------------------------

N = 60


def originals(rng: np.random.Generator) -> dict[str, tuple]:
    return {
        "name": tuple(f"IM-{i:04d}.dcm" for i in rng.permutation(5000)[:N]),
        "order": tuple(float(i) for i in range(N)),
        "size": tuple(float(x) for x in rng.integers(10_000, 90_000, N)),
        "time": tuple(float(x) for x in 1e9 + rng.integers(0, 10**7, N)),
        "header:StudyDescription": tuple(f"CHEST {w}" for w in rng.integers(0, 50, N)),
    }


def clean(rng: np.random.Generator) -> dict[str, tuple]:
    return {
        "name": tuple(rng.bytes(8).hex() + ".dcm" for _ in range(N)),
        "order": tuple(float(i) for i in rng.permutation(N)),
        "size": (8192.0,) * N,
        "time": tuple(float(x) for x in 2e9 + rng.integers(0, 10**4, N)),
        "header:StudyDescription": tuple(f"X {w}" for w in rng.integers(0, 9, N)),
    }


def linked(original: dict, private: dict, **more: Any) -> dict[str, Outcome]:
    base = scene(noise_only, patients=N // 3, practised=2, **more)
    found = side_channels.run(with_files(base, original, private), silent)
    return {o.setting.removeprefix("files linked by "): o for o in found}


def test_every_planted_leak_of_a_file_is_found_and_only_that():
    rng = np.random.default_rng(4)
    real = originals(rng)
    leaks = {
        "order": real["order"],
        "size": tuple(0.5 * x + 300 for x in real["size"]),
        "time": tuple(5e9 - x for x in real["time"]),
        "name": tuple(f"anon_{name}" for name in real["name"]),
        "header:StudyDescription": real["header:StudyDescription"],
    }
    for kind, values in leaks.items():
        found = linked(real, clean(rng) | {kind: values})
        assert [k for k, o in found.items() if o.headline] == [kind]
        assert found[kind].value > (0.3 if kind.startswith("header") else 0.9)
        assert found[kind].detail["p"] < ALARM
        assert "size" not in found or kind == "size", "a constant says nothing"


def test_names_that_number_the_input_or_hash_its_names_are_found():
    rng = np.random.default_rng(5)
    real = originals(rng)
    numbered = linked(real, clean(rng) | {"name": tuple(f"{i}.png" for i in range(N))})
    assert numbered["name"].value == 1
    assert "order" in numbered["name"].detail["how"]
    digests = tuple(hashlib.sha256(name.encode()).hexdigest()[:12] for name in real["name"])
    hashed = linked(real, clean(rng) | {"name": digests})
    assert hashed["name"].value == 1
    assert "sha256" in hashed["name"].detail["how"]


def test_a_leak_refutes_a_claim_about_the_whole_release():
    rng = np.random.default_rng(6)
    real = originals(rng)
    claim = Guarantee(epsilon=1.0)
    found = linked(real, clean(rng) | {"order": real["order"]}, guarantee=claim)
    assert found["order"].refutes
    assert not any(o.refutes for k, o in found.items() if k != "order")


@pytest.mark.statistical
@pytest.mark.parametrize("releases", [5, slow(20)])
def test_clean_files_are_accused_no_more_often_than_stated(releases):
    """20 releases of 4 kinds at the stated rate of 0.001 each: 2 alarms or more once in 320 runs.

    One of these seeds does raise one: a correlation of 0.57 between unrelated times. Of 600 other
    releases, with 1,200 such kinds, none did, and 5 % had a p value below 0.05.
    """
    alarms = 0
    for seed in range(releases):
        rng = np.random.default_rng(100 + seed)
        found = linked(originals(rng), clean(rng))
        assert len(found) == 4
        alarms += sum(o.headline for o in found.values())
    assert alarms <= 1


def test_without_files_there_is_nothing_to_link():
    assert side_channels.unavailable_reason(scene(noise_only, patients=2, practised=2))
