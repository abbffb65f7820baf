"""How the images of a release lie in its folder, and that they are found again there."""

import csv
import os
import re
import shutil
import warnings
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentdp import InputError, Privatizer, Recipe
from latentdp.core.filesystem import EPOCH
from latentdp.core.system import folded
from latentdp.release.outputs import MARK, Outputs
from latentdp.release.privatize import privatize_folder
from latentdp.release.verify import verify_card
from latentdp.reports.layout import Layout, mirrored
from latentdp.vault.drafts import Drafts
from latentdp.vault.index_file import IndexFile
from latentdp.vault.ledger import Ledger
from latentdp.vault.output_index import OutputIndex
from tests.support.deaths import dies_at
from tests.support.folders import (
    card,
    charges,
    go,
    header,
    images,
    look,
    picture_at,
    privatizer,
    radiograph_at,
    rows,
    tree,
)
from tests.support.sweeps import diagonal, some

LAYOUTS = [layout for layout in Layout if layout is not Layout.CLASS]  # which needs labels


@pytest.fixture
def place(tmp_path):
    """Two files of one series, one of another patient, and a picture."""
    radiograph_at(tmp_path / "in" / "Doe, Jane" / "day 1" / "1.2.840.99", 1)
    radiograph_at(
        tmp_path / "in" / "Doe, Jane" / "day 1" / "b.dcm", 2,
        PatientID="P1", StudyInstanceUID="1.2.3.1.1", SeriesInstanceUID="1.2.3.1.2",
    )  # fmt: skip
    radiograph_at(tmp_path / "in" / "Roe" / "b.dcm", 3)
    picture_at(tmp_path / "in" / "p.jpeg.png", 4)
    return tmp_path


def times(place, out="out"):
    folder = place / out / "images"
    return {p.stat().st_mtime for p in [folder, *folder.rglob("*")]}


def test_study_is_folders_of_pseudonyms(place):
    go(place, layout=Layout.STUDY)
    found = images(place)
    assert len(found) == 4
    for name in found:
        patient, study, series, file = name.split("/")
        assert patient.startswith("LDP-")
        if file.endswith(".dcm"):
            told = header(place, name)
            assert (patient, study, series) == (
                told.PatientID, told.StudyInstanceUID, told.SeriesInstanceUID,
            )  # fmt: skip
    assert sorted(len(set(part)) for part in zip(*(n.split("/") for n in found), strict=True)) == [
        3, 3, 3, 4,
    ]  # fmt: skip
    assert times(place) == {EPOCH}
    assert card(place)["layout"] == "study"
    assert not [w for w in card(place)["warnings"] if "NAMES" in w]


def test_mirror_is_named_as_the_source_and_says_so(place):
    summary = go(place, layout=Layout.MIRROR)
    assert images(place) == [
        "Doe, Jane/day 1/1.2.840.99.dcm", "Doe, Jane/day 1/b.dcm", "Roe/b.dcm", "p.jpeg.png",
    ]  # fmt: skip
    assert times(place) == {EPOCH}
    assert {r["output"] for r in rows(summary).values()} == set(images(place))
    told = card(place)
    assert "NAMES FOLLOW THE SOURCE" in told["warnings"][0]
    assert "names of folders and files" in told["guarantee"]["unprotected"][-1]
    assert told["guarantee"]["image"]["top1_at_most"]["rate"] is None, "a name is no secret"
    assert all(check.ok for check in verify_card(told))
    vault = b"".join(data for data in tree(place / "vault").values() if data)
    ledger = (place / "vault" / "ledger.sqlite").read_bytes()
    assert b"Doe, Jane" in vault
    assert b"Doe^" not in ledger, "the ledger may be on a server"


def test_names_that_collide_or_cannot_be_kept_get_others(tmp_path):
    names = ["a", "A.dcm", "a.dcm", ".hidden", "new\nline", "x" * 250, "x" * 249, "B/c", "b/C.dcm"]
    for number, name in enumerate(names):
        radiograph_at(tmp_path / "in" / name, number)
    radiograph_at(tmp_path / "in" / os.fsdecode(b"\xff\xfe"), 20)
    radiograph_at(tmp_path / "in" / "d.dcm", 21)
    radiograph_at(tmp_path / "in" / "e", 22)
    radiograph_at(tmp_path / "in" / "e.dcm" / "f", 23)
    summary = go(tmp_path, layout=Layout.MIRROR)
    found = images(tmp_path)
    assert summary.released == len(names) + 4 == len(found)
    assert len({name.casefold() for name in found}) == len(found)
    assert {"_hidden.dcm", "new_line.dcm", "__.dcm", "d.dcm"} <= set(found)
    assert sum(name.startswith("x") for name in found) == 2
    assert all(len(os.fsencode(part)) <= 255 for name in found for part in name.split("/"))
    again = go(tmp_path, layout=Layout.MIRROR)
    assert (again.already, again.released, images(tmp_path)) == (len(found), 0, found)


