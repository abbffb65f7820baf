"""Other pictures of the same radiographs: like the original, unlike it, and the same each time."""

import numpy as np
import pytest

from latentdp.evaluation.attacks._embedders import unit_vectors
from latentdp.evaluation.renditions import RENDITIONS, renditions
from tests.support.scenes import people


@pytest.mark.parametrize("name", RENDITIONS)
def test_a_rendition_shows_the_same_radiograph_and_is_another_picture(name):
    originals = people(12, size=32).images
    changed = renditions(originals, seed=4)[name]
    assert changed.shape == originals.shape
    assert changed.dtype == np.float32
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert 0.002 < np.abs(changed - originals).mean() < 0.2
    likeness = (unit_vectors(originals) * unit_vectors(changed)).sum(axis=1)
    assert likeness.min() > 0.6


def test_the_seed_decides_all_that_is_random():
    originals = people(4).images
    first, same, other = (renditions(originals, seed) for seed in (1, 1, 2))
    for name in RENDITIONS:
        assert np.array_equal(first[name], same[name])
    drawn_at_random = {name for name in RENDITIONS if not np.array_equal(first[name], other[name])}
    assert {"crop", "photographed screen"} <= drawn_at_random


def test_a_rendition_of_an_image_does_not_depend_on_the_others():
    originals = people(4).images
    alone = renditions(originals[2:3], seed=1)
    for name, changed in renditions(originals, seed=1).items():
        assert np.array_equal(changed[2:3], alone[name])
