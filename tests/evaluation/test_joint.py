"""Outputs of one patient taken together: they say more than one, and no more than is allowed."""

from dataclasses import replace

import numpy as np
import pytest

from latentdp import Guarantee, InputError, Privatizer, Recipe
from latentdp.core.progress import silent
from latentdp.evaluation.attacks._embedders import Embedder, pixels
from latentdp.evaluation.attacks._joint import joined, outputs_joined, worth_joining
from latentdp.evaluation.attacks._search import searched
from latentdp.evaluation.attacks._verification import verified, verified_jointly
from latentdp.evaluation.attacks.likelihood import attack as likelihood
from latentdp.evaluation.attacks.likelihood import of_patients
from latentdp.evaluation.threat_model import PairedImages, ThreatModel
from latentdp.evaluation.verdict import verdict
from latentdp.metrics.definitions.identification import P_AT_1
from latentdp.metrics.identification import image_left_out, same_patient
from latentdp.metrics.pairs import Pairs
from latentdp.models.flow.flow import Flow
from latentdp.privacy.noise import SeededNoise
from latentdp.reports.results import Outcome
from tests.support.judged import supporting
from tests.support.scenes import QUICK, noise_only, people, scene

EACH = 6


def near_equal(flow: Flow) -> ThreatModel:
    """40 patients with 6 nearly equal images, each of them released at epsilon 8."""
    recipe = Recipe.from_preset("high-content", epsilon=8.0, label="none")
    made = Privatizer(flow, recipe, SeededNoise(0))
    cohort = people(40, each=1).take(np.repeat(np.arange(40), EACH))
    noise = 1e-3 * np.random.default_rng(1).normal(size=cohort.images.shape)
    cohort = replace(cohort, images=np.clip(cohort.images + noise, 0, 1).astype(np.float32))
    side = PairedImages(
        cohort=cohort, private=cohort.images[None], labels=np.full((1, len(cohort)), -1)
    )
    return ThreatModel(
        target=side, practice=side, privatizer=made, guarantee=made.guarantee, effort=QUICK
    )


@pytest.mark.slow
def test_six_files_of_a_patient_name_the_source_where_one_does_not(tiny_flow):
    found = likelihood.run(near_equal(tiny_flow), silent)
    single = next(o for o in found if o.setting.startswith("own image") and o.headline)
    joint = next(o for o in found if o.setting.startswith("own patient"))
    assert single.value < 0.15
    assert joint.value > 0.95
    assert single.ceiling < 0.95
    assert joint.ceiling > 0.99, "at epsilon of all six"
    assert not joint.refutes
    assert joint.n == 40

    harmless = replace_values(single, 0.001)
    assert verdict(supporting(extra=[harmless])).claims[0].holds
    (claim,) = verdict(supporting(extra=[harmless, joint])).claims
    assert not claim.holds
    assert not claim.within
    assert "rank-1 1.000" in claim.measured


def replace_values(outcome: Outcome, value: float) -> Outcome:
    told = outcome.to_json() | {"value": value, "low": 0.0, "high": 0.006}
    return Outcome.from_json(told)


def test_a_patient_is_any_of_their_images():
    """log((e^1 + e^3) / 2) and the only score of a patient with one image."""
    scores = np.array([[1.0, -2.0, 3.0], [-np.inf, 0.0, -np.inf]])
    told = of_patients(scores, np.array([0, 1, 0]))
    assert told[0] == pytest.approx([np.log((np.e + np.e**3) / 2), -2.0])
    assert told[1].tolist() == [-np.inf, 0.0]


def noisy(seed: int) -> ThreatModel:
    """Private images under so much noise that one of them hardly tells its patient."""

    def blurred(cohort, rng):
        return (cohort.images + 1.2 * rng.normal(size=cohort.images.shape)).astype(np.float32)

    base = scene(blurred, patients=2, practised=2, seed=seed)
    cohort = people(40, each=EACH, seed=seed)
    private = blurred(cohort, np.random.default_rng(seed))[None]
    target = PairedImages(cohort=cohort, private=private, labels=np.full((1, 240), -1))
    return replace(base, target=target)


