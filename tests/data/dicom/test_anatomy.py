"""Which part of the body a file says that it shows: codes, terms and words, in the languages."""

from __future__ import annotations

import pytest

from latentdp.data.dicom.instance import read
from latentdp.data.dicom.profile import Profile
from tests.support.dicom_files import coded, outcome, radiograph, reason_of, save

CHESTS = """
CHEST
PORT CHEST
chest^2 views
THORAX
THORAX PA
Thoraxaufnahme
Röntgen-Thorax in 2 Ebenen
Lunge
Brustkorb
poumons
Radio thoracique
tórax
TÓRAX PA DE PIE
Rx de tórax, decúbito supino
torace
Torace PA in piedi
polmoni
Torax em pé, PA
pulmões
X-thorax
Longen PA
BORSTKAS
RIBS
cardiothoracic
""".strip().splitlines()

OTHERS = """
HAND
ABDOMEN
THORACIC SPINE
T-SPINE
TSPINE
Brustwirbelsäule
BWS ap
HWS
Lendenwirbelsäule
LWK 3
rachis dorsal
rachis thoracique
columna dorsal
columna torácica
colonna dorsale
colonna toracica
coluna torácica
thoracale wervelkolom
thoracolumbar
Becken
Beckenübersicht
BASSIN
pelvis
bacino
bacia
bekken
Schädel
crâne
cráneo
cranio
schedel
Kniegelenk
genou
rodilla
ginocchio
joelho
knie
Schulter
épaule
hombro
spalla
ombro
schouder
Handgelenk
poignet
muñeca
polso
punho
pols
Fuß
pied
CHESTABDOMEN
Abdomen sin preparación
bauch
buik
""".strip().splitlines()


@pytest.mark.parametrize("keyword", ["BodyPartExamined", "SeriesDescription", "StudyDescription"])
@pytest.mark.parametrize("words", CHESTS)
def test_a_chest_in_any_language(tmp_path, keyword, words):
    told = {"BodyPartExamined": "", "SpecificCharacterSet": "ISO_IR 192"} | {keyword: words}
    if keyword == "BodyPartExamined":
        told[keyword] = words.upper()
    assert reason_of(save(radiograph(**told), tmp_path / "a.dcm")) is None


@pytest.mark.parametrize("keyword", ["BodyPartExamined", "SeriesDescription", "StudyDescription"])
@pytest.mark.parametrize("words", OTHERS)
def test_another_part_in_any_language(tmp_path, keyword, words):
    told = {"BodyPartExamined": "", "SpecificCharacterSet": "ISO_IR 192"} | {keyword: words}
    assert reason_of(save(radiograph(**told), tmp_path / "a.dcm")) == "not-chest"


SILENT = {"BodyPartExamined": ""}


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        # The series decides before the study.
        ("not-chest", {"StudyDescription": "pelvis, thorax", "SeriesDescription": "Pelvis"}),
        ("not-chest", {"StudyDescription": "Polytrauma Thorax", "ProtocolName": "Becken ap"}),
        (None, {"StudyDescription": "Pelvis, hip", "SeriesDescription": "Thorax"}),
        (None, {"StudyDescription": "Trauma: Thorax, Becken", "SeriesDescription": "AP"}),
        ("not-chest", {"ProtocolName": "Thoracic spine AP"}),
        ("not-chest", {"StudyDescription": "Chest", "SeriesDescription": "T-Spine ap"}),
        ("not-chest", {"PerformedProcedureStepDescription": "Knee left"}),
        ("not-chest", {"PerformedProtocolCodeSequence": [coded("Hand links")]}),
        ("not-chest", {"RequestedProcedureDescription": "Hüfte"}),
        (None, {"ProcedureCodeSequence": [coded("XR Chest 2 Views", "36643-5", "LN")]}),
        ("not-chest", {"ProcedureCodeSequence": [coded("XR Knee 2 Views", "36589-0", "LN")]}),
        # The image's own terms decide before any description.
        (None, {"BodyPartExamined": "CHEST", "SeriesDescription": "Pelvis"}),
        ("not-chest", {"BodyPartExamined": "PELVIS", "SeriesDescription": "Chest"}),
        # A code counts by scheme and value; its meaning is in whatever language, or wrong.
        (None, {"AnatomicRegionSequence": [coded("mellkas", "T-D3000", "SRT")]}),
        (None, {"AnatomicRegionSequence": [coded("mellkas", "816094009", "SCT")]}),
        (None, {"AnatomicRegionSequence": [coded("Hand", "51185008", "SCT")]}),
        ("not-chest", {"AnatomicRegionSequence": [coded("Chest", "T-D8700", "SRT")]}),
        ("not-chest", {"AnatomicRegionSequence": [coded("medence", "816092008", "SCT")]}),
        ("not-chest", {"AnatomicRegionSequence": [coded("Chest", "122495006", "SCT")]}),
        # Of a scheme of one's own the meaning is all there is.
        (None, {"AnatomicRegionSequence": [coded("Thorax", "T-D8700", "99HOUSE")]}),
        ("not-chest", {"AnatomicRegionSequence": [coded("Hand", "T-D3000", "99HOUSE")]}),
        # Of two that contradict each other one is wrong.
        (
            "not-chest",
            {
                "BodyPartExamined": "CHEST",
                "AnatomicRegionSequence": [coded("Pelvis", "816092008", "SCT")],
            },
        ),
        (
            "not-chest",
            {
                "BodyPartExamined": "ABDOMEN",
                "AnatomicRegionSequence": [coded("Chest", "816094009", "SCT")],
            },
        ),
        # What says nothing refuses nothing.
        (None, {"BodyPartExamined": "UNKNOWN"}),
        (None, {"BodyPartExamined": "UNDEFINED", "StudyDescription": "emergency"}),
        ("not-chest", {"BodyPartExamined": "UNKNOWN", "StudyDescription": "knee"}),
        (None, {"AnatomicRegionSequence": []}),
    ],
)
def test_what_decides(tmp_path, reason, told):
    assert reason_of(save(radiograph(**SILENT | told), tmp_path / "a.dcm")) == reason


@pytest.mark.parametrize(
    "told",
    [
        {"BodyPartExamined": "MELLKAS"},
        {"BodyPartExamined": "RTG 7"},
        {"AnatomicRegionSequence": [coded("mellkas", "42", "99HOUSE")]},
    ],
)
def test_a_person_may_say_what_a_term_does_not(tmp_path, told):
    path = save(radiograph(**SILENT | told), tmp_path / "a.dcm")
    refusal = outcome(path)
    assert refusal.reason == "not-chest"
    assert "(0018,0015)" in str(refusal)
    assert "--all-chests" in str(refusal)
    assert read(path, Profile(all_chests=True)).kind == "CR"


def test_a_person_does_not_outrank_what_a_file_says(tmp_path):
    for told in ({"BodyPartExamined": "HAND"}, {"BodyPartExamined": "", "ProtocolName": "Knee"}):
        path = save(radiograph(**told), tmp_path / "a.dcm")
        assert outcome(path, profile=Profile(all_chests=True)).reason == "not-chest"
