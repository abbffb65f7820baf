"""A process that forks others on request, and what they do: race for a budget, or run and die.

``python -m tests.support.ledger_jobs`` reads one line of JSON, a list of jobs, starts a fork for
each at once, and answers with the list of their exit statuses, negative for a signal. A fork is a
whole process that can be killed, without the seconds that a new interpreter takes to load torch.
"""

import errno
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

from latentdp import BudgetExceeded, LatentDPError, Privatizer, Recipe
from latentdp.release import executor, run, tasks
from latentdp.release.describe import COMPLETE
from latentdp.release.outputs import Outputs
from latentdp.release.privatize import privatize_folder
from latentdp.vault import hash_chain, index_file, ledger, ledger_database, vault
from tests.support.places import SAMPLES
from tests.support.tiny_flow import shared_flow

PATIENTS = 3


def die(*_args, **_kwargs) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(owner, name, nth=1, when=lambda *_: True):
    """Dies instead of making the nth call of ``owner.name`` for which ``when`` holds."""

    def arm():
        real, calls = getattr(owner, name), []

        def dying(*args, **kwargs):
            calls.extend([1] if when(*args) else [])
            if len(calls) == nth:
                die()
            return real(*args, **kwargs)

        setattr(owner, name, dying)

    return arm


def after(owner, name, nth=1, when=lambda *_: True):
    """Dies after it."""

    def arm():
        real, calls = getattr(owner, name), []

        def dying(*args, **kwargs):
            result = real(*args, **kwargs)
            calls.extend([1] if when(*args) else [])
            if len(calls) == nth:
                die()
            return result

        setattr(owner, name, dying)

    return arm


def kind(wanted):
    return lambda _ledger, _connection, given, *_: given == wanted


def called(ending):
    return lambda path, *_: str(path).endswith(ending)


def last_card(path, *_):
    return called(".release.json.tmp")(path) and json.loads(path.read_text())["status"] == COMPLETE


def draft(path, *_):
    return Path(path).parent.name == "drafts"


def half_copied():
    """Dies in the middle of a copy from one file system to the other."""

    def copy(file, to):
        to.write_bytes(file.read_bytes()[:600])
        die()

    shutil.copyfile = copy


def lay_apart():
    """As if the vault were on another file system than the release."""
    real = Path.replace

    def replace(path, target):
        if draft(path) and not draft(target):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return real(path, target)

    Path.replace = replace


def into(table):
    return lambda _connection, given, _rows: given.name == table


Ledger = ledger.Ledger
LEDGER_STEPS = {
    "the table is made, not committed": after(ledger_database, "prepare"),
    "before the reservation": before(Ledger, "reserve"),
    "the budget is checked, nothing inserted": before(Ledger, "_append", when=kind("reserve")),
    "reserved, not committed": after(Ledger, "_append", when=kind("reserve")),
    "reserved, the head not written": before(hash_chain, "write_text"),
    "reserved, the head half written": before(Path, "replace", when=called(".ledger.head.tmp")),
    "reserved, the head written": after(hash_chain, "write_text"),
    "before the record": before(Ledger, "finish"),
    "recorded, not committed": after(Ledger, "_append", when=kind("written")),
    "recorded, the head not written": before(hash_chain, "write_text", nth=2),
    "recorded, no file published": before(Outputs, "publish"),
}
STEPS = LEDGER_STEPS | {
    "the noise is drawn, nothing written": after(Privatizer, "release_and_rate"),
    "a draft is not renamed": before(Path, "replace", when=draft),
    "one draft is written": after(tasks, "keep"),
    "two drafts are written": after(tasks, "keep", nth=2),
    "all drafts are written": after(executor, "release"),
    "a draft is recorded, its time not set": before(os, "utime", when=draft),
    "one file is published": after(Outputs, "publish"),
    "before the last card": before(run, "write_documents", nth=2),
    "the last card is half written": before(Path, "replace", when=last_card),
    "the address is half written": before(Path, "replace", when=called(".ledger.url.tmp")),
}
LAYOUT_STEPS = {
    "reserved, no place recorded": before(Outputs, "assign"),
    "links are added, not committed": after(index_file, "_insert", when=into("duplicates")),
    "places are added, not committed": after(index_file, "_insert", when=into("outputs")),
    "all places are recorded": after(Outputs, "assign"),
    "a file has its place, its folders their true times": before(Outputs, "_settle", nth=2),
}
NOTHING_RESERVED = {
    "the table is made, not committed",
    "before the reservation",
    "the budget is checked, nothing inserted",
    "reserved, not committed",
    "the address is half written",
    "links are added, not committed",
}
STEPS_APART = {  # where a file is published by a copy
    "nothing is copied": before(Outputs, "_copy"),
    "one half is copied": half_copied,
    "a copy is not renamed": before(Path, "replace", when=called(".part.tmp")),
    "a copy is not published": before(Path, "replace", nth=2, when=called(".part")),
    "a copy is published, its draft still there": before(Path, "unlink", when=draft),
}
RECOVERY = {  # of a run that died with all drafts whole, recorded or not
    "before drafts are looked through": before(Outputs, "_tidy"),
    "drafts are looked through": after(Outputs, "_tidy"),
    "half of the drafts are removed": after(Path, "unlink", nth=2, when=draft),
    "before a draft of the run before is published": before(Outputs, "serve"),
    "a draft of the run before is published": after(Outputs, "serve"),
}


def race(vault_path, start, dying, tries=12):
    """Reserves as often as it can, one release of one patient after another."""
    if dying:
        after(Ledger, "_append", when=kind("reserve"))()
    time.sleep(max(0.0, start - time.time()))
    book = vault.Vault(Path(vault_path)).ledger()
    for i in range(tries):
        name = f"{os.getpid()}-{i}"
        entry = ledger.LedgerEntry(
            key=name, subject=f"patient {i % PATIENTS}", micro_epsilon=10, output=name, folder="/"
        )
        try:
            book.reserve([entry])
            book.finish([entry.written("ff", 1, "/")])
        except BudgetExceeded:
            continue
    book.close()


def privatize(source, out, vault_path, url, step=None, told=None, start=0.0, epsilon=2560.0,
              layout="flat", apart=False):  # fmt: skip
    """One run with a tiny flow, killed at a step."""
    if apart:
        lay_apart()
    if step is not None:
        (STEPS | RECOVERY | LAYOUT_STEPS | STEPS_APART)[step]()
    time.sleep(max(0.0, start - time.time()))
    privatizer = Privatizer(shared_flow(), Recipe.from_preset("dp-glow", epsilon=epsilon))
    summary = privatize_folder(
        source,
        out,
        privatizer=privatizer,
        vault=vault_path,
        ledger=url,
        layout=layout,
        accept_unprotected=layout == "mirror",
    )
    if told is not None:
        Path(told).write_text(json.dumps(vars(summary), default=str))


def _fork(job):
    pid = os.fork()
    if pid:
        return pid
    status = 70
    try:
        {"race": race, "privatize": privatize}[job.pop("name")](**job)
        status = 0
    except LatentDPError as error:
        print(error, file=sys.stderr, flush=True)
        status = error.exit_code
    except Exception:
        traceback.print_exc()
        raise
    finally:
        os._exit(status)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:  # loads, once, all that a run imports late
        privatize(SAMPLES, f"{folder}/out", f"{folder}/vault", None)
    for line in sys.stdin:
        pids = [_fork(job) for job in json.loads(line)]
        ends = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        print(json.dumps(ends), flush=True)
