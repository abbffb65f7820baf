"""The release folder: whose a reservation is, and that one reservation gives one output."""

import shutil
from pathlib import Path

import pytest

from latentdp import Aborted, BudgetExceeded, InputError, Privatizer, Recipe
from latentdp.release.outputs import MARK, Outputs
from latentdp.release.privatize import privatize_folder
from latentdp.release.reserve import Reserver
from latentdp.vault.drafts import Drafts
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

    def run(number=0, out=tmp_path / "out", **options):
        return privatize_folder(
            SAMPLES / "clinic-a", out, privatizer=privatizer,
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


def die_before_the_record(go, monkeypatch):
    """What is owed is drawn, and nothing of it recorded."""

    class Died(BaseException):
        pass

    def die(*_):
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr("latentdp.vault.ledger.Ledger.finish", die)
        with pytest.raises(Died):
            go(0)


def test_a_draft_that_is_not_recorded_is_never_seen(go, tmp_path, monkeypatch):
    """Nor does a copy of the folder release what is owed once more."""
    out, theirs, ours = tmp_path / "out", tmp_path / "theirs", tmp_path / "ours"
    die_before_the_record(go, monkeypatch)
    assert not drawn(out)
    left = contents(tmp_path / "vault 0" / "drafts")
    assert len(left) == IMAGES
    shutil.copytree(out, theirs)
    assert go(0).released == IMAGES
    assert drawn(out).isdisjoint(left)
    out.rename(ours)
    theirs.rename(out)
    assert go(1).quarantined == {"lost": IMAGES}
    assert not drawn(out)
    assert len(drawn(ours)) == charged(tmp_path) == IMAGES


def test_what_version_0_1_drew_into_the_folder_is_released_as_it_is(go, tmp_path, monkeypatch):
    die_before_the_record(go, monkeypatch)
    for draft in (tmp_path / "vault 0" / "drafts").iterdir():
        output = draft.name.partition("-")[2]
        draft.rename(tmp_path / "out" / "images" / f".{output}.-1.part")
    seen = drawn(tmp_path / "out")
    (tmp_path / "out" / ".work-0123").mkdir()
    (tmp_path / "out" / ".work-0123" / "draft").write_text("x")
    assert go(0).already == IMAGES == charged(tmp_path)
    assert drawn(tmp_path / "out") == seen
    assert not (tmp_path / "out" / ".work-0123").exists()


def die_before_publishing(go, monkeypatch):
    """All is recorded, and nothing of it in the folder."""
    with monkeypatch.context() as patch:
        patch.setattr("latentdp.release.outputs.Outputs.publish", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            go(0)


def contents(folder: Path) -> set[bytes]:
    return {p.read_bytes() for p in folder.iterdir()}


def test_another_folder_takes_a_copy_of_a_draft(go, tmp_path, monkeypatch):
    """The draft stays owed to the folder that it was made for, as long as that is there."""
    out, other, drafts = (tmp_path / name for name in ("out", "other", "vault 0/drafts"))
    die_before_publishing(go, monkeypatch)
    recorded = contents(drafts)
    assert (len(recorded), drawn(out)) == (IMAGES, set())
    assert go(0, out=other).already == IMAGES
    assert drawn(other) == contents(drafts) == recorded
    assert go(0).already == IMAGES == charged(tmp_path)
    assert (drawn(out), contents(drafts)) == (recorded, set())


@pytest.mark.parametrize("harm", ["altered", "removed"])
def test_a_recorded_draft_that_is_lost_is_not_drawn_again(go, tmp_path, monkeypatch, harm):
    die_before_publishing(go, monkeypatch)
    for draft in (tmp_path / "vault 0" / "drafts").iterdir():
        draft.unlink() if harm == "removed" else draft.write_bytes(b"another")
    assert go(0).quarantined == {"lost": IMAGES}
    assert not drawn(tmp_path / "out")


def test_a_vault_that_takes_no_more_bytes(go, tmp_path, monkeypatch):
    """One clear error, which names no path."""

    def full(path, content):
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr("latentdp.vault.drafts.Path.write_bytes", full)
        with pytest.raises(Aborted, match=r"to the vault \(No space left on device\)") as caught:
            go(0)
    assert str(tmp_path) not in str(caught.value)
    assert go(0).released == IMAGES == charged(tmp_path)


def test_a_vault_that_cannot_be_written_to(go, tmp_path, monkeypatch):
    """Nothing is charged, and no folder begun."""

    def read_only(lock, **_):
        raise OSError(30, "Read-only file system", str(lock))

    with monkeypatch.context() as patch:
        patch.setattr("latentdp.vault.vault.alone", read_only)
        with pytest.raises(Aborted, match=r"in the vault .* \(Read-only") as caught:
            go(0)
    assert str(tmp_path) not in str(caught.value)
    assert charged(tmp_path) == 0
    assert not (tmp_path / "out").exists()


def test_a_folder_that_takes_no_more_bytes(go, tmp_path, monkeypatch):
    """What was recorded waits in the vault."""

    def full(*_):
        raise OSError(28, "No space left on device", str(tmp_path / "out" / "images" / "x"))

    with monkeypatch.context() as patch:
        patch.setattr("latentdp.release.outputs.Outputs._move", full)
        with pytest.raises(
            Aborted, match=r"in the output folder .* moved \(No space left on device\)"
        ):
            go(0)
    assert go(0).already == IMAGES == charged(tmp_path)


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
    vault = IndexFile(tmp_path, read_only=True), Drafts(tmp_path)
    outputs = Outputs(out, *vault)
    assert outputs.owner == ""
    with outputs.alone():
        owner = outputs.owner
    assert Outputs(out, *vault).owner == owner != ""
    assert owner not in (out / MARK).read_text()
    shutil.copytree(out, tmp_path / "copy")
    assert Outputs(tmp_path / "copy", *vault).owner != owner
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
    Outputs(tmp_path, IndexFile(tmp_path, read_only=True), Drafts(tmp_path)).recover(Raced())
    assert not list(hidden.parent.iterdir())


@pytest.mark.parametrize("new", [True, False])
def test_a_refusal_leaves_no_new_vault(go, tmp_path, new):
    if new:
        shutil.rmtree(tmp_path / "vault 0")
    with pytest.raises(BudgetExceeded):
        go(0, budget=COST / 1e6)
    assert (tmp_path / "vault 0").exists() is not new
    assert not (tmp_path / "out").exists()
