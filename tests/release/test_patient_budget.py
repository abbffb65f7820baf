"""Releases under a budget per patient: who is left out, what is charged, what is claimed."""

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from latentdp import BudgetExceeded, InputError, Privatizer
from latentdp.privacy.units import allowance
from latentdp.release import publish
from latentdp.release.preview import preview_release
from latentdp.release.privatize import privatize_folder
from latentdp.release.recipe_options import RecipeOptions
from latentdp.release.request import ReleaseRequest
from latentdp.release.verify import verify, verify_card
from latentdp.vault.vault import Vault
from tests.support.folders import card, images, picture_at, radiograph_at, rows
from tests.support.tiny_flow import shared_flow

WHOLE = 5120.0


def under(whole: float | None = WHOLE, most: int | None = 2, **options) -> Privatizer:
    options = {"preset": "dp-glow", **options}
    recipe = RecipeOptions(epsilon_per_patient=whole, images_per_patient=most, **options)
    return Privatizer(shared_flow(), recipe.recipe(labelled=False))


def go(place: Path, out: str = "out", privatizer: Privatizer | None = None, **options):
    options = {"vault": place / "vault", **options}
    privatizer = under() if privatizer is None else privatizer
    return privatize_folder(place / "in", place / out, privatizer=privatizer, **options)


def spent(place: Path) -> dict[str, tuple[float, int]]:
    with closing(Vault(place / "vault").ledger()) as ledger:
        return {who: (s.epsilon, s.releases) for who, s in ledger.spent().items()}


@pytest.fixture
def place(tmp_path):
    """Four images of one patient, one of them twice, one of another, a picture and junk."""
    for number in range(4):
        radiograph_at(tmp_path / "in" / f"{number}", number, PatientID="P")
        radiograph_at(tmp_path / "in" / f"{number} again", number, PatientID="P", StudyID="2")
    radiograph_at(tmp_path / "in" / "4", 4)
    picture_at(tmp_path / "in" / "p.png", 5)
    (tmp_path / "in" / "junk").write_bytes(b"junk")
    return tmp_path


@pytest.mark.promise(
    "Under --epsilon-per-patient nobody is charged more than that, however often a run is "
    "interrupted and whatever images come later."
)
def test_every_input_is_accounted_for_and_nobody_is_charged_above_the_budget(place):
    request = ReleaseRequest(source=place / "in", out=place / "out", vault=place / "vault")
    told, _ = preview_release(request, under())
    summary = go(place)
    assert summary.counts() == told.counts()
    assert (summary.released, summary.duplicates, summary.beyond) == (4, 2, 4)
    assert sum(summary.quarantined.values()) == 1
    assert (summary.accounted, summary.exit_code) == (summary.inputs, 1)
    assert max(spent(place).values()) <= (WHOLE, 2)
    left_out = [row for row in rows(summary).values() if row["status"] == "beyond"]
    assert {row["reason"] for row in left_out} == {"beyond-images-per-patient"}
    # An image and its copy have one fate.
    assert len({row["file"].split()[0] for row in left_out}) == 2
    page = (place / "vault" / "review.html").read_text()
    assert "beyond-images-per-patient" in page


def test_later_images_of_a_patient_are_left_out_and_the_first_stay(place):
    (place / "all").mkdir()
    for number in (1, 2, 3):
        for copy in ("", " again"):
            (place / "in" / f"{number}{copy}").rename(place / "all" / f"{number}{copy}")
    assert (go(place).released, len(images(place))) == (3, 3)
    before = images(place)
    for file in (place / "all").iterdir():
        shutil.copy(file, place / "in")
    summary = go(place)
    assert (summary.already, summary.released, summary.beyond) == (3, 1, 4)
    assert set(before) < set(images(place))
    summary = go(place)
    assert (summary.already, summary.released, summary.beyond) == (4, 0, 4)
    assert (go(place, "elsewhere").already, max(spent(place).values())[1]) == (4, 2)


def test_a_run_that_dies_is_gone_on_with_by_the_same_choice(place, monkeypatch):
    """Once after it has charged and before it has written, once after it has written."""
    whole = place / "whole"
    shutil.copytree(place / "in", whole / "in")
    Vault(place / "vault")
    shutil.copytree(place / "vault", whole / "vault")  # one key, one choice
    wanted = {f for f, row in rows(go(whole)).items() if row["status"] == "beyond"}

    for dies in ("publish", "duplicates"):

        def die(*_):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(publish.Publisher, dies, die)
            with pytest.raises(KeyboardInterrupt):
                go(place)
        assert max(spent(place).values()) <= (WHOLE, 2)
    summary = go(place)
    assert {f for f, row in rows(summary).items() if row["status"] == "beyond"} == wanted
    assert max(spent(place).values()) <= (WHOLE, 2)
    assert summary.outputs == 4


