"""A patient's budget is split by public numbers alone; the shares add up to no more than it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentdp import Guarantee, InputError, Privatizer, Unit
from latentdp.privacy.patient_budget import MOST_IMAGES, PatientBudget, split
from latentdp.privacy.units import allowance, micro
from latentdp.release.recipe_options import RecipeOptions

epsilons = st.floats(1e-3, 1e4)


@given(epsilons, st.none() | st.integers(1, 900), epsilons)
def test_all_shares_together_are_within_the_whole(whole, images, usual):
    share = split(whole, images, usual=usual)
    assert share.images * micro(share.epsilon) <= allowance(whole)
    assert images in (None, share.images)
    assert 1 <= share.images <= MOST_IMAGES


@given(epsilons, epsilons, st.floats(0.01, 1))
def test_an_image_of_a_given_epsilon_keeps_it(whole, usual, part):
    share = split(whole, epsilon=whole * part, usual=usual)
    assert share.epsilon == whole * part
    assert share.images * micro(share.epsilon) <= allowance(whole)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epsilon_per_patient": 0.0}, "epsilon per patient"),
        ({"epsilon_per_patient": float("nan")}, "epsilon per patient"),
        ({"epsilon_per_patient": 4.0, "epsilon": 5.0}, "does not fit"),
        ({"epsilon_per_patient": 4.0, "epsilon": 2.0, "images_per_patient": 2}, "all three"),
        ({"epsilon_per_patient": 2e-6, "images_per_patient": 3}, "for each of 3 images"),
        ({"images_per_patient": 0}, "1 to 10,000 images"),
        ({"images_per_patient": True}, "1 to 10,000 images"),
        (
            {"preset": "dp-glow", "epsilon_per_patient": 4.0, "epsilon_per_element": 1.0},
            "not both",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        RecipeOptions(**given).recipe(labelled=False)


@pytest.mark.parametrize(
    ("preset", "labelled"), [("balanced", True), ("dp-glow", False), ("tight", True)]
)
@pytest.mark.parametrize("images", [1, 3, 7])
def test_what_images_really_cost_is_within_the_budget(tiny_flow, preset, labelled, images):
    """The mechanism's own epsilon, as the ledger charges it, and not the recipe's."""
    options = RecipeOptions(preset=preset, epsilon_per_patient=10.0, images_per_patient=images)
    privatizer = Privatizer(tiny_flow, options.recipe(labelled=labelled))
    cost = micro(privatizer.guarantee.noised_part.epsilon)
    assert 0 < images * cost <= allowance(10.0)
    assert cost > 0.8 * allowance(10.0) / images, "the share is used"


def test_a_budget_is_no_part_of_what_makes_two_releases_of_an_image_the_same():
    """Else more images of a patient, at the same epsilon, would have all charged once more."""
    one, two, plain = (
        RecipeOptions(epsilon_per_patient=8.0 * k, images_per_patient=k).recipe(labelled=False)
        if k
        else RecipeOptions(epsilon=8.0).recipe(labelled=False)
        for k in (1, 2, 0)
    )
    assert one.digest == two.digest == plain.digest
    assert one.pixels_digest == two.pixels_digest
    assert type(one).from_toml(two.to_toml()) == two != one


@given(st.integers(1, 40), st.floats(0.01, 100))
def test_the_most_that_is_allowed_is_the_same_for_everybody(images, epsilon):
    image = Guarantee(epsilon=epsilon, delta=1e-9)
    most = PatientBudget(images=images).most(image)
    assert most == image.for_patient(images)
    bounded = PatientBudget(epsilon=1e5, images=images).most(image)
    assert (bounded.epsilon, bounded.delta, bounded.unit) == (1e5, most.delta, Unit.PATIENT)
