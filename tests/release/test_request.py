"""A request is validated once: before weights are loaded, and before anything is written."""

import json
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

import latentdp
from latentdp.errors import InputError
from latentdp.models.flow import flow
from latentdp.release.recipe_options import RecipeOptions
from latentdp.release.request import ReleaseOptions, ReleaseRequest
from latentdp.reports.layout import Layout
from latentdp.vault.default_vault import default_vault
from tests.support.folders import go, picture_at, privatizer, tree


@pytest.fixture
def place(tmp_path):
    picture_at(tmp_path / "in" / "p.png", 1)
    (tmp_path / "file").write_text("")
    return tmp_path


REFUSED = {
    "preset": ({"preset": "none"}, "no preset 'none'"),
    "epsilon": ({"epsilon": -1.0}, "finite epsilon"),
    "both budgets": (
        {"preset": "dp-glow", "epsilon": 1.0, "epsilon_per_element": 1.0},
        "not both",
    ),
    "per element of nothing": ({"preset": "strict", "epsilon_per_element": 1.0}, "noises latent"),
    "mechanism of nothing": (
        {"preset": "strict", "mechanism": "laplace"},
        "leave --mechanism out",
    ),
    "label without labels": ({"label_release": "public"}, "--label-release needs --labels"),
    "size": ({"size": 0}, "size from 1"),
    "syntax": ({"transfer_syntax": "jpeg"}, "transfer syntax"),
    "budget": ({"budget": 0.0}, "finite positive budget"),
    "endless budget": ({"budget": float("inf")}, "epsilon .* for a budget"),
    "layout": ({"layout": "tree"}, "layout to be one of"),
    "workers": ({"workers": 0}, "at least 1 worker"),
    "workers and cluster": ({"workers": 2, "cluster": "tcp://x:1"}, "not both"),
    "vault of a cluster": ({"cluster": "tcp://x:1"}, "--cluster needs --vault"),
    "source": ({"source": "none"}, "there is none"),
    "out": ({"out": "in/out"}, "must not lie inside"),
    "out is a file": ({"out": "file"}, "got a file"),
    "vault": ({"vault": "out/vault"}, "must not lie inside"),
    "ledger": ({"ledger": "mysql://x/y"}, "ledger's URL"),
    "mapping": ({"mapping": "out/map.csv"}, "must not lie inside"),
    "mapping of another kind": ({"mapping": "file"}, "an earlier mapping"),
    "unknown": ({"presets": "strict"}, "no option 'presets'; there are: accept_burned_in, acc"),
}


@pytest.mark.parametrize("job", [latentdp.privatize_folder, latentdp.preview])
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_refused_before_weights_are_loaded(place, monkeypatch, job, case):
    options, message = REFUSED[case]
    monkeypatch.chdir(place)
    monkeypatch.setattr(flow, "load_flow", None)
    before = tree(place)
    given = {"source": "in", "out": "out"} | options
    with pytest.raises(InputError, match=message):
        job(given.pop("source"), given.pop("out"), **given)
    assert tree(place) == before


def test_it_cannot_be_changed_and_has_a_vault_of_its_own(place):
    request = ReleaseRequest(source=place / "in", out=place / "out", layout="mirror")
    assert request.vault == default_vault(place / "out")
    assert request.layout is Layout.MIRROR
    with pytest.raises(FrozenInstanceError):
        request.vault = place / "other"
    with pytest.raises(FrozenInstanceError):
        request.recipe.epsilon = 1.0


def test_options_are_the_fields_of_request_and_recipe():
    own = {field.name for field in fields(ReleaseRequest)} - {"source", "out", "vault", "recipe"}
    recipe = {field.name for field in fields(RecipeOptions)}
    assert not own & recipe
    assert ReleaseOptions.__annotations__.keys() == own | recipe


def test_a_loaded_privatizer_stands_instead_of_a_recipe(place):
    with pytest.raises(InputError, match="a privatizer or options of a recipe, not both: epsilon"):
        go(place, epsilon=1.0)
    summary = go(place, layout="mirror")
    assert summary.guarantee == privatizer().guarantee.beside(*Layout.MIRROR.unprotected)
    assert summary.unprotected == privatizer().unprotected + Layout.MIRROR.unprotected


def test_the_function_and_the_command_make_the_same_release(
    place, command, capsys, monkeypatch, tiny_weights
):
    monkeypatch.chdir(place)
    options = {"weights": str(tiny_weights), "preset": "strict", "size": 24, "shift_dates": True}
    summary = latentdp.privatize_folder("in", "one", **options)
    words = ["--weights", tiny_weights, "--preset", "strict", "--size", "24", "--shift-dates"]
    assert command("privatize", "in", "two", *words, "--json") == summary.exit_code == 0
    capsys.readouterr()
    one, two = (json.loads(Path(out, "release.json").read_text()) for out in ("one", "two"))
    assert one["recipe"] == two["recipe"]
    assert one["guarantee"] == two["guarantee"]
    assert latentdp.verify("one").ok
