"""Outputs as DICOM, PNG and NumPy archives, whatever comes in, and the tables beside them."""

import json
import re
import shutil
from collections import defaultdict

import numpy as np
import pydicom
import pytest
from PIL import Image

from latentdp import InputError, verify
from latentdp.core import filesystem
from latentdp.core.filesystem import EPOCH
from latentdp.data import radiograph
from latentdp.data.dicom.profile import FORMATS, Profile
from latentdp.data.splits import Splits
from latentdp.data.synthetic import TITLES, mark_box, marked
from latentdp.errors import Aborted
from latentdp.release.recipe_options import RecipeOptions
from latentdp.release.request import ReleaseRequest
from latentdp.reports import image_table
from tests.support.sweeps import diagonal
from tests.support.tables import PATIENTS, SIDE, inputs, privatizer, release, table

SUFFIXES = {"dicom": ".dcm", "png": ".png", "npz": ".npz"}
IMAGES = 2 * PATIENTS + 1


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A release in each format, not to be changed."""
    place = tmp_path_factory.mktemp("formats")
    inputs(place)
    for name in FORMATS:
        release(place, name, name, parquet=name == "npz")
    return place


def files(out):
    return sorted(p for p in (out / "images").rglob("*") if p.is_file())


@pytest.mark.promise("Every released file says that it is synthetic and not for diagnosis.")
@pytest.mark.parametrize("name", FORMATS)
def test_every_input_comes_out_in_the_format_and_says_that_it_is_synthetic(made, name):
    outputs = files(made / name)
    assert [path.suffix for path in outputs] == [SUFFIXES[name]] * IMAGES
    height, width = mark_box((SIDE, SIDE))
    for path in outputs:
        image = radiograph.look(path)
        assert image.shape == (SIDE, SIDE)
        np.testing.assert_array_equal(marked(image)[:height, :width], image[:height, :width])
        said = dict(radiograph.elements(path))
        if name == "dicom":
            assert said["(0008,001C) SyntheticData"] == "YES"
            assert said["(0008,103E) SeriesDescription"] in TITLES
        else:
            assert said[f"{name.upper()} Title"] in TITLES
        assert path.stat().st_mtime == EPOCH


def test_a_picture_as_dicom_is_a_capture_of_which_nothing_is_known(made):
    kinds = defaultdict(list)
    for path in files(made / "dicom"):
        dataset = pydicom.dcmread(path)
        kinds[dataset.Modality].append(dataset)
    (capture,) = kinds["OT"]
    assert capture.ConversionType == "WSD"
    assert "BurnedInAnnotation" not in capture
    assert "LossyImageCompression" not in capture


def test_the_derivation_is_ours_and_the_scheme_is_named(made):
    dataset = pydicom.dcmread(files(made / "dicom")[0])
    (derived,), (scheme,) = (
        dataset.DerivationCodeSequence,
        dataset.CodingSchemeIdentificationSequence,
    )
    assert derived.CodingSchemeDesignator == scheme.CodingSchemeDesignator == "99LATENTDP"
    assert derived.CodeValue == "SYNTHETIC-DP"
    assert "Synthetic" in derived.CodeMeaning


@pytest.mark.parametrize("name", FORMATS)
def test_the_table_says_what_the_files_say(made, name):
    out, rows = made / name, table(made / name)
    assert [row["file_name"] for row in rows] == [f"images/{p.name}" for p in files(out)]
    share = privatizer().plan.describe().label.truth_probability
    for row, path in zip(rows, files(out), strict=True):
        said = radiograph.released_identity(path)
        assert (row["patient"], row["study"]) == (said.patient, said.study)
        assert re.fullmatch("LDP-[0-9A-F]{16}", row["patient"])
        assert row["label"] in ("a", "b", "c")
        assert float(row["label_probability"]) == pytest.approx(share, rel=1e-5)
        assert row["split"] == Splits().of(row["patient"])
    counts = defaultdict(int)
    for row in rows:
        counts[row["patient"]] += 1
    assert sorted(counts.values()) == [1] + [2] * PATIENTS


def test_one_patient_has_one_pseudonym_in_all_formats(made):
    people = [{row["patient"] for row in table(made / name)} for name in FORMATS]
    assert people[0] == people[1] == people[2]


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_of_a_source_is_in_files_or_tables(made, name):
    content = b"".join(p.read_bytes() for p in (made / name).rglob("*") if p.is_file())
    for secret in (b"QXCANARY", b"1.2.3.1.", str(made).encode()):
        assert secret not in content


@pytest.mark.parametrize("name", FORMATS)
def test_a_release_in_any_format_is_verified(made, name):
    assert [check.claim for check in verify(made / name).checks if not check.ok] == []


@pytest.mark.parametrize(
    ("name", "change", "found"),
    [
        ("metadata.csv", lambda text: text.replace("train", "test", 1), "tables that differ"),
        ("metadata.csv", lambda text: text + "more\n", "tables that differ"),
        ("datalist.json", lambda text: text.replace('"training"', '"validation"'), "tables that"),
        ("datalist.json", lambda text: "{", "tables that differ"),
    ],
)
def test_an_altered_table_is_found(made, tmp_path, name, change, found):
    out = shutil.copytree(made / "png", tmp_path / "out")
    (out / name).write_text(change((out / name).read_text()))
    failed = [check.claim for check in verify(out).checks if not check.ok]
    assert "digest of all files" in failed
    assert [claim for claim in failed if found in claim]


def test_a_file_that_lost_its_words_is_found(made, tmp_path):
    out = shutil.copytree(made / "png", tmp_path / "out")
    Image.open(files(out)[0]).save(files(out)[0])  # pixels alone
    failed = [check.claim for check in verify(out).checks if not check.ok]
    assert "images that say that they are synthetic" in failed


def test_parquet_holds_the_rows_of_the_table(made):
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra parquet is not installed")
    read = parquet.read_table(made / "npz" / "release.parquet").to_pylist()
    rows = [
        row | {"label_probability": float(row["label_probability"])} for row in table(made / "npz")
    ]
    assert read == rows
    assert not (made / "png" / "release.parquet").exists()


def test_parquet_without_pyarrow_is_refused_before_anything(tmp_path, monkeypatch):
    inputs(tmp_path, 1)
    monkeypatch.setattr(image_table, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"latentdp\[parquet\]"):
        release(tmp_path, parquet=True)
    assert not (tmp_path / "out").exists()


def test_classes_are_folders_and_a_second_run_finds_everything_there(tmp_path):
    inputs(tmp_path)
    release(tmp_path, layout="class")
    first = {p: p.read_bytes() for p in files(tmp_path / "out")}
    for row in table(tmp_path / "out"):
        assert row["file_name"].split("/")[1] == row["label"]
    again = release(tmp_path, layout="class")
    assert (again.released, again.already) == (0, IMAGES)
    assert {p: p.read_bytes() for p in files(tmp_path / "out")} == first
    assert verify(tmp_path / "out").ok


def test_classes_need_labels_that_are_released(tmp_path):
    inputs(tmp_path, 1)
    with pytest.raises(InputError, match="--layout class needs labels"):
        ReleaseRequest(source=tmp_path / "in", out=tmp_path / "out", layout="class")


@pytest.mark.parametrize(
    ("layout", "torn"),
    diagonal(["class", "study", "flat"], ["metadata.csv", "datalist.json", "release.json"]),
)
def test_a_run_that_dies_at_a_table_is_finished_by_the_next(tmp_path, monkeypatch, layout, torn):
    inputs(tmp_path, 2)
    rename = filesystem.Path.replace

    def dies(path, target):
        if target.name == torn and "incomplete" not in path.read_text():  # the card is begun so
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(filesystem.Path, "replace", dies)
    with pytest.raises(Aborted):
        release(tmp_path, layout=layout)
    monkeypatch.undo()
    images = {p: p.read_bytes() for p in files(tmp_path / "out")}
    assert json.loads((tmp_path / "out" / "release.json").read_text())["status"] == "incomplete"
    summary = release(tmp_path, layout=layout)
    assert (summary.released, summary.already) == (0, 5)
    assert {p: p.read_bytes() for p in files(tmp_path / "out")} == images
    assert verify(tmp_path / "out").ok
    assert not list((tmp_path / "out").glob(".*.tmp"))


def test_a_run_that_dies_before_sorting_into_classes_is_finished(tmp_path, monkeypatch):
    from latentdp.release.publish import Publisher

    inputs(tmp_path, 2)

    def dies(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Publisher, "_sort", dies)
    with pytest.raises(Aborted):
        release(tmp_path, layout="class")
    monkeypatch.undo()
    assert files(tmp_path / "out") == []
    summary = release(tmp_path, layout="class")
    assert summary.released + summary.already == 5
    for row in table(tmp_path / "out"):
        assert row["file_name"].split("/")[1] == row["label"]
    assert verify(tmp_path / "out").ok


@pytest.mark.parametrize("option", ["shift_dates", "retain_characteristics", "retain_device"])
@pytest.mark.parametrize("name", ["png", "npz"])
def test_what_a_header_alone_can_hold_needs_dicom(option, name):
    with pytest.raises(InputError, match="needs DICOM"):
        RecipeOptions(file_format=name, **{option: True}).recipe(labelled=False)


def test_form_and_mark_are_of_the_recipe_and_old_recipes_keep_their_digest():
    plain = privatizer(mark=False).recipe
    assert plain.digest != privatizer().recipe.digest
    assert privatizer(file_format="npz").recipe.digest != privatizer().recipe.digest
    assert "mark" in plain.to_toml()
    assert (Profile().mark, Profile().file_format) == (False, "")


@pytest.mark.parametrize(
    "text", ["80,10", "80,10,10,0", "a,b,c", "90,20,-10", "0,50,50", "50,50,50"]
)
def test_splits_that_are_no_shares_are_refused(text):
    with pytest.raises(InputError, match="--splits"):
        Splits.parse(text)


def test_splits_meet_their_shares():
    split = Splits.parse("60,25,15")
    drawn = [split.of(f"LDP-{i:016X}") for i in range(20_000)]
    for name, share in zip(("train", "val", "test"), split.shares, strict=True):
        # 5.5 standard deviations: a false alarm in 2.6e7.
        assert abs(drawn.count(name) / 20_000 - share / 100) < 5.5 * 0.5 / 20_000**0.5
