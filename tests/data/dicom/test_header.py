"""What is written: exactly the allow-list, readable by others, whole or not at all."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.datadict import tag_for_keyword

from latentdp.data.dicom.attributes import ACTIONS, attributes
from latentdp.data.dicom.header import Identity, Provenance, Source, build
from latentdp.data.dicom.instance import encode, read
from latentdp.data.dicom.profile import BASIC
from latentdp.data.dicom.pseudonyms import Pseudonyms
from latentdp.errors import InputError
from tests.support.validators import dciodvfy

NAMES = Pseudonyms(b"k" * 32)
IDENTITY = Identity(
    patient=NAMES.patient("P1"),
    study=NAMES.uid("study", "1.2"),
    series=NAMES.uid("series", "1.3"),
    instance=NAMES.uid("instance", "1.4", "recipe"),
)
METHOD = Provenance(description="latentdp 0.1.0: a mechanism, epsilon 8", version="0.1.0", size=64)
IMAGE = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)
KINDS = ("CR", "DX", "SC")


def source(kind, burned_in="NO", lossy=True):
    return Source(kind=kind, burned_in=burned_in, lossy=lossy)


def made(kind, **more):
    return build(IMAGE, source=source(kind, **more), identity=IDENTITY, method=METHOD)


@pytest.fixture
def written(tmp_path):
    def written(kind, **more):
        path = tmp_path / f"{kind}.dcm"
        path.write_bytes(
            encode(IMAGE, source=source(kind, **more), identity=IDENTITY, method=METHOD)
        )
        return path

    return written


@pytest.mark.parametrize("kind", KINDS)
def test_the_written_attributes_are_the_table(written, kind):
    got = {element.keyword for element in dcmread(written(kind))}
    assert got == set(attributes(BASIC, kind))


def test_the_table_is_in_order_of_tags_and_without_repeats():
    tags = [tag_for_keyword(action.keyword) for action in ACTIONS]
    assert None not in tags
    assert tags == sorted(set(tags))


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_reopen_as_the_quantised_image(written, kind):
    dataset = dcmread(written(kind))
    np.testing.assert_array_equal(dataset.pixel_array, np.rint(IMAGE * 4095.0))
    assert len(dataset.PixelData) % 2 == 0
    again = read(written(kind))
    assert again.kind == kind
    np.testing.assert_allclose(again.pixels, IMAGE, atol=0.5 / 4095 + 1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_marks(written, kind):
    dataset = dcmread(written(kind))
    assert dataset.PatientIdentityRemoved == "YES"
    assert all(len(value) <= 64 for value in dataset.DeidentificationMethod)
    codes = [item.CodeValue for item in dataset.DeidentificationMethodCodeSequence]
    assert codes[0] == "113100"
    assert dataset.DeidentificationMethodCodeSequence[1].CodingSchemeVersion == "0.1.0"
    everything = written(kind).read_bytes()
    for claim in (b"113101", b"113102"):
        assert claim not in everything
    assert "RecognizableVisualFeatures" not in dataset
    assert dataset.LongitudinalTemporalInformationModified == "REMOVED"
    assert list(dataset.ImageType)[:2] == ["DERIVED", "SECONDARY"]
    assert dataset.BurnedInAnnotation == "NO"
    for element in dataset.iterall():
        if element.VR in ("DA", "TM", "DT"):
            assert not element.value


def test_only_the_source_can_say_that_there_is_no_text():
    assert "BurnedInAnnotation" not in made("CR", burned_in="")
    with pytest.raises(InputError, match="DX"):
        made("DX", burned_in="")


def test_lossy_compression_of_the_source_is_never_unsaid():
    assert {kind: made(kind).LossyImageCompression for kind in KINDS} == dict.fromkeys(KINDS, "01")
    assert made("DX", lossy=False).LossyImageCompression == "00"
    assert "LossyImageCompression" not in made("CR", lossy=False)


@pytest.mark.parametrize("kind", KINDS)
def test_file_meta_and_preamble_are_our_own(written, kind):
    path = written(kind)
    assert path.read_bytes()[:132] == bytes(128) + b"DICM"
    dataset = dcmread(path)
    meta = dataset.file_meta
    assert meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID == IDENTITY.instance
    assert meta.MediaStorageSOPClassUID == dataset.SOPClassUID
    assert meta.ImplementationVersionName == "LATENTDP_0_1"
    assert {element.tag.element for element in meta} == {0, 1, 2, 3, 0x10, 0x12, 0x13}


def test_the_same_input_gives_the_same_bytes(written):
    assert written("DX").read_bytes() == written("DX").read_bytes()


@pytest.mark.parametrize(
    "image",
    [IMAGE * 2, IMAGE - 1, np.full((64, 64), np.nan, np.float32), IMAGE[:32], IMAGE.astype(int)],
)
def test_other_pictures_are_refused(image):
    with pytest.raises(InputError):
        build(image, source=source("CR"), identity=IDENTITY, method=METHOD)


@pytest.mark.parametrize("text", ["", "x" * 1025, "J\xfcrgen", "two\nlines", "back\\slash"])
def test_other_descriptions_are_refused(text):
    method = Provenance(description=text, version="0.1.0", size=64)
    with pytest.raises(InputError):
        build(IMAGE, source=source("CR"), identity=IDENTITY, method=method)


@pytest.mark.parametrize(
    "wrong",
    [{"patient": "Doe^Jane"}, {"study": "1.2.840.1"}, {"series": "2.25.01"}, {"instance": ""}],
)
def test_identifiers_of_a_source_do_not_get_through(wrong):
    identity = Identity(**{**vars(IDENTITY), **wrong})
    with pytest.raises(InputError) as caught:
        build(IMAGE, source=source("CR"), identity=identity, method=METHOD)
    assert not any(value and value in str(caught.value) for value in wrong.values())


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is absent")
@pytest.mark.parametrize("lossy", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_dciodvfy_finds_no_error(written, kind, lossy):
    for burned_in in ("NO",) if kind == "DX" else ("NO", ""):
        path = written(kind, burned_in=burned_in, lossy=lossy)
        assert not [line for line in dciodvfy(path) if "Error" in line]
