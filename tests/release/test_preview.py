"""``--dry-run`` tells the numbers of the run that would follow, and leaves no trace."""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from latentdp import BudgetExceeded, InputError, Privatizer, Recipe
from latentdp.release.privatize import preview, privatize_folder
from latentdp.vault.ledger import micro
from latentdp.vault.vault import Vault
from tests.support.folders import (
    EPSILON,
    go,
    images,
    look,
    picture_at,
    privatizer,
    radiograph_at,
    tree,
)
from tests.support.places import SAMPLES

NUMBERS = (
    "inputs", "outputs", "released", "already", "duplicates", "quarantined", "spent", "patients",
    "most_images", "patient_epsilon", "patient_delta", "exit_code",
)  # fmt: skip


@pytest.fixture
def place(tmp_path):
    """Three images of one patient, one of another, a twin, a copy, a picture and junk."""
    for number in (1, 2, 3):
        radiograph_at(tmp_path / "in" / f"{number}", number, PatientID="P")
    radiograph_at(tmp_path / "in" / "4", 4)
    radiograph_at(tmp_path / "in" / "twin", 4, SOPInstanceUID="1.9")
    shutil.copy(tmp_path / "in" / "1", tmp_path / "in" / "copy")
    picture_at(tmp_path / "in" / "p.png", 5)
    (tmp_path / "in" / "junk").write_bytes(b"junk")
    return tmp_path


def both(place, **options):
    """What a preview and then a run tell; each a dict of numbers, or the refusal."""
    told = []
    for call in (look, go):
        before = tree(place)
        try:
            found = call(place, **options)
        except (BudgetExceeded, InputError) as error:
            told.append((type(error), str(error)))
        else:
            summary = found[0] if call is look else found
            told.append({name: getattr(summary, name) for name in NUMBERS})
        if call is look:
            assert tree(place) == before, "a preview writes nothing"
    return told


def test_it_tells_what_each_of_several_runs_does(place):
    first, then = both(place)
    assert first == then
    assert (then["released"], then["duplicates"]) == (5, 2)
    first, then = both(place)
    assert first == then
    assert (then["already"], then["spent"]) == (5, 0)
    radiograph_at(place / "in" / "6", 6, PatientID="P")
    shutil.copytree(place / "in", place / "more")
    first, then = both(place, source="more")
    assert first == then
    assert (then["already"], then["released"], then["most_images"]) == (5, 1, 4)
    first, then = both(place, out="elsewhere", layout="mirror")
    assert first == then
    assert (then["already"], then["outputs"]) == (6, 6)
    (place / "out" / "images" / images(place)[0]).write_bytes(b"altered")
    (place / "elsewhere").rename(place / "gone")
    for again in (False, True, False):
        first, then = both(place, again=again)
        assert first == then


def test_it_knows_another_recipe_and_what_was_spent_before(place):
    go(place)
    other = Privatizer(privatizer().flow, Recipe.from_preset("dp-glow", epsilon=256.0))
    told, _ = preview(place / "in", place / "two", privatizer=other, vault=place / "vault")
    done = privatize_folder(place / "in", place / "two", privatizer=other, vault=place / "vault")
    assert [getattr(told, n) for n in NUMBERS] == [getattr(done, n) for n in NUMBERS]
    assert told.patient_epsilon == pytest.approx(3 * (EPSILON + 256), rel=1e-2)
    assert told.spent == pytest.approx(5 * 256, rel=1e-2)


@pytest.mark.parametrize("where", ["new vault", "used vault"])
def test_it_refuses_what_a_run_refuses(place, where):
    if where == "used vault":
        shutil.copytree(place / "in", place / "all")
        (place / "in" / "3").unlink()
        go(place)
        shutil.rmtree(place / "in")
        (place / "all").rename(place / "in")
    first, then = both(place, budget=2.5 * EPSILON)
    assert first == then
    assert first[0] is BudgetExceeded
    with closing(Vault(place / "vault").ledger()) as book:
        book.set_cap(micro(2 * EPSILON))
    first, then = both(place)
    assert first == then
    assert "the vault's cap" in first[1]
    first, then = both(place, budget=1.5 * EPSILON)
    assert first == then
    assert "their budget" in first[1]


