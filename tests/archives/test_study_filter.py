"""Which studies are asked for: what tells a patient comes from a file, and never means more."""

from datetime import date

import pytest

from latentdp import InputError
from latentdp.archives.archive import Study
from latentdp.archives.study_filter import StudyFilter, StudyQuery, read_list


def listed(tmp_path, text):
    file = tmp_path / "list.csv"
    file.write_text(text, encoding="utf-8")
    return read_list(file)


def test_a_row_is_one_question_of_each_modality(tmp_path):
    rows = listed(
        tmp_path, "patient_id;Study Date;name\n 007 ;2024-05-31;x\n008;;y\n007;20240531;z\n"
    )
    assert rows == ({"PatientID": "007", "StudyDate": "20240531"}, {"PatientID": "008"})
    queries = list(StudyFilter(rows=rows).queries())
    assert queries == [
        StudyQuery(keys=row, modality=modality) for row in rows for modality in ("CR", "DX")
    ]


def test_dates_are_a_range_and_a_row_outside_of_it_is_not_asked(tmp_path):
    rows = listed(tmp_path, "PatientID,StudyDate\n1,2024-05-31\n2,2023-01-01\n3,\n")
    wanted = StudyFilter(rows=rows, first=date(2024, 1, 1), modalities=("CR",))
    assert [query.keys for query in wanted.queries()] == [
        {"PatientID": "1", "StudyDate": "20240531"},
        {"PatientID": "3", "StudyDate": "20240101-"},
    ]
    both = StudyFilter(first=date(2024, 1, 1), last=date(2024, 12, 31), modalities=("CR",))
    assert [query.keys for query in both.queries()] == [{"StudyDate": "20240101-20241231"}]


@pytest.mark.parametrize(
    "text",
    [
        "PatientID\n*\n", "PatientID\nP?\n", "StudyInstanceUID\n1.2\\1.3\n",
        "PatientID,Note\n,x\n", "Name\nx\n",
        "StudyDate\n20240531\n", "PatientID,StudyDate\n1,May\n", "PatientID\n",
        "PatientID,patient\n1,2\n",
    ],
)  # fmt: skip
def test_what_asks_for_everything_or_nothing_is_refused_without_its_value(text, tmp_path):
    with pytest.raises(InputError) as raised:
        listed(tmp_path, text)
    assert "May" not in str(raised.value)


@pytest.mark.parametrize(
    "options",
    [
        {}, {"everything": True, "first": date(2024, 1, 1)}, {"modalities": ()},
        {"modalities": ("cr",)}, {"first": date(2024, 2, 1), "last": date(2024, 1, 1)},
    ],
)  # fmt: skip
def test_a_whole_archive_is_asked_for_in_so_many_words_only(options):
    with pytest.raises(InputError):
        StudyFilter(**options)
    assert len([*StudyFilter(everything=True).queries()]) == 2


@pytest.mark.parametrize(
    ("keys", "study", "fits"),
    [
        ({"PatientID": "a1"}, Study(uid="1", patient=" A1 "), True),
        ({"PatientID": "a1"}, Study(uid="1", patient="a10"), False),
        ({"PatientID": "a1"}, Study(uid="1"), False),
        ({"AccessionNumber": "7"}, Study(uid="1", accession="7"), True),
        ({"StudyInstanceUID": "1"}, Study(uid="2"), False),
        ({"StudyDate": "20240101-20240131"}, Study(uid="1", date="20240131"), True),
        ({"StudyDate": "-20240131"}, Study(uid="1", date="20240201"), False),
        ({"StudyDate": "20240101-"}, Study(uid="1"), False),
        ({"StudyDate": "20240101"}, Study(uid="1", date="20240101"), True),
        ({}, Study(uid="1"), True),
    ],
)
def test_what_an_archive_tells_beyond_what_was_asked_is_passed_over(keys, study, fits):
    assert StudyQuery(keys=keys, modality="CR").fits(study) is fits
