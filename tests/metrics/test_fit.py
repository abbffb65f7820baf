"""How well weights fit a folder, by the share of odd images."""

import pytest

from latentdp.metrics.fit import Fit


@pytest.mark.parametrize(
    ("odd", "rated", "poor"),
    [(0, 0, False), (0, 9, False), (5, 100, False), (6, 100, True), (1, 1, True)],
)
def test_more_than_one_in_twenty_is_a_poor_fit_and_says_what_to_do(odd, rated, poor):
    fit = Fit(odd=odd, rated=rated)
    assert fit.poor is poor
    assert fit.words.startswith(f"{odd} of {rated} images")
    assert ("latentdp synthesize" in fit.words) is poor
