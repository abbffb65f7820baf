"""The mark in the pixels: public, the same in all images, over nothing else."""

import numpy as np
import pytest

from latentdp.data.synthetic import TITLES, USE, mark_box, marked

RNG = np.random.default_rng(0)


def noise(side: int) -> np.ndarray:
    return RNG.random((side, side), dtype=np.float32)


@pytest.mark.parametrize("side", [25, 32, 60, 64, 96, 128, 200, 256, 512, 1024])
def test_the_box_is_one_and_the_same_and_the_rest_untouched(side):
    height, width = mark_box((side, side))
    images = [noise(side) for _ in range(3)]
    before = [image.copy() for image in images]
    boxes = [marked(image)[:height, :width] for image in images]
    assert 0 < height < width <= 0.6 * side
    for image, old, box in zip(images, before, boxes, strict=True):
        np.testing.assert_array_equal(box, boxes[0])
        np.testing.assert_array_equal(image, old)  # a copy is marked
        rest = np.ones((side, side), dtype=bool)
        rest[:height, :width] = False
        np.testing.assert_array_equal(marked(image)[rest], image[rest])
    assert set(np.unique(boxes[0])) == {0.0, 1.0}


def test_it_can_be_read():
    drawn = marked(np.full((64, 64), 0.5, dtype=np.float32))[:7, :36]
    rows = ["".join(" #"[int(pixel)] for pixel in row).rstrip() for row in drawn]
    assert rows == [
        "",
        " ### # # #  # ### # # ### ### # ###",
        " #   # # ## #  #  # # #    #  # #",
        " ###  #  # ##  #  ### ##   #  # #",
        "   #  #  #  #  #  # # #    #  # #",
        " ###  #  #  #  #  # # ###  #  # ###",
        "",
    ]


def test_letters_grow_with_the_image():
    assert [mark_box((side, side)) for side in (128, 256, 512)] == [(7, 36), (14, 72), (28, 144)]


def test_an_image_too_small_for_a_word_has_none():
    assert mark_box((16, 16)) == (0, 0)
    image = noise(16)
    np.testing.assert_array_equal(marked(image), image)


def test_titles_fit_into_a_series_description():
    for title in TITLES:
        assert title.isascii()
        assert len(title) <= 64
        assert "Synthetic" in title
        assert "not for diagnosis" in title
    assert "not for diagnosis" in USE
