"""Integer records and their noisy sum: no record moves it by more than is stated."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from latentdp.errors import InputError
from latentdp.privacy.guarantee import Relation
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.privacy.samplers.rounded_gaussian import rounded_normal

ALARM = 1e-6
SUM = NoisySum(grid=256, scale=700.0)
ANY = st.floats(allow_nan=True, allow_infinity=True, width=64)


@given(arrays(np.float64, (4, 7), elements=ANY))
def test_no_record_is_longer_than_the_grid_whatever_it_was(records):
    integers = SUM.quantise(records)
    assert ((integers**2).sum(axis=1) <= SUM.grid**2).all()


@given(arrays(np.float64, (3, 5), elements=st.floats(-1, 1)))
def test_quantised_towards_zero(records):
    short = records / max(1.0, np.linalg.norm(records, axis=1).max())
    assert (np.abs(SUM.quantise(short)) <= np.abs(short) * SUM.grid).all()


@given(arrays(np.float64, (6, 5), elements=ANY), arrays(np.float64, (1, 5), elements=ANY))
def test_neighbours_are_as_far_apart_as_is_stated(records, other):
    total = SUM.quantise(records).sum(axis=0)
    without = SUM.quantise(records[1:]).sum(axis=0)
    instead = SUM.quantise(np.concatenate([other, records[1:]])).sum(axis=0)
    assert np.linalg.norm(total - without) <= SUM.sensitivity(Relation.ADD_REMOVE)
    assert np.linalg.norm(total - instead) <= SUM.sensitivity(Relation.REPLACE_ONE)


def test_the_corners_are_reached():
    ends = np.array([[1.0, 0.0], [-1.0, 0.0]])
    plus, minus = SUM.quantise(ends)
    assert np.linalg.norm(plus - minus) == SUM.sensitivity(Relation.REPLACE_ONE) == 512


def test_batches_and_order_make_no_difference():
    records = np.random.default_rng(0).normal(size=(9, 4))
    alone = np.concatenate([SUM.quantise(row[None]) for row in records])
    assert (alone == SUM.quantise(records)).all()


def test_noise_has_the_stated_distribution():
    """Chi-square over cells of equal chance; it alarms falsely once in a million."""
    small = NoisySum(grid=16, scale=3.0)
    drawn = np.rint(16 * small.release(np.full(20_000, 5), SeededNoise(1))).astype(int) - 5
    values = np.arange(-9, 10)
    expected = np.exp(rounded_normal(3.0).log_probability(values))
    observed = np.array([(drawn == v).sum() for v in values], dtype=float)
    rest = 20_000 - observed.sum()
    cells, chances = np.append(observed, rest), np.append(expected, 1 - expected.sum())
    assert stats.chisquare(cells, 20_000 * chances).pvalue > ALARM


def test_noise_is_fresh_for_each_entry_and_each_release():
    noise = SeededNoise(2)
    first, second = (SUM.release(np.zeros(2_000, np.int64), noise) for _ in range(2))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.12  # 5 standard errors
    assert len(np.unique(first)) > 1_000


def test_calibrated_to_its_budget_on_a_fine_grid():
    for mu in (1e-3, 0.1, 1.0, 30.0):
        made = NoisySum.calibrate(mu)
        assert 0.99 * mu < made.mu(Relation.ADD_REMOVE) <= mu * (1 + 1e-11)
        assert made.mu(Relation.REPLACE_ONE) == pytest.approx(2 * made.mu(Relation.ADD_REMOVE))


@pytest.mark.parametrize("wrong", [{"grid": 1}, {"grid": 2**20}, {"scale": 0.0}, {"scale": 1e9}])
def test_a_grid_or_a_scale_out_of_range_is_refused(wrong):
    with pytest.raises(InputError):
        NoisySum(**({"grid": 64, "scale": 10.0} | wrong))
