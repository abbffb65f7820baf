"""The ledger remembers of whom something was released exactly: their epsilon is infinity."""

import json
import math

import pytest

from latentdp import BudgetExceeded, Privatizer, Recipe
from latentdp.data.dicom.profile import Profile
from latentdp.release.privatize import preview, privatize_folder
from latentdp.release.verify import verify
from latentdp.vault.ledger import Spent
from latentdp.vault.vault import Vault
from tests.support.folders import EPSILON, card, charges, go, look, radiograph_at, tree
from tests.support.printed import errors_of
from tests.support.sweeps import diagonal
from tests.support.tiny_flow import shared_flow


@pytest.fixture
def place(tmp_path):
    """Two patients, of whom the first one's image is also in a folder of its own."""
    for number in (1, 2):
        radiograph_at(tmp_path / "in" / f"{number}", number)
    radiograph_at(tmp_path / "one" / "1", 1)
    return tmp_path


def noised(**changes) -> Recipe:
    return Recipe.from_preset("dp-glow", **({"epsilon": EPSILON} | changes))


EXPOSING = {
    "empirical": {"recipe": Recipe.from_preset("empirical", label="none", resample_identity=3)},
    "kept dimensions": {"recipe": noised(directions=4, keep_label_dims=2)},
    "a public label": {
        "recipe": noised(label="public"),
        "labels": "file,label\n1,a\n",
        "unlabelled": "unknown",
    },
    "a header": {"recipe": noised(profile=Profile(retain_device=True))},
    "a mirror": {"recipe": noised(epsilon=EPSILON / 2), "layout": "mirror"},
}


def run(place, call=privatize_folder, *, source="one", out="exposed", recipe, labels=None, **more):
    if labels is not None:
        (place / "labels.csv").write_text(labels)
        more["labels"] = place / "labels.csv"
    return call(
        place / source, place / out, vault=place / "vault",
        privatizer=Privatizer(shared_flow(), recipe), **more,
    )  # fmt: skip


def spent(place) -> list[Spent]:
    ledger = Vault(place / "vault", read_only=True).ledger()
    sums = ledger.spent().values()
    ledger.close()
    return sorted(sums)


@pytest.mark.parametrize("how", EXPOSING)
def test_every_later_card_says_infinity(place, how):
    assert math.isinf(run(place, **EXPOSING[how]).patient.epsilon)
    told, _ = look(place)
    summary = go(place)
    for counted in (told, summary):
        assert counted.patient_unprotected
        assert math.isinf(counted.patient.epsilon)
        assert not counted.patient.private
        assert counted.guarantee.private, "each of these images is protected by itself"
    guarantee = card(place)["guarantee"]
    assert guarantee["patient"]["epsilon"] is None
    assert "earlier release of a patient" in guarantee["patient"]["reason"]
    assert guarantee["patient"]["epsilon_of_noised_part"] == summary.patient_epsilon > 0
    assert guarantee["image"]["epsilon"] < math.inf
    assert any("NO GUARANTEE of a patient" in line for line in card(place)["warnings"])
    assert verify(place / "out").ok
    assert "infinity" in (place / "out" / "release.html").read_text()
    assert [s.unprotected for s in spent(place)].count(True) == 1


def test_a_card_without_such_a_patient_states_a_number(place):
    run(place, **EXPOSING["empirical"])
    (place / "in" / "1").unlink()
    assert go(place).patient.epsilon < math.inf
    assert isinstance(card(place)["guarantee"]["patient"]["epsilon"], float)


@pytest.mark.parametrize(
    ("how", "limit"), diagonal(EXPOSING, [{"budget": 1e6}, {"budget_delta": 0.5}, "cap"])
)
def test_no_budget_lets_such_a_patient_pass(place, how, limit):
    run(place, **EXPOSING[how])
    if limit == "cap":
        ledger = Vault(place / "vault").ledger()
        ledger.set_cap(10**12)
        ledger.close()
        limit = {}
    before = tree(place)
    for call in (look, go):
        with pytest.raises(BudgetExceeded, match="1 of 2 patients would have an infinite epsilon"):
            call(place, **limit)
        with pytest.raises(BudgetExceeded, match="epsilon of this release is infinite"):
            run(place, out="again", source="in", **EXPOSING[how], **limit)
    assert tree(place) == before
    assert go(place, accept_unprotected=True, **limit).released == 2


