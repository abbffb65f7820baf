"""Who is charged: one picture is one subject, and so are all spellings of one Patient ID."""

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from latentdp import BudgetExceeded, Privatizer, Recipe
from latentdp.data import radiograph
from latentdp.release.privatize import preview, privatize_folder
from latentdp.reports.review_page import PAGE
from latentdp.vault.ledger import LedgerEntry, Spent
from latentdp.vault.vault import Vault
from tests.support.dicom_files import radiograph as dataset_of
from tests.support.dicom_files import save
from tests.support.folders import EPSILON, go, header, image, images, look, radiograph_at, rows
from tests.support.sweeps import some
from tests.support.tiny_flow import shared_flow

SPELLINGS = ("MRN123", "mrn123", "MRN-123", "0MRN123", "MRN 00123")
PADDED = ("MRN123", "  MRN123 \t", "MRN123\r\n", "MRN123\0", "\u00a0MRN123")


@pytest.fixture
def place(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path


def subjects(place) -> dict[str, Spent]:
    ledger = Vault(place / "vault", read_only=True).ledger()
    spent = ledger.spent()
    ledger.close()
    return spent


def other_recipe() -> Privatizer:
    return Privatizer(shared_flow(), Recipe.from_preset("dp-glow", epsilon=EPSILON / 2))


def grey(number: int) -> np.ndarray:
    return (image(number) // 16).astype(np.uint8)


RESAVED = {
    "with a text": lambda pixels, path: Image.fromarray(pixels).save(path, pnginfo=_text()),
    "as TIFF": lambda pixels, path: Image.fromarray(pixels).save(path.with_suffix(".tif")),
    "in colour": lambda pixels, path: Image.fromarray(pixels).convert("RGB").save(path),
    "in 16 bits": lambda pixels, path: Image.fromarray(pixels.astype(np.uint16) * 257).save(path),
}


def _text() -> PngInfo:
    text = PngInfo()
    text.add_text("k", "v")
    return text


@pytest.mark.parametrize("how", some(RESAVED, ["with a text", "as TIFF"]))
def test_a_picture_saved_again_is_the_same_subject_under_another_recipe(place, how):
    Image.fromarray(grey(1)).save(place / "in" / "a.png")
    go(place)
    (place / "in" / "a.png").unlink()
    RESAVED[how](grey(1), place / "in" / "a.png")
    options = {"privatizer": other_recipe(), "vault": place / "vault"}
    for call in (preview, privatize_folder):
        with pytest.raises(BudgetExceeded, match="1 of 1 patients"):
            call(place / "in", place / "two", budget=1.2 * EPSILON, **options)
        told = call(place / "in", place / "two", budget=1.6 * EPSILON, **options)
        summary = told[0] if call is preview else told
        assert (summary.patients, summary.most_images) == (1, 2)
    assert [spent.releases for spent in subjects(place).values()] == [2]


def test_another_picture_is_another_subject(place):
    Image.fromarray(grey(1)).save(place / "in" / "a.png")
    altered = grey(1)
    altered[0, 0] ^= 1
    Image.fromarray(altered).save(place / "in" / "b.png")
    Image.fromarray(altered.reshape(altered.shape[::-1])).save(place / "in" / "c.png")
    assert go(place).patients == 3 == len(subjects(place))


def test_a_picture_of_nobody_is_the_same_whatever_size_it_is_reduced_to(place):
    path = place / "a"
    save(dataset_of(image(1), PatientID=None, SOPInstanceUID="1.9"), path)
    small, large = (radiograph.read(path, (side, side)) for side in (16, 64))
    assert small.whole == large.whole != ""
    assert small.picture != large.picture
    assert radiograph.read(radiograph_at(place / "b", 1), (16, 16)).whole == ""


def test_padding_makes_no_second_patient(place):
    for number, patient in enumerate(PADDED):
        radiograph_at(place / "in" / f"{number}", number, PatientID=patient)
    summary = go(place)
    assert (summary.patients, summary.most_images) == (1, len(PADDED))
    assert len({header(place, name).PatientID for name in images(place)}) == 1
    review = (place / "vault" / PAGE).read_text()
    assert "Possibly one person" not in review


def test_composed_and_decomposed_letters_are_one_patient(place):
    for number, patient in enumerate(("MRN\u00c4", "MRNA\u0308")):
        radiograph_at(
            place / "in" / f"{number}", number, PatientID=patient,
            SpecificCharacterSet="ISO_IR 192",
        )  # fmt: skip
    assert go(place).patients == 1
    assert len({header(place, name).PatientID for name in images(place)}) == 1


def test_spellings_are_one_in_the_ledger_several_in_the_release_and_in_the_review(place):
    for number, patient in enumerate(SPELLINGS):
        radiograph_at(place / "in" / f"{number}", number, PatientID=patient)
    radiograph_at(place / "in" / "other", 9, PatientID="MRN124")
    radiograph_at(place / "in" / "hospital", 10, PatientID="MRN123", IssuerOfPatientID="H")
    summary = go(place)
    assert (summary.patients, summary.most_images) == (3, len(SPELLINGS))
    pseudonyms = {row["file"]: row["patient"] for row in rows(summary).values()}
    assert len(set(pseudonyms.values())) == len(SPELLINGS) + 2
    review = (place / "vault" / PAGE).read_text()
    listed = review.split('id="one-person"')[1].split("</section>")[0]
    assert {name for name, pseudonym in pseudonyms.items() if pseudonym in listed} == set(
        map(str, range(len(SPELLINGS)))
    )
    public = (place / "out" / "release.html").read_text()
    assert "possibly one person" not in public.lower()
    assert 'id="one-person"' not in public
    options = {"privatizer": other_recipe(), "vault": place / "vault"}
    with pytest.raises(BudgetExceeded):
        preview(place / "in", place / "two", budget=5.2 * EPSILON, **options)


def test_what_an_old_vault_has_spent_counts_on(place):
    """Version 0.1 charged spellings, and the bytes of files that name nobody."""
    Vault(place / "vault")
    (place / "vault" / "digest").unlink()
    vault = Vault(place / "vault")
    radiograph_at(place / "in" / "a", 1, PatientID="MRN-1")
    radiograph_at(place / "in" / "b", 2, PatientID="mrn1\t")
    Image.fromarray(grey(3)).save(place / "in" / "c.png")
    content = f"picture {radiograph.digest(place / 'in' / 'c.png')}"
    old = ledger_of_0_1(vault, ["MRN-1", "mrn1\t", f"unknown {content}"])
    for limit in (1.5, 2.5):  # of the patient 2 were spent and 2 are asked for, of the picture 1
        with pytest.raises(BudgetExceeded, match=f"{2 if limit < 2 else 1} of 2 patients"):
            go(place, budget=limit * EPSILON)
    told, _ = look(place, budget=4.1 * EPSILON)
    summary = go(place, budget=4.1 * EPSILON)
    for counted in (told, summary):
        assert (counted.patients, counted.most_images) == (2, 4)
        assert counted.patient_epsilon == pytest.approx(4 * EPSILON, rel=0.01)
    spent = subjects(place)
    assert sorted(s.releases for s in spent.values()) == [2, 4]
    assert not spent.keys() & set(old), "they stand for others now, in every later run"


def ledger_of_0_1(vault: Vault, patients: list[str]) -> list[str]:
    """Charges each of them as version 0.1 did; returns their pseudonyms there."""
    ledger = vault.ledger()
    pseudonyms = [vault.subject(patient) for patient in patients]
    ledger.reserve(
        [
            LedgerEntry(
                key=f"{i}", subject=subject, micro_epsilon=int(EPSILON * 1e6), output=f"{i}.png",
                folder="/gone",
            )
            for i, subject in enumerate(pseudonyms)
        ]
    )  # fmt: skip
    ledger.close()
    return pseudonyms
