"""Processes that race for a budget, and runs that are killed (SIGKILL) at every step."""

import json
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import inspect

from latentdp.core.filesystem import EPOCH
from latentdp.release.outputs import MARK
from latentdp.vault.database import address, connect
from latentdp.vault.index_file import IndexFile
from latentdp.vault.ledger import Spent
from latentdp.vault.vault import Vault
from tests.support import ledger_jobs as jobs
from tests.support.places import ROOT, SAMPLES
from tests.support.sweeps import diagonal, slow, some

pytestmark = pytest.mark.xdist_group("races")  # they share a process that forks

KILLED = -signal.SIGKILL
RELEASED, COST = 4, 2_560_000_000  # of `source`; the two DICOM files show one patient


# One of each kind: before, within and after what makes a step hold.
USUAL = (
    "reserved, the head half written",
    "before the record",
    "recorded, the head not written",
    "a draft is not renamed",
    "two drafts are written",
    "recorded, no file published",
    "one file is published",
    "the last card is half written",
    "the address is half written",
)
USUAL_APART = ("one half is copied", "a copy is published, its draft still there")
USUAL_IN_RECOVERY = ("half of the drafts are removed", "a draft of the run before is published")


@pytest.fixture(scope="module")
def fork():
    """Runs jobs at once, each in a process of its own; returns their exit statuses."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.ledger_jobs"],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:

        def start(*wanted: dict) -> list[int]:
            process.stdin.write(json.dumps(wanted) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield start


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Two files of one patient, two pictures, a duplicate, and a file that is nothing."""
    folder = tmp_path_factory.mktemp("in")
    for name in ("cr-0001.dcm", "cr-0002.dcm"):
        shutil.copy(SAMPLES / "clinic-a" / name, folder)
    for i in range(2):
        picture = np.tile(np.arange(90 + i, dtype=np.uint8), (80, 1))
        Image.fromarray(picture).save(folder / f"{i}.png")
    shutil.copy(folder / "0.png", folder / "again.png")
    (folder / "notes.txt").write_text("nothing")
    return folder


@pytest.mark.promise("A cap holds however many runs race for it, and if some of them are killed.")
@pytest.mark.parametrize("killed", [slow(0), 4])
def test_racing_processes_spend_the_budget_exactly(fork, tmp_path, database, killed):
    """Eight at once, with 96 tries for 21 places; half of them may die inside a transaction."""
    vault = Vault(tmp_path / "vault")
    ledger = vault.ledger(database)
    ledger.set_cap(79)
    start = time.time() + 0.2
    job = {"name": "race", "vault_path": str(vault.path), "start": start}
    ends = fork(*(job | {"dying": i < killed} for i in range(8)))
    assert set(ends[killed:]) == {0}
    assert not killed or KILLED in ends, "who comes too late for a place does not die over it"
    assert ledger.spent() == {f"patient {i}": Spent(70, 0, 7) for i in range(jobs.PATIENTS)}
    assert ledger.verify() == 1 + 2 * 21, "one cap; each release reserved and written once"
    ledger.close()


def test_copies_of_a_vault_on_two_machines_share_one_budget(fork, tmp_path, source, postgres):
    first, url = Vault(tmp_path / "vault 0"), postgres.fresh()
    ledger = first.ledger(url)
    ledger.set_cap(2 * COST)
    shutil.copytree(first.path, tmp_path / "vault 1")
    start = time.time() + 0.2
    ends = fork(*(
        {"name": "privatize", "source": str(source), "out": str(tmp_path / f"out {i}"),
         "vault_path": str(tmp_path / f"vault {i}"), "url": None, "start": start,
         "epsilon": 2560 - i}
        for i in range(2)
    ))  # fmt: skip
    assert sorted(ends) == [0, 3], "there is room for one release of each image"
    assert max(s.micro_epsilon for s in ledger.spent().values()) <= 2 * COST
    ledger.verify()
    ledger.close()
    server = connect(address(url))
    assert inspect(server).get_table_names() == ["latentdp_ledger"], "what links stays here"
    server.dispose()
    # The loser may have been refused before it read anything for good.
    winner = tmp_path / f"vault {ends.index(0)}"
    assert IndexFile(winner, read_only=True).duplicates()


def seen(out) -> set[bytes]:
    """What anybody who may read the folder sees of images, under whatever name."""
    return {p.read_bytes() for p in (out / "images").rglob("*") if p.is_file()}


