"""What a command loads before it works: the start of every call is somebody's time."""

import json
import subprocess
import sys

import pytest

from tests.support.places import SAMPLES

DOCUMENTS = {"jinja2", "pydicom", "sqlalchemy"}
NETWORKS = {"torch", "normflows"}
ANALYSES = {"scipy.stats", "scipy.optimize", "sklearn", "skimage", "matplotlib", "distributed"}
EVERY = DOCUMENTS | NETWORKS | ANALYSES

AFTER_A_CALL = """
import json, sys
from contextlib import redirect_stdout
from latentdp._cli import main

slow = set(sys.argv[1].split())
for line in sys.stdin:
    with redirect_stdout(sys.stderr):
        code = main(json.loads(line))
    print(json.dumps([code, sorted(slow & set(sys.modules))]))
"""


def loaded_after(*calls: list[str]) -> list[tuple[int, set[str]]]:
    """Exit code, and those of `EVERY` that are loaded, after each call; all in one new process."""
    run = subprocess.run(
        [sys.executable, "-c", AFTER_A_CALL, " ".join(EVERY)],
        input="\n".join(json.dumps([str(a) for a in call]) for call in calls),
        capture_output=True,
        text=True,
        check=True,
    )
    return [(code, set(names)) for code, names in map(json.loads, run.stdout.splitlines())]


@pytest.fixture
def release(tmp_path, command, tiny_weights, capsys):
    """A folder with a release, and its vault beside it."""
    out = tmp_path / "out"
    assert command("privatize", SAMPLES / "clinic-a", out, "--weights", tiny_weights) == 0
    capsys.readouterr()
    return out


def test_commands_without_images_load_no_network_and_no_analysis(release):
    calls = ["--help"], ["weights", "list"], ["verify", release], ["ledger", release]
    assert loaded_after(*calls) == [
        (0, set()),
        (0, set()),
        (0, {"pydicom"}),  # it reads headers
        (0, {"pydicom", "sqlalchemy"}),
    ]


def test_commands_with_images_load_no_analysis(tmp_path, tiny_weights):
    weights = ("--weights", tiny_weights)
    (explained, before), (made, after) = loaded_after(
        ["explain", SAMPLES, *weights], ["privatize", SAMPLES, tmp_path / "out", *weights]
    )
    assert (explained, made) == (1, 1)
    assert before & ANALYSES == after & ANALYSES == set()
    assert "torch" in before, "or nothing was tried"
