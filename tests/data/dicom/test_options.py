"""What the options of a profile keep: values of known form, and nothing else."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, date, datetime, timedelta
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless

from latentdp.data.dicom.attributes import ACTIONS, attributes, retained_by
from latentdp.data.dicom.device_names import device
from latentdp.data.dicom.header import Identity, Provenance, Source, build
from latentdp.data.dicom.instance import encode, inventory, read
from latentdp.data.dicom.profile import BASIC, SYNTAXES, Profile
from latentdp.data.dicom.pseudonyms import Pseudonyms
from latentdp.data.dicom.retention import MAX_DAYS, retained, shifted
from latentdp.errors import InputError
from tests.support.dicom_files import outcome, radiograph, save
from tests.support.validators import dciodvfy

KINDS = ("CR", "DX", "SC")
OPTIONS = ("shift_dates", "retain_characteristics", "retain_device", "accept_burned_in")
ALL = Profile(**dict.fromkeys(OPTIONS, True), evidence="measured")
DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
NAMES = Pseudonyms(b"k" * 32)
IDENTITY = Identity(
    patient=NAMES.patient("P1"),
    study=NAMES.uid("study", "1.2"),
    series=NAMES.uid("series", "1.3"),
    instance=NAMES.uid("instance", "1.4", "release"),
    days=1000,
)
IMAGE = np.linspace(0, 1, 65 * 65, dtype=np.float32).reshape(65, 65)
FULL = {
    "StudyDate": "20240229",
    "SeriesDate": "20240301",
    "AcquisitionDate": "20240301",
    "ContentDate": "20240302",
    "PatientSex": "F",
    "PatientAge": "047Y",
    "Manufacturer": "FUJIFILM Corporation",
    "ManufacturerModelName": "FDR D-EVO 4711",
}


def kept(profile=ALL, **elements):
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return retained(dataset, profile)


def method(profile, size=65):
    return Provenance(description="a mechanism", version="0.1.0", size=size, profile=profile)


def made(path, kind, profile, **elements):
    """A file written from a source that holds ``elements``."""
    source = read(save(radiograph(kind=kind, **elements), path / "in.dcm"), profile).source
    out = path / "out.dcm"
    out.write_bytes(encode(IMAGE, source=source, identity=IDENTITY, method=method(profile)))
    return out


def test_the_basic_profile_retains_nothing():
    assert kept(BASIC, **FULL) == {}
    assert BASIC.unprotected == BASIC.claims == ()


@pytest.mark.parametrize("option", OPTIONS[:3])
def test_an_option_retains_its_own_attributes_only(option):
    profile = Profile(**{option: True})
    got = kept(profile, **FULL)
    assert set(got) == set(retained_by(option))
    assert all(got.values())
    assert len(profile.unprotected) == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("20240229", "20240229"),
        ("19700102", "19700102"),
        ("19700101", ""),  # stand-ins that many files share would tell the shift
        ("19000101", ""),
        ("99991231", ""),
        ("00010101", ""),
        ("20230229", ""),
        ("2024", ""),
        ("2024.02.29", ""),
        ("20240101-20240229", ""),
        ("DOE JANE", ""),
        (["20240229", "20240301"], ""),
        ("", ""),
        (None, ""),
    ],
)
def test_only_true_dates_are_retained(value, expected):
    dataset = Dataset()
    if value is not None:
        dataset.add_new("StudyDate", "LO", value)
    got = retained(dataset, ALL)
    assert got["StudyDate"] == expected
    assert set(DATES) <= set(got)


def test_a_date_in_the_future_is_none():
    now = datetime.now(UTC)
    assert kept(StudyDate=f"{now:%Y%m%d}")["StudyDate"]
    assert not kept(StudyDate=f"{now + timedelta(days=3):%Y%m%d}")["StudyDate"]


@given(st.dates(date(1970, 1, 2), date(2026, 1, 1)), st.integers(1, MAX_DAYS), st.integers(0, 999))
def test_a_shift_keeps_intervals(first, days, gap):
    def moved(day):
        return datetime.strptime(shifted(f"{day:%Y%m%d}", days), "%Y%m%d").date()

    second = first + timedelta(days=gap)
    assert moved(second) - moved(first) == second - first
    assert (first - moved(first)).days == days


def test_the_shift_is_one_of_a_patient_and_of_a_key():
    shifts = [NAMES.days(f"P{i}", MAX_DAYS) for i in range(300)]
    assert shifts == [Pseudonyms(b"k" * 32).days(f"P{i}", MAX_DAYS) for i in range(300)]
    assert 1 <= min(shifts) < 200
    assert MAX_DAYS - 200 < max(shifts) <= MAX_DAYS
    assert len(set(shifts)) > 270
    assert shifts[:9] != [Pseudonyms(b"o" * 32).days(f"P{i}", MAX_DAYS) for i in range(9)]


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        ("047Y", "047Y"), ("089Y", "089Y"), ("090Y", "090Y"), ("104Y", "090Y"), ("999Y", "090Y"),
        ("011M", "011M"), ("003W", "003W"), ("002D", "002D"),
        ("62", ""), ("47Y", ""), ("047y", ""), ("0471", ""), ("Doe", ""), ("", ""),
    ],
)  # fmt: skip
def test_ages(age, expected):
    dataset = Dataset()
    dataset.add_new("PatientAge", "LO", age)
    assert retained(dataset, ALL)["PatientAge"] == expected


@pytest.mark.parametrize(("sex", "expected"), [*zip("FMO", "FMO", strict=True), ("f", ""),
                                               ("Jane", ""), (["F", "M"], "")])  # fmt: skip
def test_sexes(sex, expected):
    dataset = Dataset()
    dataset.add_new("PatientSex", "LO", sex)
    assert retained(dataset, ALL)["PatientSex"] == expected


@pytest.mark.parametrize(
    ("maker", "model", "expected"),
    [
        ("FUJI PHOTO FILM CO. LTD.", "9000", ("Fujifilm", "9000")),
        ("Agfa-Gevaert AG", "ADC_5146", ("Agfa", "ADC")),
        ("Agfa", "CR 10-X", ("Agfa", "CR 10")),
        ("Agfa", "CR 1000 Mrs Doe", ("Agfa", "")),
        ("Philips Medical Systems", "Cassette Holder Type 9840 500 70201", ("Philips", "")),
        ("Philips", "digital DIAGNOST Room 3 SN 12345", ("Philips", "DIGITAL DIAGNOST")),
        ("\"GE Healthcare\"", "Definium 5000", ("", "")),
        ("GE Healthcare", "Definium 5000", ("GE Healthcare", "DEFINIUM")),
        ("St Mary, Philips", "FDR", ("", "")),
        ("", "CXDI", ("", "")),
    ],
)  # fmt: skip
def test_devices(maker, model, expected):
    assert device(maker, model) == expected


@given(st.fixed_dictionaries(dict.fromkeys(FULL, st.text(max_size=20) | st.none())))
def test_no_free_text_is_retained(values):
    dataset = Dataset()
    for keyword, value in values.items():
        dataset.add_new(keyword, "UT", value)
    got = retained(dataset, ALL)
    for keyword in DATES:
        assert re.fullmatch(r"([0-9]{8})?", got[keyword], flags=re.ASCII)
    assert re.fullmatch("[FMO]?", got["PatientSex"])
    assert re.fullmatch("([0-9]{3}[DWMY])?", got["PatientAge"], flags=re.ASCII)
    assert (got["Manufacturer"], got["ManufacturerModelName"]) in {
        device(maker, model)
        for maker in (got["Manufacturer"], "")
        for model in (got["ManufacturerModelName"], "")
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("profile", [ALL, *(Profile(**{option: True}) for option in OPTIONS)])
def test_the_written_attributes_are_the_table(tmp_path, kind, profile):
    for elements in (FULL, {}):
        got = dcmread(made(tmp_path, kind, profile, **elements))
        must = set(attributes(profile, kind))
        may = {"BurnedInAnnotation", "LossyImageCompression", "LossyImageCompressionRatio"}
        assert must - may <= {element.keyword for element in got} <= must


def test_what_is_written(tmp_path):
    got = dcmread(made(tmp_path, "CR", ALL, **FULL))
    assert {keyword: str(got[keyword].value) for keyword in FULL} == {
        "StudyDate": "20210604",
        "SeriesDate": "20210605",
        "AcquisitionDate": "20210605",
        "ContentDate": "20210606",
        "PatientSex": "F",
        "PatientAge": "047Y",
        "Manufacturer": "Fujifilm",
        "ManufacturerModelName": "FDR",
    }
    assert got.LongitudinalTemporalInformationModified == "MODIFIED"
    assert not got.StudyTime
    assert got.ContributingEquipmentSequence[0].Manufacturer == "latentdp"


def test_options_are_stated_by_their_codes(tmp_path):
    known = {str(getattr(codes.cid7050, n).value): getattr(codes.cid7050, n).meaning
             for n in codes.cid7050.dir()}  # fmt: skip
    expected = {
        BASIC: ["113100"],
        Profile(shift_dates=True): ["113100", "113107"],
        Profile(evidence="measured"): ["113100", "113102"],
        ALL: ["113100", "113101", "113102", "113107", "113108", "113109"],
    }
    for profile, values in expected.items():
        items = dcmread(made(tmp_path, "CR", profile)).DeidentificationMethodCodeSequence
        assert [item.CodeValue for item in items[:-1]] == values
        assert all(item.CodeMeaning == known[item.CodeValue] for item in items[:-1])
        assert items[-1].CodingSchemeDesignator == "99LATENTDP"
        said = dcmread(made(tmp_path, "DX", profile, BurnedInAnnotation="NO"))
        assert said.get("RecognizableVisualFeatures") == ("NO" if profile.evidence else None)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stated", ["YES", "NO", None])
def test_reviewed_pixels_are_taken_and_all_marked_alike(tmp_path, kind, stated):
    profile = Profile(accept_burned_in=True)
    got = dcmread(made(tmp_path, kind, profile, **({} if stated is None and kind != "DX" else
                                                   {"BurnedInAnnotation": stated})))  # fmt: skip
    assert got.BurnedInAnnotation == "NO"
    (claim,) = profile.claims
    assert "person looked" in claim.evidence
    assert claim.code in [item.CodeValue for item in got.DeidentificationMethodCodeSequence]
    if stated != "NO" and (kind == "DX" or stated):
        refused = outcome(save(radiograph(kind=kind, BurnedInAnnotation="YES"), tmp_path / "b"))
        assert refused.reason == "burned-in"
        assert "--accept-burned-in" in str(refused)


def test_the_inventory_follows_the_options(tmp_path):
    path = save(radiograph(**FULL), tmp_path / "in.dcm")
    basic = {keyword: what for _, keyword, what in inventory(path)}
    full = {keyword: what for _, keyword, what in inventory(path, ALL)}
    assert (basic["StudyDate"], full["StudyDate"]) == ("constant", "source value, shifted")
    assert (basic["PatientAge"], full["PatientAge"]) == ("removed", "source value, cleaned")
    assert (basic["SeriesDate"], full["SeriesDate"]) == ("removed", "source value, shifted")
    assert basic.keys() == full.keys()


def test_every_option_of_the_table_is_one_of_the_profile():
    assert {action.option for action in ACTIONS} - {""} == {*OPTIONS, "evidence"}


@pytest.mark.parametrize(
    ("retained_", "days", "profile"),
    [
        ({"InstitutionName": "X"}, 5, BASIC),
        ({"PatientSex": "F"}, 5, BASIC),
        ({}, 5, Profile(retain_characteristics=True)),
        (dict.fromkeys(DATES, ""), 0, Profile(shift_dates=True)),
        (dict.fromkeys(DATES, ""), MAX_DAYS + 1, Profile(shift_dates=True)),
    ],
)
def test_a_header_takes_exactly_what_its_profile_retains(retained_, days, profile):
    source = Source(kind="CR", burned_in="", lossy=False, retained=retained_)
    identity = Identity(**{**vars(IDENTITY), "days": days})
    with pytest.raises(InputError):
        build(IMAGE, source=source, identity=identity, method=method(profile))


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 0}, {"size": 1025}, {"size": 64.0}, {"size": True}, {"transfer_syntax": "jpeg"},
        {"shift_dates": "yes"}, {"retain_device": 1},
    ],
)  # fmt: skip
def test_wrong_profiles_are_refused(wrong):
    with pytest.raises(InputError):
        Profile(**wrong)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is absent")
@pytest.mark.parametrize(("kind", "syntax"), [*product(KINDS, SYNTAXES)])
def test_every_output_conforms_and_decodes_to_the_same_pixels(tmp_path, kind, syntax):
    uid = {"explicit": ExplicitVRLittleEndian, "jpeg-ls": JPEGLSLossless,
           "jpeg-2000": JPEG2000Lossless}[syntax]  # fmt: skip
    basic = Profile(transfer_syntax=syntax)
    full = Profile(transfer_syntax=syntax, **dict.fromkeys(OPTIONS, True))
    for profile, elements in [(basic, FULL), (full, FULL), (full, {})]:
        path = made(tmp_path, kind, profile, LossyImageCompression="01", **elements)
        dataset = dcmread(path)
        assert dataset.file_meta.TransferSyntaxUID == uid
        assert dataset.SOPInstanceUID == IDENTITY.instance
        assert dataset.file_meta.MediaStorageSOPInstanceUID == IDENTITY.instance
        np.testing.assert_array_equal(dataset.pixel_array, np.rint(IMAGE.astype(float) * 4095))
        assert len(dataset.PixelData) % 2 == 0
        assert not [line for line in dciodvfy(path) if "Error" in line]
