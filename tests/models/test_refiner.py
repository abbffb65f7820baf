"""Refiners: private images drawn anew at four times their side."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from latentdp._weights.flow_card import flow_card
from msgspec import structs
from torch.nn.functional import conv2d, interpolate, leaky_relu, pixel_shuffle

from latentdp import InputError, Privatizer, Recipe, WeightsError
from latentdp.data.dicom.profile import Profile
from latentdp.models.checkpoints import Checkpoint, load, save
from latentdp.models.flow.flow import load_flow
from latentdp.models.flow.invariants import laws
from latentdp.models.model_card.card import ModelCard
from latentdp.models.model_card.card_parts import TrainingCard
from latentdp.models.super_resolution.cascade import SuperResolutionCascade
from latentdp.models.super_resolution.checkpoint import enlarger_of, with_detail_flows
from latentdp.models.super_resolution.detail_flow import DetailFlow
from latentdp.models.super_resolution.refiner import Refiner
from latentdp.models.super_resolution.refiner_net import FACTOR, RefinerConfig, RefinerNet
from latentdp.models.super_resolution.wavelet_flow import WaveletFlow
from latentdp.models.training.refiner import RefinerTraining, RefinerTrainingConfig
from latentdp.privacy.noise import SeededNoise
from latentdp.release.verification.recipe import REFINED
from tests.support.detail_flows import photographs
from tests.support.places import SAMPLES
from tests.support.tiny_flow import tiny_checkpoint

CONFIG = RefinerConfig(
    side=16, widths=(4, 4, 4), down=(1, 1, 1), up=(1, 1), fine_widths=(4, 2), fine=(1, 1)
)
CARD = ModelCard(
    decibels_by_octave={
        "val": {"real": (1.0,), "drawn": (1.5,), "halves alone": (0.0,)},
    },
    parameters=7,
    training=TrainingCard(steps=1, images_shown=7),
    training_data="made here",
)


def training(state=None, **changes) -> RefinerTraining:
    options = {"steps": 4, "alone": 2, "learning_rate": 1e-3} | changes
    return RefinerTraining(
        CONFIG,
        RefinerTrainingConfig(**options),
        photographs(6, 64),
        photographs(9, 32, seed=1),
        photographs(5, 16, seed=2) / np.float32(255),
        state,
    )


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    """A refiner from 16 to 64 pixels that has met its critics."""
    run = training()
    run.run()
    return run.checkpoint("tiny refiner", CARD)


@pytest.fixture(scope="module")
def refiner(checkpoint) -> Refiner:
    step = enlarger_of(checkpoint)
    assert isinstance(step, Refiner)
    return step


def small(n=3):
    return photographs(n, 16, seed=5) / np.float32(255)


def test_it_begins_as_smooth_enlarging():
    net = RefinerNet(CONFIG)
    images = torch.rand(2, 1, 16, 16) - 0.5
    noise = [torch.randn(2, 1, *shape) for shape in net.noise_shapes(16, 16)]
    smooth = torch.nn.functional.interpolate(
        images, scale_factor=4, mode="bicubic", align_corners=False
    )
    assert torch.equal(net(images, noise), smooth)


def plain(net: RefinerNet, images: torch.Tensor, noise) -> torch.Tensor:
    """What the network computes, written down without regard to how numbers lie in memory."""

    def stage(blocks, x, z):
        for block in blocks.blocks:
            hidden = block.first(x) + block.strength * z
            x = x + block.second(leaky_relu(hidden, 0.2))
        return x

    def twice(layer, x):
        x = conv2d(x, layer.weight, layer.bias, padding=layer.padding)
        return pixel_shuffle(x, 2)

    coarsest, coarse, usual, double, fourfold = noise
    full = stage(net.down_full, net.first(4 * images), usual)
    half = stage(net.down_half, net.to_half(full), coarse)
    quarter = stage(net.down_quarter, net.to_quarter(half), coarsest)
    half = stage(net.up_half, half + twice(net.from_quarter, quarter), coarse)
    full = stage(net.up_full, full + twice(net.from_half, half), usual)
    x = stage(net.fine_double, twice(net.to_double, full), double)
    x = stage(net.fine_fourfold, twice(net.to_fourfold, leaky_relu(x, 0.2)), fourfold)
    return interpolate(images, scale_factor=4, mode="bicubic") + net.last(leaky_relu(x, 0.2))


@pytest.mark.parametrize("weights", ["tiny", "cxr-adult"])
def test_in_float32_it_is_the_plain_network_to_the_last_bit(refiner, weights):
    step = refiner
    if weights != "tiny":
        step = load_flow(weights).cascade.by_size[256]
        assert isinstance(step, Refiner)
    assert step.exact
    images = photographs(2, step.side, seed=8) / np.float32(255)
    drawn = step.draw(SeededNoise(2), images.shape)
    noise = [torch.from_numpy(z.astype(np.float32)) for z in drawn]
    levels = torch.from_numpy(images - np.float32(0.5))[:, None]
    with torch.inference_mode():
        expected = plain(step.net, levels.contiguous(memory_format=torch.channels_last), noise)
    made = step.unbounded(images, drawn)
    assert np.array_equal(made, expected[:, 0].numpy() + np.float32(0.5))
    low = replace(step, exact=False).unbounded(images, drawn)  # bfloat16, where the processor has
    assert np.abs(low - made).max() < 0.02
    assert np.sqrt(np.mean((low - made) ** 2)) < 0.002


def test_what_comes_out_follows_the_image_and_the_noise_alone(refiner):
    """The law of post-processing: equal private images and noise give equal outputs."""
    first = refiner.enlarge(small(), SeededNoise(1))
    assert first.shape == (3, 64, 64)
    assert first.min() >= 0
    assert first.max() <= 1
    assert np.array_equal(first, refiner.enlarge(small().copy(), SeededNoise(1)))
    assert not np.array_equal(first, refiner.enlarge(small(), SeededNoise(2)))


@pytest.mark.parametrize("size", [16, 32, 64, 100])
def test_in_a_cascade_each_image_is_that_of_itself_alone(refiner, size):
    cascade = SuperResolutionCascade([refiner])
    assert cascade.steps(16, size) == ((64,) if size > 16 else ())
    noise = SeededNoise(3)
    alone = [cascade.enlarge(image[None], size, noise)[0] for image in small()]
    together = list(cascade.enlarge_each(small(), size, SeededNoise(3)))
    assert np.allclose(together, alone, atol=1e-5)


def test_in_weights_it_stands_before_a_detail_flow_of_its_size(checkpoint, octave, tmp_path):
    from tests.models.test_weights_with_detail import part

    whole = with_detail_flows(tiny_checkpoint(), [checkpoint])
    save(whole, tmp_path / "it.safetensors")
    flow = load_flow(load(tmp_path / "it.safetensors"))
    assert flow.cascade.steps(16, 64) == (64,)
    assert isinstance(flow.cascade.by_size[64], Refiner)
    assert all(law.holds for law in laws(flow, small(4), np.zeros(4, dtype=np.int64)))
    both = "lead on from 16 pixels, one after the other, got 16 to 32, 16 to 64"
    with pytest.raises(InputError, match=both):
        with_detail_flows(tiny_checkpoint(), [checkpoint, part(octave)])
    page = flow_card(
        "it", 0, "", structs.replace(load("cxr-adult").card, octaves=whole.card.octaves)
    )
    assert "anew at 64 pixels a side" in page
    assert "1.0 /\n1.5 / 0.0" in page


def test_weights_with_a_refiner_release(checkpoint):
    whole = with_detail_flows(tiny_checkpoint(), [checkpoint])
    recipe = Recipe.from_preset("strict", profile=Profile(size=32, detail=True))
    privatizer = Privatizer(load_flow(whole), recipe, SeededNoise(0))
    released = privatizer(small())
    assert privatizer.octaves == (64,)
    assert privatizer.enlarge(released.images).shape == (3, 32, 32)


def test_damaged_weights_are_refused(checkpoint):
    for wrong in (
        replace(checkpoint, config='{"side": 16}'),
        replace(checkpoint, config="{}"),
        replace(checkpoint, config=checkpoint.config.replace("16", '"x"')),
        replace(checkpoint, tensors={}),
    ):
        with pytest.raises(WeightsError, match="do not fit their configuration"):
            enlarger_of(wrong)
    with pytest.raises(WeightsError, match="'octave' or 'refiner', got 'glow'"):
        enlarger_of(tiny_checkpoint())


@pytest.mark.parametrize(
    "wrong",
    [{"side": 18}, {"side": 4}, {"widths": (4, 4)}, {"fine": (0, 1)}, {"down": (1, 1, 2000)}],
)
def test_shapes_that_are_none_are_refused(wrong):
    with pytest.raises(InputError, match="expected"):
        RefinerConfig(**wrong)


def test_training_goes_on_where_it_was(tmp_path):
    state = tmp_path / "it.state"
    whole = training()
    whole.run()
    cut = training(state)
    cut.run(stop=lambda: cut.step == 3)
    again = training(state)
    assert again.step == 3
    again.run()
    for name, value in whole.average.state_dict().items():
        assert torch.allclose(value, again.average.state_dict()[name], atol=1e-6), name


def test_it_learns_to_enlarge_originals():
    run = training(steps=60, alone=60)
    run.run()
    originals = photographs(8, 64, seed=9) / np.float32(255)
    reduced = originals.reshape(8, 16, 4, 16, 4).mean(axis=(2, 4))
    begun = Refiner(RefinerNet(CONFIG))
    learnt = Refiner(run.average)
    apart = [
        float(np.abs(r.enlarge(reduced, SeededNoise(0)) - originals).mean())
        for r in (begun, learnt)
    ]
    assert apart[1] < apart[0]


def test_images_of_another_size_are_refused():
    with pytest.raises(InputError, match=r"expected images of \(64, 32, 16\) pixels a side"):
        RefinerTraining(
            CONFIG,
            RefinerTrainingConfig(steps=1),
            photographs(2, 32),
            photographs(2, 32),
            small(),
            None,
        )


def test_the_command_puts_it_before_what_goes_beyond_it(checkpoint, octave, tmp_path, command):
    """Of weights with detail to 32, 64 and 128 pixels only the last stays behind it."""
    from tests.models.test_weights_with_detail import part

    nets = []
    for size in (32, 64, 128):
        net = WaveletFlow(replace(octave.net.config, size=size))
        net.load_state_dict(octave.net.state_dict())
        nets.append(DetailFlow(net))
    plain = with_detail_flows(tiny_checkpoint(), [part(flow) for flow in nets])
    files = [tmp_path / f"{name}.safetensors" for name in ("plain", "refiner", "out")]
    save(plain, files[0])
    save(checkpoint, files[1])
    assert command("weights", "add-detail", files[0], files[1], files[0], "--out", files[2]) == 0
    cascade = load_flow(load(files[2])).cascade
    assert cascade.steps(16, 128) == (64, 128)
    assert sorted(cascade.by_size) == [64, 128]


@pytest.mark.parametrize("size", [16, 32, 65, 100])
def test_a_release_with_a_refiner_is_verified(checkpoint, octave, tmp_path, command, size):
    """Its steps are four times a side, a detail flow's two times."""
    assert REFINED == FACTOR
    from tests.models.test_weights_with_detail import part

    net = WaveletFlow(replace(octave.net.config, size=128))
    net.load_state_dict(octave.net.state_dict())
    whole = with_detail_flows(tiny_checkpoint(), [checkpoint, part(DetailFlow(net))])
    save(whole, tmp_path / "it.safetensors")
    given = ("--weights", tmp_path / "it.safetensors", "--preset", "strict", "--size", size)
    out = tmp_path / "out"
    assert command("privatize", SAMPLES, out, *given, "--vault", tmp_path / "v") in (0, 1)
    card = json.loads((out / "release.json").read_text())
    drawn = [64, 128][: (size > 16) + (size > 64)]
    assert card["image"]["detail_drawn_at"] == drawn
    assert command("verify", out) == 0
    for wrong in ([*drawn, 512], [32 * 7], [*drawn[1:], 16]):
        card["image"]["detail_drawn_at"] = wrong
        (out / "release.json").write_text(json.dumps(card))
        assert command("verify", out) == 1, wrong


