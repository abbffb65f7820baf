"""``latentdp synthesize`` and ``verify`` as a user runs them, with their exit codes."""

import json

import pytest

from tests.support.folders import picture_at, tree
from tests.synthesis.cohorts import cohort, pictures, pixels


@pytest.fixture
def there(tmp_path, tiny_weights):
    """A cohort, and the words that synthesize it."""
    cohort(tmp_path, 6, 1)
    return tmp_path, [
        "synthesize", tmp_path / "in", tmp_path / "out", "--labels", tmp_path / "labels.csv",
        "--weights", tiny_weights, "--images", 4, "--epsilon", 8, "--findings", "normal;edema",
    ]  # fmt: skip


def test_from_a_folder_to_a_data_set_and_more_from_its_generator(there, command, capsys):
    place, words = there
    assert command(*words, "--dry-run", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["dry_run"]
    assert told["patients"] == 6
    assert told["most_spent"] == pytest.approx(told["guarantee"]["charged"], abs=1e-6)
    assert not (place / "out").exists()
    assert command(*words) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "epsilon 8 per patient (replace-one)" not in shown  # it is below what was asked for
    assert "delta 1e-05 per patient (replace-one)" in shown
    assert "delta 1e-05 per patient (add-remove)" in shown
    assert "draws more at no cost" in shown
    assert "at most of one patient, with all else from this vault" in shown
    assert command(*words, "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert again["already"]
    assert again["epsilon_charged_now"] == 0
    assert command("verify", place / "out") == 0
    assert "verified" in capsys.readouterr().out
    generator = place / "out" / "generator.safetensors"
    weights = words[words.index("--weights") + 1]
    more = ["--images", 6, "--weights", weights]
    assert command("synthesize", "--from", generator, place / "more", *more) == 0
    assert len(pixels(place, "more")) == 6
    assert command("verify", place / "more", "--json") == 0
    assert command("ledger", place / "out", "--patients") == 0
    assert "for 1 charge" in capsys.readouterr().out


def test_exit_codes(there, command, capsys):
    place, words = there
    assert command(*words, "--budget", 1) == 3
    assert command(*words, "--method", "magic") == 2
    assert command(*words[:2]) == 2
    assert command("synthesize", "--from", place / "none.safetensors", place / "more") == 4
    assert command("synthesize", "--from", place / "x", place / "a", place / "b") == 2
    before = tree(place)
    assert command(*words, "--epsilon", "nan") == 2
    assert tree(place) == before
    (place / "in" / "p0" / "0.dcm").write_bytes(b"torn")
    assert command(*words) == 1
    assert "1 not-dicom" in capsys.readouterr().out
    card = json.loads((place / "out" / "release.json").read_text())
    card["synthesis"]["guarantee"]["charged"] = 0.1
    (place / "out" / "release.json").write_text(json.dumps(card))
    assert command("verify", place / "out") == 1
    card["synthesis"].pop("guarantee")
    (place / "out" / "release.json").write_text(json.dumps(card))
    assert command("verify", place / "out") == 2


def test_a_picture_of_nobody_has_one_account(tmp_path, tiny_weights, command, capsys):
    pictures(tmp_path, 1)
    picture_at(tmp_path / "one" / "x.png", 0)
    vault = ["--vault", tmp_path / "vault", "--weights", tiny_weights]
    exact = ["--preset", "empirical", "--resample-identity", 3]
    words = ["synthesize", tmp_path / "in", tmp_path / "zs", "--labels", tmp_path / "labels.csv",
             "--images", 2, "--epsilon", 4, *vault]  # fmt: skip
    assert command("privatize", tmp_path / "one", tmp_path / "zo", *exact, *vault) == 0
    assert command(*words, "--budget", 9) == 3
    assert not (tmp_path / "zs").exists()
    capsys.readouterr()
    assert command(*words, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["most_spent"] is None
    assert told["most_spent_on_noised_part"] > 3.99
    assert "released exactly" in told["unprotected"][0]
    assert command(*words) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "epsilon infinity (an earlier release" in shown
    assert command("ledger", tmp_path / "vault", "--patients", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["by_patient"]) == 1


def test_no_message_names_a_patient(there, command, capsys):
    place, words = there
    for patient in range(6):
        (place / "in" / f"p{patient}" / "0.dcm").write_bytes(b"torn")
    assert command(*words) == 2
    said = capsys.readouterr()
    assert "6 not-dicom" in said.err
    assert "p3" not in said.out + said.err.replace(str(place), "")
