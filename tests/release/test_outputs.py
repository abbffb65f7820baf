"""The release folder: whose a reservation is, and that one reservation gives one output."""

import shutil
from pathlib import Path

import pytest

from latentdp import BudgetExceeded, InputError, Privatizer, Recipe
from latentdp.release.outputs import MARK, Outputs
from latentdp.release.privatize import privatize_folder
from latentdp.release.reserve import Reserver
from latentdp.vault.index_file import IndexFile
from latentdp.vault.vault import Vault
from tests.support.ledger_rows import entry
from tests.support.places import SAMPLES

COST = 2_560_000_000  # micro-epsilons
IMAGES = 3


@pytest.fixture
def go(tmp_path, tiny_flow):
    """Runs with one of several copies of a vault, which share a ledger."""
    first = Vault(tmp_path / "vault 0")
    first.ledger(f"sqlite:///{tmp_path}/ledger.sqlite").close()
    shutil.copytree(first.path, tmp_path / "vault 1")
    privatizer = Privatizer(tiny_flow, Recipe.from_preset("dp-glow", epsilon=COST / 1e6))

    def run(number=0, **options):
        return privatize_folder(
            SAMPLES / "clinic-a", tmp_path / "out", privatizer=privatizer,
            vault=tmp_path / f"vault {number}", **options,
        )  # fmt: skip

    return run


def charged(tmp_path) -> int:
    ledger = Vault(tmp_path / "vault 0").ledger()
    ledger.verify()
    count = sum(spent.releases for spent in ledger.spent().values())
    ledger.close()
    return count


def drawn(*folders: Path) -> set[bytes]:
    return {p.read_bytes() for f in folders for p in (f / "images").iterdir()}


def paused(monkeypatch, meanwhile):
    """The first run stops after its reservation, until ``meanwhile`` has returned."""
    real, pauses = Reserver.reserve, [meanwhile]

    def reserve(self, decisions):
        owed = real(self, decisions)
        if pauses:
            pauses.pop()()
        return owed

    monkeypatch.setattr(Reserver, "reserve", reserve)


def test_what_is_owed_on_one_machine_is_not_released_on_another(go, tmp_path, monkeypatch):
    """The same path on each machine's own disk is two folders: both pay."""
    out, aside, theirs = tmp_path / "out", tmp_path / "aside", tmp_path / "theirs"

    def second():
        out.rename(aside)
        assert go(1).released == IMAGES
        out.rename(theirs)
        aside.rename(out)

    paused(monkeypatch, second)
    assert go(0).released == IMAGES
    assert len(drawn(out, theirs)) == charged(tmp_path) == 2 * IMAGES
    assert (out / MARK).read_bytes() != (theirs / MARK).read_bytes()


def test_a_reservation_of_a_copied_folder_is_finished_once(go, tmp_path, monkeypatch):
    """A copy under the same path has the same mark; who records first has the release."""
    out, aside, theirs = tmp_path / "out", tmp_path / "aside", tmp_path / "theirs"

    def second():
        shutil.copytree(out, theirs)
        out.rename(aside)
        theirs.rename(out)
        assert go(1).released == IMAGES
        out.rename(theirs)
        aside.rename(out)

    paused(monkeypatch, second)
    summary = go(0)
    assert (summary.released, summary.quarantined) == (0, {"lost": IMAGES})
    assert summary.accounted == summary.inputs
    assert len(drawn(out, theirs)) == charged(tmp_path) == IMAGES
    assert not drawn(out), "not even under a hidden name"


def test_hidden_files_of_a_copied_folder_are_released_once(go, tmp_path, monkeypatch):
    """Both died with what is owed drawn; the copies draw the rest of it each on its own."""
    out, theirs = tmp_path / "out", tmp_path / "theirs"

    class Died(BaseException):
        pass

    def die(*_):
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr("latentdp.vault.ledger.Ledger.finish", die)
        with pytest.raises(Died):
            go(0)
    shutil.copytree(out, theirs)
    assert go(0).already == IMAGES
    out.rename(tmp_path / "ours")
    for hidden in (theirs / "images").iterdir():
        hidden.write_bytes(hidden.read_bytes() + b"another draw")
    theirs.rename(out)
    assert go(1).quarantined == {"lost": IMAGES}
    assert not drawn(out)
    assert len(drawn(tmp_path / "ours")) == charged(tmp_path) == IMAGES


def test_a_folder_that_was_moved_pays_again_for_what_was_owed(go, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("latentdp.release.executor.Pool.release", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            go()
    assert charged(tmp_path) == IMAGES
    (tmp_path / "out" / MARK).write_text("half a ma")
    with pytest.raises(BudgetExceeded):
        go(budget=2 * COST / 1e6)
    assert go().released == IMAGES
    assert charged(tmp_path) == 2 * IMAGES
    assert go().already == IMAGES


def test_one_run_at_a_time_writes_to_a_folder(go, tmp_path, monkeypatch):
    def second():
        with pytest.raises(InputError, match="another run is writing to the output folder"):
            go(1)

    paused(monkeypatch, second)
    assert go(0).released == IMAGES == charged(tmp_path)


def test_the_owner_is_mark_and_path(tmp_path):
    out = tmp_path / "new" / "out"
    index = IndexFile(tmp_path, read_only=True)
    outputs = Outputs(out, index)
    assert outputs.owner == ""
    with outputs.alone():
        owner = outputs.owner
    assert Outputs(out, index).owner == owner != ""
    assert owner not in (out / MARK).read_text()
    shutil.copytree(out, tmp_path / "copy")
    assert Outputs(tmp_path / "copy", index).owner != owner
    (out / MARK).unlink()
    with outputs.alone():
        assert outputs.owner != owner


def test_what_another_process_records_during_the_recovery_is_not_released_here(tmp_path):
    class Raced:
        """Between a look-up and the record, another process was faster."""

        def outputs(self, names):
            return {name: entry("k", output=name) for name in names}

        def finish(self, written):
            return {done.output for done in written}

    hidden = tmp_path / "images" / f".{'0' * 32}.png.-1.part"
    hidden.parent.mkdir()
    hidden.write_bytes(b"a draw")
    Outputs(tmp_path, IndexFile(tmp_path, read_only=True)).recover(Raced())
    assert not list(hidden.parent.iterdir())


@pytest.mark.parametrize("new", [True, False])
def test_a_refusal_leaves_no_new_vault(go, tmp_path, new):
    if new:
        shutil.rmtree(tmp_path / "vault 0")
    with pytest.raises(BudgetExceeded):
        go(0, budget=COST / 1e6)
    assert (tmp_path / "vault 0").exists() is not new
    assert not (tmp_path / "out").exists()
