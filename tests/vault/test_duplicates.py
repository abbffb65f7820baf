"""The same picture twice, and two pictures under one SOP Instance UID."""

import re

import pytest

from latentdp.data import radiograph
from latentdp.models.flow.flow import Flow
from latentdp.release.outputs import Outputs
from latentdp.vault.duplicates import DuplicateIndex
from latentdp.vault.index_file import IndexFile
from latentdp.vault.ledger import Ledger
from latentdp.vault.run_report import SHARED
from tests.support.deaths import dies_at
from tests.support.folders import (
    EPSILON,
    charges,
    go,
    header,
    images,
    look,
    picture_at,
    radiograph_at,
    rows,
)
from tests.support.sweeps import diagonal


@pytest.fixture
def place(tmp_path):
    """Two files of one patient with one picture, and a picture of another one."""
    radiograph_at(tmp_path / "in" / "a", 1)
    radiograph_at(tmp_path / "in" / "b", 1, StudyInstanceUID="1.9.1", SOPInstanceUID="1.9.3")
    radiograph_at(tmp_path / "in" / "c", 2)
    return tmp_path


@pytest.mark.promise("The same picture of the same patient is released and charged once.")
def test_one_output_stands_for_both_and_is_charged_once(place):
    told, _ = look(place)
    summary = go(place)
    for counted in (told, summary):
        assert (counted.released, counted.duplicates) == (2, 1)
        assert counted.spent == pytest.approx(2 * EPSILON, rel=1e-2)
        assert (counted.patients, counted.most_images) == (2, 1)
    assert len(images(place)) == 2 == charges(place)["reserve"]
    report = rows(summary)
    assert report["a"]["output"] == report["b"]["output"] != report["c"]["output"]
    assert {report["a"]["status"], report["b"]["status"]} == {"released", "duplicate"}


def test_a_rerun_says_the_same_and_reads_nothing_again(place, monkeypatch):
    go(place)
    before = images(place)
    summary = go(place)
    monkeypatch.setattr(radiograph, "read", None)
    told, _ = look(place)
    for counted in (told, summary):
        assert (counted.released, counted.already, counted.duplicates) == (0, 2, 1)
    assert images(place) == before


def test_across_runs(place):
    (place / "in" / "b").rename(place / "b")
    go(place)
    (place / "in" / "later").mkdir()
    (place / "b").rename(place / "in" / "later" / "b")
    for _ in range(2):
        told, _ = look(place)
        summary = go(place)
        for counted in (told, summary):
            assert (counted.released, counted.already, counted.duplicates) == (0, 2, 1)
    (place / "in" / "a").unlink()
    assert look(place)[0].already == go(place).already == 2, "b stands alone now, and is there"
    assert charges(place)["reserve"] == 2
    links = IndexFile(place / "vault").duplicates()
    assert len(links) == 3, "a picture twice, and the bytes of b"
    assert all(re.fullmatch("[0-9a-f]{64}", text) for pair in links.items() for text in pair)


def test_the_same_picture_of_two_patients_is_two_releases(place):
    radiograph_at(place / "in" / "d", 1, PatientID="P7")
    assert (look(place)[0].released, go(place).released) == (3, 3)


def test_pictures_are_told_apart_by_what_they_show(place):
    picture_at(place / "in" / "p.png", 5)
    picture_at(place / "in" / "q.tif", 5)
    picture_at(place / "in" / "r.png", 6)
    summary = go(place)
    assert (summary.released, summary.duplicates) == (4, 2)


def test_a_draw_that_gives_nothing_is_owed_to_neither(place, monkeypatch):
    real = Flow.decode_valid

    def broken(self, latents, labels=None):
        decoded, valid = real(self, latents, labels)
        valid[:] = False
        return decoded, valid

    monkeypatch.setattr(Flow, "decode_valid", broken)
    summary = go(place)
    assert summary.quarantined == {"non-finite": 3}
    assert go(place).quarantined == look(place)[0].quarantined == {"non-finite": 3}


@pytest.mark.parametrize(
    ("step", "late"), diagonal(["keep", "reserve", "assign", "finish"], [False, True])
)
def test_a_run_that_dies_charges_a_twin_once(place, step, late):
    owner = {
        "keep": DuplicateIndex,
        "reserve": Ledger,
        "assign": Outputs,
        "finish": Ledger,
    }
    with dies_at(owner[step], step, late=late):
        go(place, layout="study")
    (place / "in" / "a").unlink()
    radiograph_at(place / "in" / "e", 1, SOPInstanceUID="1.9.5")
    told, _ = look(place, layout="study")
    summary = go(place, layout="study")
    assert told.accounted == summary.accounted == 3
    assert (told.released, told.already, told.spent) == (
        summary.released, summary.already, summary.spent,
    )  # fmt: skip
    assert summary.duplicates == 1
    assert charges(place)["reserve"] == 2 == len(images(place))
    for name in images(place):
        assert header(place, name).StudyInstanceUID == name.split("/")[1]


def test_one_uid_twice_gives_two_and_marks_both(place):
    radiograph_at(place / "in" / "d", 3, SOPInstanceUID="1.2.3.2.3")
    summary = go(place)
    report = rows(summary)
    assert {name for name, row in report.items() if row.get("note") == SHARED} == {"c", "d"}
    found = [header(place, name).SOPInstanceUID for name in images(place)]
    assert len(set(found)) == len(found) == 3
    assert summary.accounted == 4 == len(report)
