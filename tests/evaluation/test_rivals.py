"""Rivals that learn nothing: what each does to an image, and what that is worth for all of it."""

import math

import numpy as np
import pytest
from scipy import stats

from latentdp.errors import InputError
from latentdp.evaluation.methods.blur import Blur
from latentdp.evaluation.methods.cadp import CADPAsPublished
from latentdp.evaluation.methods.dp_glow import DPGlow
from latentdp.evaluation.methods.dp_pix import DPPix
from latentdp.evaluation.methods.gaussian_pixel_noise import GaussianPixelNoise
from latentdp.evaluation.methods.random_warp import RandomWarp
from latentdp.privacy.noise import SeededNoise
from tests.support.contract import Replay
from tests.support.methods import LABELS, group

ALARM = 1e-6


@pytest.mark.parametrize(
    ("size", "cell", "epsilon", "pixels", "whole"),
    [(64, 4, 1.0, 1, 4096.0), (64, 8, 0.1, 1, 409.6), (64, 4, 0.1, 1, 409.6), (16, 4, 1, 16, 16)],
)
def test_dp_pix_is_worth_this_for_the_whole_image(size, cell, epsilon, pixels, whole):
    """Cells times b^2 eps / m, by hand; the grid costs less than a thousandth."""
    method = DPPix(size, cell=cell, epsilon=epsilon, pixels=pixels)
    assert method.guarantee.epsilon == pytest.approx(whole, rel=1e-3)
    assert method.protects_all
    assert f"{epsilon:g} for {pixels} pixel" in method.claim
    steps, base = method.steps, method.sampler.base
    assert method.guarantee.epsilon >= method.cells * steps * math.log(2) / base


@pytest.mark.statistical  # Kolmogorov-Smirnov, false-alarm rate 1e-6
def test_dp_pix_adds_laplace_noise_to_the_means_of_cells():
    rng = np.random.default_rng(3)
    images = (0.4 + 0.2 * rng.random((200, 16, 16))).astype(np.float32)
    method = DPPix(16, cell=4, epsilon=50.0)
    private, released = method.privatize(images, np.zeros(200, dtype=int), SeededNoise(5))
    cells = private[:, ::4, ::4]
    assert np.array_equal(cells.repeat(4, 1).repeat(4, 2), private), "a cell has one grey level"
    means = images.reshape(200, 4, 4, 4, 4).mean(axis=(2, 4))
    scale = 1 / (16 * 50)
    assert stats.kstest((cells - means).ravel(), stats.laplace(scale=scale).cdf).pvalue > ALARM
    assert (released == -1).all()


@pytest.mark.parametrize(
    "bad", [{"cell": 3}, {"cell": 0}, {"epsilon": 0.0}, {"epsilon": math.nan}, {"pixels": 0}]
)
def test_dp_pix_refuses_what_it_cannot_do(bad):
    with pytest.raises(InputError, match="expected"):
        DPPix(**({"size": 16, "cell": 4, "epsilon": 1.0} | bad))


def test_gaussian_pixel_noise_is_worth_this_for_the_whole_image():
    """Balle and Wang's trade-off by hand: 2 x 2 pixels are 2 apart, the noise is 1."""
    guarantee = GaussianPixelNoise(2, 255.0).guarantee
    epsilon, ratio = guarantee.epsilon, 2.0
    delta = stats.norm.cdf(ratio / 2 - epsilon / ratio) - math.exp(epsilon) * stats.norm.cdf(
        -ratio / 2 - epsilon / ratio
    )
    assert guarantee.delta == 1e-6
    assert delta == pytest.approx(1e-6, rel=1e-3)
    assert GaussianPixelNoise(64, 100.0).guarantee.epsilon > 10_000


@pytest.mark.statistical  # Kolmogorov-Smirnov, false-alarm rate 1e-6
def test_gaussian_pixel_noise_is_normal():
    images = np.full((40, 16, 16), 0.5, dtype=np.float32)
    private, _ = GaussianPixelNoise(16, 20.0).privatize(images, np.zeros(40, int), SeededNoise(6))
    drawn = (private - 0.5).ravel()
    assert stats.kstest(drawn, stats.norm(scale=20 / 255).cdf).pvalue > ALARM


