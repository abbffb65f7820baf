"""Reduced resolution: the same picture, where a decoder or a look-up may spare pixels."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from pydicom.uid import JPEG2000, JPEG2000Lossless, RLELossless

from latentdp.data.dicom.instance import read
from latentdp.data.dicom.reduced_resolution import average
from latentdp.data.preprocess import resize
from tests.support.dicom_files import outcome, radiograph, save
from tests.support.places import SAMPLES

NEEDED = (64, 64)


@cache
def chest(height, width):
    """A sample, enlarged: (height, width) in [0, 1]."""
    return resize(read(next(SAMPLES.rglob("IM0001"))).pixels, (height, width))


def source(path, *, bits=12, signed=False, size=(1024, 1280), syntax=JPEG2000Lossless, **more):
    low = 1 << (bits - 1) if signed else 0
    stored = np.rint(chest(*size) * (2**bits - 1)).astype(int) - low
    dataset = radiograph(stored, bits=bits, signed=signed, **more)
    dataset.compress(syntax, **({"j2k_cr": [10]} if syntax == JPEG2000 else {}))
    return save(dataset, path / "a.dcm")


def both(path, needed=NEEDED):
    return read(path).pixels, read(path, needed=needed).pixels


@pytest.mark.parametrize(
    ("bits", "signed"),
    [(8, False), (8, True), (10, False), (12, False), (12, True), (15, False), (16, False),
     (16, True)],
)  # fmt: skip
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_it_is_the_picture_of_a_full_decoding(tmp_path, bits, signed, photometric):
    whole, part = both(source(tmp_path, bits=bits, signed=signed, photometric=photometric))
    assert part.shape == (512, 640)
    difference = resize(part, NEEDED) - resize(whole, NEEDED)
    assert np.sqrt((difference**2).mean()) < 0.008
    assert np.abs(difference).max() < 0.06


def test_windows_and_slopes_are_applied_alike(tmp_path):
    more = {"WindowCenter": "900", "WindowWidth": "1500", "RescaleSlope": "2",
            "RescaleIntercept": "-500"}  # fmt: skip
    whole, part = both(source(tmp_path, **more))
    assert part.shape == (512, 640)
    assert np.sqrt(((resize(part, NEEDED) - resize(whole, NEEDED)) ** 2).mean()) < 0.008


@pytest.mark.parametrize(
    ("size", "left"),
    [
        ((1023, 1023), (1023, 1023)),  # not large
        ((1024, 4096), (512, 2048)),
        ((2048, 2048), (512, 512)),
        (
            (2049, 2050),
            (512, 512),
        ),  # half by the decoder, which cannot do a quarter, then averages
        ((2051, 2051), (513, 513)),
    ],
)
def test_what_is_left_is_eight_times_what_is_needed(tmp_path, size, left):
    whole, part = both(source(tmp_path, size=size, bits=8))
    assert whole.shape == size
    assert part.shape == left


def plain(path, *, bits=12, signed=False, size=(1024, 1280), **more):
    """Without compression."""
    low = 1 << (bits - 1) if signed else 0
    stored = np.rint(chest(*size) * (2**bits - 1)).astype(int) - low
    return save(radiograph(stored, bits=bits, signed=signed, **more), path / "a.dcm")


@pytest.mark.parametrize(
    ("bits", "signed"), [(8, False), (12, False), (12, True), (16, False), (16, True)]
)
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_blocks_are_averaged_where_there_are_more_pixels_than_needed(
    tmp_path, bits, signed, photometric
):
    made = plain(tmp_path, bits=bits, signed=signed, photometric=photometric, size=(1600, 1283))
    whole, part = both(made)
    assert part.shape == (800, 641), "two pixels become one; the last column is left out"
    difference = resize(part, NEEDED) - resize(whole, NEEDED)
    assert np.sqrt((difference**2).mean()) < 0.004
    assert np.abs(difference).max() < 0.03


@pytest.mark.parametrize("step", [2, 3, 7, 39])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int8, np.int16, np.int32, np.bool_])
@pytest.mark.parametrize("values", ["lowest", "highest", "any"])
def test_no_sum_of_a_block_overflows(step, kind, values):
    bounds = (0, 1) if kind is np.bool_ else (np.iinfo(kind).min, np.iinfo(kind).max)
    low, high = (max(b, -(2**24)) if b < 0 else min(b, 2**24) for b in bounds)
    size = (8 * 8 * step, 8 * 8 * step + 1)
    drawn = np.random.default_rng(0).integers(low, high, size, endpoint=True)
    stored = {"any": drawn, "lowest": np.full(size, low), "highest": np.full(size, high)}[values]
    stated = {"bits": max(high, -low - 1).bit_length() + (low < 0), "signed": low < 0}
    blocks = stored[:, : 64 * step].reshape(64, step, 64, step).sum(axis=(1, 3))
    for padding in (None, np.zeros(size, dtype=np.bool_)):
        mean, left = average(stored.astype(kind), padding, (8, 8), **stated)
        assert np.array_equal(mean, (blocks + step * step // 2) // (step * step))
        assert left is None


def test_padding_is_in_no_average(tmp_path):
    """A white border of padding beside the picture: its neighbours must not become lighter."""
    stored = np.rint(chest(1024, 1024) * 2000).astype(int) + 500
    stored[:, :301] = 4095
    stored[500, 500] = 4095
    path = save(radiograph(stored, bits=12, PixelPaddingValue=4095), tmp_path / "a.dcm")
    whole, part = both(path)
    assert part.shape == (512, 512)
    assert (part[:, :150] == 0).all()
    assert part[250, 250] > 0, "a block that is padding in part only"
    by_hand = whole[:, 302:].reshape(512, 2, 361, 2).mean(axis=(1, 3))
    assert np.abs(part[:, 151:] - by_hand).mean() < 0.002
    assert np.abs(part[:, 150] - whole[::2, 301]).mean() < 0.02


def test_what_is_not_large_is_left_as_it_is(tmp_path):
    whole, part = both(plain(tmp_path, size=(1023, 1023)))
    np.testing.assert_array_equal(part, whole)


def test_what_a_decoder_cannot_reduce_is_averaged(tmp_path):
    for more in ({"syntax": RLELossless}, {"PixelPaddingValue": 0}):
        whole, part = both(source(tmp_path, **more))
        assert part.shape == (512, 640)
        difference = resize(part, NEEDED) - resize(whole, NEEDED)
        assert np.sqrt((difference**2).mean()) < 0.008
    path = source(tmp_path, bits=12)
    data = path.read_bytes()  # Bits Stored 16 beside a codestream of 12
    stored = b"\x28\x00\x01\x01US\x02\x00"
    high = b"\x28\x00\x02\x01US\x02\x00"
    data = data.replace(stored + b"\x0c\x00", stored + b"\x10\x00")
    path.write_bytes(data.replace(high + b"\x0b\x00", high + b"\x0f\x00"))
    whole, part = both(path)
    assert whole.shape == (1024, 1280)
    assert part.shape == (512, 640)


def test_more_halvings_than_the_file_has_are_not_asked_of_it(tmp_path):
    whole, part = both(source(tmp_path), needed=(1, 1))
    assert part.shape == (1024 // 128, 1280 // 128), "averages of what was decoded whole"
    assert part.mean() == pytest.approx(whole.mean(), abs=0.05)


@pytest.mark.parametrize("fraction", [0.3, 0.6, 0.9, 0.99])
def test_a_truncated_file_stays_unreadable(tmp_path, fraction):
    path = source(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: int(fraction * len(data))])
    assert outcome(path, needed=NEEDED).reason == "unreadable"


def test_lossy_jpeg_2000_is_reduced_too(tmp_path):
    whole, part = both(source(tmp_path, syntax=JPEG2000))
    assert part.shape == (512, 640)
    assert np.sqrt(((resize(part, NEEDED) - resize(whole, NEEDED)) ** 2).mean()) < 0.008
