"""A private cohort in, a classifier out: charged once, learnt once, and read with for nothing."""

import json
from dataclasses import replace

import numpy as np
import pytest

from latentdp.errors import Aborted, BudgetExceeded, InputError, LatentDPError, WeightsError
from latentdp.models.weights_file import WeightsFile
from latentdp.privacy.noise import SeededNoise
from latentdp.private_training import job as job_module
from latentdp.private_training.classifier import Classifier
from latentdp.private_training.finding_reader import load_classifier
from latentdp.private_training.methods.head import FullBatchHead
from latentdp.private_training.request import TrainingRequest
from latentdp.private_training.train import preview_training, train_classifier
from latentdp.private_training.verify import verify, verify_classifier
from latentdp.synthesis.run import synthesize
from latentdp.vault.keys import KEY_BYTES, Keys
from latentdp.vault.signature import public_key
from latentdp.vault.vault import Vault
from tests.support.damage import damaged, truncated
from tests.support.folders import charges, tree
from tests.support.tiny_flow import shared_flow
from tests.synthesis.cohorts import PATIENTS, cohort, request, spent

FINDINGS = "normal;effusion;edema"
LOUD = 5e3  # epsilon at which twelve patients are heard


def asked(place, out="reader.safetensors", **changes) -> TrainingRequest:
    options = {
        "source": place / "in",
        "labels": place / "labels.csv",
        "epsilon": LOUD,
        "vault": place / "vault",
        "findings": FINDINGS,
    } | changes
    return TrainingRequest(out=place / out, **options)


