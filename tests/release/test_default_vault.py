"""Where a vault lies that nobody names: apart from the release, and found again."""

import json
import os
import shutil
import stat

import pytest

from latentdp import InputError
from latentdp.vault.default_vault import beside, default_vault
from latentdp.vault.vault import Vault
from tests.support.folders import go, images, look, picture_at, tree


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A project's folder, beside this user's state."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home" / "state"))
    picture_at(tmp_path / "project" / "in" / "p.png", 1)
    return tmp_path / "project"


def test_the_folder_of_a_release_holds_no_key(place):
    go(place, vault=None)
    vault = default_vault(place / "out")
    key = (vault / "key").read_bytes()
    assert stat.S_IMODE(vault.stat().st_mode) == 0o700
    assert vault.is_relative_to(place.parent / "home" / "state" / "latentdp")
    assert vault.name.startswith("out-"), "a steward can tell whose it is"
    assert {path.name for path in place.iterdir()} == {"in", "out"}
    assert not any(key in data for data in tree(place).values() if data)
    assert look(place, vault=None)[0].already == go(place, vault=None).already == 1


def test_every_release_has_its_own_wherever_it_is_named_from(place, monkeypatch):
    (place / "a" / "out").mkdir(parents=True)
    vaults = {default_vault(place / name) for name in ("out", "two", "a/out")}
    assert len(vaults) == 3
    monkeypatch.chdir(place / "a")
    (place / "link").symlink_to(place / "a" / "out")
    assert default_vault(place / "link") == default_vault(place / "a" / "out")
    for out in ("out", "../a/out"):
        assert default_vault(place.__class__(out)) == default_vault(place / "a" / "out")


@pytest.mark.parametrize("name", ["x" * 255, "é" * 120, os.fsdecode(b"\xff\xfe"), "a b;c"])
def test_any_name_of_a_release_gives_a_folder(place, name):
    Vault(default_vault(place / name))
    assert Vault.exists(default_vault(place / name))


def test_a_vault_that_version_0_1_made_beside_a_release_is_gone_on_with(
    place, command, capsys, tiny_weights
):
    old = place / "out.vault"
    go(place, vault=old)
    assert beside(place / "out") == old == default_vault(place / "out")
    assert go(place, vault=None).already == 1
    assert look(place, vault=None)[0].already == 1
    assert not (place.parent / "home").exists()
    capsys.readouterr()
    assert command("ledger", place / "out", "--json") == 0
    assert json.loads(capsys.readouterr().out)["charges"] == 1
    common = ["--weights", tiny_weights, "--size", 64]
    new = command("privatize", place / "in", place / "new", *common)
    assert (new, "beside the release" in capsys.readouterr().out) == (0, False)
    shutil.rmtree(place / "out")
    assert command("privatize", place / "in", place / "out", *common) == 0
    shown = "".join(capsys.readouterr().out.split())
    assert shown.count("thevaultliesbesidetherelease") == 1
    assert f"vault{old}(PRIVATE" in shown


def test_a_vault_in_the_state_outranks_a_folder_beside(place):
    go(place, vault=None)
    Vault(place / "out.vault")
    assert default_vault(place / "out") != place / "out.vault"
    assert go(place, vault=None).already == 1


def test_a_release_that_was_moved_asks_for_its_vault(place):
    go(place, vault=None)
    vault = default_vault(place / "out")
    (place / "out").rename(place / "moved")
    with pytest.raises(InputError, match="a vault that is not there; name it"):
        go(place, out="moved", vault=None)
    assert go(place, out="moved", vault=vault).already == 1
    assert len(images(place, "moved")) == 1


@pytest.mark.parametrize("state", ["in a file", "in the release"])
def test_without_a_folder_for_state_a_vault_is_asked_for(place, monkeypatch, state):
    (place / "file").write_text("")
    folder = place / ("file" if state == "in a file" else "out") / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    before = tree(place)
    for call in (look, go):
        with pytest.raises(InputError, match="name a private folder with --vault"):
            call(place, vault=None)
    assert tree(place) == before
    assert go(place).released == 1, "where one is named none is looked for"


def test_a_folder_that_cannot_be_written_to_is_none(place, monkeypatch):
    """As for an account without a home. Root could write anywhere."""
    monkeypatch.setattr("latentdp.vault.default_vault.can_be_made", lambda _: False)
    with pytest.raises(InputError, match="--vault"):
        default_vault(place / "out")
