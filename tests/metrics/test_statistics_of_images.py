"""Simple statistics of an image, and who tells images apart by them."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from latentdp import InputError
from latentdp.metrics.bootstrap import auc
from latentdp.metrics.grey_levels import grey_levels
from latentdp.metrics.periodicity import PERIODS, periodicity
from latentdp.metrics.sharpness import sharpness
from latentdp.metrics.spectrum import bands
from latentdp.metrics.told_apart import told_apart


def picture(seed: int, size: int = 64) -> np.ndarray:
    """A smooth field with a little noise, in [0, 1]."""
    rng = np.random.default_rng(seed)
    field = gaussian_filter(rng.normal(size=(size, size)), 3)
    field = (field - field.min()) / np.ptp(field)
    return np.clip(field + 0.02 * rng.normal(size=field.shape), 0, 1).astype(np.float32)


def spreads(image: np.ndarray) -> np.ndarray:
    """How uneven steps are ``(2, periods)``, across and down."""
    ends = np.cumsum([period + 1 for period in PERIODS]) - 1
    return periodicity(image).reshape(2, -1)[:, ends]


def test_a_grid_of_eight_columns_shows_at_its_period_and_those_that_share_it():
    image = picture(0, 128)
    image[:, 8::8] += 0.05
    image = np.clip(image, 0, 1)
    across, down = spreads(image) / spreads(picture(0, 128))
    at = dict(zip(PERIODS, across, strict=True))
    assert min(at[4], at[8], at[16]) > 5
    assert max(at[5], at[7], at[11], *down) < 2
    moved = spreads(np.roll(image, 3, axis=1))[0, PERIODS.index(8)]
    assert moved == pytest.approx(spreads(image)[0, PERIODS.index(8)], rel=0.4)


@pytest.mark.parametrize("statistic", [periodicity, grey_levels, sharpness, bands])
@pytest.mark.parametrize("shape", [(64, 64), (40, 70), (17, 17)])
def test_numbers_are_finite_whatever_the_picture(statistic, shape):
    for image in (
        np.zeros(shape),
        np.ones(shape),
        np.eye(*shape),
        picture(1, 80)[: shape[0], : shape[1]],
    ):
        numbers = statistic(image.astype(np.float32))
        assert numbers.ndim == 1
        assert np.isfinite(numbers).all()


def test_blur_takes_fine_detail_and_sharpness():
    image = picture(2)
    blurred = gaussian_filter(image, 1.5)
    assert bands(blurred)[-1] < bands(image)[-1] - 10
    assert bands(blurred)[0] == pytest.approx(bands(image)[0], abs=1)
    assert (sharpness(blurred) < sharpness(image)).all()
    assert np.square(grey_levels(image)).sum() == pytest.approx(1)


def test_a_reader_never_sees_the_patients_that_it_is_tested_on():
    """What tells one patient's pair apart says nothing of another's: guessing, below 0.5."""
    rng = np.random.default_rng(3)
    patients = np.tile(np.repeat(np.arange(20), 2), 2)
    second = np.arange(80) >= 40
    own = np.eye(20)[patients] * np.where(second, 1.0, -1.0)[:, None]  # planted in each patient
    told = told_apart(own * np.where(rng.random(20) < 0.5, 1, -1), second, patients)
    for patient in range(20):
        assert len(set(told.folds[patients == patient])) == 1
    weights = np.ones((1, 80))
    assert auc(told.scores, second, weights, told.folds)[0] == pytest.approx(0.5)
    shared = told_apart(second[:, None] + 0.1 * rng.normal(size=(80, 1)), second, patients)
    assert auc(shared.scores, second, weights, shared.folds)[0] == 1


def test_too_few_patients_are_refused():
    with pytest.raises(InputError, match="at least 5 patients, got 4"):
        told_apart(np.zeros((8, 1)), np.arange(8) > 3, np.arange(8) % 4)