def test_no_image_takes_the_name_of_another_input(tmp_path):
    """Who joins by name, as a mirror is for, must not get another patient's image."""
    names = ["a", "a.dcm", "a-2.dcm", "A.dicom"]
    for number, name in enumerate(names):
        radiograph_at(tmp_path / "in" / name, number)
    summary = go(tmp_path, layout=Layout.MIRROR)
    told = {file: row["output"] for file, row in rows(summary).items()}
    assert told["a.dcm"] == "a.dcm"
    assert told["a-2.dcm"] == "a-2.dcm"
    for name in ("a", "A.dicom"):
        assert re.fullmatch(r"[aA]-[0-9a-f]{8}\.dcm", told[name])


def test_a_copied_folder_does_not_lose_an_image(tmp_path):
    """Both copies follow one index: where they part, nothing is overwritten."""
    radiograph_at(tmp_path / "in" / "a", 1)
    go(tmp_path, layout=Layout.MIRROR)
    shutil.copytree(tmp_path / "out", tmp_path / "copy")
    whole = (tmp_path / "copy" / "images" / "a.dcm").read_bytes()
    (tmp_path / "out" / "images" / "a.dcm").write_bytes(b"altered")
    assert go(tmp_path, layout=Layout.MIRROR, again=True).released == 1
    with pytest.raises(InputError, match="another image lies where"):
        go(tmp_path, "copy", layout=Layout.MIRROR)
    assert (tmp_path / "copy" / "images" / "a.dcm").read_bytes() == whole


@given(
    st.lists(
        st.sampled_from(
            ["a", "A", "a.dcm", "a-2", "b", "a.dcm/b", "a/b", "A/B.dcm", "\u00e9", "e\u0301"]
        )
    )
)
def test_places_never_meet(tmp_path_factory, names):
    index = IndexFile(tmp_path_factory.mktemp("places"))
    places = OutputIndex(index, "r")
    wanted = [(f"{i}.dcm", mirrored(name, ".dcm")) for i, name in enumerate(names)]
    for part in (wanted[::2], wanted[1::2]):
        places.add(dict(part))
    found = [folded(places.path(f"{i}.dcm")) for i in range(len(names))]
    assert len(set(found)) == len(names)
    folders = {str(p) for name in found for p in PurePosixPath(name).parents}
    assert not folders & set(found), "no file is in the way of a folder"
    read = OutputIndex(index, "r")
    assert [folded(read.path(f"{i}.dcm")) for i in range(len(names))] == found
    assert [read.output(read.path(f"{i}.dcm")) for i in range(len(names))] == [
        f"{i}.dcm" for i in range(len(names))
    ]


