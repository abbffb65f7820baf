"""A synthesis by a method of several rounds, from the cohort to a card that verifies."""

import json

import pytest

from latentdp.errors import InputError
from latentdp.synthesis.run import synthesize
from latentdp.synthesis.verify import verify_synthesis
from tests.support.tiny_flow import shared_flow
from tests.synthesis.cohorts import cohort, request


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A finished synthesis by votes, at a budget at which twelve patients are heard."""
    place = tmp_path_factory.mktemp("voted")
    cohort(place)
    synthesize(request(place, method="evolve", epsilon=60.0), shared_flow())
    return place / "out"


def refuted(path) -> list[str]:
    return [check.claim for check in verify_synthesis(path).checks if not check.ok]


def changed(done, tmp_path, change):
    card = json.loads((done / "release.json").read_text(encoding="utf-8"))
    change(card["synthesis"])
    (tmp_path / "release.json").write_text(json.dumps(card), encoding="utf-8")
    return refuted(tmp_path / "release.json")


def test_the_card_has_all_rounds_and_verifies(done):
    assert refuted(done) == []
    card = json.loads((done / "release.json").read_text(encoding="utf-8"))["synthesis"]
    assert [release["rounds"] for release in card["releases"]] == [1, 4, 60]
    assert any("votes" in line and "4 times" in line for line in card["touched"])


def rounds(synthesis):
    synthesis["releases"][1]["rounds"] = 5


def scale(synthesis):
    synthesis["releases"][1]["scale"] /= 2


def method(synthesis):
    synthesis["recipe"]["method"] = "gaussian"


def hidden(synthesis):
    del synthesis["releases"][1]


@pytest.mark.parametrize(
    ("change", "claim"),
    [
        (rounds, "epsilon of a patient, replace-one"),
        (scale, "epsilon of a patient, replace-one"),
        (method, "kinds of releases"),
        (hidden, "kinds of releases"),
    ],
)
def test_a_card_with_other_rounds_does_not(done, tmp_path, change, claim):
    assert claim in changed(done, tmp_path, change)


def test_releases_that_there_are_not_are_refused(done, tmp_path):
    def unknown(synthesis):
        synthesis["releases"][1]["what"] = "a look at the images"

    with pytest.raises(InputError, match="other releases"):
        changed(done, tmp_path, unknown)
