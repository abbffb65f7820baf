"""``latentdp vote`` as a user runs it, with its exit codes."""

import json

import pytest

from tests.support.folders import picture_at, tree
from tests.synthesis.cohorts import pictures


@pytest.fixture
def words(tmp_path, tiny_weights):
    pictures(tmp_path)
    for number in range(4):
        picture_at(tmp_path / "queries" / f"{number}.png", 100 + number)
    train = [
        "vote", "train", tmp_path / "in", tmp_path / "vault", "--labels", tmp_path / "labels.csv",
        "--findings", "a;b", "--teachers", 4, "--weights", tiny_weights,
    ]  # fmt: skip
    ask = [
        "vote", "answer", tmp_path / "queries", tmp_path / "out", "--vault", tmp_path / "vault",
        "--questions", 3, "--epsilon", 4, "--site", "north",
    ]  # fmt: skip
    return train, ask


def test_from_a_cohort_to_a_student(tmp_path, words, command, capsys):
    train, ask = words
    before = tree(tmp_path)
    assert command(*train, "--dry-run") == 0
    assert tree(tmp_path) == before
    assert command(*train, "--json") == 0
    told = json.loads(capsys.readouterr().out.partition("\n{")[2].join(["{", ""]))
    assert (told["patients"], told["epsilon_charged_now"]) == (12, 0)
    assert command(*train) == 0
    assert "nothing: voters stay in the vault" in " ".join(capsys.readouterr().out.split())
    assert command(*ask, "--dry-run", "--json") == 0
    foreseen = json.loads(capsys.readouterr().out)
    assert foreseen["dry_run"]
    assert not (tmp_path / "out").exists()
    assert command(*ask) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "epsilon 4 to each of 12 patients" in shown
    assert "delta 1e-05 per patient (replace-one)" in shown
    assert "no lead of so many voters" in shown
    assert command(*ask, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["already"]
    assert told["epsilon_charged_now"] == 0
    assert told["most_spent"] == foreseen["most_spent"]
    assert command("verify", tmp_path / "out") == 0
    assert command("verify", tmp_path / "out" / "answers.json", "--json") == 0
    assert command("ledger", tmp_path / "vault") == 0


def test_exit_codes_of_votes(tmp_path, words, command, capsys):
    train, ask = words
    assert command(*ask) == 2
    assert "latentdp vote train" in capsys.readouterr().err
    assert command(*train[:4]) == 2
    (tmp_path / "in" / "0.png").write_bytes(b"torn")
    assert command(*train) == 1
    assert command(*ask, "--budget", 1) == 3
    assert command(*ask, "--aggregator", "magic") == 2
    assert command(*ask) == 0
    assert command("vote", "combine", tmp_path / "out", "--out", tmp_path / "all") == 2
    assert "at least 2 sites" in capsys.readouterr().err
    card = json.loads((tmp_path / "out" / "answers.json").read_text())
    card["guarantee"]["charged"] = 0.1
    (tmp_path / "out" / "answers.json").write_text(json.dumps(card))
    assert command("verify", tmp_path / "out") == 1
    (tmp_path / "vault" / "votes" / "teachers.safetensors").write_bytes(b"torn")
    assert command(*ask) == 4
