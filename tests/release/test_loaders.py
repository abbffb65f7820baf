"""A release loads with one line of torchvision, MONAI and Hugging Face datasets, as these are."""

import gc
import importlib
import json

import numpy as np
import pytest

from latentdp.data import radiograph
from tests.support.sweeps import some
from tests.support.tables import SIDE, inputs, release, table

pytestmark = pytest.mark.filterwarnings("ignore")  # of these packages, about each other


@pytest.fixture(autouse=True)
def _closed():
    """What these packages leave open is closed while their warnings are ignored."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A release of PNG files by class, and one of DICOM files and archives; not to be changed."""
    place = tmp_path_factory.mktemp("loaders")
    inputs(place)
    release(place, "png", "png", layout="class")
    release(place, "dicom", "dicom")
    release(place, "npz", "npz")
    return place


def test_torchvision_loads_classes(made):
    try:
        folders = importlib.import_module("torchvision.datasets")
    except (ImportError, RuntimeError):  # or its operators are built for another torch
        pytest.skip("no torchvision is installed that fits this torch")
    dataset = folders.ImageFolder(made / "png" / "images")
    rows = {row["file_name"]: row for row in table(made / "png")}
    assert len(dataset) == len(rows)
    assert dataset.classes == sorted({row["label"] for row in rows.values()})
    for path, target in dataset.samples:
        row = rows[path.removeprefix(f"{made / 'png'}/")]
        assert dataset.classes[target] == row["label"]
    assert dataset[0][0].size == (SIDE, SIDE)


@pytest.mark.parametrize("name", some(["png", "dicom", "npz"], ["png"]))
def test_monai_loads_the_datalist(made, name):
    data = pytest.importorskip("monai.data", reason="MONAI is not installed")
    transforms = pytest.importorskip("monai.transforms", reason="MONAI is not installed")
    rows = {row["file_name"]: row for row in table(made / name)}
    classes = json.loads((made / name / "datalist.json").read_text())["labels"]
    loaded = 0
    splits = {"training": "train", "validation": "val", "test": "test"}
    for key in splits.keys() & json.loads((made / name / "datalist.json").read_text()).keys():
        items = data.load_decathlon_datalist(
            str(made / name / "datalist.json"), is_segmentation=False, data_list_key=key
        )
        for item in items:
            row = rows[item["image"].removeprefix(f"{made / name}/")]
            assert row["split"] == splits[key]
            assert classes[str(item["label"])] == row["label"]
        loaded += len(items)
    assert loaded == len(rows)
    options = {"reader": "NumpyReader", "npz_keys": "image"} if name == "npz" else {}
    load = transforms.LoadImaged(keys="image", image_only=True, **options)
    path = made / name / next(iter(rows))
    image = np.asarray(load({"image": str(path)})["image"]).squeeze()
    assert image.shape == (SIDE, SIDE)
    seen = image / {"png": 255, "dicom": 4095, "npz": 1}[name]
    ours = radiograph.look(path)
    # MONAI's readers of pictures and DICOM give columns first.
    assert min(np.abs(seen - ours).max(), np.abs(seen.T - ours).max()) < 1e-3


def test_hugging_face_loads_images_with_their_rows(made, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    loaded = datasets.load_dataset(
        "imagefolder", data_dir=str(made / "png"), cache_dir=str(tmp_path / "cache")
    )["train"]
    rows = table(made / "png")
    assert len(loaded) == len(rows)
    assert {*loaded.column_names} == {*rows[0]} - {"file_name"} | {"image"}
    assert sorted(loaded["patient"]) == sorted(row["patient"] for row in rows)
    assert sorted(loaded["split"]) == sorted(row["split"] for row in rows)
    assert loaded[0]["image"].size == (SIDE, SIDE)
    del loaded
    gc.collect()  # files that it leaves open, which no later test is to answer for
