"""The verifier's network: learning, adapting, storing."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from latentdp import InputError, WeightsError
from latentdp.metrics.pairs import Pairs
from latentdp.models.checkpoints import Checkpoint, load, save
from latentdp.models.model_card.card import ModelCard
from latentdp.models.model_card.verifier import assess
from latentdp.models.networks.embedding import EmbeddingConfig, EmbeddingNet
from latentdp.models.networks.verifier import Verifier
from latentdp.models.training.augmentation import Augmentation
from latentdp.models.training.metric_learning import MetricLearning, MetricLearningConfig
from latentdp.models.training.pair_dataset import LabelledImages, PairDataset, PairSampler
from latentdp.models.training.verifier import VerifierTraining

CONFIG = EmbeddingConfig(size=16, widths=(8, 16), blocks=(1, 1), dimensions=16)


@dataclass(frozen=True)
class People:
    pixels: np.ndarray
    patients: np.ndarray

    @property
    def pairs(self) -> PairDataset:
        return PairDataset.of_images(self.pixels, self.patients)


def people(n: int, images: int, seed: int = 0) -> People:
    """Patients who differ in a smooth pattern, and images of each that differ by noise."""
    rng = np.random.default_rng(seed)
    base = rng.random((n, 4, 4)).repeat(4, axis=1).repeat(4, axis=2)
    noisy = base.repeat(images, axis=0) + 0.05 * rng.normal(size=(n * images, 16, 16))
    pixels = np.rint(np.clip(noisy, 0, 1) * 255).astype(np.uint8)
    return People(pixels, np.arange(n).repeat(images))


def small(seed: int = 0) -> EmbeddingNet:
    torch.manual_seed(seed)
    return EmbeddingNet(CONFIG)


def learnt(known: People, steps: int = 40, seed: int = 0) -> Verifier:
    settings = MetricLearningConfig(
        patients=16, learning_rate=5e-3, warmup=5, ema=0.9, memory=0, seed=seed
    )
    learning = MetricLearning(small(seed), settings, [known.pairs], steps=steps)
    learning.run()
    return Verifier.of(learning.average)


def separation(verifier: Verifier, who: People) -> float:
    pairs = Pairs.of(who.patients)
    seen = verifier(who.pixels / np.float32(255))
    scores = (seen[pairs.probe] * seen[pairs.reference]).sum(axis=1)
    return float(np.mean(scores[pairs.same][:, None] > scores[~pairs.same][None]))


def test_it_recognises_people_it_has_never_seen():
    verifier = learnt(people(48, 3))
    assert separation(verifier, people(40, 2, seed=9)) > 0.9


def test_vectors_are_of_unit_length_and_each_image_stands_alone():
    verifier = learnt(people(16, 2), steps=3)
    images = people(10, 1, seed=3).pixels / np.float32(255)
    seen = verifier(images)
    assert np.linalg.norm(seen, axis=1) == pytest.approx(1.0)
    assert verifier(images[3:4]) == pytest.approx(seen[3:4], abs=1e-5)
    brighter = np.clip(0.1 + 0.8 * images, 0, 1)
    assert (verifier(brighter) * seen).sum(axis=1).min() > 0.99, "exposure tells nothing"


def test_other_sizes_are_resized():
    verifier = learnt(people(16, 2), steps=3)
    images = people(4, 1).pixels / np.float32(255)
    large = images.repeat(2, axis=1).repeat(2, axis=2)
    assert (verifier(large) * verifier(images)).sum(axis=1).min() > 0.9


def test_the_same_seed_learns_the_same():
    known = people(24, 2)
    images = people(6, 1, seed=4).pixels / np.float32(255)
    assert np.array_equal(learnt(known, 4)(images), learnt(known, 4)(images))
    assert not np.array_equal(learnt(known, 4, seed=1)(images), learnt(known, 4)(images))


@pytest.mark.slow
def test_an_adapted_verifier_recognises_what_a_frozen_one_cannot():
    """Private images are the negatives of the originals with their halves exchanged."""
    known, strangers = people(64, 3), people(40, 2, seed=9)

    def hide(pixels: np.ndarray) -> np.ndarray:
        return np.roll(255 - pixels, 8, axis=2) / np.float32(255)

    frozen = learnt(known)
    adapted = frozen.adapted(
        hide(known.pixels)[None],
        known.pixels / np.float32(255),
        known.patients,
        settings=MetricLearningConfig(
            patients=16, learning_rate=5e-3, warmup=5, ema=0.9, memory=0
        ),
        steps=60,
        tell=lambda _: None,
    )
    pairs = Pairs.of(strangers.patients)

    def auc(verifier: Verifier) -> float:
        private = verifier(hide(strangers.pixels))
        real = verifier(strangers.pixels / np.float32(255))
        scores = (private[pairs.probe] * real[pairs.reference]).sum(axis=1)
        return float(np.mean(scores[pairs.same][:, None] > scores[~pairs.same][None]))

    assert auc(adapted) > auc(frozen) + 0.1
    assert auc(adapted) > 0.75
    before = learnt(known)
    images = strangers.pixels / np.float32(255)
    assert np.array_equal(before(images), frozen(images)), "the frozen one was not changed"


def test_pairs_of_a_batch_are_of_one_patient_and_of_different_images():
    known = people(20, 3)
    shown = np.arange(60, dtype=np.uint8)[None, :, None, None] * np.ones((2, 1, 2, 2), np.uint8)
    shown[1] += 100
    both = PairDataset(shown, shown, known.patients)
    a, b, who = both.pairs(16, 1.0, torch.Generator().manual_seed(0))
    assert len(set(who.tolist())) == 16
    first, second = a[:, 0, 0].astype(int), b[:, 0, 0].astype(int)
    assert (known.patients[first % 100] == who.numpy()).all()
    assert (known.patients[second % 100] == who.numpy()).all()
    assert (first % 100 != second % 100).all()
    assert (first // 100 != second // 100).all(), "of two versions, two are shown"


def test_pairs_need_two_people():
    with pytest.raises(InputError, match="at least 2 patients"):
        PairDataset.of_images(np.zeros((3, 4, 4), np.uint8), np.zeros(3, int))
    for patients in ([0, 0], [0, 1]):
        with pytest.raises(InputError, match="who has 2 images"):
            LabelledImages(np.zeros((2, 4, 4), np.float32), np.array(patients), np.zeros(2, int))


def test_half_of_the_pairs_are_of_one_patient_whoever_has_most_images():
    """A patient of 50 images is drawn as often as one of two.

    False alarm below 1e-6: five standard errors of 2,000 draws at a quarter.
    """
    patients = np.array([7] * 50 + [3, 3] + [1, 1] + [0, 0] + [5])
    sampler = PairSampler(patients)
    first, second = sampler.half_same(4000, torch.Generator().manual_seed(0))
    one = patients[first] == patients[second]
    assert one[:2000].all()
    assert not one[2000:].any()
    assert (first[:2000] != second[:2000]).all()
    share = np.mean(patients[first[:2000]] == 7)
    assert abs(share - 0.25) < 5 * np.sqrt(0.25 * 0.75 / 2000)


def test_whoever_has_one_image_stands_for_a_pair_where_others_are_too_few():
    sampler = PairSampler(np.array([0, 0, 1, 2, 3]))
    first, second, patients = sampler.of_patients(3, 0.7, torch.Generator().manual_seed(0))
    assert sorted(patients.tolist())[0] == 0
    alone = patients > 0
    assert alone.sum() == 2
    assert (first[alone] == second[alone]).all()
    assert (first[~alone] != second[~alone]).all()


def test_augmentation_keeps_a_person_and_never_mirrors():
    generator = torch.Generator().manual_seed(0)
    ramp = torch.linspace(0, 1, 32).expand(64, 1, 32, 32).clone()
    changed = Augmentation(noise=0.0, erase=0.0)(ramp, generator)
    assert changed.shape == ramp.shape
    assert (changed[..., -8:].mean((1, 2, 3)) > changed[..., :8].mean((1, 2, 3))).all()
    assert not torch.equal(changed[0], changed[1])
    still = Augmentation(
        degrees=0, scale=0, shift=0, shear=0, exposure=0, blur=0, noise=0, erase=0
    )
    assert torch.allclose(still(ramp, generator), ramp, atol=1e-5)


def test_a_file_and_back(tmp_path):
    verifier = learnt(people(16, 2), steps=3)
    images = people(5, 1).pixels / np.float32(255)
    path = tmp_path / "v.safetensors"
    save(verifier.checkpoint("v", ModelCard(summary="x")), path)
    again = Verifier.load(str(path))
    assert again.card == ModelCard(summary="x")
    assert again.size == 16
    assert again(images) == pytest.approx(verifier(images), abs=0.01)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "glow"}, "weights of a verifier"),
        ({"config": "{}"}, "damaged"),
        ({"config": CONFIG.to_json().replace("16", "0")}, "out of range"),
        ({"config": CONFIG.to_json().replace("[8, 16]", "[8, 24]")}, "do not fit"),
    ],
)
def test_other_files_are_refused(tmp_path, change, message):
    made = Verifier.of(small()).checkpoint("v", ModelCard())
    path = tmp_path / "v.safetensors"
    fields = {"name": "v", "kind": made.kind, "config": made.config, "card": ModelCard()}
    save(Checkpoint(**(fields | change), tensors=made.tensors), path)
    with pytest.raises(WeightsError, match=message):
        Verifier.from_checkpoint(load(str(path)))


def test_training_goes_on_where_it_stopped(tmp_path):
    known = people(24, 2)
    settings = MetricLearningConfig(patients=8, warmup=2)

    def training(name: str, **changes) -> VerifierTraining:
        return VerifierTraining(CONFIG, settings, known.pairs, tmp_path / name, steps=6, **changes)

    whole = training("whole")
    whole.run(lambda _: None)
    part = training("part")
    part.run(lambda _: None, stop=lambda: part.step >= 3)
    assert part.step == 3
    resumed = training("part")
    assert resumed.step == 3
    told = []
    resumed.run(told.append)
    assert resumed.progress == 1.0
    assert told[-1]["step"] == 6
    images = known.pixels / np.float32(255)
    assert np.isfinite(resumed.verifier()(images)).all()
    again = training("whole")
    assert np.array_equal(again.verifier()(images), whole.verifier()(images))


def test_training_refuses_what_it_cannot_go_on_from(tmp_path):
    known, settings = people(8, 2), MetricLearningConfig(patients=4)
    with pytest.raises(InputError, match="minutes or of steps"):
        VerifierTraining(CONFIG, settings, known.pairs, tmp_path / "s")
    (tmp_path / "damaged").write_bytes(b"no state")
    with pytest.raises(InputError, match="damaged"):
        VerifierTraining(CONFIG, settings, known.pairs, tmp_path / "damaged", steps=1)
    VerifierTraining(CONFIG, settings, known.pairs, tmp_path / "s", steps=1).save()
    other = EmbeddingConfig(size=16, widths=(8, 24), blocks=(1, 1), dimensions=16)
    with pytest.raises(InputError, match="another run"):
        VerifierTraining(other, settings, known.pairs, tmp_path / "s", steps=1)
    with pytest.raises(WeightsError, match="another shape"):
        VerifierTraining(
            other, settings, known.pairs, tmp_path / "new", steps=1, start=Verifier.of(small())
        )


def test_an_assessment_counts_what_it_rests_on():
    verifier, strangers = learnt(people(48, 3)), people(40, 2, seed=9)
    found = assess(
        verifier,
        strangers.pixels / np.float32(255),
        strangers.patients,
        np.arange(80) % 2,
        resamples=50,
    )
    assert (found.images, found.patients, found.patients_with_several) == (80, 40, 40)
    assert found.any.positive_pairs == 40
    low, high = found.any.auc[1:]
    assert low <= found.any.auc[0] <= high
    assert found.any.auc[0] > 0.9
    assert found.first[0] > 10 / 79
    assert found.cmc.gallery == 79
