"""Plug-ins of another package: the one that the guide shows, and broken ones."""

import json
import re
import tomllib
from contextlib import contextmanager

import pytest

from latentdp import InputError, PluginWarning, Privatizer, Recipe
from latentdp.core import plugins
from latentdp.core.progress import silent
from latentdp.evaluation.run_attacks import examine
from latentdp.release.verify import verify, verify_card
from tests.support.documents import DOCS, blocks
from tests.support.places import SAMPLES
from tests.support.plugins import installed
from tests.support.scenes import noise_only, scene

GUIDE = blocks(DOCS / "how-to" / "plug-ins.md")
FROM = "acme-dp 1.2"


def text_of(block):
    return "\n".join(block.lines) + "\n"


@contextmanager
def the_guides_package(folder, version="1.2"):
    """What a reader of the guide has installed."""
    (project,) = (tomllib.loads(text_of(b)) for b in GUIDE if b.language == "toml")
    sources = {b.lines[0].removeprefix("# "): text_of(b) for b in GUIDE if b.language == "py"}
    points = project["project"]["entry-points"]
    name = project["project"]["name"]
    assert f"{name} {project['project']['version']}" == FROM
    with installed(folder, name, version, points, {"acme_dp/__init__.py": "", **sources}):
        yield


@contextmanager
def one(folder, group, name, source, distribution="broken-dp"):
    """A package with one plug-in."""
    module = re.sub(r"\W", "_", f"{distribution}_{name}")
    with installed(
        folder,
        distribution,
        "0.3",
        {f"latentdp.{group}": {name: module}},
        {f"{module}.py": source},
    ):
        yield


def test_nothing_of_another_package_is_there_without_it():
    assert "cautious" not in plugins.names("mechanisms")
    assert plugins.provider("mechanisms", "laplace") == plugins.provider("mechanisms", "no") == ""


def test_the_package_of_the_guide_is_found_by_its_entry_points(tmp_path):
    with the_guides_package(tmp_path / "site"):
        assert plugins.names("mechanisms")[0] == "cautious"
        assert plugins.is_there("attacks", "by-brightness")
        assert plugins.provider("mechanisms", "cautious") == FROM
        assert plugins.load("mechanisms", "cautious").mechanism.name == "cautious"
        assert Recipe.from_preset("balanced", mechanism="cautious").mechanism == "cautious"
    assert not plugins.is_there("mechanisms", "cautious")
    with pytest.raises(InputError, match="no mechanism 'cautious'; there are: codebook"):
        Recipe.from_preset("balanced", mechanism="cautious")


def test_the_attack_of_the_guide_attacks(tmp_path):
    with the_guides_package(tmp_path / "site"):
        found = examine(scene(noise_only), silent, attacks=["by-brightness"], utilities=())
    assert {outcome.attack for outcome in found.outcomes} == {"by-brightness"}
    assert not found.unavailable


def test_a_card_names_the_package_and_verify_needs_it(tmp_path, command, capsys, tiny_weights):
    out = tmp_path / "out"
    call = ("--mechanism", "cautious", "--weights", tiny_weights, "--json")
    with the_guides_package(tmp_path / "site"):
        assert (
            command("privatize", SAMPLES / "clinic-a", out, "--vault", tmp_path / "v", *call) == 0
        )
        told = json.loads(capsys.readouterr().out)
        card = json.loads((out / "release.json").read_text(encoding="utf-8"))
        assert [b.get("provider") for b in card["plan"]["blocks"]] == [FROM, None]
        (line,) = (w for w in card["warnings"] if w.startswith("MECHANISM FROM OUTSIDE"))
        assert line in told["warnings"]
        assert f"cautious is a plug-in of the package {FROM}" in line
        judged = verify(out)
        assert judged.ok
        assert any(f"made with {FROM}, and {FROM} recomputed" in w for w in judged.not_checked)
        hidden = json.loads(json.dumps(card))
        del hidden["plan"]["blocks"][0]["provider"]
        failed = {check.claim for check in verify_card(hidden) if not check.ok}
        assert failed == {"packages of mechanisms", "warnings"}
    with pytest.raises(
        InputError, match=f"'cautious' is a plug-in of the package {FROM}, which is"
    ):
        verify(out)
    with the_guides_package(tmp_path / "later", version="2.0"):
        judged = verify(out)
        assert judged.ok, "another version says the same"
        assert any("acme-dp 2.0 recomputed" in w for w in judged.not_checked)


def test_a_privatizer_warns_of_a_mechanism_from_outside(tmp_path, tiny_flow):
    with the_guides_package(tmp_path / "site"):
        made = Privatizer(tiny_flow, Recipe.from_preset("balanced", mechanism="cautious"))
        assert "MECHANISM FROM OUTSIDE" in made.warnings[0]
        assert "MECHANISM FROM OUTSIDE" in made._repr_html_()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("1 / 0", "ZeroDivisionError"),
        ("mechanism = 3", "has no 'examples'"),
        ("mechanism, examples = 3, ()", "its mechanism is no Mechanism"),
        (
            "from latentdp.privacy.mechanisms.laplace import mechanism, examples",
            "it calls itself 'laplace'",
        ),
    ],
)
def test_a_broken_plug_in_is_one_line_that_names_its_package(
    source, message, tmp_path, command, capsys
):
    whose = "the mechanism 'odd' of the package broken-dp 0.3 cannot be used: "
    with one(tmp_path / "site", "mechanisms", "odd", source):
        with pytest.raises(InputError) as caught:
            plugins.load("mechanisms", "odd")
        assert str(caught.value).startswith(whose)
        assert message in str(caught.value)
        with pytest.warns(PluginWarning, match="broken-dp 0.3"):
            assert [name for name, _ in plugins.usable("mechanisms")] == list(
                plugins._ours("mechanisms")
            )
        assert command("explain", SAMPLES, "--mechanism", "odd") == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"latentdp: {whose}")


def test_an_audit_of_all_goes_on_without_a_broken_one(tmp_path, command, capsys, monkeypatch):
    monkeypatch.setattr(plugins, "_ours", lambda kind: ("laplace",))
    with one(tmp_path / "site", "mechanisms", "odd", "1 / 0"):
        assert command("audit", "--trials", 1000, "--epsilon", 2, "--dimensions", 1, "--json") == 0
    said = capsys.readouterr()
    assert len(json.loads(said.out)) == 1
    (line,) = said.err.splitlines()
    assert line.startswith("latentdp: warning: the mechanism 'odd' of the package broken-dp 0.3")


def test_an_evaluation_tells_of_a_broken_attack_and_goes_on(tmp_path):
    with one(tmp_path / "site", "attacks", "odd", "1 / 0"):
        found = examine(scene(noise_only), silent, attacks=["odd"], utilities=())
    (unable,) = found.unavailable
    assert (unable.name, "broken-dp 0.3" in unable.why) == ("odd", True)


def test_a_name_that_is_taken_is_left_out_with_a_warning(tmp_path):
    with one(tmp_path / "a", "mechanisms", "laplace", "1 / 0"):
        with pytest.warns(PluginWarning, match=r"broken-dp 0.3 is left out: latentdp has one"):
            assert plugins.names("mechanisms").count("laplace") == 1
        assert plugins.load("mechanisms", "laplace").mechanism.name == "laplace"
    with (
        one(tmp_path / "b", "methods", "same", "examples_for = list", "first-dp"),
        one(tmp_path / "c", "methods", "same", "examples_for = list", "second-dp"),
        pytest.warns(PluginWarning, match="has one of that name"),
    ):
        assert "same" in plugins.names("methods")
