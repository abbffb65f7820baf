"""A release that is gone on with, moved, or was left by a run that died."""

import json

import numpy as np
import pydicom
import pytest
from PIL import Image

from latentdp import Aborted, BudgetExceeded, InputError
from latentdp.release.executor import Pool
from latentdp.release.outputs import MARK, Outputs
from latentdp.vault.drafts import Drafts
from latentdp.vault.ledger import Ledger
from latentdp.vault.vault import Vault
from tests.release.sample_release import BROKEN, GOOD, go, outputs
from tests.support.deaths import dies_at
from tests.support.sweeps import diagonal


@pytest.mark.promise("The same command again makes nothing and charges nothing.")
def test_a_rerun_does_and_charges_nothing(place):
    first, before = go(place), outputs(place)
    second = go(place)
    assert (second.released, second.already, second.spent) == (0, GOOD, 0)
    assert second.patient_epsilon == first.patient_epsilon
    assert outputs(place) == before


def test_new_files_join_an_earlier_release(place):
    go(place)
    before = outputs(place)
    Image.fromarray(np.tile(np.arange(90, dtype=np.uint8), (80, 1))).save(place / "in" / "p.png")
    summary = go(place)
    assert (summary.released, summary.already) == (1, GOOD)
    assert before.items() <= outputs(place).items()


def test_another_folder_gets_the_first_output_and_pays_nothing(place):
    go(place)
    summary = go(place, out="again")
    assert (summary.released, summary.already, summary.spent) == (0, GOOD, 0)
    assert outputs(place, "again") == outputs(place)


@pytest.mark.parametrize("harm", ["removed", "altered"])
def test_a_lost_output_is_told_and_made_again_only_when_asked(place, harm):
    go(place)
    victim = place / "out" / "images" / sorted(outputs(place))[0]
    if harm == "removed":
        victim.unlink()
    else:
        victim.write_bytes(victim.read_bytes() + b"xx")
    summary = go(place)
    assert (summary.released, summary.already, summary.spent) == (0, GOOD - 1, 0)
    assert summary.quarantined["lost"] == 1
    with pytest.raises(BudgetExceeded):
        go(place, budget=15.0, again=True)
    summary = go(place, again=True)
    assert (summary.released, summary.already) == (1, GOOD - 1)
    assert summary.spent == pytest.approx(8, rel=0.01)
    assert len(outputs(place)) == GOOD, "an altered output leaves the release"
    assert (place / "vault" / "withdrawn" / victim.name).is_file() == (harm == "altered")
    assert go(place).already == GOOD


def test_a_file_that_is_not_of_the_release_is_not_released_with_it(place):
    go(place)
    (place / "out" / "images" / "notes.txt").write_text("x")
    with pytest.raises(InputError, match="1 files in images are not of this release"):
        go(place)


def test_hidden_left_overs_do_not_block_or_stay(place):
    (place / "out").mkdir()
    (place / "out" / ".release.json.tmp").write_text("{")
    assert go(place).released == GOOD
    (place / "out" / ".labels.csv.tmp").write_text("")
    (place / "out" / "images" / ".AppleDouble").mkdir()
    (place / "out" / "images" / f".{'0' * 32}.dcm.-1.part").write_bytes(b"half")
    assert go(place).already == GOOD
    assert {p.name for p in (place / "out").rglob(".*")} == {MARK, ".AppleDouble"}


def test_a_run_that_died_here_and_was_finished_elsewhere(place):
    """What lies here is served from here, and nothing is made or released twice in one folder."""
    with dies_at(Outputs, "publish", late=False):
        go(place)
    assert go(place, out="other").accounted == GOOD + BROKEN
    summary = go(place)
    assert summary.already == GOOD
    assert len(outputs(place)) == GOOD


def test_a_moved_release_is_known_where_it_is(place):
    go(place)
    (place / "out").rename(place / "moved")
    assert go(place, out="moved").already == GOOD
    assert go(place, out="third").already == GOOD


def test_another_vault_may_not_go_on_with_a_release(place):
    go(place)
    before = outputs(place)
    with pytest.raises(InputError, match="vault that is not there"):
        go(place, vault=place / "second vault")
    Vault(place / "second vault")
    with pytest.raises(InputError, match="another vault"):
        go(place, vault=place / "second vault")
    assert outputs(place) == before


@pytest.mark.parametrize(
    ("step", "late"),
    diagonal(
        ["Ledger.reserve", "Pool.release", "Drafts.write", "Ledger.finish", "Outputs.publish"],
        [False, True],
    ),
)
def test_a_run_that_dies_anywhere_is_finished_by_the_next(place, step, late):
    """Before or after each step; afterwards one output and one charge for each image."""
    target, name = {
        "Ledger.reserve": (Ledger, "reserve"),
        "Pool.release": (Pool, "release"),
        "Drafts.write": (Drafts, "write"),
        "Ledger.finish": (Ledger, "finish"),
        "Outputs.publish": (Outputs, "publish"),
    }[step]
    with dies_at(target, name, late=late):
        go(place)
    drawn = {
        pydicom.dcmread(path).SOPInstanceUID: path.read_bytes()
        for path in (place / "out" / "images").iterdir()
    }
    assert json.loads((place / "out" / "release.json").read_text())["status"] == "incomplete"
    summary = go(place)
    assert summary.released + summary.already == GOOD
    assert len(outputs(place)) == GOOD, "no partial file is left"
    now = {
        pydicom.dcmread(place / "out" / "images" / name_).SOPInstanceUID: data
        for name_, data in outputs(place).items()
    }
    assert drawn.items() <= now.items(), "what was drawn once is not drawn again"
    ledger = Vault(place / "vault").ledger()
    assert sum(s.releases for s in ledger.spent().values()) == GOOD
    ledger.close()


def test_a_full_disk_is_one_clear_error(place, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device", "/secret/path")

    with monkeypatch.context() as patch:
        patch.setattr("latentdp.vault.drafts.Path.write_bytes", full)
        with pytest.raises(Aborted, match="could not be written") as caught:
            go(place)
    assert caught.value.exit_code == 5
    assert "secret" not in str(caught.value)
    assert outputs(place) == {}
    assert go(place).released == GOOD
