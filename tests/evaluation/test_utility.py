"""Utility: what is kept is seen, what is lost is not claimed, and nothing is learnt twice."""

from dataclasses import replace

import numpy as np
import pytest

from latentdp import InputError, Privatizer, Recipe
from latentdp.core.progress import silent
from latentdp.data.cohort import Cohort
from latentdp.evaluation.threat_model import Effort, ThreatModel
from latentdp.evaluation.utility.classification import Classification
from latentdp.evaluation.utility.realism import Realism
from latentdp.evaluation.utility.similarity import Similarity, frechet
from latentdp.metrics.bootstrap import auc
from latentdp.models.networks.classifier_cache import ClassifierCache
from latentdp.models.networks.finding_classifier import ClassifierConfig, FindingClassifier
from latentdp.privacy.noise import SeededNoise
from latentdp.reports.results import Measure
from tests.support.scenes import noise_only, people, scene, untouched

EFFORT = Effort(restarts=1, steps=15, resamples=60, seeds=2, reader_steps=60)


def only(found: list[Measure], setting: str, subject: str, metric: str = "auc") -> Measure:
    (one,) = [
        m for m in found if (m.setting, m.subject, m.metric.name) == (setting, subject, metric)
    ]
    return one


def taught(cohort: Cohort, **changes) -> FindingClassifier:
    course = ClassifierConfig(steps=15, widths=(8, 16), **changes)
    return FindingClassifier.fit(cohort.images[None], cohort.findings[None], 2, course)


# --- The reader -------------------------------------------------------------------------------


def test_a_reader_learns_and_repeats_itself():
    cohort, other = people(60, seed=1), people(20, seed=2)
    odds = taught(cohort).log_odds(other.images)
    area = auc(odds[:, 1], other.findings == 1, np.ones((1, len(other))))
    assert area[0] > 0.9
    assert np.allclose(odds[:, 0], -odds[:, 1], atol=1e-6)
    assert np.array_equal(taught(cohort).log_odds(other.images), odds)
    assert not np.array_equal(taught(cohort, seed=1).log_odds(other.images), odds)


def test_weights_go_out_and_in_again():
    cohort = people(20)
    reader = taught(cohort)
    again = FindingClassifier.of(reader.tensors(), 2, ClassifierConfig(steps=15, widths=(8, 16)))
    assert np.array_equal(again.features(cohort.images), reader.features(cohort.images))


def test_a_class_without_images_is_refused():
    cohort = people(5)
    with pytest.raises(InputError, match="each of 3 classes"):
        FindingClassifier.fit(
            cohort.images[None], cohort.findings[None], 3, ClassifierConfig(steps=1)
        )


def test_a_shelf_teaches_once_and_keeps_what_it_taught(tmp_path):
    cohort, course = people(10), ClassifierConfig(steps=3, widths=(8,))
    given = (cohort.images[None], cohort.findings[None], 2)
    shelf = ClassifierCache(tmp_path / "shelf")
    first = shelf.classifier(*given, course)
    assert shelf.classifier(*given, course) is first
    assert shelf.trained == 1
    shelf.classifier(given[0], 1 - given[1], 2, course)
    assert shelf.trained == 2, "other labels are another lesson"
    fresh = ClassifierCache(tmp_path / "shelf")
    assert np.array_equal(
        fresh.classifier(*given, course).log_odds(cohort.images), first.log_odds(cohort.images)
    )
    assert fresh.trained == 0


def test_a_damaged_reader_is_taught_again(tmp_path):
    cohort, course = people(10), ClassifierConfig(steps=2, widths=(8,))
    ClassifierCache(tmp_path).classifier(cohort.images[None], cohort.findings[None], 2, course)
    (kept,) = tmp_path.glob("*.safetensors")
    kept.write_bytes(kept.read_bytes()[:50])
    shelf = ClassifierCache(tmp_path)
    shelf.classifier(cohort.images[None], cohort.findings[None], 2, course)
    assert shelf.trained == 1


# --- Classification ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shelf() -> ClassifierCache:
    return ClassifierCache()


def measured(shelf: ClassifierCache, scenery: ThreatModel) -> list[Measure]:
    return Classification().measure(replace(scenery, effort=EFFORT, classifiers=shelf), silent)


def test_originals_are_read_and_noise_is_not(shelf):
    """An AUC of noise on 60 patients has a standard deviation below 0.05: 1 in 10,000 fails."""
    found = measured(shelf, scene(noise_only))
    assert only(found, "o/o", "mean").value > 0.9
    assert only(found, "o/o", "mean").low <= 0.025 ** (1 / 40), "40 patients prove no more"
    assert only(found, "o/o", "finding").value == only(found, "o/o", "mean").value
    for setting in ("o/p", "p/p"):
        assert abs(only(found, setting, "mean").value - 0.5) < 0.2
    assert {m.setting for m in found if m.headline} == {"o/o", "o/p", "p/o", "p/p"}
    assert len(only(found, "p/o", "mean").detail["seeds"]) == EFFORT.seeds


@pytest.mark.slow
def test_untouched_images_are_worth_as_much_as_originals_which_are_learnt_once(shelf):
    before = shelf.trained
    found = measured(shelf, scene(untouched))
    values = {only(found, s, "mean").value for s in ("o/o", "o/p", "p/o", "p/p")}
    assert len(values) == 1
    assert shelf.trained - before in (0, EFFORT.seeds), "the same images are the same lesson"
    again = measured(ClassifierCache(), scene(untouched))
    assert again == found