def finish_and_check(fork, tmp_path, job, before):
    """The same command once more: each input once, each release charged once."""
    told = tmp_path / "summary.json"
    assert fork(job | {"told": str(told)}) == [0]
    summary = json.loads(told.read_text())
    kept = summary["released"] + summary["already"]
    assert (kept, summary["duplicates"]) == (RELEASED, 1)
    assert summary["inputs"] == kept + 1 + sum(summary["quarantined"].values()) == 6
    out, vault = tmp_path / "out", Vault(tmp_path / "vault")
    files = [p for p in (out / "images").rglob("*") if p.is_file()]
    assert len(files) == RELEASED == summary["outputs"]
    images = [p.read_bytes() for p in files]
    assert all(any(image.startswith(part) for image in images) for part in before), (
        "of one reservation no two images are ever seen"
    )
    assert not list((vault.path / "drafts").iterdir())
    assert {p.stat().st_mtime for p in (out / "images").rglob("*")} == {EPOCH}
    hidden = {p.name for p in (*out.rglob(".*"), *vault.path.rglob(".*"))}
    assert hidden == {MARK}, "nothing else that is hidden is left"
    assert json.loads((out / "release.json").read_text())["status"] == "complete"
    ledger = vault.ledger()
    spent = ledger.spent()
    assert sorted(s.releases for s in spent.values()) == [1, 1, 2]
    assert max(s.micro_epsilon for s in spent.values()) <= ledger.cap().micro_epsilon
    if job.get("layout") != "mirror":
        assert ledger.outputs(p.name for p in files).keys() == {p.name for p in files}
    ledger.verify()
    ledger.close()


def kill_and_check(fork, tmp_path, source, url, *steps, layout="flat", apart=False):
    vault, out = Vault(tmp_path / "vault"), tmp_path / "out"
    if "the address is half written" not in steps:
        ledger = vault.ledger(url)
        ledger.set_cap(2 * COST)  # exactly what one release of each image costs
        ledger.close()
    job = {"name": "privatize", "source": str(source), "out": str(out),
           "vault_path": str(vault.path), "url": url, "layout": layout,
           "apart": apart}  # fmt: skip
    before: set[bytes] = set()
    for step in steps:
        assert fork(job | {"step": step}) == [KILLED]
        before |= seen(out)
    ledger = vault.ledger(url)
    ledger.verify()
    reserved = sum(s.releases for s in ledger.spent().values())
    assert reserved == (0 if steps[-1] in jobs.NOTHING_RESERVED else RELEASED)
    if not ledger.cap().bounds:
        ledger.set_cap(2 * COST)
    ledger.close()
    finish_and_check(fork, tmp_path, job, before)


@pytest.mark.promise(
    "A run that is killed at any step is finished by the next, and nobody is charged twice."
)
@pytest.mark.promise(
    "Of one charge no two images are ever seen in the release folder, whatever is killed when."
)
@pytest.mark.parametrize("step", some(jobs.STEPS, USUAL))
def test_a_run_killed_at_any_step_is_finished_by_the_next(fork, tmp_path, source, step):
    kill_and_check(fork, tmp_path, source, f"sqlite:///{tmp_path}/ledger.sqlite", step)


@pytest.mark.parametrize("step", some(jobs.LEDGER_STEPS, USUAL[:1] + USUAL[2:3]))
def test_and_so_it_is_on_a_server(fork, tmp_path, source, postgres, step):
    kill_and_check(fork, tmp_path, source, postgres.fresh(), step)


@pytest.mark.parametrize("step", some(jobs.STEPS_APART, USUAL_APART))
def test_a_vault_on_another_file_system(fork, tmp_path, source, step):
    kill_and_check(fork, tmp_path, source, None, step, apart=True)


@pytest.mark.parametrize("step", some(jobs.RECOVERY, USUAL_IN_RECOVERY))
def test_killed_again_in_the_recovery(fork, tmp_path, source, step):
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    recorded = "published" in step
    first = "recorded, no file published" if recorded else "all drafts are written"
    kill_and_check(fork, tmp_path, source, url, first, step)


@pytest.mark.parametrize(("step", "layout"), diagonal(jobs.LAYOUT_STEPS, ["study", "mirror"]))
def test_killed_in_any_layout(fork, tmp_path, source, step, layout):
    kill_and_check(fork, tmp_path, source, None, step, layout=layout)
    if layout == "mirror":
        names = {p.name for p in (tmp_path / "out" / "images").iterdir()}
        assert names - {"again.png", "0.png"} == {"cr-0001.dcm", "cr-0002.dcm", "1.png"}
