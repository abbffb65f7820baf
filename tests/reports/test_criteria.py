"""The table of the law fails closed: without a guarantee no row has a number to lean on."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentdp.privacy.guarantee import Guarantee, Unit
from latentdp.reports.criteria import MOST_GUESSED, MOST_NAMED, Standing, criteria, likelier
from latentdp.reports.evaluation_parts import JudgedClaim
from latentdp.reports.guarantee_words import GALLERY
from latentdp.reports.language import ENGLISH, Language


def patient(epsilon: float, **more) -> Guarantee:
    return Guarantee(epsilon=epsilon, unit=Unit.PATIENT, **more)


def standings(guarantee, *, joined=False, **more) -> list[Standing]:
    return [row.standing for row in criteria(guarantee, ENGLISH, joined=joined, **more)]


NONE = [
    patient(math.inf),
    patient(1.0).beside("the class label"),
    patient(0.1, secure=False),
    patient(0.1, delta=1.0),
]


@pytest.mark.promise(
    "Where there is no guarantee, or an evaluation refuted it, every criterion of data protection "
    "law is told as not covered."
)
@pytest.mark.parametrize("guarantee", NONE)
def test_without_a_guarantee_nothing_is_covered(guarantee):
    assert standings(guarantee) == [Standing.NOT_COVERED] * 4
    for row in criteria(guarantee, ENGLISH, joined=False):
        assert "%" not in row.bound
        assert row.standing.level == "danger"


def test_what_an_evaluation_refuted_is_not_covered():
    assert standings(patient(0.1), refuted=True) == [Standing.NOT_COVERED] * 4
    assert "refuted" in criteria(patient(0.1), ENGLISH, joined=False, refuted=True)[0].bound


@pytest.mark.parametrize(
    ("epsilon", "expected"),
    [
        (16.0, [Standing.WEAK] * 3),
        (8.0, [Standing.BOUNDED, Standing.WEAK, Standing.WEAK]),
        (1.0, [Standing.BOUNDED] * 3),
    ],
)
def test_a_large_number_is_weak_and_says_so(epsilon, expected):
    assert standings(patient(epsilon))[:3] == expected
    assert standings(patient(epsilon))[3] == Standing.EXPERT, "a program never determines it"


def test_what_was_inferred_stands_in_its_row():
    rows = criteria(patient(1.0), ENGLISH, joined=False, inferred="sex AUC 0.700")
    assert [row.measured == "sex AUC 0.700" for row in rows] == [False, False, True, False]
    assert "nobody tried" in criteria(patient(1.0), ENGLISH, joined=False)[2].measured


def test_a_pseudonym_that_joins_images_leaves_linkability_weak():
    assert standings(patient(0.1), joined=True)[1] == Standing.WEAK


def test_a_proof_about_real_numbers_bounds_nothing_for_sure():
    assert standings(patient(0.1, exact=False))[:3] == [Standing.WEAK] * 3


@given(st.floats(0, 60), st.sampled_from([0.0, 1e-6, 0.01]))
def test_bounded_means_below_the_stated_thresholds(epsilon, delta):
    guarantee = patient(epsilon, delta=delta)
    named, linked, inferred, expert = standings(guarantee)
    assert (named == Standing.BOUNDED) == (guarantee.gallery_ceiling(GALLERY) <= MOST_NAMED)
    assert linked == inferred
    assert (linked == Standing.BOUNDED) == (guarantee.verification_ceiling() <= MOST_GUESSED)
    assert expert == Standing.EXPERT


@given(st.floats(0, 20))
def test_the_factor_is_never_below_exp_epsilon(epsilon):
    shown = float(likelier(patient(epsilon), ENGLISH).replace(",", ""))
    assert math.exp(epsilon) <= shown <= 1.011 * math.exp(epsilon)


def test_what_attackers_reached_is_told_where_it_was_measured():
    claim = JudgedClaim(
        claim="recognizable visual features are removed (113102)",
        holds=True,
        threshold="AUC at most 0.6",
        measured="AUC 0.52",
    )
    rows = criteria(patient(1.0), ENGLISH, joined=True, claims=[claim])
    assert [row.measured for row in rows][:2] == ["AUC 0.52"] * 2
    assert "Not measured" in rows[2].measured
    untried = criteria(patient(1.0), Language("de"), joined=True)
    assert all("Nicht gemessen" in row.measured for row in untried)
