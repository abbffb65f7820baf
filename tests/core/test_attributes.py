"""Labels as one number."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentdp import InputError
from latentdp.core.attributes import (
    Attribute,
    classes,
    finding,
    knowing,
    label_count,
    labels_of,
    values_of,
)

KNOWN = (finding("Mass"), Attribute("view", ("AP", "PA", "LL")), finding("Edema"))


def test_every_label_is_one_combination_of_values():
    labels = np.arange(-1, label_count(KNOWN))
    values = values_of(KNOWN, labels)
    assert len({tuple(row) for row in values}) == 3 * 4 * 3 == len(labels)
    assert values[0].tolist() == [-1, -1, -1]
    assert np.array_equal(labels_of(KNOWN, values), labels)


@given(st.integers(0, 40))
def test_a_class_is_its_index(count):
    known = classes(*map(str, range(count)))
    assert label_count(known) == count
    labels = np.arange(-1, count)
    assert np.array_equal(values_of(known, labels)[:, 0], labels)


def test_what_is_left_out_is_unknown():
    labels = np.arange(-1, label_count(KNOWN))
    left = values_of(KNOWN, knowing(KNOWN, labels, ["view"]))
    assert np.array_equal(left[:, 1], values_of(KNOWN, labels)[:, 1])
    assert (left[:, [0, 2]] == -1).all()


def test_more_than_64_bits_are_refused():
    with pytest.raises(InputError, match="combinations"):
        label_count([finding(str(i)) for i in range(50)])
