import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentdp import Guarantee, InputError, Unit

epsilons = st.floats(0, 1e6)


@pytest.mark.promise("Sums of epsilons are rounded up, never down.")
@given(st.lists(epsilons, min_size=1, max_size=5))
def test_composition_never_understates_the_sum(values):
    first, *rest = (Guarantee(epsilon=e) for e in values)
    whole = first.compose(*rest)
    assert whole.epsilon >= math.fsum(values)
    assert whole.epsilon <= math.fsum(values) * (1 + 1e-9) + 1e-300  # below that, steps are larger


@pytest.mark.parametrize("bad", [-1.0, math.nan])
def test_epsilon_must_be_a_number_of_at_least_zero(bad):
    with pytest.raises(InputError, match="epsilon"):
        Guarantee(epsilon=bad)


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan])
def test_delta_must_be_a_probability(bad):
    with pytest.raises(InputError, match="delta"):
        Guarantee(epsilon=1.0, delta=bad)


def test_different_units_do_not_compose():
    with pytest.raises(InputError, match="cannot be composed"):
        Guarantee(epsilon=1).compose(Guarantee(epsilon=1, unit=Unit.PATIENT))


def test_deltas_that_add_up_to_one_are_no_protection():
    half = Guarantee(epsilon=1, delta=0.5)
    assert half.compose(half, half).delta == 1.0
    assert half.compose(half, half).verification_ceiling() == 1.0


@given(st.lists(st.floats(0, 1e-3), min_size=1, max_size=9))
def test_deltas_are_never_understated(values):
    first, *rest = (Guarantee(epsilon=1, delta=d) for d in values)
    assert sum(map(Fraction, values)) <= Fraction(first.compose(*rest).delta)


@pytest.mark.parametrize("other", [{"unit": "person"}, {"relation": "whatever"}])
def test_a_unit_or_relation_that_is_none_is_refused(other):
    with pytest.raises(InputError, match="no such unit or relation"):
        Guarantee(epsilon=1, **other)


def test_a_patient_is_not_made_of_patients():
    with pytest.raises(InputError, match="of an image"):
        Guarantee(epsilon=1, unit=Unit.PATIENT).for_patient(2)


@pytest.mark.promise("A patient's epsilon is the sum over their images.")
def test_a_patient_pays_for_every_image():
    patient = Guarantee(epsilon=2.0).for_patient(3)
    assert patient.unit is Unit.PATIENT
    assert patient.epsilon == pytest.approx(6.0)


@pytest.mark.parametrize(
    ("epsilon", "auc", "gallery", "top1"),
    [(1, 0.731, 30_805, 0.0001), (3, 0.953, 30_805, 0.0007), (10, 1.0, 30_805, 0.417)],
)
def test_what_epsilon_implies(epsilon, auc, gallery, top1):
    # Closed forms 1 / (1 + e^-eps) and e^eps / (e^eps + N - 1).
    g = Guarantee(epsilon=epsilon)
    assert g.verification_ceiling() == pytest.approx(auc, abs=6e-4)
    assert g.gallery_ceiling(gallery) == pytest.approx(top1, abs=6e-4)


def test_no_protection_and_full_protection():
    assert Guarantee(epsilon=math.inf).gallery_ceiling(1000) == 1
    assert Guarantee(epsilon=0).verification_ceiling() == 0.5
    assert Guarantee(epsilon=0).gallery_ceiling(100) == pytest.approx(0.01)


def test_a_seed_is_named_in_words():
    assert "NOT PRIVATE" in str(Guarantee(epsilon=1, secure=False))
    whole = Guarantee(epsilon=1).compose(Guarantee(epsilon=1, secure=False))
    assert not whole.secure
