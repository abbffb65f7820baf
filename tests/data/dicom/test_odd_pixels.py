"""Pixels as real files have them: grey in colour, frames as decimals, offset tables, signs."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from latentdp.data.dicom.instance import read
from tests.support.dicom_files import (
    frame_of,
    gradient,
    item,
    lut,
    outcome,
    radiograph,
    reason_of,
    save,
)

SYNTAXES = [RLELossless, JPEGLSLossless, JPEG2000Lossless]


@pytest.mark.parametrize("frames", ["1", "1.0", "1.0 ", "01", "1.00", "0", "", "1e0"])
def test_one_frame_however_it_is_written(tmp_path, frames):
    path = save(radiograph(NumberOfFrames="7777777"), tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes().replace(b"7777777", frames.ljust(7).encode()))
    assert reason_of(path) is None


@pytest.mark.parametrize("frames", ["2", "2.0", "1.5", "-1", "one", "1\\1", "nan"])
def test_several_frames_however_they_are_written(tmp_path, frames):
    path = save(radiograph(NumberOfFrames="7777777"), tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes().replace(b"7777777", frames.ljust(7).encode()))
    refusal = outcome(path)
    assert refusal.reason in ("multi-frame", "unreadable")
    assert "(0028,0008)" in str(refusal)


def capture(levels, photometric="RGB", *, planar=0, **more):
    """8-bit grey levels in three channels."""
    channels = np.repeat(levels.astype(np.uint8)[..., None], 3, axis=2)
    if photometric.startswith("YBR"):
        channels[..., 1:] = 128
    if planar:
        channels = np.moveaxis(channels, 2, 0)
    dataset = radiograph(levels, bits=8, photometric=photometric, **more)
    dataset.SamplesPerPixel, dataset.PlanarConfiguration = 3, planar
    dataset.PixelData = channels.tobytes()
    dataset["PixelData"].VR = "OB"
    return dataset


@pytest.mark.parametrize("kind", ["CR", "DX", "SC"])
@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL", "YBR FULL"])
def test_grey_in_three_channels_is_grey(tmp_path, kind, planar, photometric):
    levels = gradient(top=255)
    dataset = capture(levels, photometric, planar=planar, kind=kind)
    got = read(save(dataset, tmp_path / "a.dcm"), needed=(16, 16)).pixels
    np.testing.assert_allclose(got, levels / 255, atol=1e-6)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_grey_in_three_compressed_channels_is_grey(tmp_path, syntax):
    levels = gradient(top=255)
    dataset = capture(levels)
    dataset.compress(syntax)
    got = read(save(dataset, tmp_path / "a.dcm"), needed=(16, 16)).pixels
    np.testing.assert_allclose(got, levels / 255, atol=1e-6)


def test_grey_within_the_rounding_of_jpeg_is_grey(tmp_path):
    levels = gradient(top=255)
    file = io.BytesIO()
    Image.fromarray(levels.astype(np.uint8)).convert("RGB").save(file, "JPEG", quality=90)
    dataset = capture(levels, "YBR_FULL_422", kind="SC")
    dataset.PixelData = encapsulate([file.getvalue()])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    got = read(save(dataset, tmp_path / "a.dcm"))
    np.testing.assert_allclose(got.pixels, levels / 255, atol=0.03)
    assert got.source.lossy


def palette(levels, entries):
    """Indices into three look-up tables of 16 bits."""
    dataset = radiograph(levels, bits=8, photometric="PALETTE COLOR")
    for name, table in zip(("Red", "Green", "Blue"), entries, strict=True):
        keyword = f"{name}PaletteColorLookupTable"
        setattr(dataset, f"{keyword}Descriptor", [256, 0, 16])
        dataset[f"{keyword}Descriptor"].VR = "US"
        setattr(dataset, f"{keyword}Data", table.astype("<u2").tobytes())
    return dataset


def test_a_grey_palette_is_grey(tmp_path):
    levels = gradient(top=255)
    ramp = np.arange(256)[::-1] * 257
    got = read(save(palette(levels, [ramp] * 3), tmp_path / "a.dcm")).pixels
    np.testing.assert_allclose(got, 1 - levels / 255, atol=1e-4)
    coloured = palette(levels, [ramp, ramp[::-1], ramp])
    assert reason_of(save(coloured, tmp_path / "b.dcm")) == "colour"


def test_one_coloured_mark_is_colour(tmp_path):
    dataset = capture(gradient(top=255))
    data = bytearray(dataset.PixelData)
    data[3000] = 255 - data[3000]
    dataset.PixelData = bytes(data)
    refusal = outcome(save(dataset, tmp_path / "a.dcm"))
    assert refusal.reason == "colour"
    assert "(0028,0002)" in str(refusal)


@pytest.mark.parametrize("spelling", ["MONOCHROME 2", "MONOCHROME_2", " MONOCHROME2"])
def test_monochrome_in_other_spellings(tmp_path, spelling):
    dataset = radiograph(photometric=spelling)
    got = read(save(dataset, tmp_path / "a.dcm")).pixels
    plain = read(save(radiograph(), tmp_path / "b.dcm")).pixels
    np.testing.assert_array_equal(got, plain)


@pytest.mark.parametrize(
    ("photometric", "shape", "reason"),
    [
        ("MONOCHROME1", "INVERSE", None),
        ("MONOCHROME2", "IDENTITY", None),
        ("MONOCHROME1", "IDENTITY", "inverted"),
        ("MONOCHROME2", "INVERSE", "inverted"),
        ("MONOCHROME1", "", None),
    ],
)
def test_two_statements_of_which_end_is_white_must_agree(tmp_path, photometric, shape, reason):
    dataset = radiograph(photometric=photometric, PresentationLUTShape=shape)
    refusal = outcome(save(dataset, tmp_path / "a.dcm"))
    assert getattr(refusal, "reason", None) == reason
    assert reason is None or "(2050,0020)" in str(refusal)


def cut(frame, at):
    """Two fragments of even lengths."""
    return [frame[:at], frame[at:] + b"\0" * (len(frame[at:]) % 2)]


TABLES = {
    "empty": lambda frame: item(b"") + item(frame),
    "zero": lambda frame: item(bytes(4)) + item(frame),
    "wrong": lambda frame: item((12345).to_bytes(4, "little")) + item(frame),
    "cut short": lambda frame: item(b"\0\0\0") + item(frame),
    "two fragments": lambda frame: item(b"") + b"".join(map(item, cut(frame, 100))),
    "one frame in two fragments": lambda frame: (
        item(bytes(4)) + b"".join(map(item, cut(frame, 100)))
    ),
    "an offset for each fragment": lambda frame: (
        item(bytes(4) + (108).to_bytes(4, "little")) + b"".join(map(item, cut(frame, 100)))
    ),
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_where_an_offset_table_points_counts_for_nothing(tmp_path, syntax, table):
    dataset = radiograph()
    dataset.compress(syntax)
    frame = frame_of(dataset)
    frame += b"\0" * (len(frame) % 2)
    expected = read(save(dataset, tmp_path / "good.dcm")).pixels
    dataset.PixelData = TABLES[table](frame)
    for needed in (None, (16, 16)):
        got = read(save(dataset, tmp_path / "odd.dcm"), needed=needed).pixels
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("offsets", [(0,), (4321,), (0, 8), ()])
@pytest.mark.parametrize("lengths", [(1,), (10**9,), (3, 4), ()])
def test_nor_do_extended_offsets(tmp_path, offsets, lengths):
    dataset = radiograph()
    dataset.compress(JPEG2000Lossless)
    expected = read(save(dataset, tmp_path / "good.dcm")).pixels
    dataset.ExtendedOffsetTable = np.array(offsets, "<u8").tobytes()
    dataset.ExtendedOffsetTableLengths = np.array(lengths, "<u8").tobytes()
    np.testing.assert_array_equal(read(save(dataset, tmp_path / "odd.dcm")).pixels, expected)


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless])
def test_a_table_may_be_left_out(tmp_path, syntax):
    dataset = radiograph()
    dataset.compress(syntax)
    frame = frame_of(dataset)
    expected = read(save(dataset, tmp_path / "good.dcm")).pixels
    dataset.PixelData = item(frame + b"\0" * (len(frame) % 2))
    np.testing.assert_array_equal(read(save(dataset, tmp_path / "odd.dcm")).pixels, expected)


@pytest.mark.parametrize("syntax", [JPEG2000, JPEGLSLossless])
@pytest.mark.parametrize("data", [item(b""), item(b"") + item(b"junk"), item(b"junk")])
def test_what_is_no_frame_names_the_pixels(tmp_path, syntax, data):
    dataset = radiograph()
    dataset.compress(JPEG2000Lossless)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = data
    refusal = outcome(save(dataset, tmp_path / "a.dcm"))
    assert refusal.reason in ("unreadable", "no-pixels")
    assert "(7FE0,0010)" in str(refusal)


ODD_CURVE = np.rint(4095 * np.linspace(0, 1, 4096) ** 2).astype(int)


def with_lut(stored, first, vr, **more):
    """A radiograph whose VOI LUT begins at this value, written as ``vr``."""
    entry = lut((4096, 0, 12), ODD_CURVE)
    entry["LUTDescriptor"].VR = vr
    entry["LUTDescriptor"].value = [4096, first, 12]
    return radiograph(stored, VOILUTSequence=[entry], **more)


@pytest.mark.parametrize(
    ("stored", "first", "vr", "more"),
    [
        # None of the values of this picture is negative; those that may occur are.
        (gradient(top=2000), 65_536 - 2048, "US", {"signed": True}),
        (gradient(top=2000), -2048, "SS", {"signed": True}),
        (gradient(top=4000) - 2000, 65_536 - 2048, "US", {"signed": True}),
        # The rescale makes them so, PS3.3 C.11.2.1.1.
        (gradient(), 65_536 - 1024, "US", {"RescaleIntercept": "-1024", "RescaleSlope": "1"}),
        (gradient(), -1024, "SS", {"RescaleIntercept": "-1024", "RescaleSlope": "1"}),
        (gradient(), 65_536 - 4095, "US", {"RescaleIntercept": "0", "RescaleSlope": "-1"}),
        # Unsigned, and beyond half of 16 bits.
        (gradient() + 36_000, 36_000, "US", {"bits": 16}),
        (gradient() + 36_000, 36_000 - 65_536, "SS", {"bits": 16}),
    ],
)
def test_the_sign_of_a_lut_follows_what_can_occur(tmp_path, stored, first, vr, more):
    got = read(save(with_lut(stored, first, vr, **more), tmp_path / "a.dcm")).pixels
    begins = first % 65_536  # as unsigned
    if "bits" not in more:
        begins -= 65_536
    slope = float(more.get("RescaleSlope", 1))
    values = slope * stored + float(more.get("RescaleIntercept", 0)) - begins
    expected = ODD_CURVE[np.clip(values, 0, 4095).astype(int)].astype(float)
    expected = (expected - expected.min()) / (expected.max() - expected.min())
    np.testing.assert_allclose(got, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("signed", "bits", "pad", "vr", "value"),
    [
        (True, 16, -2000, "SS", -2000),
        (True, 16, -2000, "US", 65_536 - 2000),
        (True, 12, -2000, "US", 65_536 - 2000),
        (True, 12, -2000, "US", 4096 - 2000),  # as it lies in the bits that are stored
        (True, 12, -2048, "US", 2048),
        (False, 16, 65_535, "SS", -1),
        (False, 16, 65_535, "US", 65_535),
        (False, 12, 4095, "US", 4095),
    ],
)
def test_padding_in_either_way_of_signs(tmp_path, signed, bits, pad, vr, value):
    stored = gradient(top=1500) + (0 if signed else 1000)
    stored[9:18] = pad
    dataset = radiograph(stored, bits=bits, signed=signed)
    dataset.add_new("PixelPaddingValue", vr, value)
    image = read(save(dataset, tmp_path / "a.dcm")).pixels
    assert (image[9:18] == 0).all()
    assert image[-1].mean() > 0.9


def test_the_second_window_is_taken_where_the_first_leaves_nothing(tmp_path):
    two = radiograph(WindowCenter=["-600", "2048"], WindowWidth=["1500", "4096"])
    one = radiograph(WindowCenter="2048", WindowWidth="4096")
    got, expected = (read(save(d, tmp_path / "a.dcm")).pixels for d in (two, one))
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("width", ["0.5", "1", "1.5", "20"])
def test_no_function_of_a_useless_window_makes_two_shades(tmp_path, function, width):
    told = {"WindowCenter": "2000", "WindowWidth": width, "VOILUTFunction": function}
    got = read(save(radiograph(**told), tmp_path / "a.dcm")).pixels
    np.testing.assert_array_equal(got, read(save(radiograph(), tmp_path / "b.dcm")).pixels)


def test_a_lut_that_leaves_nothing_gives_way_to_the_window(tmp_path):
    dull = radiograph(
        VOILUTSequence=[lut((4096, 0, 12), np.full(4096, 7))],
        WindowCenter="2048",
        WindowWidth="4096",
    )
    one = radiograph(WindowCenter="2048", WindowWidth="4096")
    got, expected = (read(save(d, tmp_path / "a.dcm")).pixels for d in (dull, one))
    np.testing.assert_array_equal(got, expected)


def two_shades():
    stored = np.zeros((72, 96))
    stored[20:50, 20:50] = 4000
    return stored


@pytest.mark.parametrize(
    "dataset",
    [
        radiograph(two_shades()),
        radiograph(two_shades(), photometric="MONOCHROME1"),
        radiograph(np.where(gradient() == 4000, 4000, 17)),
        capture(two_shades() / 16),
        capture(np.full((72, 96), 255)),
    ],
)
def test_black_white_or_two_shades_are_kept_back(tmp_path, dataset):
    refusal = outcome(save(dataset, tmp_path / "a.dcm"))
    assert refusal.reason == "blank"
    assert "(7FE0,0010)" in str(refusal)