def test_a_network_that_is_not_finite_breaks_a_law(checkpoint):
    """What a release would mend, by squares, a check must not."""
    tensors = checkpoint.tensors | {"last.weight": np.full((1, 2, 3, 3), 6e4, dtype=np.float32)}
    for name in ("fine_fourfold.blocks.0.strength",):
        tensors[name] = np.full((2, 1, 1), 1e36, dtype=np.float32)
    tensors["fine_fourfold.blocks.0.second.weight"] = np.ones((2, 2, 3, 3), dtype=np.float32)
    loud = with_detail_flows(tiny_checkpoint(), [replace(checkpoint, tensors=tensors)])
    broken = laws(load_flow(loud), small(4), np.zeros(4, dtype=np.int64))
    assert [law.name for law in broken if not law.holds][-1].endswith("finite for loud noise")


def test_a_configuration_of_a_giant_is_refused_before_it_is_built(checkpoint):
    giant = json.dumps(json.loads(checkpoint.config) | {"widths": [1024] * 3, "down": [64] * 3})
    with pytest.raises(WeightsError, match="do not fit their configuration"):
        enlarger_of(replace(checkpoint, config=giant))
    with pytest.raises(InputError, match="at most 64 blocks"):
        RefinerConfig(down=(65, 1, 1))


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"learning_rate": float("nan")}, {"private": 0}])
def test_settings_that_are_none_are_refused(wrong):
    with pytest.raises(InputError, match="expected"):
        RefinerTrainingConfig(**({"steps": 1} | wrong))