def test_verification_and_retrieval_of_all_outputs_beat_those_of_one():
    scenery = noisy(3)
    assert worth_joining(scenery)
    opponent = pixels(scenery)
    one = {o.setting: o for o in verified("x", scenery, [opponent]) if o.metric.name == "auc"}
    all_of_them = [o for o in verified_jointly("x", scenery, [opponent]) if o.metric.name == "auc"]
    for outcome in all_of_them:
        words = outcome.setting.partition(", ")[2]
        assert outcome.value > one[f"private against real, {words}"].value + 0.05
    assert [o.headline for o in all_of_them] == [True, False]

    patients = scenery.target.cohort.patients
    scores = opponent.private @ opponent.real.T
    joint = joined(scenery, opponent)
    first = same_patient(scores, patients).first().mean()
    together = image_left_out(joint.private @ joint.real.T, patients).first().mean()
    assert together > first


def test_the_output_of_the_image_that_is_looked_for_is_left_out():
    """Each private image is its original and nothing else: without it nobody is found."""
    scenery = noisy(0)
    n = len(scenery.target.cohort)
    own = Embedder("own", np.eye(n), np.eye(n))
    hits = image_left_out(
        joined(scenery, own).private @ own.real.T, scenery.target.cohort.patients
    )
    assert hits.first().max() < 0.01
    assert (outputs_joined(scenery) == EACH - 1).all()


@pytest.mark.statistical
def test_noise_is_at_chance_and_epsilon_0_is_not_refuted():
    """Patients with 2, 3 and 6 images: fewer outputs must not stand out by themselves."""
    base = scene(noise_only, patients=2, practised=2, guarantee=Guarantee(epsilon=0.0))
    cohort = people(60, each=6)
    rows = np.concatenate([np.arange(6 * i, 6 * i + (2, 3, 6)[i % 3]) for i in range(60)])
    cohort = cohort.take(rows)
    rng = np.random.default_rng(2)
    rates, areas = [], []
    for _ in range(20):
        look = Embedder("x", rng.normal(size=(len(rows), 16)), rng.normal(size=(len(rows), 16)))
        private = rng.random((1, *cohort.images.shape)).astype(np.float32)
        labels = np.full((1, len(rows)), -1)
        target = PairedImages(cohort=cohort, private=private, labels=labels)
        scenery = replace(base, target=target)
        joint = joined(scenery, look)
        hits = [("x", image_left_out(joint.private @ joint.real.T, cohort.patients))]
        found = searched("x", scenery, "y", hits, rank=P_AT_1, joined=outputs_joined(scenery))[0]
        assert not found.refutes
        assert found.chance <= found.ceiling
        rates.append(found.value)
        areas.append(verified_jointly("x", scenery, [look])[0].value)
    assert np.mean(rates) < 3 * found.chance
    assert np.mean(areas) == pytest.approx(0.5, abs=0.02)


def test_the_ceiling_is_that_of_all_outputs_that_are_joined():
    claimed = Guarantee(epsilon=1.0)
    scenery = replace(noisy(0), guarantee=claimed)
    area = verified_jointly("x", scenery, [pixels(scenery)])[0]
    five = claimed.compose(*[claimed] * (EACH - 2))
    assert area.ceiling == pytest.approx(five.verification_ceiling())
    uneven = replace(
        scenery,
        target=PairedImages(
            cohort=scenery.target.cohort.take(np.arange(3, 240)),
            private=scenery.target.private[:, 3:],
            labels=np.full((1, 237), -1),
        ),
    )
    assert verified_jointly("x", uneven, [pixels(uneven)])[0].ceiling is None


def test_pairs_of_what_is_left_out():
    patients = np.array([0, 0, 1, 2, 2, 2, 3, 3])
    cells = np.array([0, 0, 0, 0, 0, 0, 1, 1])
    pairs = Pairs.of_left_out(patients, cells)
    true = pairs.probe[pairs.same]
    assert true.tolist() == [0, 1, 3, 4, 5, 6, 7]
    assert np.array_equal(true, pairs.reference[pairs.same])
    false = ~pairs.same
    assert (patients[pairs.probe[false]] != patients[pairs.reference[false]]).all()
    assert 2 not in pairs.probe, "of whom nothing is left"
    alike = np.isin(pairs.reference[false], [0, 1])
    assert set(pairs.probe[false][alike].tolist()) == {3, 4, 5}
    with pytest.raises(InputError, match="2 patients"):
        Pairs.of_left_out(np.array([0, 0, 1]))
