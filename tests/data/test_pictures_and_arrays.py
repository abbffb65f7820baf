import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from latentdp import UnsupportedInstance
from latentdp.data.npz import archive_texts, encode_archive, read_archive
from latentdp.data.png import encode_picture, read_picture
from latentdp.data.preprocess import resize

GREY = np.tile(np.arange(80, dtype=np.uint8) * 3, (70, 1))


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        ("a.png", Image.fromarray(GREY)),
        ("a.tif", Image.fromarray(GREY)),
        ("a.PNG", Image.fromarray(np.stack([GREY] * 3, axis=-1))),
        ("rgba.png", Image.fromarray(np.stack([GREY] * 3 + [GREY * 0 + 255], axis=-1))),
        ("sixteen.png", Image.fromarray(GREY.astype(np.uint16) * 257)),
        ("palette.png", Image.fromarray(GREY).convert("P")),
    ],
)
def test_all_grey_formats_read_the_same(tmp_path, name, picture):
    picture.save(tmp_path / name)
    assert read_picture(tmp_path / name) == pytest.approx(GREY / 255, abs=1 / 255 / 255)


def test_jpeg_reads_about_the_same(tmp_path):
    Image.fromarray(np.stack([GREY] * 3, axis=-1)).save(tmp_path / "a.jpg", quality=95)
    assert read_picture(tmp_path / "a.jpg") == pytest.approx(GREY / 255, abs=0.03)


@pytest.mark.parametrize(
    ("reason", "make"),
    [
        ("colour", lambda p: Image.fromarray(np.dstack([GREY, 255 - GREY, GREY])).save(p)),
        ("too-small", lambda p: Image.fromarray(GREY[:63]).save(p)),
        ("blank", lambda p: Image.fromarray(GREY * 0).save(p)),
        ("blank", lambda p: Image.fromarray(GREY * 0 + 255).save(p)),
        ("blank", lambda p: Image.fromarray((GREY > 120).astype(np.uint8) * 255).save(p)),
        ("blank", lambda p: Image.fromarray(GREY > 120).save(p)),
        ("blank", lambda p: Image.fromarray(GREY.astype(np.uint16) * 16).save(p)),  # 12 in 16
        ("unreadable", lambda p: p.write_bytes(b"")),
        ("unreadable", lambda p: p.write_bytes(b"\x89PNG\r\n\x1a\nrubbish")),
    ],
)
def test_what_is_no_radiograph_is_refused_with_a_reason(tmp_path, reason, make):
    make(tmp_path / "Doe^Jane.png")
    with pytest.raises(UnsupportedInstance) as caught:
        read_picture(tmp_path / "Doe^Jane.png")
    assert caught.value.reason == reason
    assert "Doe" not in str(caught.value)


def test_several_pages_are_refused(tmp_path):
    page = Image.fromarray(GREY)
    page.save(tmp_path / "a.tif", save_all=True, append_images=[page])
    with pytest.raises(UnsupportedInstance, match="one page"):
        read_picture(tmp_path / "a.tif")


def test_written_pictures_hold_pixels_and_nothing_else(tmp_path):
    image = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)
    (tmp_path / "a.png").write_bytes(encode_picture(image, {"Description": "made by"}))
    assert read_picture(tmp_path / "a.png") == pytest.approx(image, abs=0.5 / 255 + 1e-6)
    with Image.open(tmp_path / "a.png") as written:
        assert written.info == {"Description": "made by"}


@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from([16, 64]))
def test_resize_keeps_range_and_constants(height, width, side):
    out = resize(np.full((height, width), 0.3, np.float32), (side, side))
    assert out.shape == (side, side)
    assert out == pytest.approx(0.3, abs=1e-5)


def test_resize_keeps_the_mean_and_the_orientation():
    ramp = np.tile(np.linspace(0, 1, 512, dtype=np.float32), (400, 1))
    out = resize(ramp, (64, 64))
    assert out.mean() == pytest.approx(0.5, abs=0.01)
    assert (np.diff(out, axis=1) > 0).all()
    assert np.abs(np.diff(out, axis=0)).max() < 1e-5


TEXTS = {"Title": "a title", "PatientID": "LDP-1"}


def test_an_archive_holds_an_image_and_texts_and_no_time(tmp_path, monkeypatch):
    image = np.random.default_rng(0).random((64, 48), dtype=np.float32)
    content = encode_archive(image, TEXTS)
    monkeypatch.setattr("time.time", lambda: 1e9)
    assert encode_archive(image, TEXTS) == content
    (tmp_path / "a.npz").write_bytes(content)
    np.testing.assert_array_equal(read_archive(tmp_path / "a.npz"), image)
    assert archive_texts(tmp_path / "a.npz") == list(TEXTS.items())
    with np.load(tmp_path / "a.npz") as archive:  # as anybody would, without pickles
        assert archive.files == ["image", *TEXTS]
        assert archive["image"].dtype == np.float32
        assert str(archive["Title"]) == "a title"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04rubbish", b"rubbish"])
def test_what_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "Doe.npz").write_bytes(content)
    for work in (read_archive, archive_texts):
        with pytest.raises(UnsupportedInstance) as caught:
            work(tmp_path / "Doe.npz")
        assert "Doe" not in str(caught.value)