def test_blur_keeps_what_is_flat_and_spreads_a_point():
    flat = np.full((1, 16, 16), 0.3, dtype=np.float32)
    point = np.zeros((1, 33, 33), dtype=np.float32)
    point[0, 16, 16] = 1
    assert Blur(5).privatize(flat, np.zeros(1, int), SeededNoise(0))[0] == pytest.approx(0.3)
    spread = Blur(2).privatize(point, np.zeros(1, int), SeededNoise(0))[0][0]
    assert spread.max() == pytest.approx(1 / (2 * math.pi * 4), rel=0.02)
    assert Blur(2).guarantee is None


def test_a_random_warp_moves_pixels_as_far_as_stated_and_keeps_grey_levels():
    """A ramp across shows the displacement across, half of its square; interior only."""
    ramp = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (200, 64, 1))
    flat = np.full((2, 64, 64), 0.3, dtype=np.float32)
    warp = RandomWarp(3.0)
    warped, _ = warp.privatize(ramp, np.zeros(200, int), SeededNoise(7))
    moved = (warped - ramp)[:, :, 16:-16] * 63
    assert np.sqrt((moved**2).mean()) == pytest.approx(3 / math.sqrt(2), rel=0.1)
    assert np.abs(np.diff(moved, axis=2)).max() < 2, "it is smooth"
    kept, _ = warp.privatize(flat, np.zeros(2, int), SeededNoise(7))
    assert kept == pytest.approx(0.3)


@pytest.mark.parametrize("made", [Blur, RandomWarp, lambda x: GaussianPixelNoise(16, x)])
@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan])
def test_strengths_that_are_none_are_refused(made, bad):
    with pytest.raises(InputError, match="expected a"):
        made(bad)


def test_cadp_as_published_depends_on_the_batch(tiny_flow, images):
    """The same image with the same noise is another image when its mates are others."""
    method = CADPAsPublished(tiny_flow, epsilon=6.0)
    alone, _ = method.privatize(images[:1], LABELS[:1], Replay())
    among, _ = method.privatize(images, LABELS, Replay())
    assert np.abs(alone[0] - among[0]).max() > 0.01
    apart = CADPAsPublished(tiny_flow, epsilon=6.0, batch=1)
    again, _ = apart.privatize(images[:1], LABELS[:1], Replay())
    assert np.array_equal(alone, again)


def test_cadp_as_published_clips_the_largest_column_sum(tiny_flow):
    method = CADPAsPublished(tiny_flow, epsilon=1.0)
    latents = np.array([[1.0, -3.0], [2.0, 1.0]])  # column sums 3 and 4; s is 1/2
    assert method.clip(latents) == pytest.approx(latents / 8)
    assert method.clip(latents / 100) == pytest.approx(latents / 100)
    assert (method.clip(np.zeros((2, 3))) == 0).all()


@pytest.mark.parametrize(
    ("epsilon", "scale"), [(0.5, 0.5), (1, 0.5), (6, 0.5), (8, 0.5), (16, 0.25)]
)
def test_cadps_published_noise_hardly_knows_epsilon(tiny_flow, epsilon, scale):
    assert CADPAsPublished(tiny_flow, epsilon=epsilon).scale == scale


def test_cadp_releases_true_labels_and_so_protects_not_all(tiny_flow, images):
    published, corrected = group("cadp", tiny_flow)
    for method in (published, corrected):
        assert np.array_equal(method.privatize(images, LABELS, SeededNoise(1))[1], LABELS)
        assert not method.protects_all
    assert published.guarantee is None
    assert "as published" in published.title
    assert corrected.guarantee.epsilon == math.inf
    assert corrected.guarantee.noised_part.epsilon == pytest.approx(13072, rel=0.01)


@pytest.mark.parametrize("each", [0.5, 2.0])
def test_dp_glow_claims_an_element_and_costs_an_image(tiny_flow, each):
    method = DPGlow(tiny_flow, each=each)
    assert f"epsilon {each:g} for one" in method.claim
    assert method.guarantee.epsilon == pytest.approx(256 * each, rel=0.01)
    assert method.guarantee.epsilon <= 256 * each
    assert method.protects_all
