"""Stored values to pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from latentdp.data.dicom.instance import read
from latentdp.errors import UnsupportedInstance
from tests.support.dicom_files import gradient, lut, outcome, radiograph, reason_of, save


@pytest.fixture
def pixels(tmp_path):
    def pixels(stored=None, **more):
        return read(save(radiograph(stored, **more), tmp_path / "a.dcm")).pixels

    return pixels


@pytest.fixture
def reason(pixels):
    def reason(*args, **more):
        with pytest.raises(UnsupportedInstance) as caught:
            pixels(*args, **more)
        return caught.value.reason

    return reason


WINDOW = {"WindowCenter": "2048", "WindowWidth": "4096"}


def test_float32_in_the_unit_interval(pixels):
    image = pixels(**WINDOW)
    assert image.dtype == np.float32
    assert image.shape == (72, 96)
    np.testing.assert_allclose(image, gradient() / 4000, atol=1e-6)


@pytest.mark.parametrize("voi", [{}, WINDOW, {"WindowCenter": "1000", "WindowWidth": "500"}])
def test_monochrome1_shows_the_same_picture(pixels, voi):
    stored = gradient(top=4095)
    flipped = dict(voi)
    if voi:  # the same window seen from the other end; LINEAR has its middle at center - 0.5
        flipped["WindowCenter"] = str(4096 - int(voi["WindowCenter"]))
    one = pixels(4095 - stored, photometric="MONOCHROME1", **flipped)
    np.testing.assert_allclose(one, pixels(stored, **voi), atol=1e-6)


def test_without_a_window_the_outer_half_percents_are_cut(pixels):
    stored = gradient(top=1000)
    stored[0, 0], stored[-1, -1] = 0, 4095  # one hot pixel must not make all else dark
    image = pixels(stored)
    assert image.max() == 1.0
    assert 0.45 < image[36].mean() < 0.55


def test_the_first_window_is_taken(pixels):
    many = pixels(WindowCenter=["2048", "10"], WindowWidth=["4096", "20"])
    np.testing.assert_array_equal(many, pixels(**WINDOW))


@pytest.mark.parametrize(
    ("center", "width"),
    [
        ("2048", "0"), ("2048", "-5"), ("", ""), ("2048", ""), ("2048", "0.5"), ("2000", "1"),
        ("2000", "2"), ("-5000", "10"), ("99999", "500"), ("-600", "1500"), ("2000", "50"),
    ],
)  # fmt: skip
def test_a_useless_window_is_absent(pixels, center, width):
    np.testing.assert_array_equal(pixels(WindowCenter=center, WindowWidth=width), pixels())


@pytest.mark.parametrize("center", [b"wide", b"nan ", b"inf ", b"\xff\x00\\1"])
def test_a_window_that_is_no_number_is_absent(tmp_path, pixels, center):
    path = save(radiograph(WindowCenter="2048", WindowWidth="4096"), tmp_path / "w.dcm")
    path.write_bytes(path.read_bytes().replace(b"2048", center))
    np.testing.assert_array_equal(read(path).pixels, pixels())


def test_voi_functions_follow_their_formulas(pixels):
    stored = gradient(top=4095)
    edges = stored.astype(float)

    def stretched(values):
        return (values - values.min()) / (values.max() - values.min())

    window = {"WindowCenter": "1500", "WindowWidth": "801"}
    linear = np.clip((edges - 1499.5) / 800 + 0.5, 0, 1)
    exact = np.clip((edges - 1500) / 801 + 0.5, 0, 1)
    sigmoid = 1 / (1 + np.exp(-4 * (edges - 1500) / 801))
    for function, expected in [
        ("LINEAR", linear),
        ("LINEAR_EXACT", exact),
        ("SIGMOID", stretched(sigmoid)),
    ]:
        got = pixels(stored, VOILUTFunction=function, **window)
        np.testing.assert_allclose(got, expected, atol=1e-6)


def test_a_voi_lut_is_looked_up_and_goes_before_a_window(pixels):
    table = np.rint(4095 * np.sqrt(np.linspace(0, 1, 4096))).astype(int)
    image = pixels(VOILUTSequence=[lut((4096, 0, 12), table)], **WINDOW)
    expected = table[gradient()] / table[4000]
    np.testing.assert_allclose(image, expected, atol=1e-6)


def test_a_lut_extends_its_first_and_last_entry(pixels):
    image = pixels(VOILUTSequence=[lut((1000, 1000, 12), np.arange(1000))])
    expected = np.clip((gradient() - 1000) / 999, 0, 1)
    np.testing.assert_allclose(image, expected, atol=1e-6)


def test_a_voi_lut_that_lies_about_its_length_is_absent(pixels):
    image = pixels(VOILUTSequence=[lut((4096, 0, 12), np.arange(100))], **WINDOW)
    np.testing.assert_array_equal(image, pixels(**WINDOW))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_words_of_a_lut_may_come_as_bytes(tmp_path, pixels, syntax):
    table = np.rint(4095 * np.linspace(0, 1, 4096) ** 2).astype("<u2")
    item = lut((4096, 0, 12), table)
    expected = pixels(VOILUTSequence=[item])
    item["LUTData"].VR = "OW"
    item["LUTData"].value = table.tobytes()
    dataset = radiograph(VOILUTSequence=[item])
    dataset.file_meta.TransferSyntaxUID = syntax
    np.testing.assert_array_equal(read(save(dataset, tmp_path / "l.dcm")).pixels, expected)


def test_a_modality_lut_goes_before_the_window(pixels):
    table = np.arange(4096)[::-1]  # such a LUT turns the grey scale around
    image = pixels(ModalityLUTSequence=[lut((4096, 0, 12), table)], **WINDOW)
    np.testing.assert_allclose(image, 1 - gradient() / 4000, atol=1e-6)


def test_a_modality_lut_that_lies_is_refused(reason):
    assert reason(ModalityLUTSequence=[lut((4096, 0, 12), [1, 2])]) == "unreadable"


def test_rescale_goes_before_the_window(pixels):
    image = pixels(
        RescaleSlope="2", RescaleIntercept="-1000", WindowCenter="1000", WindowWidth="2001"
    )
    np.testing.assert_allclose(
        image, np.clip((2.0 * gradient() - 1000 - 999.5) / 2000 + 0.5, 0, 1), atol=1e-6
    )


def test_slope_zero_is_absent_and_a_negative_one_inverts(pixels):
    np.testing.assert_array_equal(pixels(RescaleSlope="0", **WINDOW), pixels(**WINDOW))
    inverted = pixels(RescaleSlope="-1", RescaleIntercept="4000")
    np.testing.assert_allclose(inverted, 1 - pixels(), atol=1e-5)


@pytest.mark.parametrize("slope", ["1e308", "1e307", "1e-300", "-1e308"])
def test_wild_slopes_never_give_anything_but_finite_pixels(tmp_path, slope):
    dataset = radiograph(RescaleSlope=slope, RescaleIntercept="0")
    got = outcome(save(dataset, tmp_path / "a.dcm"))
    if isinstance(got, UnsupportedInstance):
        assert got.reason in ("unreadable", "blank")
    else:
        assert np.isfinite(got.pixels).all()


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("voi", [{}, WINDOW])
def test_padding_ends_black_and_does_not_scale(pixels, photometric, voi):
    stored = gradient(top=2000) + 1000
    clean = pixels(stored, photometric=photometric, **voi)
    padded = stored.copy()
    padded[:, :20] = 4095
    image = pixels(padded, photometric=photometric, PixelPaddingValue=4095, **voi)
    assert (image[:, :20] == 0).all()
    np.testing.assert_allclose(image[:, 20:], clean[:, 20:], atol=0.01)


def test_padding_range_and_signed_padding_given_as_unsigned(tmp_path, pixels):
    stored = gradient(top=2000)
    padded = stored.copy()
    padded[:10] = 3000
    padded[-10:] = 3100
    image = pixels(padded, PixelPaddingValue=3100, PixelPaddingRangeLimit=2990)
    assert (image[:10] == 0).all()
    assert (image[-10:] == 0).all()
    low = stored.copy()
    low[:10] = -2000
    dataset = radiograph(low, bits=16, signed=True)
    dataset.add_new("PixelPaddingValue", "US", 65536 - 2000)
    image = read(save(dataset, tmp_path / "s.dcm")).pixels
    assert (image[:10] == 0).all()
    assert image[11].mean() < 0.1  # scaled from 0, not from -2000


def test_signed_values(pixels):
    image = pixels(gradient(top=3000) - 1500, signed=True, WindowCenter="0", WindowWidth="4000")
    np.testing.assert_allclose(image, gradient(top=3000) / 3000, atol=1e-6)


def test_eight_and_sixteen_bits(pixels):
    for bits, top in [(8, 255), (10, 1023), (15, 32767), (16, 65535)]:
        window = {"WindowCenter": str((top + 1) // 2), "WindowWidth": str(top + 1)}
        image = pixels(gradient(top=top), bits=bits, **window)
        np.testing.assert_allclose(image, gradient(top=top) / top, atol=1e-6)


def test_an_overlay_above_bits_stored_is_no_pixels(tmp_path, pixels):
    stored = gradient()
    overlay = stored.copy()
    overlay[10:20, 10:20] |= 0x8000  # an overlay in the unused bits, as old files have it
    dataset = radiograph(overlay, **WINDOW)
    dataset.add_new((0x6000, 0x0102), "US", 15)
    got = read(save(dataset, tmp_path / "o.dcm")).pixels
    np.testing.assert_array_equal(got, pixels(stored, **WINDOW))


@pytest.mark.parametrize("syntax", [None, RLELossless, JPEGLSLossless, JPEG2000Lossless])
@pytest.mark.parametrize(("signed", "value"), [(False, 4096), (False, 0x8000), (True, 6144)])
def test_values_beyond_bits_stored_are_kept_back(tmp_path, syntax, signed, value):
    """Without their highest bits the brightest pixels would come out dark."""
    stored = gradient() - (2000 if signed else 0)
    stored[:9] = value
    dataset = radiograph(stored, signed=signed)
    if syntax:
        dataset.BitsStored, dataset.HighBit = 16, 15  # or the encoder refuses
        dataset.compress(syntax)
        dataset.BitsStored, dataset.HighBit = 12, 11
    assert reason_of(save(dataset, tmp_path / "a.dcm")) == "bits"


def test_padding_may_lie_beyond_bits_stored(tmp_path, pixels):
    stored = gradient()
    padded = stored.copy()
    padded[9:18] = 0xFFFF
    image = pixels(padded, PixelPaddingValue=0xFFFF, **WINDOW)
    np.testing.assert_array_equal(image[18:], pixels(stored, **WINDOW)[18:])
    assert (image[9:18] == 0).all()


def test_bits_above_bits_stored_are_no_sign(pixels):
    window = {"WindowCenter": "0", "WindowWidth": "4096"}
    stored = gradient() - 2000
    unsigned = np.where(stored < 0, stored & 0x0FFF, stored)  # -1 as 0x0FFF, not 0xFFFF
    np.testing.assert_array_equal(
        pixels(unsigned, signed=True, **window), pixels(stored, signed=True, **window)
    )


@given(
    stored=arrays(np.uint16, (64, 64), elements=st.integers(0, 4095)),
    filled=st.integers(0, 3000),
)
def test_percentiles_are_those_of_the_pixels(tmp_path_factory, stored, filled):
    stored.ravel()[:filled] = 77
    low, high = np.percentile(stored, (0.5, 99.5))
    between = np.mean((stored > low + (high - low) / 40) & (stored < high - (high - low) / 40))
    assume(between > 0.05 and np.diff(np.percentile(stored, (5, 95)))[0] > (high - low) / 10)
    path = save(radiograph(stored), tmp_path_factory.mktemp("p") / "a.dcm")
    low, high = np.percentile(stored, (0.5, 99.5))
    expected = np.clip((stored - low) / (high - low), 0, 1)
    np.testing.assert_allclose(read(path).pixels, expected, atol=1e-5)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
        JPEGLSLossless,
        JPEG2000Lossless,
    ],
    ids=lambda uid: uid.name,
)
def test_every_transfer_syntax_gives_the_same_picture(tmp_path, syntax, signed):
    # A multiple of 3 rows of an uneven width, and a LUT, to catch byte order and row padding.
    stored = gradient(72, 97) - (2000 if signed else 0)
    table = np.rint(4095 * np.linspace(0, 1, 4096) ** 2).astype(int)
    items = [lut((4096, -2048 if signed else 0, 12), table)]
    for bits in (12, 16):
        plain = radiograph(stored, bits=bits, signed=signed, VOILUTSequence=items)
        expected = read(save(plain, tmp_path / "plain.dcm")).pixels
        other = radiograph(stored, bits=bits, signed=signed, VOILUTSequence=items)
        if syntax.is_encapsulated:
            other.compress(syntax)
        else:
            other.file_meta.TransferSyntaxUID = syntax
        if syntax == ExplicitVRBigEndian:
            other.PixelData = stored.astype(">i2" if signed else ">u2").tobytes()
        got = read(save(other, tmp_path / "other.dcm")).pixels
        np.testing.assert_array_equal(got, expected)


def test_big_endian_words_of_a_lut(tmp_path):
    stored, table = gradient(), np.rint(4095 * np.linspace(0, 1, 4096) ** 2)
    expected = read(
        save(radiograph(VOILUTSequence=[lut((4096, 0, 12), table)]), tmp_path / "l.dcm")
    ).pixels
    item = lut((4096, 0, 12), table)
    item["LUTData"].VR = "OW"
    item["LUTData"].value = table.astype(">u2").tobytes()
    dataset = radiograph(VOILUTSequence=[item])
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    dataset.PixelData = stored.astype(">u2").tobytes()
    np.testing.assert_array_equal(read(save(dataset, tmp_path / "b.dcm")).pixels, expected)


@pytest.mark.parametrize(
    ("syntax", "extra"),
    [(JPEGLosslessSV1, "latentdp[gdcm]"), (JPEGExtended12Bit, "latentdp[gpl]")],
)
def test_a_missing_codec_names_the_extra(tmp_path, monkeypatch, syntax, extra):
    from pydicom.encaps import encapsulate
    from pydicom.pixels import get_decoder

    decoder = get_decoder(syntax)
    monkeypatch.setattr(decoder, "_available", {})
    dataset = radiograph(PixelData=encapsulate([b"\xff\xd8\xff\xd9"]))
    dataset["PixelData"].is_undefined_length = True
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = syntax
    with pytest.raises(UnsupportedInstance, match=extra.replace("[", r"\[")) as caught:
        read(save(dataset, tmp_path / "c.dcm"))
    assert caught.value.reason == "codec"


def test_a_damaged_rle_run_is_unreadable(tmp_path, capfd):
    dataset = radiograph()
    dataset.compress(RLELossless)
    data = bytearray(dataset.PixelData)
    start = 8 + 8 + 4 + 64  # offset table, item, number of segments and their offsets
    data[start : start + 1000 : 2] = b"\x7f" * 500  # every run longer than what is left
    dataset.PixelData = bytes(data)
    refusal = outcome(save(dataset, tmp_path / "a.dcm"))
    assert refusal.reason == "unreadable"
    assert capfd.readouterr().err == ""


def test_a_constant_picture_is_blank(reason):
    assert reason(np.full((72, 96), 7)) == "blank"
    assert reason(np.full((72, 96), 7), PixelPaddingValue=7) == "blank"


def test_sizes_and_bits_are_checked_before_decoding(reason):
    assert reason(gradient(63, 96)) == "too-small"
    assert reason(Rows=20001) == "too-large"
    assert reason(Rows=15000, Columns=15000) == "too-large"
    assert reason(BitsStored=17) == "bits"
    assert reason(BitsAllocated=32) == "bits"
    assert reason(HighBit=15) == "bits"
    assert reason(PixelRepresentation=2) == "bits"
    assert reason(Rows=None) == "no-pixels"
    assert reason(Rows=4000, Columns=4000) == "unreadable"  # less data than it says
