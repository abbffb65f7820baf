"""Outputs of one patient are joined by the pseudonym: what is said holds for the patient."""

import json
import math

import pytest

from latentdp import Guarantee, Unit
from latentdp.reports.card_guarantee import PatientGuarantee
from latentdp.reports.guarantee_words import GALLERY, ceilings, sentences
from latentdp.reports.release_card import ReleaseCard
from latentdp.reports.warning_words import warnings
from tests.support import old_vault
from tests.support.folders import radiograph_at
from tests.support.html_page import Page


def of_patient(epsilon: float) -> Guarantee:
    return Guarantee(epsilon=epsilon, unit=Unit.PATIENT)


@pytest.mark.parametrize("images", [1, 2, 6])
def test_both_ceilings_are_stated_at_both_epsilons(images):
    image = Guarantee(epsilon=4.0)
    patient = of_patient(4.0 * images)
    lines = " ".join(sentences(image, patient))
    assert f"epsilon {4 * images} per patient" in lines
    for whole in (image, patient):
        assert f"{math.ceil(1e4 * whole.verification_ceiling()) / 1e4:.4f}" in lines
        assert f"{math.ceil(1e4 * whole.gallery_ceiling(GALLERY)) / 1e2:.2f} %" in lines


def test_a_patient_with_no_bound_is_not_given_one():
    lines = " ".join(ceilings(Guarantee(epsilon=1.0), of_patient(math.inf)))
    assert "all images joined: at most 100.00 %" in lines
    told = warnings(Guarantee(epsilon=1.0), of_patient(math.inf).beside("an earlier image"))
    assert told[0].startswith("NO GUARANTEE of a patient: epsilon is infinity, unprotected: an")


@pytest.mark.parametrize(
    ("image", "patient", "weak"),
    [
        (8.0, 8.0, None),
        (8.0, 10.2, None),
        (8.0, 10.4, "WEAK FOR A PATIENT: epsilon 10.4"),
        (5.0, 30.0, "WEAK FOR A PATIENT: epsilon 30"),
        (10.4, 10.4, "WEAK: epsilon 10.4"),
        (50.0, 100.0, "WEAK: epsilon 50"),
    ],
)
def test_the_limit_of_an_image_is_that_of_a_patient(image, patient, weak):
    """Above ln of the gallery's size a search is bounded by nothing that matters."""
    told = warnings(Guarantee(epsilon=image), of_patient(patient))
    assert [line.startswith(weak or "?") for line in told] == [True] * (weak is not None)


@pytest.mark.promise(
    "Ceilings and warnings hold for all images of a patient together, as the pseudonym joins them."
)
def test_six_near_equal_files_of_a_patient_are_warned_of_everywhere(
    tmp_path, command, capsys, tiny_weights
):
    """At epsilon 8 an image a white box that joins six outputs names nearly every source."""
    for number in range(6):
        radiograph_at(tmp_path / "in" / f"{number}.dcm", number, PatientID="P1")
    weights = ("--weights", tiny_weights)
    release = ("privatize", tmp_path / "in", tmp_path / "out", *weights)
    for call in (("explain", tmp_path / "in", *weights), (*release, "--dry-run"), release):
        assert command(*call) == 0
        text = " ".join(capsys.readouterr().out.split())
        assert "WARNING WEAK FOR A PATIENT: epsilon 48 " in text
        assert "all images joined: at most 100.00 %" in text
        assert command(*call, "--json") == 0
        told = json.loads(capsys.readouterr().out)
        assert any("WEAK FOR A PATIENT" in line for line in told["warnings"])
        patient = told.get("patient_guarantee") or told["guarantee"]["patient"]
        assert patient["images"] == 6
        assert patient["top1_at_most"]["rate"] == pytest.approx(1.0)
    card = json.loads((tmp_path / "out" / "release.json").read_text())
    image = card["guarantee"]["image"]
    assert image["top1_at_most"]["rate"] < 0.1 < card["guarantee"]["patient"]["epsilon"] / 470
    text = " ".join(Page(tmp_path / "out" / "release.html").text.split())
    assert "On all images of a patient" in text
    assert "WEAK FOR A PATIENT" in text
    assert command("verify", tmp_path / "out") == 0
    for path, better in [
        ("verification_auc_at_most", 0.9997), ("top1_at_most", image["top1_at_most"]),
        ("epsilon", 8.0),
    ]:  # fmt: skip
        false = json.loads(json.dumps(card))
        false["guarantee"]["patient"][path] = better
        (tmp_path / "out" / "release.json").write_text(json.dumps(false))
        assert command("verify", tmp_path / "out") == 1
    false = card | {"warnings": []}
    (tmp_path / "out" / "release.json").write_text(json.dumps(false))
    assert command("verify", tmp_path / "out") == 1
    capsys.readouterr()


def test_a_card_of_0_1_is_read_with_the_ceilings_that_follow(tmp_path):
    old_vault.restore(tmp_path)
    values = json.loads((tmp_path / "flat" / "release.json").read_text())
    assert "top1_at_most" not in values["guarantee"]["patient"]
    patient = ReleaseCard.from_json(values).guarantee.patient
    whole = of_patient(patient.epsilon)
    assert isinstance(patient, PatientGuarantee)
    assert patient.top1_at_most.rate == whole.gallery_ceiling(GALLERY)
    assert patient.verification_auc_at_most == whole.verification_ceiling()
