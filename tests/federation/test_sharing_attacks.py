"""Attacks on shared sums find what is planted, and guess where a small epsilon hides it."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import binom

from latentdp.core import plugins
from latentdp.core.progress import silent
from latentdp.federation.attacks._recognised import LUCK, luck
from latentdp.federation.attacks._search import descend, total_variation
from latentdp.federation.attacks._site_sums import SiteSums
from latentdp.federation.attacks.base import SharingAttack, SharingScene, SitePeople
from latentdp.privacy.guarantee import Relation
from latentdp.privacy.mechanisms.base import clip_norm
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.reports.attack_kinds import AttackKind, kind_of, meaning_of
from latentdp.synthesis.evaluation.coins import CoinReader
from latentdp.synthesis.methods.gaussian import FindingGaussians
from latentdp.synthesis.methods.mixture import ClusterMixture
from latentdp.synthesis.public import PublicModel, thumbnails
from latentdp.synthesis.vectors import PatientImages
from tests.support.benchmarks import script
from tests.support.tiny_flow import shared_flow

KIND = "sharing attacks"
NAMES = plugins.names(KIND)
FINDINGS, PATIENTS = 2, 40
QUIET, LOUD = None, NoisySum.calibrate(0.005)  # mu under add-remove


@cache
def site() -> SitePeople:
    """Smooth pictures; every second patient has a bright corner and the first finding."""
    rng = np.random.default_rng(4)
    images = gaussian_filter(rng.normal(size=(PATIENTS, 16, 16)), (0, 2, 2))
    images = 0.5 + 0.15 * images / images.std()
    ill = np.arange(PATIENTS) % 2 == 0
    images[ill, :6, :6] += 0.2
    images = np.clip(images, 0.02, 0.98).astype(np.float32)
    coarse = shared_flow().levels[0]
    return SitePeople(
        seen=PatientImages(
            latents=shared_flow().encode(images)[:, coarse],
            thumbnails=thumbnails(images),
            findings=np.stack([ill, ~ill], axis=1),
            read=np.ones(PATIENTS, dtype=np.bool_),
            patients=np.arange(PATIENTS),
        ),
        images=images,
    )


@cache
def public() -> PublicModel:
    return PublicModel.of(shared_flow())


def file(mechanism, method=FindingGaussians) -> SiteSums:
    sums = SiteSums(method(public(), FINDINGS), LOUD)
    sums.mechanism = mechanism
    return sums


def head(mechanism):
    return script("_shared_gradients").HeadGradient(public(), FINDINGS, mechanism, "head")


def network(mechanism):
    gradients = script("_shared_gradients")
    return gradients.NetworkGradient(gradients.SmallNetwork(16, FINDINGS, 0), mechanism, "network")


WAYS = {"file": file, "head": head, "network": network}


def scene(shared, **changes) -> SharingScene:
    trait = {"ill": site().seen.findings[:, 0]}
    options = {"targets": 8, "gallery": 40, "steps": 20, "shadows": 40, "traits": trait}
    return SharingScene(shared=shared, site=site(), flow=shared_flow(), **options | changes)


def attack(name: str) -> SharingAttack:
    return plugins.load(KIND, name).attack


def found(name: str, way: str, mechanism, **changes):
    """Outcomes by the name of their metric; None where the attack cannot be made."""
    attacked = scene(WAYS[way](mechanism), **changes)
    if attack(name).unavailable_reason(attacked) is not None:
        return None
    return {outcome.metric.name: outcome for outcome in attack(name).run(attacked, silent)}


CAN = {
    "exact_inversion": ("head",),
    "latent_inversion": ("file", "head", "network"),
    "membership_of_sums": tuple(WAYS),
    "pixel_inversion": ("file", "head", "network"),
    "property_of_site": tuple(WAYS),
}
PAIRS = [  # networks take longest, and a head is attacked alike
    pytest.param(name, way, marks=[pytest.mark.slow] * (way == "network"))
    for name, ways in CAN.items()
    for way in ways
]
ASKED = {AttackKind.RECONSTRUCTION: "rank-1", AttackKind.MEMBERSHIP: "auc",
         AttackKind.ATTRIBUTE: "auc"}  # fmt: skip


def test_every_attack_says_what_it_can_be_made_on():
    assert set(CAN) == set(NAMES)
    for name in NAMES:
        can = {way for way in WAYS if attack(name).unavailable_reason(scene(WAYS[way](QUIET)))
               is None}  # fmt: skip
        assert can == set(CAN[name]), name


@pytest.mark.parametrize("name", NAMES)
def test_every_attack_is_a_plug_in_whose_words_pages_find(name):
    assert attack(name).name == name
    assert kind_of(name) is attack(name).kind is not AttackKind.UNKNOWN
    assert meaning_of(name) == attack(name).meaning != ""


@pytest.mark.parametrize(("name", "way"), PAIRS)
def test_a_planted_leak_is_found(name, way):
    outcome = found(name, way, QUIET)[ASKED[attack(name).kind]]
    assert outcome.low > outcome.chance + 0.25
    assert outcome.ceiling is None, "nothing was promised"


@pytest.mark.statistical
@pytest.mark.parametrize(("name", "way"), PAIRS)
def test_at_a_small_epsilon_it_guesses(name, way):
    """False alarm: seeds are fixed; another one fails in fewer than 1 of 100 runs of a pair."""
    outcomes = found(name, way, LOUD, shadows=150)
    asked = outcomes[ASKED[attack(name).kind]]
    assert asked.low <= asked.chance + 0.05
    assert asked.value < asked.chance + 0.15
    assert not any(outcome.refutes for outcome in outcomes.values())
    assert outcomes["v-information"].value < 0.2


@pytest.mark.parametrize("name", ["exact_inversion", "membership_of_sums"])
def test_a_sum_with_less_noise_than_is_claimed_is_refuted(name):
    """As a broken program would send it, whose card claims the noise all the same."""
    shared = head(NoisySum(grid=2**16, scale=1.0))
    claimed = type("Claims", (type(shared),), {"mu": LOUD.mu(Relation.ADD_REMOVE)})
    shared.__class__ = claimed
    outcomes = attack(name).run(scene(shared), silent)
    assert any(outcome.refutes for outcome in outcomes)


def test_the_same_seed_gives_the_same_numbers_and_others_hide_who_it_is():
    once, again = (found("exact_inversion", "head", QUIET) for _ in range(2))
    assert once == again
    mixed = found("exact_inversion", "head", QUIET, together=20, gallery=20)
    assert mixed["rank-1"].value < once["rank-1"].value == 1
    assert "20 patients" in mixed["rank-1"].setting
    other = found("exact_inversion", "head", LOUD), found("exact_inversion", "head", LOUD, seed=3)
    assert other[0] != other[1]


@pytest.mark.parametrize("method", [FindingGaussians, ClusterMixture])
def test_latents_of_one_patient_stand_in_the_sums_of_a_file(method):
    sums = file(QUIET, method)
    clipped = clip_norm(site().seen.latents, public().clip, 2)
    assert np.allclose(sums.latents(sums.records(site())), clipped)


def test_noise_of_a_larger_share_hides_a_trait_at_a_small_site_and_not_at_a_large_one():
    """It is no promise: the noise that hides a patient hides few patients."""
    mechanism = NoisySum.calibrate(0.3)
    property_of_site = plugins.load(KIND, "property_of_site")
    shared = file(mechanism)
    attacked = scene(shared, shadows=100)
    records = shared.integers(shared.records(site()))
    areas = []
    for patients in (5, 5_000):
        scores, many = property_of_site.site_auc(
            attacked, records, attacked.traits["ill"], patients
        )
        areas.append(np.mean(scores[many][:, None] > scores[~many][None]))
    assert areas[0] < 0.75
    assert areas[1] > 0.99


def test_coins_of_a_sum_without_noise_are_read_exactly():
    rng = np.random.default_rng(2)
    records, coins = rng.normal(size=(30, 50)), rng.random(30) < 0.5
    scores = CoinReader(records, 0.0)(records[coins].sum(axis=0))
    assert scores[coins].min() > scores[~coins].max()


def close(cost, images, step):
    """Gradients against differences of costs, along a random way."""
    way = np.random.default_rng(1).normal(size=images.shape).astype(images.dtype)
    ahead, behind = (cost(images + images.dtype.type(s * step) * way)[0] for s in (1, -1))
    along = (cost(images)[1] * way).sum(axis=(1, 2))
    assert along == pytest.approx((ahead - behind) / (2 * step), rel=0.02, abs=1e-4)


@pytest.mark.parametrize("way", ["head", "network"])
def test_misfits_fall_along_their_gradients_and_vanish_at_the_original(way):
    shared = WAYS[way](QUIET)
    seen = shared.records(site())[:3]
    misfit = shared.misfit(seen)
    originals = site().images[:3]
    close(misfit, np.roll(originals, 1, axis=0), 1e-3)
    here, other = misfit(originals)[0], misfit(np.roll(originals, 1, axis=0))[0]
    assert (here < 1e-2 * other).all()


def test_variation_falls_along_its_gradient():
    close(total_variation, site().images[:3].astype(np.float64), 1e-6)
    flat, _ = total_variation(np.full((1, 4, 4), 0.3))
    assert flat[0] < 0.01


def test_a_search_keeps_the_best_point_of_each_row():
    def bowl(at):
        return ((at - [[1.0], [3.0]]) ** 2).sum(axis=1), 2 * (at - [[1.0], [3.0]])

    best = descend(np.zeros((2, 2)), bowl, steps=200, rate=0.2)
    assert best == pytest.approx(np.array([[1, 1], [3, 3]]), abs=0.05)


def test_too_few_patients_are_said_to_be_too_few():
    few = site().of(np.arange(PATIENTS) < 3)
    for name in NAMES:
        attacked = replace(scene(WAYS[CAN[name][0]](QUIET)), site=few, traits={})
        assert attack(name).unavailable_reason(attacked)


@pytest.mark.parametrize("patients", [4, 16, 24, 200])
@pytest.mark.parametrize("most", [0.001, 0.06, 0.5])
def test_few_targets_refute_if_luck_would_hardly_name_so_many(patients, most):
    """Exactly, over all numbers of targets who are named; a tie counts as less than a target."""
    refuting = [k for k in range(patients + 1) if luck(k / patients, patients, most) < LUCK]
    assert binom.pmf(refuting, patients, most).sum() < 3e-7
    if most < 0.5 and patients > 4:
        assert refuting[-1] == patients
        fewest = refuting[0]
        assert luck((fewest - 0.4) / patients, patients, most) >= LUCK
