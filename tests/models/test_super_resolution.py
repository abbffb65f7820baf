"""Detail of an octave: Haar's transform, the flow given the half, the cascade, its training."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latentdp import InputError, WeightsError
from latentdp.data.preprocess import resize
from latentdp.metrics.spectrum import octaves, power
from latentdp.models.checkpoints import load, save
from latentdp.models.flow.add_ons import AddOns
from latentdp.models.flow.flow import Flow
from latentdp.models.flow.invariants import check, laws
from latentdp.models.model_card.card import ModelCard
from latentdp.models.model_card.wavelet_flow import temperature
from latentdp.models.super_resolution.cascade import SuperResolutionCascade
from latentdp.models.super_resolution.checkpoint import detail_flow_of
from latentdp.models.super_resolution.detail_flow import DetailFlow
from latentdp.models.super_resolution.haar import half, join, split
from latentdp.models.super_resolution.wavelet_flow import WaveletFlow
from latentdp.models.training.wavelet_flow import (
    degraded,
    detail_bits,
)
from latentdp.privacy.noise import SeededNoise
from tests.support.detail_flows import CONFIG, photographs, trainer
from tests.support.tiny_flow import make_net


@given(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
def test_an_image_is_its_half_and_its_detail(n, height, width, seed):
    x = torch.rand(n, 1, 2 * height, 2 * width, generator=torch.Generator().manual_seed(seed))
    halves, details = split(x)
    assert torch.allclose(join(halves, details), x, atol=1e-6)
    assert torch.allclose(halves, torch.nn.functional.avg_pool2d(x, 2), atol=1e-6)
    energy = 4 * halves.square().sum() + details.square().sum()
    assert torch.allclose(energy, x.square().sum(), rtol=1e-4), "at the scale of a rotation"


@pytest.mark.parametrize("shape", [(4, 4), (16, 16), (6, 10), (32, 8)])
def test_detail_is_recovered_at_any_size(octave, shape):
    generator = torch.Generator().manual_seed(0)
    details = 0.1 * torch.randn(2, 3, *shape, generator=generator)
    halves = torch.rand(2, 1, *shape, generator=generator) - 0.5
    z, _ = octave.net.encode(details, halves)
    assert z.shape == details.shape
    assert torch.allclose(octave.net.decode(z, halves), details, atol=1e-4)


def test_the_log_determinant_is_that_of_the_map(octave):
    generator = torch.Generator().manual_seed(1)
    details = 0.1 * torch.randn(1, 3, 2, 2, generator=generator).double()
    halves = torch.rand(1, 1, 2, 2, generator=generator).double() - 0.5
    net = WaveletFlow(CONFIG).double()
    net.load_state_dict(octave.net.state_dict())

    def flat(x):
        return net.encode(x.reshape(1, 3, 2, 2), halves)[0].flatten()

    jacobian = torch.autograd.functional.jacobian(flat, details.flatten())
    assert torch.allclose(torch.linalg.slogdet(jacobian)[1], net.encode(details, halves)[1][0])


def test_it_learns_what_detail_goes_with_a_half(tmp_path):
    """The grain is stronger where it is brighter: a model that does not look knows less."""
    made = trainer(tmp_path / "x.state", steps=150)
    before, _ = detail_bits(made.average, made.val)
    made.run(lambda _: None)
    after, others = detail_bits(made.average, made.val)
    assert others == 0
    assert after < before - 0.2
    blind = WaveletFlow(CONFIG)
    blind.load_state_dict(made.average.state_dict())
    blind.eval()
    blind.description.forward = lambda half: torch.zeros(
        len(half), 8, *[s // 2 for s in half.shape[2:]]
    )
    assert detail_bits(blind, made.val)[0] > after + 0.05


def test_images_without_a_density_are_counted_and_leave_the_others_mean(octave, monkeypatch):
    """One letter that overflows the network would make the bits of a whole split "nan"."""
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32), dtype=np.uint8)
    net, seen = octave.net, []
    wanted, none = detail_bits(net, pixels)
    assert np.isfinite(wanted)
    assert none == 0

    def forward(details, halves):
        nats = octave_forward(details, halves)
        seen.append(float(nats) / details.numel())
        return nats * (np.nan if len(seen) == 2 else 1.0)

    octave_forward = net.forward
    monkeypatch.setattr(net, "forward", forward)
    found, others = detail_bits(net, pixels)
    assert others == 1
    assert 8 - np.mean(seen) / np.log(2) == pytest.approx(wanted, rel=1e-6)
    assert 8 - (seen[0] + seen[2]) / 2 / np.log(2) == pytest.approx(found, rel=1e-6)


def test_an_interrupted_training_goes_on_as_if_it_had_not_been(tmp_path):
    whole, part = trainer(tmp_path / "a", steps=8), trainer(tmp_path / "b", steps=8)
    whole.run(lambda _: None)
    part.run(lambda _: None, stop=lambda: part.step >= 3)
    assert part.step == 3
    again = trainer(tmp_path / "b", steps=8)
    assert again.step == 3
    again.run(lambda _: None)
    for name, tensor in whole.average.state_dict().items():
        assert torch.equal(tensor, again.average.state_dict()[name]), name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"crop": 6}, "multiple of 4"),
        ({"crop": 64}, "at least 2 images of 64 pixels"),
        ({"batch": 0}, "batch"),
        ({"learning_rate": 0.0}, "learning rate"),
        ({"steps": 0}, "minutes or of steps"),
    ],
)
def test_settings_that_cannot_be_are_refused(change, message, tmp_path):
    with pytest.raises(InputError, match=message):
        trainer(tmp_path / "x", **({"steps": 1} | change))


def test_halves_are_shown_as_they_are_or_a_little_worse():
    halves = torch.rand(64, 1, 8, 8, generator=torch.Generator().manual_seed(0)) - 0.5
    shown = degraded(halves, 0.02, torch.Generator().manual_seed(1))
    apart = (shown - halves).square().mean(dim=(1, 2, 3)).sqrt()
    assert apart.min() < 0.02
    assert apart.max() > 0.05
    assert apart.median() < 0.05, "most are nearly as they are"


def test_a_larger_image_keeps_its_half(octave):
    halves = half(photographs(5) / np.float32(255))
    large = octave.enlarge(halves, SeededNoise(0))
    assert large.shape == (5, 32, 32)
    assert large.dtype == np.float32
    inside = (large > 0).all(axis=(1, 2)) & (large < 1).all(axis=(1, 2))
    assert inside.any()
    assert np.abs(half(large) - halves)[inside].max() < 1e-4


def test_detail_comes_from_the_noise_alone(octave):
    halves = half(photographs(3) / np.float32(255))
    one, same, other = (octave.enlarge(halves, SeededNoise(s)) for s in (0, 0, 1))
    assert np.array_equal(one, same)
    assert np.abs(one - other).mean() > 1e-3


def test_each_image_is_enlarged_on_its_own(octave):
    halves = half(photographs(3) / np.float32(255))
    changed = halves.copy()
    changed[1] = 0.5
    one, two = (octave.enlarge(x, SeededNoise(0)) for x in (halves, changed))
    assert np.allclose(one[[0, 2]], two[[0, 2]], atol=1e-6)


def test_detail_that_is_not_finite_is_left_out(octave):
    broken = WaveletFlow(CONFIG)
    broken.load_state_dict(octave.net.state_dict())
    broken.prior.bias.data[:] = float("inf")
    halves = half(photographs(2) / np.float32(255))
    large = replace(octave, net=broken.eval()).enlarge(halves, SeededNoise(0))
    assert np.array_equal(large, halves.repeat(2, axis=1).repeat(2, axis=2))


def with_cascade(*details: DetailFlow) -> Flow:
    return Flow(make_net(), ModelCard(), add_ons=AddOns(cascade=SuperResolutionCascade(details)))


def test_detail_keeps_its_laws_or_is_refused(octave):
    images = half(photographs(3) / np.float32(255))
    labels = np.full(3, -1, dtype=np.int64)
    flow = with_cascade(octave)
    found = [law for law in check(flow, images, labels) if "32 pixels" in law.name]
    assert len(found) == 3

    class Gossip(WaveletFlow):
        def decode(self, z, halves):
            return super().decode(z, halves - halves.mean(dim=0))

    gossip = Gossip(CONFIG)
    gossip.load_state_dict(octave.net.state_dict())
    flow = with_cascade(replace(octave, net=gossip))
    broken = {law.name for law in laws(flow, images, labels) if not law.holds}
    assert "detail to 32 pixels is drawn for an image on its own" in broken
    with pytest.raises(WeightsError, match="detail to 32 pixels"):
        check(flow, images, labels)


@pytest.mark.parametrize(("size", "steps"), [(16, 0), (32, 1), (24, 1), (64, 2), (100, 2)])
def test_a_cascade_climbs_as_far_as_it_must(octave, size, steps, monkeypatch):
    net = WaveletFlow(replace(CONFIG, size=64))
    net.load_state_dict(octave.net.state_dict())
    second = DetailFlow(net)
    climbed = []
    once = DetailFlow.enlarge
    monkeypatch.setattr(DetailFlow, "enlarge", lambda o, *a: climbed.append(o.size) or once(o, *a))
    small = half(photographs(2) / np.float32(255))
    large = SuperResolutionCascade([octave, second]).enlarge(small, size, SeededNoise(0))
    assert large.shape == (2, size, size)
    assert climbed == [32, 64][:steps]


@pytest.mark.parametrize("size", [16, 32, 64, 50])
@pytest.mark.parametrize("pixels", [1, 2 * 32**2, 10**6])
@pytest.mark.parametrize("shifts", [(0,), (0, 1), (0, 3, 2)])
def test_images_that_are_enlarged_together_are_those_of_one_after_the_other(
    octave, monkeypatch, size, pixels, shifts
):
    """Of the same random bits; up to how convolutions of several images are rounded."""
    monkeypatch.setattr("latentdp.models.super_resolution.cascade.PIXELS", pixels)
    net = WaveletFlow(replace(CONFIG, size=64))
    net.load_state_dict(octave.net.state_dict())
    cascade = SuperResolutionCascade([octave, DetailFlow(net, 0.8, shifts)])
    small, noise = half(photographs(5) / np.float32(255)), SeededNoise(0)
    alone = [cascade.enlarge(image[None], size, noise)[0] for image in small]
    each = list(cascade.enlarge_each(small, size, SeededNoise(0)))
    assert np.allclose(each, alone, atol=1e-5)
    assert list(cascade.enlarge_each(small[:0], size, SeededNoise(0))) == []


def test_without_octaves_an_image_is_enlarged_smoothly():
    small = half(photographs(2) / np.float32(255))
    large = SuperResolutionCascade([]).enlarge(small, 40, SeededNoise(0))
    assert np.array_equal(large, np.stack([resize(image, (40, 40)) for image in small]))


class Mosaic(WaveletFlow):
    """Detail that knows nothing of its neighbours, as if each block were alone."""

    def decode(self, z, halves):
        return 0.001 * z


def test_shifted_draws_leave_no_mosaic(octave):
    """Steps of noise on a slope, and of the slope at the borders of blocks alone."""
    net = Mosaic(CONFIG)
    net.load_state_dict(octave.net.state_dict())
    slope = np.tile(np.linspace(0.2, 0.8, 64, dtype=np.float32), (8, 64, 1))

    def unevenness(shifts):
        drawn = DetailFlow(net, shifts=shifts).enlarge(slope, SeededNoise(1))
        steps = np.abs(np.diff(drawn, axis=2)).mean(axis=(0, 1))
        by_position = np.array([steps[k::4].mean() for k in range(4)])
        return by_position.std() / by_position.mean()

    once, twice = unevenness((0,)), unevenness((0, 1))
    assert once > 0.5
    assert twice < 0.25 * once


def test_the_half_of_an_image_stays_its_half_without_detail(octave):
    """Draws at several shifts are means of images, in [0, 1] and of the right size."""
    halves = half(photographs(3) / np.float32(255))
    drawn = replace(octave, shifts=(0, 1, 2, 3)).enlarge(halves, SeededNoise(2))
    assert drawn.shape == (3, *(2 * side for side in halves.shape[1:]))
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert np.abs(half(drawn) - halves).mean() < 0.1


@pytest.mark.parametrize("shifts", [(), (1,), (0, 0), (0, 1, 1), (0, 4), (0, -1)])
def test_shifts_that_are_no_shifts_are_refused(octave, shifts):
    with pytest.raises(WeightsError, match="expected the shifts of a detail flow"):
        replace(octave, shifts=shifts)


def test_two_octaves_of_one_size_are_refused(octave):
    with pytest.raises(WeightsError, match="one network of detail for each size"):
        SuperResolutionCascade([octave, octave])


def test_weights_come_back_as_they_were_saved(octave, tmp_path):
    made = trainer(tmp_path / "x.state", steps=2)
    made.run(lambda _: None)
    save(made.checkpoint("detail", ModelCard(summary="a test")), tmp_path / "detail.safetensors")
    read = detail_flow_of(load(str(tmp_path / "detail.safetensors")))
    assert read.size == 32
    assert read.temperature == 1.0
    for name, tensor in made.average.state_dict().items():
        assert torch.allclose(tensor.float(), read.net.state_dict()[name], atol=1e-3), name
    good = load(str(tmp_path / "detail.safetensors"))
    for wrong in (
        replace(good, kind="glow"),
        replace(good, config="{}"),
        replace(good, config=replace(CONFIG, hidden=9).to_json()),
    ):
        with pytest.raises(WeightsError):
            detail_flow_of(wrong)


def test_white_noise_has_as_much_power_everywhere():
    rng = np.random.default_rng(0)
    found = octaves(rng.random((40, 64, 64)).astype(np.float32))
    assert np.ptp(found[2:]) < 1.0, "decibels"


def test_power_lies_where_the_detail_is():
    x = np.arange(64)
    image = 0.5 + 0.3 * np.sin(2 * np.pi * 20 * x / 64)[None, None, :] * np.ones((1, 64, 1))
    found = power(image.astype(np.float32))
    assert abs(int(found.argmax()) + 1 - 20) <= 1
    assert octaves(image.astype(np.float32)).argmax() == 4, "17 to 32 cycles: the last octave"


def test_the_temperature_gives_detail_the_power_of_real_detail(octave):
    """Of detail that this very network drew at 0.6, it is 0.6, but for chance."""
    halves = half(photographs(40, seed=3) / np.float32(255))
    drawn = replace(octave, temperature=0.6).enlarge(halves, SeededNoise(7))
    found = temperature(octave, np.rint(drawn * 255).astype(np.uint8))
    assert found == pytest.approx(0.6, abs=0.05)


@pytest.mark.parametrize(("shown", "found"), [(0.5, 0.5), (1.6, 1.5)])
def test_a_temperature_beyond_the_range_is_its_nearest_end(octave, shown, found):
    halves = half(photographs(20, seed=3) / np.float32(255))
    drawn = replace(octave, temperature=shown).enlarge(halves, SeededNoise(7))
    seen = drawn if shown > 1 else half(drawn).repeat(2, axis=1).repeat(2, axis=2)
    assert temperature(octave, np.rint(seen * 255).astype(np.uint8)) == found
