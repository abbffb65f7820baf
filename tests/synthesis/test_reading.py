"""What a cohort is, and what is refused."""

import json
import math

import pytest

from latentdp.data import radiograph
from latentdp.errors import InputError
from latentdp.privatizer import Privatizer
from latentdp.recipe import Recipe
from latentdp.release.privatize import privatize_folder
from latentdp.synthesis.job import opened
from latentdp.synthesis.run import preview_synthesis, synthesize
from tests.support.folders import charges, picture_at, radiograph_at
from tests.support.tiny_flow import shared_flow
from tests.synthesis.cohorts import cohort, pictures, request, spent, write


def test_what_cannot_be_read_is_kept_back_and_the_rest_goes_on(tmp_path):
    folder = cohort(tmp_path, 6, 1)
    (folder / "p0" / "0.dcm").write_bytes(b"torn")
    (folder / "notes.txt").write_text("x")
    summary = synthesize(request(tmp_path), shared_flow())
    assert summary.exit_code == 1
    assert (summary.patients, summary.files) == (5, 5)
    assert summary.quarantined == {"not-dicom": 2}
    rows = [json.loads(line) for line in summary.report.read_text().splitlines()]
    assert {r["file"] for r in rows if r["status"] == "quarantined"} == {"p0/0.dcm", "notes.txt"}


def test_a_file_is_kept_back_for_the_reason_that_a_release_gives_and_counts_once(tmp_path):
    """A steward puts the two tables beside each other."""
    folder = cohort(tmp_path, 6, 2)
    (folder / "p0" / ".DS_Store").write_bytes(b"Bud1")
    radiograph_at(folder / "p1" / "side.dcm", 50, PatientID="P1", ViewPosition="LL")
    summary = preview_synthesis(request(tmp_path), shared_flow())
    assert summary.quarantined == {"not-frontal": 1, "system-file": 1}
    assert (summary.patients, summary.files, summary.passed_over) == (6, 12, 0)


def test_pictures_need_patients_from_the_table(tmp_path):
    pictures(tmp_path, 6)
    assert synthesize(request(tmp_path, findings="a;b"), shared_flow()).patients == 6
    other = tmp_path / "other"
    pictures(other, 6, named=False)
    with pytest.raises(InputError, match="6 no-patient"):
        synthesize(request(other, findings="a;b"), shared_flow())
    assert not (other / "vault").exists()


def test_the_patient_of_a_header_is_the_one_that_is_read_with_the_image(tmp_path):
    """Or a patient would have two accounts in one ledger."""
    for elements in ({}, {"IssuerOfPatientID": "HOSPITAL"}, {"PatientID": ""}):
        path = radiograph_at(tmp_path / "x.dcm", 1, **elements)
        read = radiograph.read(path, (16, 16))
        assert radiograph.patient(path) == (read.patient, read.spelled)
    assert radiograph.patient(picture_at(tmp_path / "x.png", 1)) == ("", "")


def test_two_spellings_are_one_patient_with_one_record_and_one_account(tmp_path):
    cohort(tmp_path, 4, 1)
    for number, spelling in enumerate(("MRN-01", "mrn 1")):
        radiograph_at(tmp_path / "in" / f"p{number}" / "0.dcm", number, PatientID=spelling)
    summary = synthesize(request(tmp_path), shared_flow())
    assert (summary.patients, summary.files) == (3, 4)
    assert charges(tmp_path)["reserve"] == 3
    privatizer = Privatizer(shared_flow(), Recipe.from_preset("dp-glow", epsilon=2560.0))
    privatize_folder(
        tmp_path / "in", tmp_path / "local", vault=tmp_path / "vault", privatizer=privatizer
    )
    assert sorted(balance.releases for balance in spent(tmp_path).values()) == [2, 2, 3]


