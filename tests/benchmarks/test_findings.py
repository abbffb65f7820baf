"""What adult findings teach, and where readers find them, on made-up radiographs."""

import csv

import numpy as np
import pytest
from PIL import Image

from latentdp.models.checkpoints import save
from tests.benchmarks.test_choices import shown
from tests.support.attribute_flow import attribute_checkpoint
from tests.support.benchmarks import script

occlusion_maps = script("_occlusion").occlusion_maps


def test_a_map_shows_where_a_score_comes_from():
    images = np.random.default_rng(0).random((3, 16, 24), dtype=np.float32)
    images[:, :4, -6:] += 2
    maps = occlusion_maps(lambda x: x[:, :4, -6:].mean(axis=(1, 2), dtype=np.float64), images)
    assert maps.shape == (3, 7, 7)
    assert all(np.unravel_index(one.argmax(), one.shape) == (0, 6) for one in maps)
    assert np.all(maps[:, 2:] == 0)
    assert np.all(maps[:, :, :4] == 0)


def test_a_stranger_is_another_patient():
    patients = np.array([0, 0, 1, 2, 2, 2])
    strangers = script("findings")._strangers(patients)
    assert np.all(patients[strangers] != patients)


@pytest.fixture
def wards(tmp_path):
    """Data of two findings, each a bright corner, and a flow that knows them."""
    noise = np.random.default_rng(1)
    corners = {"Mass": np.s_[:6, :6], "Effusion": np.s_[10:, 10:]}
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("file", "source", "patient_id", "split", "labels", "view", "sex", "age"))
        for i in range(180):
            pixels = noise.integers(40, 90, size=(16, 16))
            names = [name for name in corners if noise.random() < 0.4]
            for name in names:
                pixels[corners[name]] += 120
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"{i}.png")
            split = "train" if i < 120 else "test"
            labels = "|".join(names) or "No Finding"
            rows.writerow((f"{i}.png", "wards", f"p{i // 2}", split, labels, "AP", "F", 50))
    save(attribute_checkpoint(), tmp_path / "told.safetensors")
    return tmp_path


@pytest.mark.slow
def test_every_finding_and_their_mean_are_tabulated(wards, capsys):
    options = ["--weights", wards / "told.safetensors", "--preset", "empirical", "--source"]
    options += ["wards", "--findings", "Mass", "Effusion", "--steps", 60, "--seeds", 1]
    script("findings").main([str(x) for x in (wards, *options)])
    rows = {row["finding"]: row for row in shown(capsys)}
    assert [*rows] == ["Effusion", "Mass", "mean"]
    taught = {name: float(row["taught on originals"].split()[0]) for name, row in rows.items()}
    assert taught["mean"] == pytest.approx((taught["Mass"] + taught["Effusion"]) / 2, abs=2e-3)
    assert taught["mean"] > 0.9
    for row in rows.values():
        assert row["released truly"] == "1.000", "its labels are public"
        gain = float(row["private less originals"].split()[0])
        private = float(row["taught on private images"].split()[0])
        assert gain == pytest.approx(
            private - float(row["taught on originals"].split()[0]), abs=2e-3
        )
