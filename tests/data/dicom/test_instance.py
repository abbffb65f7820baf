"""Whole files in and out: identifiers, leaks, damage, and real radiographs."""

from __future__ import annotations

import logging
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.datadict import DicomDictionary, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from latentdp.data.dicom.attributes import retained_by
from latentdp.data.dicom.header import Identity, Provenance, Source
from latentdp.data.dicom.instance import Instance, encode, inventory, read
from latentdp.data.dicom.profile import BASIC, Profile
from latentdp.data.dicom.pseudonyms import Pseudonyms
from latentdp.errors import UnsupportedInstance
from tests.support.dicom_files import coded, gradient, lut, outcome, radiograph, save
from tests.support.examples import examples
from tests.support.places import ROOT

SHARED = ROOT.parent / "shared" / "data" / "dicom"
CANARY = "CANARY"
RETAINING = Profile(shift_dates=True, retain_characteristics=True, retain_device=True)


def test_what_read_returns(tmp_path):
    got = read(save(radiograph(), tmp_path / "a.dcm"))
    assert got.source == Source(kind="CR", burned_in="", lossy=False)
    assert (got.patient, got.study, got.series, got.instance) == (
        "P1", "1.2.3.4.2", "1.2.3.4.3", "1.2.3.4.1",
    )  # fmt: skip


def test_missing_and_blank_identifiers_are_empty(tmp_path):
    dataset = radiograph(PatientID="   ", StudyInstanceUID=None, SeriesInstanceUID=None)
    got = read(save(dataset, tmp_path / "a.dcm"))
    assert (got.patient, got.study, got.series) == ("", "", "")


def test_the_issuer_keeps_two_hospitals_apart(tmp_path):
    patients = {
        read(save(radiograph(**more), tmp_path / "a.dcm")).patient
        for more in [
            {"PatientID": "1"},
            {"PatientID": "1", "IssuerOfPatientID": "A"},
            {"PatientID": "1A"},
            {"PatientID": "1", "IssuerOfPatientID": "B"},
        ]
    }
    assert len(patients) == 4


@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        (["L", "F"], lambda image: image),
        (["R", "F"], np.fliplr),
        (["L", "H"], np.flipud),
        (["RA", "HP"], lambda image: image[::-1, ::-1]),
    ],
)
def test_a_stated_orientation_is_turned_upright(tmp_path, orientation, turn):
    plain = read(save(radiograph(), tmp_path / "a.dcm")).pixels
    got = read(save(radiograph(PatientOrientation=orientation), tmp_path / "b.dcm")).pixels
    np.testing.assert_array_equal(got, turn(plain))


def test_lossy_is_told_by_the_flag(tmp_path):
    assert read(save(radiograph(LossyImageCompression="01"), tmp_path / "a.dcm")).source.lossy


def full_of_canaries(kind):
    """A radiograph with a canary in every text attribute that does not decide anything."""
    text = ("AE", "LO", "LT", "PN", "SH", "ST", "UC", "UT")
    deciding = {"PatientSpeciesDescription", "PatientBreedDescription"}
    dataset = radiograph(kind=kind)
    item = Dataset()
    for tag, (vr, *_rest) in DicomDictionary.items():
        keyword = keyword_for_tag(tag)
        if vr in text and tag >> 16 >= 8 and keyword and keyword not in deciding:
            for target in (dataset, item):
                target.add_new(tag, vr, f"{CANARY}{tag:x}"[:16])
    item.ReferencedSOPInstanceUID = "1.2.3.99999.7"
    item.PatientBirthDate = "19770707"
    dataset.RequestAttributesSequence = [item]
    dataset.OtherPatientIDsSequence = [item]
    dataset.add_new(0x60000022, "LO", CANARY)
    dataset.add_new(0x60003000, "OW", CANARY.encode() * 10)
    block = dataset.private_block(0x0099, CANARY, create=True)
    block.add_new(1, "LO", CANARY)
    block.add_new(2, "SQ", [item])
    dataset.PatientID = CANARY + "-ID"
    dataset.PatientBirthDate = "19770707"
    for keyword in retained_by("shift_dates"):
        setattr(dataset, keyword, "19770707")
    dataset.StudyInstanceUID = "1.2.3.99999.1"
    dataset.SeriesInstanceUID = "1.2.3.99999.2"
    dataset.SOPInstanceUID = "1.2.3.99999.3"
    dataset.WindowCenter, dataset.WindowWidth = "1977", "3977"
    dataset.ImagerPixelSpacing = ["0.1977", "0.1977"]
    dataset.file_meta.SourceApplicationEntityTitle = CANARY
    dataset.preamble = CANARY.encode().ljust(128, b"\0")
    return dataset


@pytest.mark.parametrize("profile", [BASIC, RETAINING], ids=["basic", "retaining"])
@pytest.mark.parametrize("kind", ["CR", "DX", "SC"])
def test_nothing_of_the_source_reaches_the_output(tmp_path, kind, profile):
    path = save(full_of_canaries(kind), tmp_path / "in.dcm")
    assert path.read_bytes().count(CANARY.encode()) > 500
    got = read(path, profile)
    names = Pseudonyms(b"k" * 32)
    identity = Identity(
        patient=names.patient(got.patient),
        study=names.uid("study", got.study),
        series=names.uid("series", got.series),
        instance=names.uid("instance", got.instance, "r"),
        days=3000,
    )
    noise = np.random.default_rng(1).random((64, 64), dtype=np.float32)
    method = Provenance(description="a mechanism", version="0.1.0", size=64, profile=profile)
    data = encode(noise, source=got.source, identity=identity, method=method)
    for trace in (CANARY, "99999", "1977", "3977", "Doe"):
        assert trace.encode() not in data
    # The strong form: with the same pseudonyms, a source without any of it gives the same bytes.
    dates = dict.fromkeys(retained_by("shift_dates"), "19770707")
    plain = read(save(radiograph(kind=kind, **dates), tmp_path / "plain.dcm"), profile)
    assert encode(noise, source=plain.source, identity=identity, method=method) == data


