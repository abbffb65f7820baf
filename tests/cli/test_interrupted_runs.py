"""A run that is interrupted, asked to end or killed: it says so, and the next one finishes it."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentdp.vault.default_vault import default_vault
from tests.support.places import SAMPLES
from tests.support.plugins import added
from tests.support.printed import errors_of
from tests.support.sweeps import slow


def test_an_interruption_says_how_to_go_on(command, capsys, monkeypatch, tmp_path, tiny_weights):
    call = ("privatize", SAMPLES, tmp_path / "out", "--weights", tiny_weights)

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("latentdp.release.tasks.radiograph.read", stopped)
    assert command(*call) == 130
    assert "run the same command again" in capsys.readouterr().err
    monkeypatch.undo()
    assert command(*call, "--json") == 1
    assert json.loads(capsys.readouterr().out)["counts"]["outputs"] == 7


PICTURES = 70


def pictures(folder):
    """So many that they take long enough to be interrupted."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for i in range(PICTURES):
        picture = rng.integers(0, 255, size=(64, 64), dtype=np.uint8)
        Image.fromarray(picture).save(folder / f"{i}.png")


@pytest.mark.parametrize("workers", [slow("1"), "2"])
def test_a_run_that_is_asked_to_end_says_how_to_go_on(
    tmp_path, tiny_weights, workers, command, capsys, monkeypatch
):
    """SIGTERM, as of Slurm, docker stop or systemd: one line, and no process is left."""
    pictures(tmp_path / "in")
    script = Path(sys.executable).with_name("latentdp")
    call = [script, "privatize", "in", "out", "--workers", workers, "--json"]
    call += ["--weights", tiny_weights, "--size", "16"]
    run = subprocess.Popen(call, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    images = tmp_path / "out" / "images"
    while run.poll() is None and not (images.exists() and any(images.iterdir())):
        time.sleep(0.01)
    run.send_signal(signal.SIGTERM)
    out, errors = run.communicate(timeout=120)
    assert (run.returncode, out) == (143, b"")
    (line,) = errors_of(errors.decode())
    assert line.startswith("latentdp: stopped by SIGTERM; ")
    assert "run the same command again" in line
    monkeypatch.chdir(tmp_path)
    again = ("privatize", "in", "out", "--json", "--weights", tiny_weights, "--size", "16")
    assert command(*again) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["outputs"] == PICTURES


def test_the_handler_of_whoever_calls_is_left_as_it_was(command, tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    assert command("privatize", tmp_path / "none", tmp_path / "out") == 2
    assert signal.getsignal(signal.SIGTERM) == before


def test_an_interruption_while_commands_load_is_no_traceback(command, capsys, tmp_path):
    with added("_cli", tmp_path, stopped="raise KeyboardInterrupt"):
        assert command("stopped", "--help") == 130
    assert capsys.readouterr().err.startswith("latentdp: interrupted")


@pytest.mark.parametrize(
    ("workers", "moments"), [("1", (40,)), slow("1", (1, 40, 90)), slow("2", (1, 40, 90))]
)
def test_killed_runs_are_finished_by_the_next(
    tmp_path, tiny_weights, workers, moments, command, capsys, monkeypatch
):
    """SIGKILL at several moments; afterwards each image once, and one charge for each."""
    pictures(tmp_path / "in")
    script = Path(sys.executable).with_name("latentdp")
    call = [script, "privatize", "in", "out", "--workers", workers, "--json"]
    call += ["--weights", tiny_weights]
    images = tmp_path / "out" / "images"
    for enough in moments:
        run = subprocess.Popen(
            call, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while run.poll() is None and len(list(images.glob("*"))) < enough:
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
        run.wait()
    monkeypatch.chdir(tmp_path)
    assert command(*call[1:]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["counts"]["outputs"] == PICTURES
    assert len(list(images.iterdir())) == PICTURES
    with sqlite3.connect(default_vault(tmp_path / "out") / "ledger.sqlite") as ledger:
        kinds = dict(ledger.execute("select kind, count(*) from latentdp_ledger group by kind"))
    ledger.close()
    assert kinds == {"reserve": PICTURES, "written": PICTURES}
