"""What arrives is released, under a standing recipe and budget, and nothing is lost."""

import json
import shutil
import subprocess
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import replace

import pydicom
import pytest
from latentdp._cli._notices import lines

from latentdp import InputError, Privatizer
from latentdp.archives.address import parse_address
from latentdp.archives.connection import Connection, connect
from latentdp.archives.spool import Spool, default_spool, files_below
from latentdp.archives.storage_scp import Listener
from latentdp.archives.watch import Notice, WatchedSource, WatchEvent, watch
from latentdp.errors import ArchiveError
from latentdp.release.request import ReleaseRequest
from latentdp.release.summary import Summary
from latentdp.vault.vault import Vault
from tests.archives.conftest import RECIPE
from tests.support.archives import study
from tests.support.orthanc import free_port
from tests.support.releases import COMMAND
from tests.support.tiny_flow import shared_flow

dcmtk = pytest.mark.skipif(
    shutil.which("storescu") is None, reason="dcmtk is not installed (apt-get install dcmtk)"
)
QUIET = 0.2


class Watching:
    """A watch in a thread of its own."""

    def __init__(self, place, source, recipe=RECIPE, **options):
        out, vault = place / "out", place / "vault"
        self.spool = Spool(default_spool(vault), out, vault)
        self.notices, self._stop = [], threading.Event()
        request = ReleaseRequest(source=self.spool.work, out=out, vault=vault, **options)
        privatizer = Privatizer(shared_flow(), recipe)
        self.images, self.vault = out / "images", vault
        self._done = []

        def run():
            tell = self.notices.append
            self._done.append(watch(request, privatizer, self.spool, source, tell, self._stop))

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def until(self, condition, seconds=120):
        """Waits."""
        end = time.monotonic() + seconds
        while not condition(self):
            assert time.monotonic() < end, self.notices
            assert self._thread.is_alive(), self.notices
            time.sleep(0.02)

    def count(self, event):
        return sum(notice.event is event for notice in self.notices)

    def released(self):
        return sum(notice.summary.released for notice in self.notices if notice.summary)

    def quarantined(self):
        return sum(len(notice.summary.quarantined) for notice in self.notices if notice.summary)

    def stop(self):
        self._stop.set()
        self._thread.join(120)
        assert not self._thread.is_alive()
        return self._done[0] if self._done else None


@contextmanager
def watching(place, **options):
    source = options.pop("source", None) or WatchedSource(folder=place / "in", quiet=QUIET)
    running = Watching(place, source, **options)
    try:
        yield running
    finally:
        running.stop()


def spent(vault):
    """Images of each patient that were charged, by the ledger."""
    with closing(Vault(vault, read_only=True).ledger()) as ledger:
        people = ledger.spent()
    return sorted(one.releases for one in people.values())


def send(port, files):
    address = parse_address(f"OURS@127.0.0.1:{port}")
    with connect(address, Connection(timeout=20)) as archive:
        return [outcome.stored for outcome in archive.send(files)]


def test_what_comes_into_a_folder_is_released_and_stays_there(tmp_path):
    (tmp_path / "in").mkdir()
    with watching(tmp_path) as running:
        first = study(tmp_path / "in", 1)
        running.until(lambda w: w.released() == 2)
        study(tmp_path / "in" / "later", 2)
        (tmp_path / "in" / "notes.txt").write_text("nothing")
        running.until(lambda w: w.released() == 4 and w.quarantined() == 1)
        done = running.stop()
    assert (done.released, done.quarantined, done.exit_code) == (4, 1, 1)
    assert all(path.exists() for path in first)
    assert len(files_below(running.images)) == 4
    assert files_below(running.spool.work) == []
    card = json.loads((tmp_path / "out" / "release.json").read_text())
    assert (card["status"], card["counts"]["images_in_release"]) == ("complete", 4)
    # What was taken is remembered; what has changed since is another file.
    with watching(tmp_path) as running:
        time.sleep(4 * QUIET)
        assert running.count(WatchEvent.RELEASED) == 0
    assert spent(tmp_path / "vault") == [2, 2]


def test_a_patient_over_the_budget_waits_and_nobody_else_does(tmp_path):
    """Tried again when the watch begins anew with a larger one."""
    for number in (1, 2):
        study(tmp_path / "in", number, images=number)
    with watching(tmp_path, budget=RECIPE.epsilon * 1.5) as running:
        running.until(lambda w: w.count(WatchEvent.REFUSED) and w.released() == 1)
        time.sleep(4 * QUIET)
        done = running.stop()
    assert running.count(WatchEvent.REFUSED) == 1
    assert (done.refused, done.released, done.exit_code) == (2, 1, 1)
    with watching(tmp_path, budget=RECIPE.epsilon * 2.5) as running:
        running.until(lambda w: w.released() == 2)
    assert spent(tmp_path / "vault") == [1, 2]


