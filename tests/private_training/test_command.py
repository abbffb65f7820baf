"""``latentdp weights train --private`` and ``predict`` as a user runs them, with exit codes."""

import csv
import json

import pytest

from tests.support.folders import tree
from tests.synthesis.cohorts import cohort


@pytest.fixture
def there(tmp_path, tiny_weights):
    """A cohort, and the words that train on it."""
    cohort(tmp_path, 6, 1)
    return tmp_path, [
        "weights", "train", tmp_path / "in", "--private", "--labels", tmp_path / "labels.csv",
        "--findings", "normal;edema", "--epsilon", 5000, "--start", tiny_weights,
        "--out", tmp_path / "reader.safetensors", "--vault", tmp_path / "vault",
    ]  # fmt: skip


def test_from_a_folder_to_a_classifier_that_reads(there, command, capsys):
    place, words = there
    before = tree(place)
    assert command(*words, "--dry-run", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["dry_run"]
    assert told["patients"] == 6
    assert tree(place) == before
    assert command(*words) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "delta 1e-05 per patient (replace-one)" in shown
    assert "latentdp weights predict reads with it" in shown
    assert command(*words, "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert again["epsilon_charged_now"] == 0
    assert again["findings"] == ["edema", "normal"]
    file = place / "reader.safetensors"
    assert command("verify", file) == 0
    assert "verified" in capsys.readouterr().out
    assert command("weights", "predict", file, place / "in", "--out", place / "read.csv") == 0
    capsys.readouterr()
    with (place / "read.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert [row["file"] for row in rows] == [f"p{i}/0.dcm" for i in range(6)]
    assert all(0 < float(row["probability of edema"]) < 1 for row in rows)
    assert command("weights", "predict", file, place / "in", "--json") == 0
    values = json.loads(capsys.readouterr().out)
    assert values["findings"] == ["edema", "normal"]
    assert [f"{image['probabilities'][0]:.4f}" for image in values["images"]] == [
        row["probability of edema"] for row in rows
    ]
    assert command("ledger", place / "vault", "--patients") == 0


def test_exit_codes(there, command, capsys):
    place, words = there
    before = tree(place)
    assert command(*words, "--method", "magic") == 2
    assert command(*words, "--budget", 1) == 3
    assert command(*words, "--epsilon", 1) == 2
    assert "would drown" in capsys.readouterr().err
    assert command(*words, "--size", 32) == 2
    assert "--size does not go with --private" in capsys.readouterr().err
    assert command(*[w for w in words if w != "--private"]) == 2
    assert "goes with --private" in capsys.readouterr().err
    assert tree(place) == before
    assert command("weights", "predict", place / "none.safetensors", place / "in") == 4
    (place / "in" / "p0" / "0.dcm").write_bytes(b"torn")
    assert command(*words) == 1
    file = place / "reader.safetensors"
    assert command("weights", "predict", file, place / "in") == 1
    assert command("weights", "predict", file, place / "in" / "p0") == 2
    assert command("weights", "predict", file, place / "in", "--out", place / "a/b.csv") == 1
    assert (place / "a/b.csv").is_file()
    (place / "c").write_text("a file, and no folder")
    assert command("weights", "predict", file, place / "in", "--out", place / "c/d.csv") == 5
    assert "could not be written" in capsys.readouterr().err
    (place / "there.csv").write_text("mine")
    assert command("weights", "predict", file, place / "in", "--out", place / "there.csv") == 2
    assert (place / "there.csv").read_text() == "mine"
