"""Each reason to refuse a file, and what is not refused."""

from __future__ import annotations

import re

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import MediaStorageDirectoryStorage

from latentdp.data.dicom.instance import looks_like_dicom
from tests.support.dicom_files import coded, outcome, radiograph, reason_of, save


def sop(suffix):
    return {"SOPClassUID": f"1.2.840.10008.5.1.4.1.1.{suffix}"}


@pytest.mark.parametrize(
    ("reason", "elements"),
    [
        ("not-a-radiograph", sop("2")),
        ("not-a-radiograph", {"SOPClassUID": None}),
        ("not-a-radiograph", {"kind": "SC", "Modality": "CT"}),
        (None, {"kind": "SC", "Modality": "CR"}),
        (None, {"kind": "SC", "Modality": None}),
        ("for-processing", sop("1.1.1")),
        ("for-processing", {"kind": "DX", "PresentationIntentType": "FOR PROCESSING"}),
        ("multi-frame", sop("7.2")),
        ("multi-frame", {"NumberOfFrames": 2}),
        (None, {"NumberOfFrames": 1}),
        ("colour", {"SamplesPerPixel": 3}),
        ("colour", {"PhotometricInterpretation": "RGB"}),
        ("colour", {"PhotometricInterpretation": "PALETTE COLOR"}),
        ("colour", {"PhotometricInterpretation": None}),
        ("burned-in", {"BurnedInAnnotation": "YES"}),
        ("burned-in", {"kind": "DX", "BurnedInAnnotation": "YES"}),
        ("burned-in", {"kind": "DX", "BurnedInAnnotation": None}),
        (None, {"kind": "DX"}),
        ("not-chest", {"BodyPartExamined": "HAND"}),
        ("not-chest", {"BodyPartExamined": "THORACIC SPINE"}),
        (None, {"BodyPartExamined": "THORAX"}),
        (None, {"BodyPartExamined": "PORT CHEST"}),
        (None, {"BodyPartExamined": ""}),
        (None, {"BodyPartExamined": None}),
        ("not-chest", {"BodyPartExamined": "", "AnatomicRegionSequence": [coded("Hand")]}),
        (None, {"BodyPartExamined": "", "AnatomicRegionSequence": [coded("Chest")]}),
        ("not-chest", {"BodyPartExamined": None, "StudyDescription": "Left knee"}),
        (None, {"BodyPartExamined": None, "StudyDescription": "Chest, abdomen"}),
        ("not-frontal", {"ViewPosition": "LL"}),
        ("not-frontal", {"ViewPosition": "LATERAL"}),
        ("not-frontal", {"ViewPosition": "LLD"}),
        ("not-frontal", {"ViewPosition": "", "ViewCodeSequence": [coded("left lateral")]}),
        ("not-frontal", {"ViewPosition": None, "SeriesDescription": "Lat. erect"}),
        (None, {"ViewPosition": None, "SeriesDescription": "PA/LAT"}),
        (None, {"ViewPosition": "", "ViewCodeSequence": [coded("postero-anterior")]}),
        ("not-frontal", {"PatientOrientation": ["A", "F"]}),
        ("not-frontal", {"PatientOrientation": ["F", "L"]}),
        (None, {"PatientOrientation": ["L", "F"]}),
        (None, {"PatientOrientation": ""}),
        (None, {"PatientOrientation": ["", ""]}),
        (None, {"PatientOrientation": ["L", ""]}),
        ("not-human", {"PatientSpeciesDescription": "Canine species"}),
        ("not-human", {"PatientSpeciesCodeSequence": [coded("Felis catus")]}),
        ("not-human", {"PatientBreedDescription": "Poodle"}),
        ("not-human", {"ProtocolName": "CANINE THORAX"}),
        (None, {"PatientSpeciesDescription": "Homo sapiens"}),
        (None, {"PatientSpeciesCodeSequence": [coded("homo sapiens")]}),
        (None, {"PatientSpeciesCodeSequence": [coded("ember", "337915000", "SCT")]}),
        (None, {"PatientSpeciesDescription": "Mensch"}),
        ("not-human", {"PatientSpeciesCodeSequence": [coded("Hund", "337915000", "99X")]}),
        ("not-human", {"InstitutionName": "Tierklinik am Park"}),
        ("no-pixels", {"PixelData": None}),
        ("unreadable", {"PatientID": ["A", "B"]}),
    ],
)
def test_the_header_decides_and_a_reason_names_the_tag(tmp_path, reason, elements):
    got = outcome(save(radiograph(**elements), tmp_path / "a.dcm"))
    assert getattr(got, "reason", None) == reason
    assert reason is None or re.search(r"\([0-9A-F]{4},[0-9A-F]{4}\)", str(got))


def test_a_dicomdir_is_named_so(tmp_path):
    dataset = Dataset()
    dataset.file_meta = radiograph().file_meta
    dataset.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    dataset.DirectoryRecordSequence = []
    assert reason_of(save(dataset, tmp_path / "DICOMDIR")) == "dicomdir"


def test_what_is_no_dicom_file(tmp_path):
    good = save(radiograph(), tmp_path / "good.dcm").read_bytes()
    assert looks_like_dicom(tmp_path / "good.dcm")
    for name, content in [
        ("empty", b""),
        ("text", b"some text\n" * 50),
        ("bare", good[128:]),
        ("short", good[:131]),
    ]:
        path = tmp_path / name
        path.write_bytes(content)
        assert not looks_like_dicom(path)
        assert reason_of(path) == "not-dicom"
    assert reason_of(tmp_path) == "not-dicom"
    assert reason_of(tmp_path / "missing") == "not-dicom"


def test_truncated_and_junk_files_are_unreadable(tmp_path):
    good = save(radiograph(), tmp_path / "good.dcm").read_bytes()
    junk = good[:132] + bytes(range(256)) * 20
    for content in (good[: len(good) // 2], junk):
        path = tmp_path / "bad.dcm"
        path.write_bytes(content)
        assert reason_of(path) in ("unreadable", "not-a-radiograph")
    path.write_bytes(good[: len(good) // 2])
    assert reason_of(path) == "unreadable"


@pytest.mark.parametrize("keyword", ["PatientID", "IssuerOfPatientID"])
def test_an_identifier_that_cannot_be_decoded_is_refused(tmp_path, keyword):
    """Decoded with replacements, two patients' IDs would become one."""
    path = save(radiograph(**{keyword: "MxllerMxller"}), tmp_path / "a.dcm")
    data = path.read_bytes()
    assert reason_of(path) is None
    path.write_bytes(data.replace(b"MxllerMxller", b"M\xfcllerM\xf6ller"))
    dataset = radiograph(**{keyword: "MxllerMxller"})
    dataset.SpecificCharacterSet = "ISO_IR 192"
    data = save(dataset, path).read_bytes()
    path.write_bytes(data.replace(b"MxllerMxller", b"M\xfcllerM\xf6ller"))
    assert reason_of(path) == "unreadable"
