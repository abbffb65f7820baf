"""Which view a file says that it is: codes, terms and words, in the languages."""

from __future__ import annotations

import pytest

from latentdp.data.dicom.instance import read
from latentdp.data.dicom.profile import Profile
from tests.support.dicom_files import coded, outcome, radiograph, reason_of, save

FRONTAL = """
AP
PA
A.P.
P-A
AP ERECT
PA/AP
AP SUPINE
FRONTAL
ANTEROPOSTERIOR
postero-anterior
dorsoventral
d.v.
Face
de face, debout
frontale
frente
AP decúbito supino
frontaal
voorachterwaarts
""".strip().splitlines()

OTHERS = """
LL
RL
LAT
LATERAL
LATERALIS
Lat. erect
SEITLICH
seitl.
Seitenaufnahme
links anliegend, seitlich
SCHRÄG
profil
profil gauche
oblique
OBL
PERFIL
oblicua
laterale
latero-laterale
L.L.
profilo
obliqua
decubitus
decúbito lateral
ZIJDELINGS
dwars
schuin
LLD
RAO
AP OBLIQUE
""".strip().splitlines()

SILENT = {"ViewPosition": ""}


@pytest.mark.parametrize("keyword", ["ViewPosition", "SeriesDescription", "StudyDescription"])
@pytest.mark.parametrize("words", FRONTAL)
def test_a_frontal_view_in_any_language(tmp_path, keyword, words):
    told = SILENT | {"SpecificCharacterSet": "ISO_IR 192", keyword: words}
    assert reason_of(save(radiograph(**told), tmp_path / "a.dcm")) is None


@pytest.mark.parametrize("keyword", ["ViewPosition", "SeriesDescription", "StudyDescription"])
@pytest.mark.parametrize("words", [words for words in OTHERS if words != "AP OBLIQUE"])
def test_another_view_in_any_language(tmp_path, keyword, words):
    told = SILENT | {"SpecificCharacterSet": "ISO_IR 192", keyword: words}
    assert reason_of(save(radiograph(**told), tmp_path / "a.dcm")) == "not-frontal"


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("not-frontal", {"ViewPosition": "AP OBLIQUE"}),
        # A code counts by scheme and value; its meaning is in whatever language, or wrong.
        (None, {"ViewCodeSequence": [coded("hátulról", "R-10214", "SRT")]}),
        (None, {"ViewCodeSequence": [coded("lateral", "272479007", "SCT")]}),
        (None, {"ViewCodeSequence": [coded("antero-posterior", "399348003", "SCT")]}),
        ("not-frontal", {"ViewCodeSequence": [coded("oldalirányú", "399067008", "SCT")]}),
        ("not-frontal", {"ViewCodeSequence": [coded("postero-anterior", "R-10236", "SRT")]}),
        (
            "not-frontal",
            {"ViewCodeSequence": [coded("AP oblique", "R-10208", "SRT")]},
        ),
        ("not-frontal", {"ViewCodeSequence": [coded("antero-posterior oblique", "1", "99X")]}),
        ("not-frontal", {"ViewCodeSequence": [coded("Seitlich", "R-10206", "99HOUSE")]}),
        # Of two that contradict each other one is wrong.
        ("not-frontal", {"ViewPosition": "LL", "ViewCodeSequence": [coded("", "R-10206", "SRT")]}),
        ("not-frontal", {"ViewPosition": "PA", "ViewCodeSequence": [coded("", "R-10236", "SRT")]}),
        # Descriptions count where these are silent; the series before the study.
        ("not-frontal", {"SeriesDescription": "Lateral", "StudyDescription": "Chest PA and LAT"}),
        (None, {"SeriesDescription": "Chest PA", "StudyDescription": "Chest lateral"}),
        (None, {"StudyDescription": "Thorax 2 Ebenen: p.a. und seitlich"}),
        ("not-frontal", {"ProtocolName": "Thorax seitlich"}),
        (None, {"ViewPosition": "PA", "SeriesDescription": "lateral"}),
        # How a patient was placed says nothing of the view.
        (None, {"ViewPosition": "ERECT"}),
        (None, {"ViewPosition": "PORTABLE SUPINE"}),
        (None, {"ViewPosition": "UNKNOWN"}),
        ("not-frontal", {"ViewPosition": "ERECT", "SeriesDescription": "Thorax profil"}),
    ],
)
def test_what_decides(tmp_path, reason, told):
    assert reason_of(save(radiograph(**SILENT | told), tmp_path / "a.dcm")) == reason


@pytest.mark.parametrize(
    "told",
    [
        {"ViewPosition": "OLDAL"},
        {"ViewPosition": "POZYCJA 1"},
        {"ViewCodeSequence": [coded("", "42", "99HOUSE")]},
        {"ViewCodeSequence": [coded("szembol", "42", "99HOUSE")]},
    ],
)
def test_a_person_may_say_what_a_term_does_not(tmp_path, told):
    path = save(radiograph(**SILENT | told), tmp_path / "a.dcm")
    refusal = outcome(path)
    assert refusal.reason == "not-frontal"
    assert "(0018,5101)" in str(refusal)
    assert "--all-frontal" in str(refusal)
    assert read(path, Profile(all_frontal=True)).kind == "CR"


@pytest.mark.parametrize("told", [{"ViewPosition": "LL"}, {"PatientOrientation": ["A", "F"]}])
def test_a_person_does_not_outrank_what_a_file_says(tmp_path, told):
    path = save(radiograph(**told), tmp_path / "a.dcm")
    assert outcome(path, profile=Profile(all_frontal=True)).reason == "not-frontal"
