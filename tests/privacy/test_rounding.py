"""What is printed of a claim is never below it, and hardly above."""

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.rounding import EXACTLY, FEW, IN_FULL, at_most, left_over, printed

CLAIMS = st.floats(0, allow_infinity=False)
DIGITS = st.integers(1, IN_FULL)


def meant(value: float) -> Decimal:
    """The shortest decimal that means a float."""
    return Decimal(repr(value))


@given(CLAIMS, DIGITS)
def test_a_claim_is_never_below_itself_and_less_than_one_unit_above(value, digits):
    text = printed(value, digits)
    shown = Decimal(text)
    power = meant(value).adjusted()
    if power < 6:
        digits = max(digits, power + 1)
    unit = Fraction(10) ** (power - digits + 1)
    assert Fraction(meant(value)) <= Fraction(shown) < Fraction(meant(value)) + unit
    assert float(text) >= value
    assert len(shown.normalize().as_tuple().digits) <= digits


@given(CLAIMS, CLAIMS, DIGITS)
def test_a_larger_claim_is_never_printed_smaller(a, b, digits):
    low, high = sorted((a, b))
    assert Decimal(printed(low, digits)) <= Decimal(printed(high, digits))


@given(CLAIMS)
def test_in_full_nothing_is_rounded(value):
    assert Decimal(printed(value, IN_FULL)) == meant(value)


@given(st.floats(0, 1e9), st.integers(0, 6))
def test_a_ceiling_is_never_below_itself_and_less_than_one_unit_above(value, decimals):
    text = at_most(value, decimals)
    assert meant(value) <= Decimal(text)
    assert Fraction(text) < Fraction(meant(value)) + Fraction(1, 10**decimals)
    assert len(text.partition(".")[2]) == decimals


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (8.0, "8"),
        (0.1, "0.1"),
        (7.998534529, "8"),
        (15.9970691, "16"),
        (7.9812, "7.99"),
        (0.41234, "0.413"),
        (4095.25, "4096"),
        (123456.7, "123457"),
        (1234563.4, "1.24e+06"),
        (999999.5, "1e+06"),
        (1e-6, "1e-06"),
        (1.0000000000000002e-06, "1.01e-06"),
        (math.inf, "infinity"),
        (math.nan, "infinity"),
    ],
)
def test_what_is_read(value, text):
    assert printed(value) == text


@given(st.floats(0, 1e300))
def test_what_was_rounded_before_is_rounded_up_to_the_same(value):
    """A card that has six digits and a page that has three agree."""
    assert printed(float(printed(value, EXACTLY)), FEW) == printed(value, FEW)


@given(CLAIMS, DIGITS)
def test_what_is_left_is_never_more_than_there_is(value, digits):
    assert Decimal(left_over(value, digits)) <= meant(value)
    assert Decimal(left_over(value, IN_FULL)) == meant(value)


def test_without_a_bound_a_ceiling_is_infinite():
    assert at_most(math.inf, 4) == at_most(math.nan, 4) == "infinity"


@given(CLAIMS, st.floats(0, 1, exclude_min=True))
def test_a_guarantee_in_words_promises_no_more_than_it_gives(epsilon, delta):
    words = str(Guarantee(epsilon=epsilon, delta=delta)).replace(",", "").split()
    assert Decimal(words[words.index("epsilon") + 1]) >= meant(epsilon)
    assert Decimal(words[words.index("delta") + 1]) >= meant(delta)
