"""The contract of a flow, for every shipped checkpoint and a small random network."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from latentdp import InputError, Privatizer, Recipe, WeightsError
from latentdp.data.dataset import read_dataset
from latentdp.data.radiograph import read
from latentdp.models.checkpoints import load, shipped
from latentdp.models.flow.flow import Flow, load_flow
from latentdp.models.flow.glow import Glow, GlowConfig
from latentdp.models.flow.layout import GRID
from latentdp.models.model_card.card import ModelCard
from latentdp.privacy.noise import SeededNoise
from latentdp.recipe import ALL
from latentdp.release.verification.recipe import LAYOUT
from tests.support.places import SAMPLES
from tests.support.sweeps import some
from tests.support.tiny_flow import make_net

SHIPPED = sorted(shipped("glow"))


@pytest.fixture(scope="module", params=["tiny", *SHIPPED])
def flow(request) -> Flow:
    if request.param == "tiny":
        return Flow(make_net(), ModelCard(), "tiny")
    return load_flow(load(request.param))


@pytest.fixture(scope="module")
def pictures(flow) -> np.ndarray:
    """The samples, plus images that no training set holds.

    Of some, such as a checkerboard, flows give no finite latent at all: a release is drawn anyway
    (`test_an_image_without_a_latent_is_released_like_any_other`).
    """
    files = [p for p in SAMPLES.rglob("*") if p.is_file() and p.name != "broken.dcm"]
    found = [read(path, flow.shape).image for path in files]
    extreme = [np.zeros(flow.shape), np.ones(flow.shape), 0.25 + np.eye(flow.shape[0]) / 2]
    return np.stack([*found, *extreme]).astype(np.float32)


def test_there_are_weights():
    assert {"cxr-adult", "cxr-paediatric"} <= set(SHIPPED)


def test_round_trip(flow, pictures):
    for labels in (None, np.arange(len(pictures)) % max(1, len(flow.classes))):
        back = flow.decode(flow.encode(pictures, labels), labels)
        assert np.abs(back - pictures).max() < 1e-4


def test_layout_is_how_the_parts_of_the_average_image_move(flow):
    """Against differences of images that are decoded: the network is asked the other way round."""
    assert flow.layout.shape == (GRID**2, flow.d)
    assert LAYOUT == GRID**2, "as `verify` knows it, without torch"
    assert not flow.layout[:, flow.levels[0].stop :].any()
    step = flow.layout[[0, 5, -1]]
    step = 0.05 * step / np.linalg.norm(step, axis=1, keepdims=True)
    images = flow.decode(np.concatenate([step, -step])).astype(np.float64)
    part = flow.shape[0] // GRID
    levels = images.reshape(-1, GRID, part, GRID, part).mean(axis=(2, 4)).reshape(6, -1)
    moved = levels[:3] - levels[3:]
    expected = 2 * step @ flow.layout.T
    assert np.abs(moved - expected).max() < 0.1 * np.abs(expected).max()


def test_latents_are_float64_coarse_to_fine(flow, pictures):
    z = flow.encode(pictures)
    assert z.shape == (len(pictures), flow.d)
    assert z.dtype == np.float64
    assert np.isfinite(z).all()
    assert flow.levels[0].start == 0
    assert flow.levels[-1].stop == flow.d == flow.shape[0] * flow.shape[1]
    assert all(a.stop == b.start for a, b in zip(flow.levels, flow.levels[1:], strict=False))


@pytest.mark.parametrize("name", SHIPPED)  # a random network has no such structure
def test_coarse_levels_change_more_than_fine_ones(name):
    flow = load_flow(load(name))
    z = np.zeros((1, flow.d))
    base = flow.decode(z)
    change = []
    for level in flow.levels:
        moved = z.copy()
        moved[:, level] += np.random.default_rng(0).normal(size=level.stop - level.start)
        change.append(np.abs(flow.decode(moved) - base).mean())
    assert change == sorted(change, reverse=True)


def test_an_image_without_a_latent_is_released_like_any_other(flow):
    """A checkerboard: whether there is an image must say nothing of the source."""
    board = np.indices(flow.shape).sum(axis=0, keepdims=True) % 2
    recipe = Recipe(epsilon=2.0, directions=ALL)
    release = Privatizer(flow, recipe, SeededNoise(1))(board.astype(np.float32))
    assert release.valid.all()
    assert np.isfinite(release.images).all()


def test_the_label_matters(flow):
    z = np.random.default_rng(0).normal(size=(1, flow.d))
    decoded = [flow.decode(z, [label]) for label in (-1, *range(len(flow.classes)))]
    for i, one in enumerate(decoded):
        assert all(not np.array_equal(one, other) for other in decoded[:i])


def test_batch_and_order_do_not_matter(flow, pictures):
    z = flow.encode(pictures)
    assert flow.encode(pictures[::-1])[::-1] == pytest.approx(z, abs=1e-4)
    assert flow.encode(pictures[:1]) == pytest.approx(z[:1], abs=1e-4)


def test_inputs_are_not_changed(flow, pictures):
    before = pictures.copy()
    z = flow.encode(pictures)
    kept = z.copy()
    flow.decode(z)
    assert np.array_equal(pictures, before)
    assert np.array_equal(z, kept)


def test_noisy_latents_decode_to_finite_images(flow, pictures):
    rng = np.random.default_rng(0)
    for scale in (1, 4, 30):
        z = flow.encode(pictures) + rng.laplace(scale=scale, size=(len(pictures), flow.d))
        images, valid = flow.decode_valid(z)
        assert valid.all()
        assert images.min() >= 0
        assert images.max() <= 1


def test_a_latent_that_decodes_to_nothing_is_told_and_leaves_the_others_alone(flow):
    z = np.zeros((3, flow.d))
    z[1, 5] = np.nan
    images, valid = flow.decode_valid(z)
    assert valid.tolist() == [True, False, True]
    assert not images[1].any()
    assert np.abs(images[0] - images[2]).max() < 1e-5
    with pytest.raises(InputError, match="1 of 3"):
        flow.decode(z)


@pytest.mark.parametrize("shape", [(2, 10), (10,), (1, 2, 3)])
def test_latents_of_another_shape_are_refused(flow, shape):
    with pytest.raises(InputError, match="shape"):
        flow.decode(np.zeros(shape))


def test_log_determinant_against_autograd():
    net = make_net(size=8, classes=("a",)).double()
    x = (torch.rand(1, 1, 8, 8, dtype=torch.float64) - 0.5) * 0.9
    label = torch.zeros(1, dtype=torch.long)
    jacobian = torch.autograd.functional.jacobian(
        lambda flat: net.encode(flat.reshape(1, 1, 8, 8), label)[0][0], x.flatten()
    )
    _, log_det = net.encode(x, label)
    assert torch.linalg.slogdet(jacobian)[1].item() == pytest.approx(log_det.item(), abs=1e-8)


def test_log_density_is_that_of_the_latent_and_the_determinant():
    net = make_net(size=8).double()
    x, label = torch.rand(3, 1, 8, 8, dtype=torch.float64) - 0.5, torch.tensor([0, 1, 3])
    z, log_det = net.encode(x, label)
    expected = stats.norm.logpdf(z.detach().numpy()).sum(axis=1) + log_det.detach().numpy()
    assert net(x, label).detach().numpy() == pytest.approx(expected)


def test_weights_with_uninitialised_normalisation_are_refused():
    net = Glow(GlowConfig(size=8, classes=("a",), steps=(1,), hidden=(4,)))
    before = {k: v.clone() for k, v in net.state_dict().items()}
    with pytest.raises(WeightsError, match="not initialised"):
        Flow(net, ModelCard())
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())


def test_inference_changes_no_weight(flow, pictures):
    before = {k: v.clone() for k, v in flow._net.state_dict().items()}
    flow.decode(flow.encode(pictures))
    assert all(torch.equal(before[k], v) for k, v in flow._net.state_dict().items())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 12}, "multiple of 8"),
        ({"steps": (1,)}, "each level"),
        ({"steps": (0, 1)}, "at least 1 step"),
        ({"hidden": (8, 1)}, "width of 2"),
    ],
)
def test_impossible_networks_are_refused(changes, message):
    good = {"size": 16, "classes": (), "steps": (1, 1), "hidden": (4, 4)}
    with pytest.raises(InputError, match=message):
        GlowConfig(**(good | changes))


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("name", some(SHIPPED, ["cxr-paediatric"]))
def test_real_validation_images_are_as_the_card_says(name, shared_data):
    """Round trip, bits per dimension and N(0, 1) latents on real images, against the card."""
    checkpoint = load(name)
    flow, card = load_flow(checkpoint), checkpoint.card
    val = read_dataset(
        shared_data / "cxr",
        "val",
        size=flow.shape[0],
        conditions=card.conditions,
        sources=card.sources,
        classes=flow.classes,
    )
    images = val.pixels[:128].astype(np.float32) / 255
    z = flow.encode(images, val.labels[:128])
    assert np.abs(flow.decode(z, val.labels[:128]) - images).max() < 1e-4
    bits = flow.bits_per_dimension(val.pixels, val.labels)
    assert bits == pytest.approx(card.bits_per_dimension["val"], abs=0.01)
    assert bits < 4
    for level in flow.levels:
        assert abs(z[:, level].mean()) < 0.05
        assert 0.8 < z[:, level].std() < 1.1
        assert abs(stats.kurtosis(z[:, level], axis=None)) < 2
    assert math.isfinite(bits)