def test_it_refuses_folders_and_ledgers_that_a_run_refuses(place):
    (place / "in.txt").write_text("a file")
    for options in (
        {"out": "in/out"},
        {"vault": place / "in"},
        {"ledger": f"sqlite:///{place}/in/l"},
        {"layout": "tree"},
        {"out": "in/4/out"},
        {"out": "in.txt/out"},
        {"vault": place / "in.txt" / "vault"},
    ):
        first, then = both(place, **options)
        assert first == then
        assert first[0] is InputError
    go(place)
    with closing(sqlite3.connect(place / "vault" / "ledger.sqlite")) as ledger, ledger:
        ledger.execute("update latentdp_ledger set micro_epsilon = 0 where seq = 1")
    first, then = both(place)
    assert first == then
    assert "tampered" in first[1]


def test_half_made_vaults_are_left_as_they_are(place):
    (place / "vault").mkdir(mode=0o700)
    told, _ = look(place)
    assert list((place / "vault").iterdir()) == []
    (place / "vault").rmdir()
    Vault(place / "vault")
    again, _ = look(place)
    assert sorted(p.name for p in (place / "vault").iterdir()) == [
        "digest", "key", "key.lock", "reports",
    ]  # fmt: skip
    assert vars(told) == vars(again)
    (place / "vault").chmod(0o755)
    with pytest.raises(InputError, match="chmod 700"):
        look(place)


def test_a_read_only_vault_and_release_are_enough(place):
    go(place)
    everything = [place / "vault", *(place / "vault").rglob("*"), place / "out"]
    for path in everything:
        path.chmod(0o500 if path.is_dir() else 0o400)
    before = {p: p.stat().st_mtime_ns for p in everything}
    assert look(place)[0].already == 5
    assert {p: p.stat().st_mtime_ns for p in everything} == before


def test_a_ledger_that_cannot_be_opened_is_told(place):
    for url in (f"sqlite:///{place}/none/ledger", f"sqlite:///{place}/in"):
        with pytest.raises(InputError, match="ledger"):
            look(place, ledger=url)


@pytest.mark.parametrize("name", ["ledger.sqlite", "index.sqlite"])
def test_a_write_that_is_half_done_is_told_and_undone_by_the_next_run(place, name):
    go(place)
    # What a run that was killed within a transaction leaves: a journal, still to be rolled back.
    script = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
        "c.execute('pragma cache_size = 1'); c.execute('begin immediate'); "
        "c.executemany('insert into junk values (?)', [('x' * 3000,)] * 400); os._exit(0)"
    )
    file = place / "vault" / name
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("create table junk (a)")
    subprocess.run([sys.executable, "-c", script, file], check=True)
    before = tree(place)
    with pytest.raises(InputError, match="the next run undoes"):
        look(place)
    assert tree(place) == before
    assert go(place).already == 5


def test_a_ledger_on_a_server_is_read_only_too(place, postgres):
    url = postgres.fresh()
    told, _ = look(place, ledger=url)
    assert told.released == 5
    assert not (place / "vault").exists()
    go(place, ledger=url)
    assert look(place)[0].already == look(place, ledger=url)[0].already == 5


def test_the_command_tells_what_would_be_charged(
    command, capsys, tmp_path, monkeypatch, tiny_weights
):
    monkeypatch.chdir(tmp_path)
    arguments = ["privatize", SAMPLES / "clinic-a", "out", "--json", "--layout", "mirror"]
    arguments += ["--weights", tiny_weights]
    assert command(*arguments, "--dry-run") == 0
    told = json.loads(capsys.readouterr().out)
    assert list(tmp_path.iterdir()) == []
    assert command(*arguments) == 0
    done = json.loads(capsys.readouterr().out)
    assert told["counts"] == done["counts"]
    noised = "epsilon_of_noised_part_"  # of the whole it is infinity: names are passed on
    assert told["epsilon_to_charge_now"] is done["epsilon_charged_now"] is None
    assert told[f"{noised}to_charge_now"] == done[f"{noised}charged_now"] > 0
    assert told["warnings"] == done["warnings"]
    assert command(*arguments, "--dry-run") == 0
    assert json.loads(capsys.readouterr().out)[f"{noised}to_charge_now"] == 0