@pytest.mark.parametrize(
    "keyword",
    [
        "SOPClassUID", "Modality", "PhotometricInterpretation", "BodyPartExamined",
        "ViewPosition", "PatientSpeciesDescription", "PatientBreedDescription",
        "PatientOrientation", "BurnedInAnnotation", "NumberOfFrames", "WindowCenter",
        "RescaleSlope", "PatientID", "PresentationIntentType", "AnatomicRegionSequence",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["CR", "DX", "SC"])
def test_no_message_warning_or_log_line_quotes_a_value(
    tmp_path, kind, keyword, caplog, capsys, recwarn
):
    dataset = radiograph(kind=kind)
    if keyword == "AnatomicRegionSequence":
        dataset.BodyPartExamined = ""
        dataset.AnatomicRegionSequence = [coded(CANARY, CANARY)]
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset.add_new(keyword, "LO", [CANARY, "LL", "YES"])
    path = save(dataset, tmp_path / f"{CANARY}.dcm")
    caplog.clear()
    recwarn.clear()
    logging.getLogger("pydicom").setLevel(logging.DEBUG)
    got = outcome(path)
    if isinstance(got, UnsupportedInstance):
        assert CANARY not in str(got)
        assert (got.__cause__, got.__context__) == (None, None)
    printed = capsys.readouterr()
    assert (caplog.text, printed.out, printed.err, recwarn.list) == ("", "", "", [])


def test_inventory_names_every_element_and_no_value(tmp_path):
    path = save(full_of_canaries("DX"), tmp_path / "in.dcm")
    rows = inventory(path)
    actions = {keyword: action for _, keyword, action in rows}
    assert actions["PatientID"] == "pseudonym"
    assert actions["PixelData"] == "from the mechanism"
    assert actions["BurnedInAnnotation"] == "source value"
    assert actions["ImagerPixelSpacing"] == "constant"
    assert actions["InstitutionName"] == actions["private"] == "removed"
    assert ("(0010,0010)", "PatientName", "pseudonym") in rows
    assert CANARY not in str(rows)
    with pytest.raises(UnsupportedInstance) as caught:
        inventory(Path(__file__))
    assert caught.value.reason == "not-dicom"


@cache
def good_file(syntax, folder):
    item = lut((4096, 0, 12), np.arange(4096))
    dataset = radiograph(
        gradient(64, 64),
        VOILUTSequence=[item],
        ViewCodeSequence=[coded("postero-anterior")],
        WindowCenter="2048",
        WindowWidth="4096",
        RescaleSlope="1",
        RescaleIntercept="0",
        PixelPaddingValue=0,
    )
    if syntax:
        dataset.compress(syntax)
    return save(dataset, folder / "good.dcm").read_bytes()


@pytest.mark.hypothesis
@pytest.mark.parametrize(
    "syntax",
    [None, RLELossless, JPEGLSLossless, JPEG2000Lossless],
    ids=["native", "rle", "jpeg-ls", "jpeg-2000"],
)
def test_damage_gives_an_instance_or_a_refusal(tmp_path_factory, syntax):
    folder = tmp_path_factory.mktemp("fuzz")
    good = good_file(syntax, folder)
    # Half of the damage goes where the header is; most of a file is LUT and pixels.
    where = st.one_of(st.integers(132, 1200), st.integers(132, len(good) - 1))
    damage = st.lists(st.tuples(where, st.integers(0, 255)), min_size=1, max_size=8)

    @examples(300 if syntax is None else 60)
    @given(damage, st.one_of(st.just(len(good)), st.integers(140, len(good))))
    def check(damage, length):
        data = bytearray(good)
        for position, value in damage:
            data[position] = value
        path = folder / "bad.dcm"
        path.write_bytes(data[:length])
        got = outcome(path)
        if isinstance(got, Instance):
            assert np.isfinite(got.pixels).all()
            assert got.pixels.min() >= 0
            assert got.pixels.max() <= 1

    check()


needs_data = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared radiographs are absent")


@needs_data
@pytest.mark.data
def test_every_shared_file_is_read_or_refused():
    outcomes = {path.name: outcome(path) for path in SHARED.rglob("*") if path.is_file()}
    assert len(outcomes) > 90
    for name in ("RG1_J2KI.dcm", "gdcm-CR-MONO1-10-chest.dcm", "rsna-16d7f894.dcm"):
        image = outcomes[name].pixels
        h, w = image.shape
        # Right side up in grey: the middle (spine, heart) is brighter than the lungs beside it.
        lung = image[h // 3 : h // 2, w // 5 : w // 3].mean()
        assert image[h // 3 : h // 2, 9 * w // 20 : 11 * w // 20].mean() > lung + 0.1
    expected = {
        "RG3_J2KR.dcm": "not-chest",
        "CR-ModalitySequenceLUT.dcm": "not-chest",
        "highdicom-dx_image.dcm": "not-human",
        "pseudo-phi-2_ORIGINAL.dcm": "not-a-radiograph",
        "pydicom-CR1-6154.dcm": "not-chest",
        "pydicom-CR2-6247.dcm": "not-chest",
        "fodicom-DICOMDIR": "dicomdir",
        "manifest.csv": "not-dicom",
    }
    assert {name: outcomes[name].reason for name in expected} == expected
