"""``latentdp federate ask`` and ``answer`` as users run them, with exit codes."""

import json
import shutil
from pathlib import Path

import pytest

from tests.support.folders import tree
from tests.synthesis.cohorts import pictures

SITES = ("north", "south")


@pytest.fixture
def study(tmp_path, tiny_weights):
    """Two hospitals with pictures of their own, and options of all."""
    for i, name in enumerate(SITES):
        pictures(tmp_path / name, 12 + i)
        (tmp_path / name / "folder").mkdir()
    common = ("--study", "s", "--findings", "a;b", "--rounds", 2, "--weights", tiny_weights)
    return tmp_path, common


def answer(place: Path, common: tuple, *more: object) -> tuple:
    return (
        *("federate", "answer", place / "in", place / "folder", "--labels", place / "labels.csv"),
        *("--vault", place / "vault", "--name", place.name, *common, *more),
    )


def test_from_a_question_to_a_classifier_that_reads(study, command, capsys):
    place, common = study
    lead = place / "lead"
    assert command("federate", "ask", lead, *common) == 0
    assert "send it to all sites" in " ".join(capsys.readouterr().out.split())
    for number in (1, 2):
        for name in SITES:
            question = lead / f"round-000{number}" / "question.json"
            shutil.copy(question, place / name / "folder" / f"round-000{number}.question.json")
            assert command(*answer(place / name, common)) == 0
            told = capsys.readouterr().out
            assert f"charged       epsilon {'0' if number == 2 else '2'} to every patient" in told
            assert "If the site were the unit" in " ".join(told.split())
            shutil.copy(
                place / name / "folder" / f"round-000{number}.answer.json",
                question.with_name(f"{name}.answer.json"),
            )
        assert command("federate", "ask", lead, "--json") == 0
        said = json.loads(capsys.readouterr().out)
    assert said["question"] is None
    assert {site["name"]: site["rounds"] for site in said["sites"]} == {
        "north": [1, 2],
        "south": [1, 2],
    }
    assert all(site["as_unit"]["unit"] == "site" for site in said["sites"])
    assert command("federate", "ask", lead) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "answered rounds 1, 2" in shown
    assert "If the site were the unit" in shown
    assert command("verify", lead / "classifier.safetensors") == 0
    images = place / "north" / "in"
    assert command("weights", "predict", said["classifier"], images, "--json") == 0


def test_it_answers_all_that_is_there_while_it_waits(study, command, capsys):
    place, common = study
    assert command("federate", "ask", place / "lead", *common) == 0
    question = place / "lead" / "round-0001" / "question.json"
    shutil.copy(question, place / "north" / "folder" / "round-0001.question.json")
    capsys.readouterr()
    assert command(*answer(place / "north", common, "--wait", 0.3, "--json")) == 0
    assert json.loads(capsys.readouterr().out)["rounds"] == [1]


def test_a_preview_writes_nothing(study, command, capsys):
    place, common = study
    before = tree(place)
    assert command(*answer(place / "north", common, "--dry-run")) == 0
    assert "would charge epsilon 2 to every patient" in " ".join(capsys.readouterr().out.split())
    assert tree(place) == before


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--study", ""), "1 to 64 characters"),
        (("--rounds", 0), "1 to 1,000 rounds"),
        (("--rounds", 1001), "1 to 1,000 rounds"),
        (("--wait", "nan"), "wait 0 seconds or more"),
        (("--wait", -1), "wait 0 seconds or more"),
        (("--schedule", "none"), "no schedule 'none'"),
        (("--epsilon", -1), "epsilon"),
        ((), "expected a question in FOLDER"),
    ],
)
def test_what_no_site_can_do_is_refused(study, command, capsys, more, message):
    place, common = study
    assert command(*answer(place / "north", common, *more)) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (place / "north" / "vault").exists()


def test_wrong_usage_of_a_study(study, command, capsys):
    place, common = study
    lead = place / "lead"
    for arguments, message in [
        ((lead,), "expected --study and --findings"),
        ((place / "north", *common), "a new or empty folder"),
        ((lead, *common, "--rounds", 0), "1 to 1,000 rounds"),
    ]:
        assert command("federate", "ask", *arguments) == 2
        assert message in " ".join(capsys.readouterr().err.split())
        assert not lead.exists()
    assert command("federate", "ask", lead, *common) == 0
    assert command("federate", "ask", lead, *common) == 2
    assert "has begun" in capsys.readouterr().err
    (lead / "plan.json").write_text("{}")
    assert command("federate", "ask", lead) == 2
