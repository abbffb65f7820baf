"""A damaged or foreign card of answers is one clear line, never a traceback, and never holds."""

import json
import shutil

import pytest

import latentdp
from latentdp.core.filesystem import digest
from latentdp.errors import InputError, LatentDPError
from latentdp.reports.answers_card import AnswersCard
from latentdp.synthesis.voting.answer import preview_answer
from latentdp.synthesis.voting.combine import combine_answers, read_sites_answers
from latentdp.synthesis.voting.student import Student
from tests.support.damage import damaged, truncated
from tests.support.sweeps import slow
from tests.synthesis.voting.hospital import answered, asking, hospital

LONGEST = 300  # characters of a line
UNSIGNED = {("version",), ("answers",), ("student",)}  # of several sites; digests need the files


@pytest.fixture(scope="module")
def north(tmp_path_factory):
    """A hospital that answered; it is not to be changed."""
    place = hospital(tmp_path_factory.mktemp("damage") / "north")
    answered(place, site="north")
    return place


@pytest.fixture(scope="module")
def together(north, tmp_path_factory):
    """Answers of two hospitals."""
    place = tmp_path_factory.mktemp("south")
    answered(hospital(place / "south"), site="south")
    combine_answers(
        read_sites_answers([north / "out", place / "south" / "out"]), place / "together"
    )
    return place / "together"


def said(card):
    """The line of the error, or None where all holds."""
    try:
        verification = latentdp.verify(card)
    except InputError as error:
        return str(error)
    wrong = [check.claim for check in verification.checks if not check.ok]
    return f"does not hold: {', '.join(wrong)}"[:LONGEST] if wrong else None


@pytest.mark.parametrize("several", [False, slow(True)], ids=["one site", "two sites"])
def test_no_field_may_be_another(north, together, tmp_path, several):
    out = together if several else north / "out"
    document = json.loads((out / "answers.json").read_text())
    card = tmp_path / "answers.json"
    for place, other in damaged(document):
        card.write_text(json.dumps(other))
        line = said(card)
        if line is None:
            same = AnswersCard.find(card) == AnswersCard.find(out)  # a default was left out
            assert same or (several and place in UNSIGNED), place
        else:
            assert "\n" not in line
            assert len(line) <= LONGEST, line


def test_a_card_that_broke_off_says_so_and_what_to_do(north, tmp_path):
    card = tmp_path / "answers.json"
    for part in truncated((north / "out" / "answers.json").read_bytes()):
        card.write_bytes(part)
        for place in (card, tmp_path):
            assert said(place) == (
                "answers.json is damaged: expected JSON, and it cannot be read; have it made or "
                "sent again"
            )


@pytest.mark.parametrize("foreign", ['{"tool": "other"}', "[]", "1", '{"model": "central"}'])
def test_a_foreign_document_of_that_name_is_told(tmp_path, foreign):
    (tmp_path / "answers.json").write_text(foreign)
    assert said(tmp_path).startswith("answers.json is of something else: expected the card of")


def test_a_card_of_cards_of_cards_is_refused(together, tmp_path):
    document = json.loads((together / "answers.json").read_text())
    for _ in range(120):
        document = document | {"sites": [document]}
    (tmp_path / "answers.json").write_text(json.dumps(document))
    assert "expected the cards of single sites" in said(tmp_path / "answers.json")


@pytest.mark.parametrize("file", ["answers.csv", "student.safetensors", "answers.json"])
def test_a_folder_with_a_file_that_broke_off_is_not_combined(north, tmp_path, file):
    for number, part in enumerate(truncated((north / "out" / file).read_bytes(), 4)):
        out = tmp_path / str(number)
        shutil.copytree(north / "out", out)
        (out / file).write_bytes(part)
        with pytest.raises(InputError) as caught:
            read_sites_answers([out, north / "out"])
        assert "\n" not in str(caught.value)


def test_a_student_that_broke_off_is_refused_in_a_line(north, tmp_path):
    content = (north / "out" / "student.safetensors").read_bytes()
    for number, part in enumerate(truncated(content)):
        (tmp_path / f"{number}.safetensors").write_bytes(part)
        with pytest.raises(LatentDPError) as caught:
            Student.load(tmp_path / f"{number}.safetensors")
        assert "\n" not in str(caught.value)


def test_answers_of_the_vault_that_were_altered_are_not_written(north, tmp_path):
    shutil.copytree(north, tmp_path / "north")
    place = tmp_path / "north"
    (kept,) = (place / "vault" / "votes").glob("answers-*.json")
    before = digest(kept)
    document = json.loads(kept.read_text())
    for place_of, other in damaged(document):
        kept.write_text(json.dumps(other))
        if digest(kept) == before:
            continue
        with pytest.raises(InputError, match="in the vault"):
            answered(place, f"again-{len(place_of)}", site="north")
    assert preview_answer(asking(place, "preview", site="north")).charged == 0