def test_a_finding_that_only_one_sex_shows_is_a_gap(shelf):
    scenery = scene(untouched)
    blind = scenery.target.cohort
    hidden = blind.images.copy()
    hidden[blind.sexes == "F", :4, :4] = 0.5
    target = replace(scenery.target, cohort=replace(blind, images=hidden))
    found = measured(shelf, replace(scenery, target=target))
    gap = only(found, "o/o", "sex M - sex F", "gap")
    assert gap.low > 0.2
    assert gap.value == pytest.approx(
        only(found, "o/o", "sex M").value - only(found, "o/o", "sex F").value
    )


@pytest.mark.slow
def test_private_lessons_use_the_released_labels(shelf):
    """Labels that are released all wrong make a reader that is all wrong."""
    scenery = scene(untouched)
    lied = replace(scenery.practice, labels=1 - scenery.practice.cohort.labels[None])
    found = measured(shelf, replace(scenery, practice=lied))
    assert only(found, "p/o", "mean").value < 0.1
    assert only(found, "p/o", "mean").detail["learnt_with"] == "released labels"
    assert only(found, "o/o", "mean").value > 0.9


def test_sources_with_one_finding_are_left_out():
    scenery = scene(untouched)
    sides = []
    for side in (scenery.target, scenery.practice):
        sources = np.where(side.cohort.findings == 0, "ill", "well")
        sides.append(replace(side, cohort=replace(side.cohort, sources=sources)))
    apart = replace(scenery, target=sides[0], practice=sides[1])
    assert Classification().unavailable_reason(scenery) is None
    assert "one source" in str(Classification().unavailable_reason(apart))


# --- Similarity -------------------------------------------------------------------------------


def seen(found: list[Measure]) -> dict[str, Measure]:
    return {m.metric.name: m for m in found}


def test_the_same_images_are_the_same(shelf):
    scenery = replace(scene(untouched), effort=EFFORT, classifiers=shelf)
    found = seen(Similarity().measure(scenery, silent))
    assert found["ssim"].value == pytest.approx(1)
    assert found["psnr"].value == pytest.approx(58.9, abs=0.1)
    assert found["distance"].value == pytest.approx(0, abs=1e-6)
    assert found["distance"].detail["originals_among_themselves"] > 0


def test_noise_is_far_from_originals():
    scenery = replace(scene(noise_only), effort=EFFORT)
    similarity = Similarity(embed=lambda images: images.reshape(len(images), -1).astype(float))
    found = seen(similarity.measure(scenery, silent))
    assert found["ssim"].value < 0.2
    assert found["psnr"].value < 12
    distance = found["distance"]
    assert distance.low <= distance.value <= distance.high
    assert distance.value > distance.detail["originals_among_themselves"]
    assert distance.detail["features"] == "given"


def test_the_distance_of_two_gaussians_is_known():
    """Of N(0, 1) and N(3, 4) in each of two independent dimensions: 2 (9 + 1)."""
    x = np.random.default_rng(0).normal(size=(4000, 2))
    x = (x - x.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T, bias=True))).T
    assert frechet(x, 3 + 2 * x) == pytest.approx(20)
    assert frechet(x, x, np.ones(4000)) == pytest.approx(0, abs=1e-9)


# --- Realism ----------------------------------------------------------------------------------


def realism(of: ThreatModel, **changes) -> dict[str, Measure]:
    return {
        m.metric.name: m for m in Realism().measure(replace(of, effort=EFFORT, **changes), silent)
    }


def test_originals_look_like_originals():
    found = realism(scene(untouched), members=True)
    assert found["told apart"].low <= 0.5 <= found["told apart"].high
    assert found["nearest"].value == pytest.approx(1)
    assert "bits" not in found, "no flow is known"


def test_noise_is_told_from_originals():
    found = realism(scene(noise_only), members=True)
    assert found["told apart"].low > 0.9
    assert found["nearest"].low > 1


def test_copies_of_what_was_trained_on_are_seen():
    made = scene(untouched)
    side = made.target
    copied = side.private.copy()
    copied[0, 0] = made.practice.cohort.images[0]
    found = realism(made, target=replace(side, private=copied), members=True)["nearest"]
    assert found.value < 1
    assert found.detail["least, private"] == pytest.approx(0, abs=1e-3)
    assert found.detail["private nearer than any original"] == pytest.approx(
        1 / len(side.cohort), abs=1e-3
    ), "a single copy is not lost in the mean"


def test_who_did_not_train_the_flow_cannot_be_copied():
    assert "nearest" not in realism(scene(untouched))


def test_likelihood_stands_beside_that_of_originals(tiny_flow):
    made = scene(untouched)
    privatizer = Privatizer(tiny_flow, Recipe.from_preset("strict"), SeededNoise(0))
    assert realism(made, privatizer=privatizer)["bits"].value == pytest.approx(0)
    grey = replace(made.target, private=np.full_like(made.target.private, 0.5))
    found = realism(made, privatizer=privatizer, target=grey)["bits"]
    assert found.value != pytest.approx(0)
    assert found.low <= found.value <= found.high
