"""The mark of a release makes nothing easier to tell apart, on either side."""

import numpy as np
import pytest

from latentdp.data.cohort import Cohort
from latentdp.data.preprocess import resize
from latentdp.data.synthetic import marked
from latentdp.evaluation.mark_cover import MarkCover
from latentdp.evaluation.threat_model import PairedImages
from tests.support.scenes import people


def side(cohort: Cohort, private: np.ndarray) -> PairedImages:
    return PairedImages(
        cohort=cohort,
        private=private[None],
        labels=np.full((1, len(cohort)), -1, dtype=np.int64),
    )


def as_released(images: np.ndarray, size: int) -> np.ndarray:
    """Enlarged, marked, and reduced again as an evaluation does."""
    shape = images.shape[1:]
    return np.stack([resize(marked(resize(image, (size, size))), shape) for image in images])


@pytest.mark.parametrize("size", [64, 96, 128, 200, 256, 512])
def test_released_images_are_the_originals_but_for_the_mark(size):
    """Perfect copies: whatever an attacker can tell them by is the mark, and it is covered."""
    cohort = people(4, size=64)
    released = as_released(cohort.images, size)
    plain = np.stack([resize(resize(i, (size, size)), (64, 64)) for i in cohort.images])
    assert np.abs(released - plain).max() > 0.3
    covered = MarkCover.of(cohort.images, size).pairs(side(cohort, released))
    kept = MarkCover.of(cohort.images, size).images(plain)
    np.testing.assert_allclose(covered.private[0], kept, atol=1e-6)
    height, width = MarkCover.of(cohort.images, size).content.shape
    for images in (covered.cohort.images, covered.private[0]):  # one and the same in all
        assert np.ptp(images[:, :height, :width], axis=0).max() == 0
    assert height * width < 0.09 * 64**2


def test_originals_are_made_private_as_they_are_and_covered_afterwards():
    cohort = people(3, size=64)
    cover = MarkCover.of(cohort.images, 128)
    seen = []

    def more(k, rows):
        seen.append(rows)
        return cohort.images[rows][None].repeat(k, axis=0), np.zeros((k, len(rows)), np.int64)

    private, labels = cover.more(more)(2, np.array([1, 2]))
    assert private.shape == (2, 2, 64, 64)
    assert labels.shape == (2, 2)
    np.testing.assert_array_equal(private, cover.images(private))
    assert not np.array_equal(private[0], cohort.images[[1, 2]])


def test_where_there_is_no_room_for_a_mark_nothing_is_covered():
    cohort = people(2)
    np.testing.assert_array_equal(
        MarkCover.of(cohort.images, 16).images(cohort.images), cohort.images
    )