def refuted(verification):
    return [check.claim for check in verification.checks if not check.ok]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A finished training, not to be changed."""
    place = tmp_path_factory.mktemp("done")
    cohort(place)
    return place, train_classifier(asked(place), shared_flow())


def test_it_writes_a_classifier_that_says_all_and_tells_nobody(done):
    place, summary = done
    assert (summary.exit_code, summary.patients, summary.files) == (0, PATIENTS, 2 * PATIENTS)
    assert summary.charged == pytest.approx(LOUD, rel=1e-3)
    assert summary.charged <= LOUD
    reader = load_classifier(place / "reader.safetensors")
    assert reader.findings == ("edema", "effusion", "normal")
    training = reader.training
    assert (training.model, training.recipe.method) == ("central", "head")
    assert training.guarantee.private
    assert training.guarantee.numerics == "exact"
    assert [release.rounds for release in training.releases] == [1, 60]
    text = json.dumps(json.loads(WeightsFile.read(place / "reader.safetensors").card))
    for private in ("P0", "p3/", str(place)):
        assert private not in text


def test_it_reads_images(done):
    reader = load_classifier(done[0] / "reader.safetensors")
    images = np.random.default_rng(0).random((70, 16, 16)).astype(np.float32)
    found = reader(images)
    assert found.shape == (70, 3)
    assert ((found > 0) & (found < 1)).all()
    assert np.allclose(found[:3], reader(images[:3]))
    assert reader(images[:0]).shape == (0, 3)


@pytest.mark.parametrize(
    "images",
    [np.zeros((1, 8, 8)), np.zeros((16, 16)), np.full((1, 16, 16), 2.0),
     np.full((1, 16, 16), np.nan)],
)  # fmt: skip
def test_it_refuses_what_is_no_image_of_its_size(done, images):
    with pytest.raises(InputError):
        load_classifier(done[0] / "reader.safetensors")(images)


def test_every_patient_is_charged_once_and_a_second_run_nothing(done, tmp_path):
    place, _ = done
    assert {s.releases for s in spent(place).values()} == {1}
    assert len(spent(place)) == PATIENTS
    before = (place / "reader.safetensors").read_bytes(), spent(place)
    again = train_classifier(asked(place), shared_flow())
    assert again.charged == 0
    other = train_classifier(asked(place, "copy.safetensors"), shared_flow())
    assert other.charged == 0
    assert ((place / "reader.safetensors").read_bytes(), spent(place)) == before
    assert (place / "copy.safetensors").read_bytes() == before[0]


def test_the_ledger_is_charged_before_any_noise_is_drawn(tmp_path, monkeypatch):
    cohort(tmp_path, 6, 1)
    seen = []
    real = FullBatchHead.learn

    def learn(self, noise):
        seen.append(charges(tmp_path)["reserve"])
        return real(self, noise)

    monkeypatch.setattr(FullBatchHead, "learn", learn)
    train_classifier(asked(tmp_path), shared_flow())
    assert seen == [6]


@pytest.mark.parametrize("where", ["learn", "save"])
def test_a_run_that_dies_is_gone_on_with_for_one_charge(tmp_path, monkeypatch, where):
    cohort(tmp_path, 6, 1)

    def die(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(
            *((FullBatchHead, where) if where == "learn" else (Classifier, where)), die
        )
        with pytest.raises(Aborted):
            train_classifier(asked(tmp_path), shared_flow())
    assert train_classifier(asked(tmp_path), shared_flow()).charged == 0
    assert {s.releases for s in spent(tmp_path).values()} == {1}
    assert refuted(verify(tmp_path / "reader.safetensors")) == []


def test_a_training_and_a_synthesis_of_one_vault_add_up(tmp_path):
    cohort(tmp_path, 6, 1)
    synthesize(request(tmp_path), shared_flow())
    before = spent(tmp_path)
    train_classifier(asked(tmp_path), shared_flow())
    after = spent(tmp_path)
    assert before.keys() == after.keys()
    assert all(after[who].releases == 2 for who in after)
    with pytest.raises(BudgetExceeded):
        train_classifier(
            asked(tmp_path, "2.safetensors", method="vmf", budget=LOUD), shared_flow()
        )
    assert spent(tmp_path) == after


def test_a_preview_writes_nothing(tmp_path):
    cohort(tmp_path, 6, 1)
    before = tree(tmp_path)
    summary = preview_training(asked(tmp_path), shared_flow())
    assert summary.patients == 6
    assert summary.charged > 0.99 * LOUD
    assert tree(tmp_path) == before


def test_too_few_patients_are_refused_with_a_reason_before_any_charge(tmp_path):
    cohort(tmp_path, 6, 1)
    with pytest.raises(InputError, match=r"would drown what 6 patients say.* [\d,]+ patients"):
        train_classifier(asked(tmp_path, epsilon=1.0), shared_flow())
    assert not (tmp_path / "vault").exists()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"findings": None}, "expected --findings"),
        ({"out": "reader.pt"}, "safetensors"),
        ({"method": "wish"}, "no training method 'wish'"),
        ({"method": "vmf", "schedule": "falling"}, "knows no schedule"),
        ({"schedule": "rising"}, "knows no schedule"),
        ({"epsilon": 0.0}, "epsilon"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_line(tmp_path, changed, says):
    cohort(tmp_path, 2, 1)
    with pytest.raises(InputError, match=says):
        asked(tmp_path, **changed)


def test_another_file_is_not_written_over(tmp_path, done):
    cohort(tmp_path, 6, 1)
    (tmp_path / "reader.safetensors").write_bytes(b"mine")
    with pytest.raises(InputError, match="new file"):
        train_classifier(asked(tmp_path), shared_flow())
    (tmp_path / "reader.safetensors").write_bytes((done[0] / "reader.safetensors").read_bytes())
    with pytest.raises(InputError, match="another vault"):
        train_classifier(asked(tmp_path), shared_flow())
    assert not (tmp_path / "vault").exists()


def test_another_classifier_of_the_vault_is_not_written_over_nor_paid_for(done):
    place, _ = done
    before, paid = tree(place), charges(place)
    for go_on in (train_classifier, preview_training):
        with pytest.raises(InputError, match="another classifier"):
            go_on(asked(place, epsilon=LOUD / 2), shared_flow())
    assert charges(place) == paid
    assert tree(place) == before


@pytest.mark.parametrize(
    ("method", "schedule"),
    [("head", "falling"), ("prototypes", "constant"), ("prior", "constant"), ("vmf", "constant"),
     ("objective", "constant"), ("objective_pure", "constant"), ("output", "constant"),
     pytest.param("sgd", "constant", marks=pytest.mark.slow)],
)  # fmt: skip
def test_every_method_learns_is_verified_and_reads(tmp_path, monkeypatch, method, schedule):
    cohort(tmp_path, 60 if method == "sgd" else 6, 2)
    train_classifier(asked(tmp_path, method=method, schedule=schedule), shared_flow())
    file = tmp_path / "reader.safetensors"
    assert refuted(verify_classifier(file)) == []
    monkeypatch.setattr("latentdp.models.flow.flow.load_flow", lambda *_, **__: shared_flow())
    found = load_classifier(file)(np.full((2, 16, 16), 0.5, dtype=np.float32))
    assert found.shape == (2, 3)
    assert np.isfinite(found).all()
    assert np.array_equal(found[0], found[1])


def test_a_classifier_of_seeded_noise_says_that_it_protects_nobody(tmp_path):
    cohort(tmp_path, 6, 1)
    train_classifier(asked(tmp_path), shared_flow(), noise=SeededNoise(0))
    verification = verify(tmp_path / "reader.safetensors")
    assert "noise from a secure source" in refuted(verification)
    assert any("NOT PRIVATE" in line for line in verification.warnings)


FORGED = {
    "less noise": (
        lambda card: card["releases"][1].update(scale=card["releases"][1]["scale"] / 2),
        "releases and their noise",
    ),
    "fewer rounds": (
        lambda card: card["releases"][1].update(rounds=6),
        "releases and their noise",
    ),
    "a smaller epsilon": (
        lambda card: card["guarantee"]["replace_one"].update(epsilon=1.0),
        "bound of a patient, replace-one",
    ),
    "a smaller charge": (
        lambda card: card["guarantee"].update(charged=1.0),
        "charged to each patient",
    ),
    "exact where it is not": (lambda card: card["guarantee"].update(numerics="mine"), "numerics"),
    "other words": (lambda card: card["guarantee"].update(statement=["nothing"]), "statement"),
    "another finding": (
        lambda card: card["recipe"]["findings"].reverse(),
        "signature by the key",
    ),
    "other public facts": (lambda card: card.update(public=[]), "signature by the key"),
    "no signature": (lambda card: card.update(signature=""), "signature by the key"),
    "no key either": (
        lambda card: (card.pop("signature"), card.pop("key")),
        "signature by the key",
    ),
    "another's key": (lambda card: card.update(key="00" * 32), "signature by the key"),
    "a warning left out": (lambda card: card.update(warnings=["no worry"]), "warnings"),
}


@pytest.mark.parametrize("forged", FORGED)
def test_verify_finds_a_claim_that_does_not_follow(done, tmp_path, forged):
    change, claim = FORGED[forged]
    file = WeightsFile.read(done[0] / "reader.safetensors")
    card = json.loads(file.card)
    change(card)
    config = file.config
    if forged == "another finding":
        config = json.dumps(json.loads(config) | {"findings": card["recipe"]["findings"]})
    replace(file, card=json.dumps(card), config=config).write(tmp_path / "forged.safetensors")
    assert claim in refuted(verify_classifier(tmp_path / "forged.safetensors"))


def test_a_card_that_was_put_to_another_classifier_does_not_verify(done, tmp_path):
    file = WeightsFile.read(done[0] / "reader.safetensors")
    weights = file.tensors["weights"] * 2
    replace(file, tensors=file.tensors | {"weights": weights}).write(tmp_path / "x.safetensors")
    assert refuted(verify(tmp_path / "x.safetensors")) == ["signature by the key"]


def test_whoever_signs_it_again_has_another_key(done, tmp_path):
    """Which is why people compare keys."""
    reader = load_classifier(done[0] / "reader.safetensors")
    again = reader.signed(Keys(b"k" * KEY_BYTES))
    again.save(tmp_path / "again.safetensors")
    assert verify(tmp_path / "again.safetensors").ok
    assert again.training.key != reader.training.key == public_key(Vault(done[0] / "vault"))


def test_no_field_of_a_card_may_be_another(done, tmp_path):
    file = WeightsFile.read(done[0] / "reader.safetensors")
    odd = tmp_path / "odd.safetensors"
    for which in ("card", "config"):
        for _, other in damaged(json.loads(getattr(file, which))):
            replace(file, **{which: json.dumps(other)}).write(odd)
            line = said(odd)
            assert "\n" not in line
            assert len(line) < 300
            if not line:  # what was left out is the default
                assert Classifier.load(odd).training == Classifier.load(file_of(done)).training


def test_a_classifier_that_broke_off_is_one_line(done, tmp_path):
    for part in truncated(file_of(done).read_bytes()):
        (tmp_path / "odd.safetensors").write_bytes(part)
        with pytest.raises(WeightsError) as caught:
            verify(tmp_path / "odd.safetensors")
        assert "\n" not in str(caught.value)


def said(file):
    """What is the matter, in a line; empty where all holds."""
    try:
        return "; ".join(refuted(verify(file)))
    except LatentDPError as error:
        return str(error)


def file_of(done):
    return done[0] / "reader.safetensors"


@pytest.mark.parametrize(
    "changed",
    [
        {"card": "[" * 100_000},
        {"card": "{}"},
        {"config": '{"reader": "wish", "side": 16}'},
        {"tensors": {"weights": np.float64(1)}},
        {"tensors": {"weights": np.zeros((2, 17))}},
    ],
)
def test_a_classifier_that_is_odd_is_refused_in_a_line(done, tmp_path, changed):
    file = WeightsFile.read(done[0] / "reader.safetensors")
    changed = changed | {"tensors": file.tensors | changed.get("tensors", {})}
    replace(file, **changed).write(tmp_path / "odd.safetensors")
    with pytest.raises(WeightsError, match=r"odd\.safetensors: the classifier is damaged"):
        load_classifier(tmp_path / "odd.safetensors")


def test_methods_without_latents_never_encode(tmp_path, monkeypatch):
    cohort(tmp_path, 6, 1)
    monkeypatch.setattr(job_module, "seen_of", None)
    train_classifier(asked(tmp_path), shared_flow())