def test_the_epsilon_of_an_image_does_not_follow_from_how_many_there_are(place):
    one = place / "one"
    radiograph_at(one / "in" / "4", 4)
    go(one)
    go(place)
    parts = [(card(where)["guarantee"], card(where)["recipe"]) for where in (place, one)]
    (many, recipe), (single, recipe_of_one) = parts
    assert recipe == recipe_of_one
    assert many["image"] == single["image"]
    numbers = [{k: v for k, v in g["patient"].items() if k != "images_in_this_release"}
               for g in (many, single)]  # fmt: skip
    assert numbers[0] == numbers[1], "the patient's number is the budget, whoever is in it"
    assert many["patient"]["epsilon"] == WHOLE
    assert many["statement"] == single["statement"]
    assert f"epsilon {WHOLE:.0f} per patient" in many["statement"][0], "the patient comes first"


def test_what_was_spent_before_counts(place):
    """Another recipe, a third of the budget: one more image fits, and of no patient a third."""
    first = go(place, "first", under(None, 1, epsilon=1706.666666))
    assert (first.released, first.beyond) == (3, 6)
    with pytest.raises(InputError, match="another recipe"):
        go(place, "first")
    second = go(place, "second")
    assert max(spent(place).values()) <= (WHOLE, 2)
    assert second.released == 3, "one of each"
    third = go(place, "third", under(WHOLE, 3))
    assert (third.already, third.released) == (3, 0), "the same as the first; no more fits"


def test_a_folder_keeps_to_one_budget(place):
    go(place)
    for other in (under(1.5 * WHOLE, 3), under(None, None, epsilon=WHOLE / 2)):
        assert other.recipe.digest == under().recipe.digest
        with pytest.raises(InputError, match="another --epsilon-per-patient"):
            go(place, privatizer=other)
    more = go(place, "more", under(1.5 * WHOLE, 3))
    assert (more.already, more.released, more.beyond) == (4, 1, 2), "nothing is charged twice"


def test_a_lost_output_is_not_charged_again_above_the_budget(place):
    go(place)
    for name in images(place):
        (place / "out" / "images" / name).write_bytes(b"altered")
    summary = go(place, again=True)
    assert max(spent(place).values()) <= (WHOLE, 2)
    assert summary.released == 2, "of those of whom one image was released"


def test_what_is_released_exactly_has_no_budget(place):
    exact = under(shift_dates=True)
    with pytest.raises(BudgetExceeded, match="infinite"):
        go(place, privatizer=exact)
    summary = go(place, privatizer=exact, accept_unprotected=True)
    assert (summary.released, summary.beyond) == (4, 4)
    assert verify(place / "out").ok


def test_a_true_card_is_verified_and_a_false_one_is_not(place):
    go(place)
    verification = verify(place / "out")
    assert verification.ok, [c for c in verification.checks if not c.ok]
    assert {"images per patient, at most", "epsilon per patient, at most"} <= {
        check.claim for check in verification.checks
    }
    for part, name, value, claim in (
        ("recipe", "images_per_patient", 1, "images per patient, at most"),
        ("recipe", "images_per_patient", 3, "epsilon per patient, at most"),
        ("recipe", "epsilon_per_patient", WHOLE / 2, "epsilon per patient, at most"),
        ("recipe", "epsilon_per_patient", WHOLE * 2, "epsilon of a patient, by the budget"),
        ("patient", "images", 1, "images of a patient, by the budget"),
        ("patient", "epsilon", WHOLE * 0.9, "epsilon of a patient, by the budget"),
    ):
        false = card(place)
        (false["recipe"] if part == "recipe" else false["guarantee"]["patient"])[name] = value
        assert claim in [check.claim for check in verify_card(false) if not check.ok]
    false = card(place)
    false["recipe"]["images_per_patient"] = "two"
    with pytest.raises(InputError):
        verify_card(false)


def test_a_patient_who_spent_more_elsewhere_is_told_of(place):
    go(place)
    go(place, "lavish", under(None, None, epsilon=4 * WHOLE))
    go(place)
    stated = card(place)
    assert stated["guarantee"]["patient"]["epsilon"] > 4 * WHOLE
    assert any("OVER A PATIENT'S BUDGET" in line for line in stated["warnings"])
    assert verify(place / "out").ok
    (place / "out" / "release.json").write_text(json.dumps(stated | {"warnings": []}))
    assert not verify(place / "out").ok


def test_the_whole_of_the_budget_is_within_a_cap_of_as_much(place):
    with closing(Vault(place / "vault").ledger()) as ledger:
        ledger.set_cap(allowance(WHOLE))
    assert go(place).beyond == 4
    with pytest.raises(BudgetExceeded):
        go(place, "more", under(2 * WHOLE, 4))
