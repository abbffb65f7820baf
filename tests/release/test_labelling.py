"""Labels from a hospital's list to the images of a release."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from latentdp import InputError, Privatizer, Recipe
from latentdp.data.dicom.profile import BASIC
from latentdp.data.label_space import LabelSpace
from latentdp.privacy.randomized_response import Unlabelled
from latentdp.release import labelling
from latentdp.release.inputs import find_files
from latentdp.release.privatize import preview, privatize_folder
from latentdp.release.verify import verify
from tests.support.folders import charges, radiograph_at
from tests.support.tiny_flow import shared_flow

VIEWS = ("AP/finding", "AP/normal", "PA/finding", "PA/normal")
# Of the balanced preset, made by version 0.1.0.
DIGEST = "fbe0f959c61efaedfbc247d0e86bf8757ebe77379848f09269aaababc7e8e1f7"
PUBLIC = Recipe.from_preset("dp-glow", epsilon=2560.0, label="public")


@pytest.fixture
def place(tmp_path):
    """Four radiographs of three patients, what is none, and a picture."""
    for number in (1, 2, 3, 4):
        radiograph_at(
            tmp_path / "in" / f"st{number}" / f"{number}.dcm",
            number,
            PatientID=f"P{min(number, 3)}",
            StudyDate=f"2024050{number}",
            AccessionNumber=f"A{number}",
            ViewPosition="AP" if number == 4 else "PA",
        )
    radiograph_at(tmp_path / "in" / "hand.dcm", 5, BodyPartExamined="HAND")
    (tmp_path / "in" / "notes.txt").write_text("nothing")
    return tmp_path


def table(place, text, name="labels.csv", **more):
    path = place / name
    path.write_text(text, **more)
    return path


def labels_of(place, text, classes=("a", "b"), unlabelled=Unlabelled.REFUSE, label_map=None):
    """The label of each radiograph, by its number."""
    found = labelling.labelled(
        find_files(place / "in"),
        table(place, text),
        label_map,
        LabelSpace.of_classes(classes),
        BASIC,
        unlabelled,
    )
    names = {int(file.name[2]): file.label for file in found if file.name.startswith("st")}
    assert all(file.label == -1 for file in found if not file.name.startswith("st"))
    return [names[number] for number in sorted(names)]


ROWS = {
    "file": ["st1/1.dcm", "st2/2.dcm", "st3/3.dcm", "st4/4.dcm"],
    "File Path": ["st1\\1.dcm", "st2\\2.dcm", "st3\\3.dcm", "st4\\4.dcm"],
    "filename": ["1.dcm", "2.dcm", "3.dcm", "4.dcm"],
    "SOPInstanceUID": [f"1.2.3.{n}.3" for n in (1, 2, 3, 4)],
    "series_instance_uid": [f"1.2.3.{n}.2" for n in (1, 2, 3, 4)],
    "Study UID": [f"1.2.3.{n}.1" for n in (1, 2, 3, 4)],
    "Accession Number": ["A1", "A2", "A3", "A4"],
    "accession": [" A1", "A2 ", "A3", "A4"],
}


@pytest.mark.parametrize("column", ROWS)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_an_input_is_found_by_whatever_tells_it(place, column, separator):
    labels = "abba"
    lines = [separator.join(("ward", column, "Label"))]
    lines += [separator.join(("3", *row)) for row in zip(ROWS[column], labels, strict=True)]
    lines += [separator.join(("7", "another", "of no class"))]  # more rows than inputs
    assert labels_of(place, "\n".join(lines)) == [0, 1, 1, 0]


def test_a_patient_has_one_label_or_one_of_each_day(place):
    assert labels_of(place, "PatientID,label\nP1,a\nP2,b\nP3,a\n") == [0, 1, 0, 0]
    dated = "patient_id,study date,label\nP1,2024-05-01,a\nP2,20240502,b\nP3,2024-05-03T08:00,a\n"
    assert labels_of(place, dated + "P3,2024-05-04,b\n") == [0, 1, 0, 1]
    with pytest.raises(InputError, match=r"1 input has no label in labels\.csv"):
        labels_of(place, dated)


def test_the_most_exact_column_tells(place):
    text = "PatientID,AccessionNumber,StudyInstanceUID,label\n"
    rows = [f"P1,A9,1.2.3.{number}.1,{'ab'[number % 2]}\n" for number in (1, 2, 3, 4)]
    assert labels_of(place, text + "".join(rows)) == [1, 0, 1, 0]


def test_the_view_comes_from_the_header(place):
    text = "AccessionNumber,findings\nA1,normal\nA2,finding\nA3,Normal\nA4,normal\n"
    assert labels_of(place, text, VIEWS) == [3, 2, 3, 1]
    assert labels_of(place, text.replace("A4,normal", "A4,PA/normal"), VIEWS) == [3, 2, 3, 3]


def test_a_view_that_is_not_stated_is_asked_for(place):
    radiograph_at(place / "in" / "st1" / "1.dcm", 1, AccessionNumber="A1", ViewPosition="")
    text = "AccessionNumber,findings\nA1,normal\nA2,finding\nA3,normal\nA4,normal\n"
    with pytest.raises(InputError, match=r"1 input has no label.*1 have one that needs AP or PA"):
        labels_of(place, text, VIEWS)
    assert labels_of(place, text, VIEWS, Unlabelled.RANDOM) == [-1, 2, 3, 1]


def test_a_map_translates_names(place):
    label_map = table(
        place,
        "from,to\nPleuraerguss,finding\npneumonia,finding\no.B.,normal\nSchrittmacher,\n",
        "map.csv",
    )
    text = (
        "AccessionNumber,findings\nA1,Pleuraerguss; Pneumonia\nA2,O.B.\n"
        "A3,o.b.|Schrittmacher\nA4,finding\n"
    )
    assert labels_of(place, text, VIEWS, label_map=label_map) == [2, 3, 3, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("from,to\nx,pneumonia\n", r"line 2: expected column 'to' to be empty or one of a, b"),
        ("from,to\nx,a\nX,b\n", "line 3: a name is mapped to two others"),
        ("name,to\nx,a\n", "lacks the column 'from'"),
        ('from,to\n"x"y,a\n', "line 2: expected a row of CSV"),
    ],
)
def test_a_wrong_map_is_refused_by_its_line(place, text, message):
    with pytest.raises(InputError, match=message):
        labels_of(place, "file,label\n", label_map=table(place, text, "map.csv"))


def test_findings_may_have_columns_of_their_own(place):
    text = "accession,age,a,b\nA1,60,1,0\nA2,61,0,1.0\nA3,62,,yes\nA4,63,True,\n"
    assert labels_of(place, text) == [0, 1, 1, 0]
    label_map = table(place, "from,to\neffusion,b\nclear,a\n", "map.csv")
    text = "accession,Effusion,clear,b\nA1,1,0,0\nA2,0,1,0\nA3,1,0,1\nA4,0,1,0\n"
    assert labels_of(place, text, label_map=label_map) == [1, 0, 1, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("weight,label\n3,a\n", r"labels\.csv: expected a column that says what its rows are"),
        ("file,weight\nx,3\n", r"labels\.csv: expected a column label, or columns"),
        ("file,path,label\nx,x,a\n", "expected one column of file"),
        ("file,label,finding\nx,a,a\n", "expected one column of class"),
        ("file,a,b,a\nx,1,0,1\n", "one column for each finding"),
        ("file,a,b\nst1/1.dcm,1,-1\n", "line 2: expected 1, 0 or nothing"),
        ("PatientID,date,label\nP1,5/1/24,a\n", "line 2: expected a date as 2024-05-31"),
        ("PatientID,label\nP1,a\nP1,b\n", "line 3: the same patient as in line 2 has two"),
        ("file,label\nx,a\nx,b\n", "line 3: the same file as in line 2 has two different"),
        ("AccessionNumber,label\nJane Doe,a\n", "no row fits an input by its accession number"),
        ("file,label\nJane Doe.dcm,a\n", "no row fits an input by its file"),
        ('file,label\n"Jane"x,a\n', "line 2: expected a row of CSV"),
        ("file,label\nst1/1.dcm,a\nJane\n", "line 3: expected 2 fields"),
        ("file;label\nst1/1.dcm;a\nJane;b;c\n", "line 3: expected 2 fields.*semicolon needs"),
    ],
)
def test_what_is_wrong_is_told_by_its_line_and_no_value(place, text, message):
    with pytest.raises(InputError, match=message) as caught:
        labels_of(place, text)
    assert "Jane" not in str(caught.value)


def test_another_encoding_is_told_by_its_line(place):
    path = place / "labels.csv"
    path.write_bytes("file,label\nst1/1.dcm,a\nMüller,b\n".encode("cp1252"))
    with pytest.raises(InputError, match="line 3: expected text in UTF-8"):
        labelling.labelled(
            find_files(place / "in"), path, None, LabelSpace.of_classes("ab"), BASIC, None
        )


def test_all_unknown_labels_are_named_with_what_to_do(place):
    text = "file,label\nst1/1.dcm,effusion\nst2/2.dcm,a\nst3/3.dcm,Nodule; mass\nst9/9.dcm,rare\n"
    with pytest.raises(InputError) as caught:
        labels_of(place, text)
    message = str(caught.value)
    assert "'Nodule', 'effusion', 'mass'; they know a, b" in message
    assert "--label-map" in message
    assert "weights train" in message
    assert "rare" not in message, "no input has it"


def test_free_texts_do_not_flood_the_message(place):
    for number in range(6, 40):
        radiograph_at(place / "in" / f"x{number}.dcm", number)
    rows = [f"x{n}.dcm,report {n} {'long ' * 30}\n" for n in range(6, 40)]
    with pytest.raises(InputError, match="and 14 more") as caught:
        labels_of(place, "file,label\n" + "".join(rows))
    assert len(str(caught.value)) < 2000


def test_several_classes_of_one_image_are_refused_with_what_to_do(place):
    text = "file,label\nst1/1.dcm,a\nst2/2.dcm,a;b\nst3/3.dcm,b\nst4/4.dcm,b|a\n"
    with pytest.raises(InputError, match=r"line 3: .*in 2 lines.*--label-map"):
        labels_of(place, text)


SOME = "AccessionNumber,label\nA1,a\nA2,b\nA3,\nB7,a\n"


def go(place, recipe, call=privatize_folder, **options):
    privatizer = Privatizer(shared_flow(), recipe)
    return call(place / "in", place / "out", privatizer=privatizer, vault=place / "v", **options)


@pytest.mark.parametrize("call", [privatize_folder, preview])
def test_without_a_label_nothing_is_done(place, call):
    recipe = Recipe.from_preset("strict")
    with pytest.raises(InputError, match=r"2 inputs have no label.*--unlabelled"):
        go(place, recipe, call, labels=table(place, SOME))
    assert not (place / "v").exists() or charges(place)["reserve"] == 0
    assert not (place / "out").exists()


def test_what_cannot_be_released_needs_no_label(place):
    text = "AccessionNumber,label\nA1,a\nA2,b\nA3,a\nA4,b\n"
    summary = go(place, Recipe.from_preset("strict"), labels=table(place, text))
    assert (summary.released, summary.unlabelled) == (4, 0)
    assert summary.quarantined == {"not-chest": 1, "not-dicom": 1}


def test_by_chance_is_counted_and_looks_like_any_label(place):
    recipe = Recipe.from_preset("strict")
    options = {"labels": table(place, SOME), "unlabelled": "random"}
    assert go(place, recipe, preview, **options).summary.unlabelled == 2
    summary = go(place, recipe, **options)
    assert (summary.released, summary.unlabelled) == (4, 2)
    assert summary.counts().unlabelled == 2
    card = json.loads((place / "out" / "release.json").read_text())
    assert card["counts"] == {"images_in_release": 4}, "how many is told to the steward"
    assert card["guarantee"]["unprotected"] == []
    assert len(labels_written(place)) == 4
    again = go(place, recipe, **options)
    assert (again.already, again.unlabelled) == (4, 2)


def test_unknown_is_released_as_such_and_said_to_be(place):
    recipe = Recipe.from_preset("strict", unlabelled="unknown")
    summary = go(place, recipe, labels=table(place, SOME), unlabelled="unknown")
    assert (summary.released, summary.unlabelled) == (4, 2)
    assert len(labels_written(place)) == 2
    card = json.loads((place / "out" / "release.json").read_text())
    assert card["guarantee"]["unprotected"] == ["whether there is a label"]
    assert card["guarantee"]["image"]["top1_at_most"]["rate"] is None
    assert card["recipe"]["unlabelled"] == "unknown"
    assert verify(place / "out").ok


def labels_written(place):
    with (place / "out" / "labels.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("recipe", "unlabelled", "message"),
    [
        (Recipe.from_preset("strict"), "unknown", "releases what has no label as random"),
        (PUBLIC, "random", "needs --label-release response"),
        (Recipe.from_preset("strict"), "some", "expected --unlabelled to be one of refuse"),
    ],
)
def test_what_does_not_go_together_is_refused(place, recipe, unlabelled, message):
    with pytest.raises(InputError, match=message):
        go(place, recipe, labels=table(place, SOME), unlabelled=unlabelled)


@pytest.mark.parametrize("options", [{"unlabelled": "random"}, {"label_map": "map.csv"}])
def test_options_of_labels_need_labels(place, options):
    with pytest.raises(InputError, match="need --labels"):
        go(place, Recipe.from_preset("strict"), **options)


def test_labels_that_are_not_used_are_not_missed(place):
    recipe = Recipe.from_preset("dp-glow", epsilon=2560.0)
    summary = go(place, recipe, labels=table(place, SOME))
    assert (summary.released, summary.unlabelled) == (4, None)


def test_a_picture_is_told_by_its_file(place):
    Image.fromarray(np.tile(np.arange(90, dtype=np.uint8), (80, 1))).save(place / "in" / "p.png")
    text = "file,label\n" + "".join(f"st{n}/{n}.dcm,a\n" for n in (1, 2, 3, 4))
    with pytest.raises(InputError, match="1 input has no label"):
        go(place, Recipe.from_preset("strict"), labels=table(place, text))
    assert (
        go(place, Recipe.from_preset("strict"), labels=table(place, text + "p.png,b\n")).released
        == 5
    )


def test_recipes_from_before_keep_their_digests():
    """A release that was begun goes on, and its card verifies."""
    recipe = Recipe.from_preset("balanced", candidates=4).with_weights("0" * 64)
    record = recipe._record()
    assert "unlabelled" not in record
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    assert recipe.digest == DIGEST
    other = Recipe.from_preset("balanced", unlabelled="unknown").with_weights("0" * 64)
    assert other.digest != recipe.digest
    assert other.pixels_digest != recipe.pixels_digest


def test_the_command_says_what_to_do(place, tiny_weights, command, capsys):
    labels = table(place, SOME)
    call = [
        "privatize",
        place / "in",
        place / "out",
        "--weights",
        tiny_weights,
        "--labels",
        labels,
    ]
    call += ["--size", "16", "--preset", "strict"]
    assert command(*call) == 2
    assert "--unlabelled" in capsys.readouterr().err
    assert command(*call, "--unlabelled", "random") == 1
    assert "without a label" in capsys.readouterr().out
    assert command(*call[:-2], "--unlabelled", "never") == 2
