"""The long runs behind the shipped weights: what they learn from, and that they can be cut."""

import argparse
import csv
import importlib.util
import sys

import numpy as np
import pytest
from PIL import Image

from latentdp.models.checkpoints import load
from latentdp.models.flow.flow import load_flow
from tests.support.places import ROOT


@pytest.fixture
def runs(monkeypatch):
    spec = importlib.util.spec_from_file_location("runs", ROOT / "weights" / "training_runs.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "runs", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "SIZE", 16)
    small = {
        name: module.Run(run.images, (1,) * len(run.steps), (4,) * len(run.hidden))
        for name, run in module.RUNS.items()
    }
    monkeypatch.setattr(module, "RUNS", small)
    return module


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    kinds = [
        ("nih128", "Mass;Effusion", "050Y"),
        ("nih", "No Finding", "60"),
        ("nih-rsna-normal", "RSNA Normal;NIH:No Finding", "20"),
        ("nih128", "No Finding", "17"),
        ("nih", "No Finding", ""),
        ("kermany", "PNEUMONIA;viral", ""),
        ("hannover", "COVID-19", "70"),
    ]
    rows = []
    for i in range(70):
        source, labels, age = kinds[i % len(kinds)]
        grey = np.random.default_rng(i).integers(0, 255, (16, 16)).astype(np.uint8)
        Image.fromarray(grey).save(folder / f"{i}.png")
        row = {"file": f"{i}.png", "source": source, "labels": labels, "age": age}
        rows.append(row | {"split": "train" if i % 10 else "val", "patient_id": i, "view": "PA"})
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return folder


def options(data, tmp_path, run, **changes):
    values = {"run": run, "data": data, "folder": tmp_path, "cooldown": 0.0, "every": 0.0}
    return argparse.Namespace(**(values | changes))


def test_adult_runs_see_no_child_and_no_other_hospital(runs, data):
    images = runs.ADULTS.read(data, "train")
    assert set(images.sources) == {"nih128", "nih", "nih-rsna-normal"}
    assert min(images.ages) >= 18
    assert set(runs.CHILDREN.read(data, "train").sources) == {"kermany"}


@pytest.mark.parametrize("name", ["adult-wide", "adult-deep", "paediatric-wide"])
def test_a_run_is_cut_goes_on_and_cools_down(name, runs, data, tmp_path):
    (tmp_path / name).mkdir()
    first = runs.trainer_of(runs.RUNS[name], tmp_path, name, options(data, tmp_path, name))
    first.run(lambda now: None, stop=lambda: first.step >= 3)
    again = runs.trainer_of(runs.RUNS[name], tmp_path, name, options(data, tmp_path, name))
    assert again.step == 3
    cooled = f"{name}-cooldown"
    (tmp_path / cooled).mkdir()
    runs.train(runs.RUNS[name], cooled, options(data, tmp_path, name, cooldown=0.003))
    flow = load_flow(load(str(tmp_path / "export" / f"{cooled}.safetensors")))
    assert flow.attributes == runs.RUNS[name].images.attributes
    with (tmp_path / cooled / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert int(rows[-1]["step"]) > 3
    assert float(rows[-1]["val"]) > 0