def sparing(images):
    """Releases of so many images of a patient."""
    return replace(RECIPE, images_per_patient=images)


def test_originals_beyond_the_images_of_a_patient_are_not_deleted(tmp_path):
    """They have no output; tried again when the watch begins anew, here with a new release."""
    files = study(tmp_path / "sent", 1, images=3)
    listener = Listener(title="OURS", port=free_port())
    source = WatchedSource(listener=listener, quiet=QUIET, keep=False)
    with watching(tmp_path, source=source, recipe=sparing(1)) as running:
        running.until(lambda w: w.count(WatchEvent.LISTENING))
        assert send(listener.port, files) == [True] * 3
        running.until(lambda w: w.released() == 1)
        running.until(lambda w: len(files_below(w.spool.refused)) == 2)
        done = running.stop()
    assert (done.released, done.refused, done.exit_code) == (1, 2, 1)
    (tmp_path / "out").rename(tmp_path / "first")  # in one folder the number stays as it is
    with watching(tmp_path, source=source, recipe=sparing(3)) as running:
        running.until(lambda w: w.released() == 2)
        running.until(lambda w: not files_below(w.spool.work))
        assert running.stop().exit_code == 0
    assert files_below(running.spool.path / "refused") == []
    assert spent(tmp_path / "vault") == [3]


def test_what_is_left_out_is_told(capsys):
    lines(Notice(event=WatchEvent.RELEASED, files=3, summary=Summary(released=1, beyond=2)))
    assert "2 left out (beyond images per patient)" in capsys.readouterr().out


def test_a_watched_file_beyond_the_images_of_a_patient_is_tried_again(tmp_path):
    study(tmp_path / "in", 1, images=2)
    with watching(tmp_path, recipe=sparing(1)) as running:
        running.until(lambda w: w.released() == 1)
        time.sleep(4 * QUIET)
        done = running.stop()
    assert (done.runs, done.refused, done.exit_code) == (1, 1, 1)
    with watching(tmp_path, recipe=sparing(1)) as running:
        running.until(lambda w: w.count(WatchEvent.RELEASED))
    assert [notice.files for notice in running.notices if notice.summary] == [1]


def test_a_relative_link_in_a_watched_folder_is_read_where_it_leads(tmp_path):
    (file, *_) = study(tmp_path / "store", 1)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.dcm").symlink_to(f"../store/{file.name}")
    with watching(tmp_path) as running:
        running.until(lambda w: w.count(WatchEvent.RELEASED))
        assert running.released() == 1
    assert file.stat().st_nlink == 1


@pytest.mark.promise("A file that was sent to us is on the disk before its sender is told so.")
def test_what_is_received_is_released_and_kept_on_the_private_side(tmp_path):
    files = study(tmp_path / "sent", 1)
    source = WatchedSource(
        listener=Listener(title="OURS", port=free_port(), accept=("LATENTDP",)), quiet=QUIET
    )
    lateral = pydicom.dcmread(files[1])
    lateral.ViewPosition, lateral.SOPInstanceUID = "LL", "1.2.3.9"
    lateral.file_meta.MediaStorageSOPInstanceUID = "1.2.3.9"
    lateral.save_as(tmp_path / "sent" / "lateral.dcm")
    with watching(tmp_path, source=source) as running:
        running.until(lambda w: w.count(WatchEvent.LISTENING))
        assert (
            send(source.listener.port, [*files, tmp_path / "sent" / "lateral.dcm"]) == [True] * 3
        )
        running.until(lambda w: w.released() == 2)
        running.until(lambda w: len(files_below(w.spool.quarantined)) == 1)
        running.until(lambda w: len(files_below(w.spool.released)) == 2)
        # Sent once more, as modalities do, it costs nothing.
        assert send(source.listener.port, files) == [True, True]
        running.until(lambda w: sum(n.summary.already for n in w.notices if n.summary) == 2)
    assert spent(tmp_path / "vault") == [2]
    assert running.spool.path.stat().st_mode & 0o077 == 0
    kept = [
        pydicom.dcmread(running.spool.released / path)
        for path in files_below(running.spool.released)
    ]
    assert sorted(dataset.SOPInstanceUID for dataset in kept) == ["1.2.3.1.1.1", "1.2.3.1.1.2"]


