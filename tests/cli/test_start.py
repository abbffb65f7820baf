"""What a command loads before it works: the start of every call is somebody's time."""

import json
import subprocess
import sys

import pytest

from tests.support.places import SAMPLES

DOCUMENTS = {"jinja2", "pydicom", "sqlalchemy"}
ARRAYS = {"numpy", "scipy"}
NETWORKS = {"torch", "normflows"}
ANALYSES = {"scipy.stats", "scipy.optimize", "sklearn", "skimage", "matplotlib", "distributed"}
EVERY = DOCUMENTS | ARRAYS | NETWORKS | ANALYSES

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
        (0, ARRAYS),
        (0, ARRAYS | {"pydicom"}),  # it reads headers
        (0, ARRAYS | {"pydicom", "sqlalchemy"}),
    ]


def test_what_is_wrong_is_told_before_a_network_is_loaded(tmp_path):
    """A wrong option or a missing file answers at once, whatever the size of the weights."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.png").write_bytes(b"")
    (tmp_path / "odd.csv").write_text('file,label\n"1.png,x\n')
    (tmp_path / "map.csv").write_text("a,b\n")
    wrong = [
        ["none"],
        [tmp_path / "empty"],
        [tmp_path / "in", "--preset", "none"],
        [tmp_path / "in", "--epsilon", "-1"],
        [tmp_path / "in", "--epsilon-per-patient", "4", "--epsilon", "5"],
        [tmp_path / "in", "--images-per-patient", "0"],
        [tmp_path / "in", "--mechanism", "none"],
        [tmp_path / "in", "--weights", tmp_path / "none.safetensors"],
        [tmp_path / "in", "--labels", tmp_path / "none.csv"],
        [tmp_path / "in", "--labels", tmp_path / "odd.csv"],
        [tmp_path / "in", "--label-map", tmp_path / "map.csv"],
        [tmp_path / "in", "--transfer-syntax", "none"],
        [tmp_path / "in", "--size", "0"],
    ]
    out, vault = tmp_path / "out", ["--vault", tmp_path / "vault"]
    calls = [["explain", *call] for call in wrong]
    calls += [["privatize", call[0], out, *vault, *call[1:]] for call in wrong]
    calls += [
        ["privatize", tmp_path / "in", tmp_path / "in" / "out"],
        ["privatize", tmp_path / "in", out, *vault, "--evidence", tmp_path / "none.json"],
        ["privatize", tmp_path / "in", out, *vault, "--mapping-out", tmp_path / "no" / "map"],
        ["privatize", tmp_path / "in", out, *vault, "--ledger", "redis://x"],
        ["privatize", tmp_path / "in", out, *vault, "--workers", "0"],
    ]
    told = loaded_after(*calls)
    assert {code for code, _ in told} == {2, 4}
    assert [code for code, _ in told].count(4) == 2, "weights that are not there"
    assert not told[-1][1] & (NETWORKS | ANALYSES)
    assert not out.exists()


def test_commands_with_images_load_no_analysis(tmp_path, tiny_weights):
    weights = ("--weights", tiny_weights)
    (explained, before), (made, after) = loaded_after(
        ["explain", SAMPLES, *weights], ["privatize", SAMPLES, tmp_path / "out", *weights]
    )
    assert (explained, made) == (1, 1)
    assert before & ANALYSES == after & ANALYSES == set()
    assert "torch" in before, "or nothing was tried"