def test_a_mirror_of_what_was_paid_for_is_remembered(place):
    """It costs nothing more: the images of a release that kept nothing are copied."""
    go(place, source="one")
    assert not spent(place)[0].unprotected
    before = charges(place)["reserve"]
    assert go(place, out="named", source="one", layout="mirror").already == 1
    assert charges(place)["reserve"] == before
    assert spent(place)[0].unprotected
    assert look(place, budget=1e6)[0].released == 1, "what is paid for is served"
    with pytest.raises(BudgetExceeded, match="1 of 2 patients would have an infinite epsilon"):
        run(place, preview, source="in", recipe=noised(epsilon=EPSILON / 2), budget=1e6)


def test_it_is_remembered_before_anything_is_published(place, monkeypatch):
    go(place, source="one")

    class Died(BaseException):
        pass

    def die(*_):
        raise Died

    monkeypatch.setattr("latentdp.release.publish.Publisher.known", die)
    with pytest.raises(Died):
        go(place, out="named", source="one", layout="mirror")
    assert spent(place)[0].unprotected


def test_a_reservation_and_that_it_exposes_are_one(place, monkeypatch):
    real = "latentdp.vault.ledger.Ledger._append"

    def failing(self, connection, kind, *more):
        if kind == "exposed":
            raise OSError("full")
        return original(self, connection, kind, *more)

    from latentdp.vault.ledger import Ledger

    original = Ledger._append
    with monkeypatch.context() as patch:
        patch.setattr(real, failing)
        with pytest.raises(Exception, match="could not be written"):
            run(place, **EXPOSING["empirical"])
    assert not spent(place)
    assert run(place, **EXPOSING["empirical"]).released == 1
    assert spent(place)[0].unprotected


def test_a_preview_of_inputs_alone_refuses_a_budget_too(place):
    with pytest.raises(BudgetExceeded, match="leaves something unprotected"):
        preview(
            place / "in", privatizer=Privatizer(shared_flow(), EXPOSING["empirical"]["recipe"]),
            budget=1.0,
        )  # fmt: skip


def test_deltas_over_the_budget_are_refused_before_anything_is_written(place):
    recipe = Recipe.from_preset("balanced", mechanism="gaussian", label="none", epsilon=8.0)
    delta = Privatizer(shared_flow(), recipe).guarantee.delta
    assert delta > 0
    with pytest.raises(BudgetExceeded, match=r"2 of 2 patients .* budget of delta"):
        run(place, source="in", recipe=recipe, budget_delta=delta / 2)
    assert not (place / "exposed").exists()
    assert run(place, source="in", recipe=recipe, budget_delta=delta).released == 2


def test_the_command_accepts_and_shows_it(place, command, capsys, tiny_weights):
    common = ["--vault", place / "vault", "--weights", tiny_weights, "--size", 64]
    exposed = [place / "one", place / "exposed", "--preset", "empirical", *common]
    assert command("privatize", *exposed, "--budget", 8) == 3
    assert "--accept-unprotected" in capsys.readouterr().err
    assert command("privatize", *exposed, "--budget", 8, "--accept-unprotected") == 0
    noised = [place / "in", place / "out", *common, "--budget-delta", 0.1]
    capsys.readouterr()
    assert command("privatize", *noised) == 3
    error = capsys.readouterr().err
    assert "1 of 2 patients would have an infinite epsilon" in error
    assert len(errors_of(error)) == 1
    assert command("privatize", *noised, "--accept-unprotected") == 0
    assert "infinity" in capsys.readouterr().out
    assert command("ledger", place / "vault", "--cap", 99, "--cap-delta", 0.1, "--patients") == 0
    shown = capsys.readouterr().out
    assert "epsilon 99 and delta 0.1 per patient" in shown
    rows = [line for line in shown.splitlines() if " releases" in line or "left" in line]
    assert "epsilon infinity (something was released exactly" in " ".join(shown.split())
    assert rows
    assert command("ledger", place / "vault", "--patients", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["most_spent"], facts["cap"], facts["cap_delta"]) == (None, 99, 0.1)
    first, second = facts["by_patient"].values()
    assert first["spent"] is None, "who spent most comes first"
    assert (first["left"], first["delta_left"]) == (0, 0.1)
    assert first["spent_on_noised_part"] == second["spent"] == facts["most_spent_on_noised_part"]