def test_a_title_that_is_not_accepted_is_turned_away(tmp_path):
    listener = Listener(title="OURS", port=free_port(), accept=("MODALITY",))
    with watching(tmp_path, source=WatchedSource(listener=listener, quiet=QUIET)) as running:
        running.until(lambda w: w.count(WatchEvent.LISTENING))
        with pytest.raises(ArchiveError, match="refused"):
            send(listener.port, study(tmp_path / "sent", 1))
        running.until(lambda w: w.count(WatchEvent.TURNED_AWAY))
    assert files_below(running.spool.incoming) == []


def test_no_room_is_told_to_the_sender_and_nothing_is_half_there(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    listener = Listener(title="OURS", port=free_port())
    with watching(tmp_path, source=WatchedSource(listener=listener, quiet=QUIET)) as running:
        running.until(lambda w: w.count(WatchEvent.LISTENING))
        monkeypatch.setattr("latentdp.archives.watch.keep", full)
        assert send(listener.port, study(tmp_path / "sent", 1)) == [False, False]
    assert not list(running.spool.incoming.iterdir())


def test_a_vault_that_another_run_holds_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr("latentdp.archives.watch._BUSY", 0.2)
    vault = Vault(tmp_path / "vault")
    study(tmp_path / "in", 1)
    with watching(tmp_path) as running:
        with vault.locked():
            running.until(lambda w: w.count(WatchEvent.WAITING) >= 2)
        running.until(lambda w: w.released() == 2)
    assert running.count(WatchEvent.REFUSED) == 0


def test_places_that_would_mix_originals_and_outputs_are_refused(tmp_path):
    out, vault = tmp_path / "out", tmp_path / "vault"
    for spool in (out / "spool", vault / "spool", tmp_path):
        with pytest.raises(InputError):
            Spool(spool, out, vault)
    for source in ({}, {"folder": tmp_path, "listener": Listener(title="A", port=1)}):
        with pytest.raises(InputError, match="one of them"):
            WatchedSource(**source)
    open_to_all = tmp_path / "open"
    open_to_all.mkdir(mode=0o755)
    with pytest.raises(InputError, match="chmod 700"):
        Spool(open_to_all, out, vault)


def start(place, port, weights, quiet=0.3):
    """The installed command, as a service starts it."""
    words = (
        "watch", "--port", port, place / "out", "--vault", place / "vault", "--title", "OURS",
        "--accept", "STORESCU", "--weights", weights, "--size", 64, "--quiet", quiet, "--json",
    )  # fmt: skip
    return subprocess.Popen(
        [COMMAND, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def events(process):
    for line in process.stdout:
        yield json.loads(line)


@dcmtk
@pytest.mark.slow
def test_killed_in_the_middle_and_started_again_nothing_is_lost_or_charged_twice(
    tmp_path, tiny_weights
):
    """SIGKILL at several moments of receiving and releasing; then SIGTERM, which is clean."""
    files = [path for number in range(1, 7) for path in study(tmp_path / "sent", number)]
    port = free_port()
    for round_, delay in enumerate((0.0, 0.4, 1.2)):
        process = start(tmp_path, port, tiny_weights, quiet=0.1)
        assert next(events(process))["event"] == "listening"
        part = files[4 * round_ : 4 * round_ + 4]
        sent = subprocess.run(
            ["storescu", "-aec", "OURS", "127.0.0.1", str(port), *map(str, part)],
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert sent.returncode == 0, sent.stderr
        time.sleep(delay)
        process.kill()
        process.communicate(timeout=300)
    process = start(tmp_path, port, tiny_weights, quiet=0.1)
    assert next(events(process))["event"] == "listening"
    spool = tmp_path / "vault.spool"
    deadline = time.monotonic() + 300
    # By the folders: where the killed ones had done all, this one has nothing to tell of.
    while len(files_below(spool / "released")) < len(files) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.terminate()
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert json.loads(out.splitlines()[-1])["event"] == "stopped"
    assert spent(tmp_path / "vault") == [2] * 6
    assert len(files_below(tmp_path / "out" / "images")) == len(files)
    assert len(files_below(spool / "released")) == len(files)
    assert files_below(spool / "incoming") == files_below(spool / "work") == []


@dcmtk
@pytest.mark.slow
def test_other_peoples_tools_find_us_there(tmp_path, tiny_weights):
    """storescu is let in under its name alone; echoscu is answered."""
    port = free_port()
    process = start(tmp_path, port, tiny_weights)
    assert next(events(process))["event"] == "listening"
    try:
        for title, code in (("STORESCU", 0), ("STRANGER", 1)):
            echo = ["echoscu", "-aet", title, "-aec", "OURS", "127.0.0.1", str(port)]
            done = subprocess.run(echo, capture_output=True, timeout=300, check=False)
            assert (done.returncode != 0) == bool(code)
    finally:
        process.terminate()
        process.communicate(timeout=300)
