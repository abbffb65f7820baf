"""Bits per dimension of single images, and which inputs the private review marks as odd."""

import math
from dataclasses import fields
from pathlib import Path

import numpy as np
import pydicom
import pytest
import sklearn.datasets
import torch
from PIL import Image
from scipy import stats

from latentdp import Privatizer, Recipe, Release
from latentdp.data.dataset import Dataset, read_dataset
from latentdp.data.dicom import pixels
from latentdp.data.preprocess import resize
from latentdp.data.radiograph import read
from latentdp.metrics.usual_range import UsualRange
from latentdp.models.checkpoints import load, shipped
from latentdp.models.flow.flow import Flow, load_flow
from latentdp.models.model_card.flow import usual_likelihood
from tests.support.places import SAMPLES
from tests.support.sweeps import slow
from tests.support.tiny_flow import make_net


@pytest.fixture(scope="module", params=sorted(shipped("glow")))
def flow(request) -> Flow:
    return load_flow(load(request.param))


@pytest.fixture(scope="module")
def chests() -> np.ndarray:
    files = [p for p in SAMPLES.rglob("*") if p.is_file() and p.name != "broken.dcm"]
    return np.stack([read(path, (64, 64)).image for path in files])


def photographs() -> np.ndarray:
    folder = Path(sklearn.datasets.__file__).parent / "images"
    grey = []
    for name in ("china.jpg", "flower.jpg"):
        with Image.open(folder / name) as picture:
            grey.append(np.asarray(picture.convert("L"), dtype=np.float32) / 255)
    return np.stack([resize(image, (64, 64)) for image in grey])


def odd(flow: Flow, images) -> np.ndarray:
    return flow.out_of_distribution(*flow.encode_and_rate(images))


def test_bits_are_the_density_of_the_latent_and_the_determinant(tiny_flow, images):
    latents, bits = tiny_flow.encode_and_rate(images, np.arange(len(images)) % 3)
    assert np.array_equal(latents, tiny_flow.encode(images, np.arange(len(images)) % 3))
    x = torch.from_numpy((images * 255 + 0.5) / 256 - 0.5)[:, None]
    z, log_det = make_net().eval().encode(x, torch.arange(len(images)) % 3)
    nats = stats.norm.logpdf(z.detach().numpy()).sum(axis=1) + log_det.detach().numpy()
    assert bits == pytest.approx(8 - nats / (256 * math.log(2)), rel=1e-4)


def test_bits_of_an_image_do_not_follow_its_batch(tiny_flow, images):
    bits = tiny_flow.encode_and_rate(images)[1]
    assert tiny_flow.encode_and_rate(images[::-1])[1][::-1] == pytest.approx(bits, abs=1e-4)
    assert tiny_flow.encode_and_rate(images[:1])[1] == pytest.approx(bits[:1], abs=1e-4)


def test_weights_without_a_usual_range_mark_nothing(tiny_flow, images):
    assert tiny_flow.likelihood_range is None
    assert not odd(tiny_flow, images).any()


def test_either_number_outside_is_odd_and_so_is_what_is_none(tiny_flow):
    usual = UsualRange(bits=(1.0, 2.0), coarse=(0.5, 1.5))
    latents = np.ones((6, 256))
    latents[3], latents[4], latents[5] = 2.0, 0.1, np.nan
    bits = np.array([1.5, 0.9, math.nan, 1.5, 1.5, 1.5])
    assert tiny_flow.out_of_distribution(latents, bits, usual).tolist() == [
        False,
        True,
        True,
        True,
        True,
        True,
    ]


def test_a_rating_is_no_part_of_a_release(tiny_flow, images):
    release, rating = Privatizer(
        tiny_flow, Recipe.from_preset("strict", label="none")
    ).release_and_rate(images)
    assert isinstance(release, Release)
    assert rating.bits == pytest.approx(tiny_flow.encode_and_rate(images)[1])
    assert not {f.name for f in fields(Release)} & {"bits", "odd", "rating"}


def test_the_usual_range_leaves_few_validation_images_outside(tiny_flow):
    shown = np.random.default_rng(1).integers(0, 256, (64, 16, 16), dtype=np.uint8)
    unknown, names = np.full(64, -1), ("x",) * 64
    data = Dataset(
        shown, unknown, (), names, names, unknown, (), names, names, names, names, (40.0,) * 64
    )
    found = usual_likelihood(tiny_flow, {"val": data})
    assert found.bits[0] < found.bits[1]
    assert found.coarse[0] < found.coarse[1]
    assert 0 < found.odd["val"] <= 4 / 64


def test_what_is_no_chest_is_odd(flow, chests):
    rng = np.random.default_rng(0)
    noise = rng.random((3, 64, 64)).astype(np.float32)
    soft = np.clip(0.5 + 0.1 * rng.normal(size=(3, 64, 64)), 0, 1).astype(np.float32)
    flat = np.full((1, 64, 64), 0.5, dtype=np.float32)
    for strange in (noise, soft, flat, photographs()):
        assert odd(flow, strange).all()


def test_chests_are_not_odd_unless_turned_or_inverted(chests):
    flow = load_flow(load("cxr-adult"))  # the samples were drawn from it
    assert not odd(flow, chests).any()
    for wrong in (np.rot90(chests, axes=(1, 2)), chests[:, ::-1], 1 - chests):
        assert odd(flow, np.ascontiguousarray(wrong)).mean() > 0.5


@pytest.mark.data
@pytest.mark.parametrize("name", ["RG3_J2KR.dcm", "highdicom-dx_image.dcm"])
def test_a_leg_and_a_dog_are_odd(flow, shared_data, name):
    picture = pixels.picture(pydicom.dcmread(shared_data / "dicom" / "radiograph" / name))
    assert odd(flow, resize(picture, (64, 64))[None]).all()


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("every", [9, slow(1)])
def test_few_real_chests_of_new_patients_are_odd(flow, shared_data, every):
    """Of the test split: at most 2 %, and about as many as the card says."""
    test = read_dataset(
        shared_data / "cxr",
        "test",
        size=64,
        conditions=flow.provenance.conditions,
        sources=flow.provenance.sources,
        classes=flow.classes,
    )
    share = odd(flow, test.pixels[::every].astype(np.float32) / 255).mean()
    assert share <= 0.02
    assert flow.card.likelihood.odd["test"] <= 0.02