def test_a_table_is_a_cohort_too(tmp_path):
    pictures(tmp_path, 6)
    rows = [{"file": f"in/{i}.png", "labels": "a", "patient_id": f"P{i // 2}"} for i in range(6)]
    (tmp_path / "there").mkdir()
    (tmp_path / "in").rename(tmp_path / "there" / "in")
    write(tmp_path / "there" / "table.csv", rows)
    asked = request(tmp_path, source=tmp_path / "there" / "table.csv", labels=None, findings="a")
    summary = synthesize(asked, shared_flow())
    assert (summary.patients, summary.files) == (3, 6)


def test_lists_by_patient_and_columns_of_findings_are_understood_too(tmp_path):
    """As those of a release: whoever has a list for one has it for the other."""
    cohort(tmp_path, 6, 2)
    rows = [
        {"PatientID": f"P{i}", "edema": str(i % 2), "normal": str(1 - i % 2)} for i in range(6)
    ]
    write(tmp_path / "labels.csv", rows)
    asked = request(tmp_path, findings="edema;normal")
    with opened(asked, shared_flow(), read_only=True) as job:
        said = {
            who: {file.annotation.findings for file in files}
            for who, files in job.cohort.patients.items()
        }
    assert said == {f"p{i}": {("edema",) if i % 2 else ("normal",)} for i in range(6)}
    assert synthesize(asked, shared_flow()).patients == 6


def test_images_beyond_so_many_of_a_patient_and_equal_ones_are_passed_over(tmp_path):
    folder = cohort(tmp_path, 3, 3)
    (folder / "p0" / "copy.dcm").write_bytes((folder / "p0" / "0.dcm").read_bytes())
    summary = synthesize(request(tmp_path, images_per_patient=2), shared_flow())
    assert (summary.files, summary.passed_over) == (6, 4)


def test_folders_that_would_be_mixed_are_refused(tmp_path):
    cohort(tmp_path, 3, 1)
    with pytest.raises(InputError, match="must not lie inside"):
        request(tmp_path, "in/out")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("x")
    with pytest.raises(InputError, match="other files"):
        synthesize(request(tmp_path), shared_flow())
    synthesize(request(tmp_path, "there"), shared_flow())
    with pytest.raises(InputError, match="another vault"):
        synthesize(request(tmp_path, "there", vault=tmp_path / "second"), shared_flow())
    before = charges(tmp_path)
    for go_on in (synthesize, preview_synthesis):
        with pytest.raises(InputError, match="another synthesis"):
            go_on(request(tmp_path, "there", epsilon=4.0), shared_flow())
    assert charges(tmp_path) == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"epsilon": 0.0},
        {"epsilon": math.inf},
        {"delta": 1.0},
        {"delta": 0.0},
        {"images": 0},
        {"size": 0},
        {"method": "magic"},
        {"images_per_patient": 0},
        {"budget": -1.0},
        {"findings": " ; "},
        {"findings": "x" * 65},
        {"findings": "normal; =1+1"},
        {"findings": "@sum(a1)"},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_before_anything_is_read(tmp_path, wrong):
    cohort(tmp_path, 2, 1)
    with pytest.raises(InputError):
        request(tmp_path, **wrong)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"file": "p0/0.dcm"}], "expected a column label"),
        ([{"file": "p0/0.dcm", "label": x} for x in "ab"], "line 3: the same file as in line 2"),
        ([{"file": "p0/0.dcm", "label": "a", "patient": x} for x in "ab"], "two different pat"),
        ([{"file": "p9/9.dcm", "label": "a"}], "no row of the table of findings fits"),
        ([{"file": "p0/0.dcm", "label": "x" * 70}], "line 2: expected names"),
        ([{"file": "p0/0.dcm", "label": "+1+cmd|' /C calc'!A0"}], "line 2: .* for a formula"),
        ([{"file": "p0/0.dcm", "label": ";".join(map(str, range(65)))}], "at most 64 different"),
    ],
)
def test_a_table_that_is_none_is_refused_without_its_values(tmp_path, rows, message):
    cohort(tmp_path, 2, 1)
    write(tmp_path / "labels.csv", rows)
    with pytest.raises(InputError, match=message):
        synthesize(request(tmp_path), shared_flow())
    assert not (tmp_path / "vault").exists()
