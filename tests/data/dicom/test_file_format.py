"""Files as archives write them: without preamble or meta header, with odd elements elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)

from latentdp.data.dicom.instance import identity, inventory, looks_like_dicom, read
from latentdp.data.radiograph import reader
from tests.support.dicom_files import (
    gradient,
    outcome,
    radiograph,
    reason_of,
    save,
    with_odd_element,
)

NATIVE = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]


def in_syntax(path, syntax, **elements):
    dataset = radiograph(**elements)
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = gradient().astype(">u2").tobytes()
    if syntax.is_encapsulated:
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.compress(syntax)
    return save(dataset, path)


def without_meta(data):
    """A file from its data set on; (0008,....) is the first group that is written."""
    marks = (b"\x08\x00\x16\x00", b"\x00\x08\x00\x16")
    return data[min(data.index(mark) for mark in marks if mark in data) :]


@pytest.mark.parametrize("syntax", [*NATIVE, JPEG2000Lossless, DeflatedExplicitVRLittleEndian])
def test_a_file_without_preamble_is_the_same_file(tmp_path, syntax):
    whole = in_syntax(tmp_path / "whole", syntax)
    bare = tmp_path / "bare.png"  # whatever it is called
    bare.write_bytes(whole.read_bytes()[132:])
    assert looks_like_dicom(bare)
    assert reader(bare) == "dicom"
    assert identity(bare) == identity(whole)
    np.testing.assert_array_equal(read(bare).pixels, read(whole).pixels)


@pytest.mark.parametrize("syntax", NATIVE)
def test_a_bare_data_set_is_the_same_image(tmp_path, syntax):
    whole = in_syntax(tmp_path / "whole", syntax)
    bare = tmp_path / "bare"
    bare.write_bytes(without_meta(whole.read_bytes()))
    np.testing.assert_array_equal(read(bare).pixels, read(whole).pixels)
    assert inventory(bare) == inventory(whole)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x08\x00",
        b"\x08\x00\x16\x00",
        b"\x02\x00\x00\x00UL\x04\x00",
        b"\x08\x00\x08\x00" * 99,
        b"\x02\x00" + bytes(range(256)) * 9,
        b"\x08\x00\x16\x00UI\x04\x001.2\0" + b"text, and nothing else" * 99,
        b"II*\0" + bytes(500),
        b"\x89PNG\r\n\x1a\n" + bytes(500),
    ],
)
def test_what_only_begins_alike_is_no_dicom(tmp_path, content):
    path = tmp_path / "x"
    path.write_bytes(content)
    assert not looks_like_dicom(path)
    assert reason_of(path) == "not-dicom"


@pytest.mark.parametrize("missing", [b"\x10\x00", b"\x02\x00"])
@pytest.mark.parametrize("syntax", NATIVE)
def test_a_meta_header_may_lack_what_can_be_found_elsewhere(tmp_path, syntax, missing):
    path = in_syntax(tmp_path / "a.dcm", syntax)
    whole = read(path).pixels
    data = path.read_bytes()
    start = data.index(b"\x02\x00" + missing)
    end = start + 8 + int.from_bytes(data[start + 6 : start + 8], "little")
    path.write_bytes(data[:start] + data[end:])
    np.testing.assert_array_equal(read(path).pixels, whole)


@pytest.mark.parametrize("value", [b"", b"\x01", b"\x00\x00\x00\x00", b"\xff\xff\xff\xff"])
def test_the_length_of_the_meta_header_counts_for_nothing(tmp_path, value):
    path = save(radiograph(), tmp_path / "a.dcm")
    data = path.read_bytes()
    start = data.index(b"\x02\x00\x00\x00UL\x04\x00")
    odd = data[start : start + 6] + len(value).to_bytes(2, "little") + value
    path.write_bytes(data[:start] + odd + data[start + 12 :])
    assert reason_of(path) is None


def test_the_sop_class_may_stand_in_the_meta_header_alone(tmp_path):
    for kind in ("CR", "DX", "SC"):
        dataset = radiograph(kind=kind)
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        del dataset.SOPClassUID
        assert read(save(dataset, tmp_path / "a.dcm")).kind == kind
    # It does not outrank the data set's own.
    dataset = radiograph(SOPClassUID="1.2.840.10008.5.1.4.1.1.2")
    path = save(dataset, tmp_path / "ct.dcm")
    ct, cr = (b"1.2.840.10008.5.1.4.1.1.%d\0" % number for number in (2, 1))
    path.write_bytes(path.read_bytes().replace(ct, cr, 1))
    assert reason_of(path) == "not-a-radiograph"


@pytest.mark.parametrize(
    ("tag", "vr", "value"),
    [
        (0x00180015 + 0x36, "US", b"12345"),  # a device's number, of which nothing is read
        (0x00189073, "FD", b"123456"),
        (0x00080018 + 0x1000, "UL", b"1"),
        (0x00191001, "FD", b"12"),
        (0x00191002, "SS", b"123"),
        (0x00201041, "ZZ", b"123456"),  # no such VR
        (0x00400244, "AT", b"12345"),
        (0x00181150, "IS", b"1.5x"),
    ],
)
@pytest.mark.parametrize("length", ["explicit"])
def test_an_odd_element_that_nobody_needs_refuses_nothing(tmp_path, tag, vr, value, length):
    path = with_odd_element(tmp_path / "a.dcm", tag, vr, value)
    np.testing.assert_array_equal(
        read(path).pixels, read(save(radiograph(), tmp_path / "b.dcm")).pixels
    )
    assert identity(path).patient == "P1"
    assert len(inventory(path)) == len(inventory(tmp_path / "b.dcm")) + 1


@pytest.mark.parametrize(
    ("tag", "vr", "value", "named"),
    [
        (0x00280120, "US", b"12345", "Pixel Padding Value (0028,0120)"),
        (0x00280121, "US", b"1", "Pixel Padding Range Limit (0028,0121)"),
    ],
)
def test_an_odd_element_that_is_needed_is_named(tmp_path, tag, vr, value, named):
    refusal = outcome(with_odd_element(tmp_path / "a.dcm", tag, vr, value))
    assert refusal.reason == "unreadable"
    assert named in str(refusal)
    assert (refusal.__cause__, refusal.__context__) == (None, None)


def test_what_stands_behind_the_pixels_is_not_read(tmp_path):
    path = save(radiograph(), tmp_path / "a.dcm")
    good = path.read_bytes()
    for more in (bytes(7), bytes(1000), b"\xfc\xff\xfc\xffOB\0\0\xff\xff\xff\xff", b"junk" * 99):
        path.write_bytes(good + more)
        assert reason_of(path) is None


@pytest.mark.parametrize(
    ("syntax", "named"),
    [
        ("1.2.840.10008.1.2.4.110", "JPEG XL"),
        ("1.2.840.10008.1.2.4.111", "JPEG XL"),
        ("1.2.840.10008.1.2.4.112", "JPEG XL"),
        ("1.2.840.10008.1.2.4.100", "MPEG2"),
        ("1.2.840.10008.1.2.4.94", "JPIP"),
        ("1.2.840.10008.1.2.9.9", "unknown"),
        ("1.2.840.113619.5.2", "private"),
        ("1.3.46.670589.33.1.4.1", "private"),
    ],
)
def test_a_transfer_syntax_that_cannot_be_decoded_is_told_as_such(tmp_path, syntax, named):
    path = save(radiograph(), tmp_path / "a.dcm")
    data = path.read_bytes()
    start = data.index(b"\x02\x00\x10\x00UI")
    end = start + 8 + int.from_bytes(data[start + 6 : start + 8], "little")
    value = syntax.encode() + b"\0" * (len(syntax) % 2)
    element = b"\x02\x00\x10\x00UI" + len(value).to_bytes(2, "little") + value
    path.write_bytes(data[:start] + element + data[end:])
    refusal = outcome(path)
    assert refusal.reason == "codec"
    assert "(0002,0010)" in str(refusal)
    assert named in str(refusal)
    assert UID(syntax).is_private is False or syntax not in str(refusal)
