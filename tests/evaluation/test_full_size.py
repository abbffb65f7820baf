"""Realism at the size of the release: what a small picture hides, a few numbers show."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from latentdp.core import plugins
from latentdp.core.progress import silent
from latentdp.data.dicom.profile import Profile
from latentdp.data.synthetic import marked
from latentdp.evaluation.full_size import FullSize
from latentdp.evaluation.pairing import SourceLink
from latentdp.reports.results import Measure
from tests.support.scenes import scene, untouched

NAMES = ("periodicity", "power_spectrum", "grey_level_histogram", "edge_sharpness")
SIZE = 64


def smooth(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    field = gaussian_filter(rng.normal(size=(SIZE, SIZE)), 4)
    field = (field - field.min()) / np.ptp(field)
    return np.clip(0.1 + 0.8 * field + 0.02 * rng.normal(size=field.shape), 0, 1)


def files(folder: Path, change, patients: int = 15) -> FullSize:
    """Pictures of two images a patient; ``change`` makes the private one of another picture."""
    links = []
    for i in range(2 * patients):
        for side, image in (("real", smooth(i)), ("private", change(smooth(1000 + i)))):
            place = folder / side / f"{i}.png"
            place.parent.mkdir(exist_ok=True)
            Image.fromarray(np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)).save(place)
        links.append(SourceLink(folder / "real" / f"{i}.png", folder / "private" / f"{i}.png", {}))
    return FullSize(links, np.arange(2 * patients) // 2, seed=0)


def grid(image: np.ndarray) -> np.ndarray:
    out = image.copy()
    out[:, 8::8] += 0.05
    return out


def measured(there: FullSize) -> dict[str, Measure]:
    of = replace(scene(untouched, patients=2, practised=2), full_size=there)
    found = {}
    for name in NAMES:
        utility = plugins.load("utility", name).utility
        assert utility.unavailable_reason(of) is None
        (found[name],) = utility.measure(of, silent)
    return found


@pytest.fixture(scope="module")
def same(tmp_path_factory) -> dict[str, Measure]:
    return measured(files(tmp_path_factory.mktemp("same"), lambda image: image))


@pytest.mark.statistical
def test_pictures_of_one_kind_are_not_told_apart(same):
    """Of 30 against 30 the AUC's standard deviation is below 0.1; seeds are fixed."""
    for row in same.values():
        assert abs(row.value - 0.5) < 0.25, row
        assert row.low <= row.value <= row.high
        assert (row.n, row.patients) == (30, 15)
        assert row.of_looks
        assert "64 x 64 pixels" in row.setting


@pytest.mark.parametrize(
    ("change", "by"),
    [
        (grid, "periodicity"),
        (lambda image: gaussian_filter(image, 1), "power_spectrum"),
        (lambda image: gaussian_filter(image, 1), "edge_sharpness"),
        (lambda image: image**1.8, "grey_level_histogram"),
    ],
    ids=["grid", "blur", "soft edges", "darker"],
)
def test_each_trace_is_seen_by_the_number_that_is_about_it(change, by, tmp_path):
    found = measured(files(tmp_path, change))
    assert found[by].value > 0.95
    assert found[by].low > 0.6


@pytest.mark.statistical
def test_a_mark_is_not_what_they_are_told_by(tmp_path):
    """As for pictures of one kind: seeds are fixed. Whoever does not know of the mark sees it."""
    there = files(tmp_path, lambda image: marked(image.astype(np.float32)))
    for row in measured(replace(there, profile=Profile(mark=True))).values():
        assert abs(row.value - 0.5) < 0.25, row
        assert "64 x 56 pixels" in row.setting
    assert measured(there)["edge_sharpness"].value > 0.95


def test_files_of_another_size_and_damaged_ones_are_left_out(tmp_path):
    there = files(tmp_path, lambda image: image)
    (tmp_path / "private" / "3.png").write_bytes(b"none")
    Image.fromarray(np.zeros((32, 32), np.uint8)).save(tmp_path / "private" / "4.png")
    assert measured(there)["edge_sharpness"].n == 28


def test_without_files_or_patients_it_says_so(tmp_path):
    utility = plugins.load("utility", "periodicity").utility
    of = scene(untouched, patients=2, practised=2)
    assert "not at hand" in utility.unavailable_reason(of)
    few = replace(of, full_size=files(tmp_path, lambda image: image, patients=9))
    assert "10 patients, there are those of 9" in utility.unavailable_reason(few)