@given(st.text(min_size=1).filter(lambda t: t.strip("/.") and "\0" not in t))
def test_mirrored_names_are_paths_below_a_folder(name):
    parts = mirrored(name.strip("/") or "x", ".png").split("/")
    assert all(parts)
    assert not any(part.startswith(".") or len(os.fsencode(part)) > 255 for part in parts)
    assert all(part.isprintable() for part in parts)
    assert not any(set(part) & set('<>:"\\|?*') or part.endswith((".", " ")) for part in parts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from 3.13 on, os.path.isreserved
        assert not any(PureWindowsPath(part).is_reserved() for part in parts)


@pytest.mark.parametrize(
    ("name", "mirror"),
    [
        ("CON", "_CON.dcm"),
        ("nul.dcm", "_nul.dcm"),
        ("COM1 .x/aux", "_COM1 .x/_aux.dcm"),
        ("a. /b", "a._/b.dcm"),
        ('9:41 "PA"?', "9_41 _PA__.dcm"),
        ("console", "console.dcm"),
        ("e\u0301", "\u00e9.dcm"),
    ],
)
def test_what_windows_has_another_use_for_is_no_name(name, mirror):
    assert mirrored(name, ".dcm") == mirror


@pytest.mark.parametrize("layout", [Layout.STUDY, Layout.MIRROR])
def test_a_release_goes_on_with_the_same_layout_only(place, layout):
    go(place, layout=layout)
    before = tree(place / "out" / "images")
    for other in set(LAYOUTS) - {layout}:
        with pytest.raises(InputError, match=f"layout '{layout}'"):
            go(place, layout=other)
    radiograph_at(place / "in" / "Roe" / "new", 9)
    summary = go(place, layout=layout)
    assert (summary.released, summary.already) == (1, 4)
    assert before.items() <= tree(place / "out" / "images").items()
    assert times(place) == {EPOCH}


@pytest.mark.parametrize("first", some(LAYOUTS, ["study"]))
def test_another_folder_in_another_layout_is_served_from_the_first(place, first):
    go(place, layout=first)
    same = {p.read_bytes() for p in (place / "out" / "images").rglob("*") if p.is_file()}
    for layout in LAYOUTS:
        name = f"as {layout}"
        summary = go(place, name, layout=layout)
        assert (summary.released, summary.already, summary.spent) == (0, 4, 0)
        assert times(place, name) == {EPOCH}
        folder = place / name / "images"
        assert {p.read_bytes() for p in folder.rglob("*") if p.is_file()} == same
        fresh = place / f"fresh {layout}"
        go(place, fresh.name, layout=layout, vault=place / f"vault {layout}")
        if layout is Layout.MIRROR:
            assert images(place, name) == images(place, fresh.name)
        assert [n.count("/") for n in images(place, name)] == [
            n.count("/") for n in images(place, fresh.name)
        ]
    (place / "out").rename(place / "moved")
    assert go(place, "moved", layout=first).already == 4


@pytest.mark.parametrize(("layout", "harm"), diagonal(LAYOUTS, ["removed", "altered"]))
def test_lost_outputs_strangers_and_again(place, layout, harm):
    go(place, layout=layout)
    victim = place / "out" / "images" / images(place)[0]
    victim.unlink() if harm == "removed" else victim.write_bytes(b"x")
    summary = go(place, layout=layout)
    assert (summary.already, summary.quarantined["lost"]) == (3, 1)
    names = images(place)
    told, _ = look(place, layout=layout, again=True)
    summary = go(place, layout=layout, again=True)
    assert (summary.released, summary.already) == (1, 3)
    assert (told.released, told.already, told.spent) == (1, 3, summary.spent)
    assert len(images(place)) == 4
    if layout is Layout.MIRROR:
        assert victim.is_file(), "the new one takes its place"
        assert set(names) <= set(images(place))
    assert go(place, layout=layout).already == 4
    (victim.parent / "notes.txt").write_text("x")
    for call in (go, look):
        with pytest.raises(InputError, match="1 files in images are not of this release"):
            call(place, layout=layout)


@pytest.mark.parametrize("layout", [Layout.STUDY, Layout.MIRROR])
def test_labels_name_the_files_where_they_lie(place, layout):
    labels = place / "labels.csv"
    labels.write_text('file,label\n"Doe, Jane/day 1/b.dcm",a\nRoe/b.dcm,b\n')
    recipe = Recipe.from_preset("dp-glow", epsilon=2560.0, label="public")
    labelled = Privatizer(privatizer().flow, recipe)
    privatize_folder(
        place / "in", place / "out", privatizer=labelled,
        vault=place / "vault", labels=labels, layout=layout, unlabelled="unknown",
    )  # fmt: skip
    with (place / "out" / "labels.csv").open(newline="") as file:
        told = list(csv.DictReader(file))
    assert len(told) == 2
    assert {row["file"] for row in told} < set(images(place))


STEPS = {
    "reserved": (Ledger, "reserve"),
    "placed": (Outputs, "assign"),
    "written": (Drafts, "write"),
    "recorded": (Ledger, "finish"),
    "published": (Outputs, "publish"),
}


@pytest.mark.parametrize(("step", "late", "layout"), diagonal(STEPS, [False, True], LAYOUTS))
def test_a_run_that_dies_is_finished_by_the_next(place, layout, step, late):
    """Afterwards one output and one charge for each image; a preview told as much."""
    owner, name = STEPS[step]
    with dies_at(owner, name, late=late):
        go(place, layout=layout)
    drawn = [p.read_bytes() for p in (place / "out" / "images").rglob("*.*") if p.is_file()]
    told, _ = look(place, layout=layout)
    summary = go(place, layout=layout)
    assert summary.released + summary.already == 4 == len(images(place))
    assert (told.released, told.already, told.spent) == (
        summary.released, summary.already, summary.spent,
    )  # fmt: skip
    assert charges(place)["reserve"] == 4
    assert {p.name for p in (place / "out").rglob(".*")} == {MARK}, "no partial file"
    assert times(place) == {EPOCH}
    now = [p.read_bytes() for p in (place / "out" / "images").rglob("*.*") if p.is_file()]
    assert all(data in now for data in drawn), "what was drawn once is not drawn again"
    if layout is Layout.MIRROR:
        assert images(place)[-1] == "p.jpeg.png"
    shutil.rmtree(place / "in" / "Roe")
    assert go(place, layout=layout).already == 3
