"""Deblocking filters: enlarged images without the grid that enlarging leaves."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from latentdp._weights.flow_card import flow_card
from msgspec import structs

from latentdp import WeightsError
from latentdp.models.checkpoints import load, save
from latentdp.models.flow.flow import load_flow
from latentdp.models.model_card.card_parts import DeblockingCard
from latentdp.models.model_card.deblocking import (
    PERIOD,
    deblocked,
    filtered,
    fit_deblocking,
    unevenness,
)
from latentdp.models.model_card.equalizer import FEWEST, PowerReference, equalized
from latentdp.models.super_resolution.cascade import SuperResolutionCascade
from latentdp.models.super_resolution.checkpoint import with_detail_flows
from latentdp.models.super_resolution.deblocking import LARGEST_SHARE, DeblockingFilter
from latentdp.privacy.noise import SeededNoise
from tests.models.test_equalizer import decibels, folder_of_originals
from tests.models.test_weights_with_detail import part
from tests.support.detail_flows import photographs
from tests.support.tiny_flow import tiny_checkpoint

SHARES = st.lists(st.floats(-LARGEST_SHARE, LARGEST_SHARE), min_size=1, max_size=9).map(tuple)
FILTER = DeblockingFilter(across=(0.1, -0.05), down=(0.0, 0.2, 0.0))


def tiled(n=60, side=64, by=1.5, period=4) -> np.ndarray:
    """Grain whose every fourth step across is larger than the others, all grey in the mean."""
    steps = np.random.default_rng(0).normal(size=(n, side, side)) * 0.02
    steps[:, :, 0::period] *= by
    walk = np.cumsum(steps, axis=2)
    return np.clip(0.5 + walk - walk.mean(axis=2, keepdims=True), 0, 1).astype(np.float32)


@given(SHARES, st.integers(3, 40), st.data())
def test_an_edge_is_shared_out_as_its_position_says(shares, width, data):
    """Between two grey fields: each side gives its share, and nothing else moves."""
    k = data.draw(st.integers(0, width - 2))
    image = np.full((1, 3, width), 0.2, np.float32)
    image[:, :, k + 1 :] = 0.6
    share = shares[k % len(shares)]
    wanted = image.copy()
    wanted[:, :, k] += 0.4 * share
    wanted[:, :, k + 1] -= 0.4 * share
    across = DeblockingFilter(across=shares, down=(0.0,)).apply(image)
    assert np.allclose(across, wanted, atol=1e-6)
    turned = DeblockingFilter(across=(0.0,), down=shares).apply(image.swapaxes(1, 2))
    assert np.allclose(turned.swapaxes(1, 2), across, atol=1e-6), "down as across"
    assert across.sum() == pytest.approx(image.sum(), rel=1e-5), "no light is lost"


def test_each_image_goes_through_alone_and_stays_grey():
    images = photographs(5) / np.float32(255)
    before = images.copy()
    together = FILTER.apply(images)
    assert np.array_equal(together, np.concatenate([FILTER.apply(x[None]) for x in images]))
    assert np.array_equal(images, before), "what is given stays as it is"
    assert together.dtype == np.float32
    assert together.min() >= 0
    assert together.max() <= 1
    assert np.array_equal(DeblockingFilter((0.0,), (0.0,)).apply(images), images)


@pytest.mark.parametrize("shares", [(), (0.3,), (0.0, -0.26), (float("nan"),), (0.0,) * 65])
def test_shares_that_are_none_are_refused(shares):
    for given_ in ({"across": shares, "down": (0.0,)}, {"across": (0.0,), "down": shares}):
        with pytest.raises(WeightsError, match="shares of a deblocking filter"):
            DeblockingFilter(**given_)


@pytest.mark.parametrize("by", [0.6, 1.5])
def test_a_fitted_filter_takes_the_grid_away(by):
    """From images that it was not fitted to, too; sampling alone leaves some hundredths."""
    images = tiled(by=by)
    fitted = fit_deblocking(images[:30])
    before, after = (np.abs(unevenness(x[30:])).max() for x in (images, fitted.apply(images)))
    assert before > 0.2
    assert after < 0.06
    assert max(map(abs, fitted.down)) < 0.03, "where there is no grid little is moved"


def test_what_lies_at_the_edge_of_a_picture_is_no_grid():
    framed = np.full((1, 64, 64), 0.5, np.float32) + photographs(1, 64)[:1] / 2550
    plain = unevenness(framed)
    framed[:, :, [0, 3, -2]] = 1
    assert np.array_equal(unevenness(framed), plain)
    assert plain.shape == (PERIOD,)


def test_only_images_with_detail_of_the_size_are_deblocked(octave):
    small = photographs(3)[:, ::2, ::2] / np.float32(255)
    plain = SuperResolutionCascade([octave])
    smoothed = SuperResolutionCascade([octave], {32: FILTER, 24: FILTER})
    for size, changed in ((32, True), (24, True), (28, False), (16, False)):
        drawn = plain.enlarge(small, size, SeededNoise(1))
        together = smoothed.enlarge(small, size, SeededNoise(1))
        assert np.array_equal(together, FILTER.apply(drawn) if changed else drawn), size
        alone = np.stack(list(smoothed.enlarge_each(small, size, SeededNoise(1))))
        wanted = np.stack(list(plain.enlarge_each(small, size, SeededNoise(1))))
        assert np.array_equal(alone, FILTER.apply(wanted) if changed else wanted), size
        bare = smoothed.enlarge(small, size, SeededNoise(1), detail=False)
        assert np.array_equal(bare, plain.enlarge(small, size, SeededNoise(1), detail=False))
    drawn = plain.enlarge(small, 32, SeededNoise(1))
    assert np.array_equal(smoothed.without_filters().enlarge(small, 32, SeededNoise(1)), drawn)


def test_weights_keep_their_filters_until_other_detail_is_drawn(octave, tmp_path):
    detailed = with_detail_flows(tiny_checkpoint(), [part(octave)])
    originals = {32: PowerReference(photographs(FEWEST))}
    save(deblocked(equalized(detailed, originals), originals), tmp_path / "it.safetensors")
    read = load(tmp_path / "it.safetensors")
    filters = load_flow(read).cascade.deblocking
    assert list(filters) == [32]
    assert read.card.deblocking == {
        "32": DeblockingCard(across=filters[32].across, down=filters[32].down)
    }
    drawn = load_flow(read).cascade.enlarge(originals[32].small(16), 32, SeededNoise(0))
    for image_side in (drawn, drawn.swapaxes(1, 2)):
        assert np.abs(unevenness(image_side)).max() < 0.01
    assert "shares of their difference of up to" in flow_card("x", 0, "", _told(read.card))
    assert deblocked(tiny_checkpoint(), {}).card.deblocking is None, "nothing is enlarged"
    other = with_detail_flows(read, [part(octave)])
    assert other.card.deblocking is None, "it was fitted to other images"


def test_filters_that_are_fitted_in_turn_make_up_for_each_other(octave):
    """Deblocking takes power away that its equalizer did not know of; in turn less is amiss."""
    detailed = with_detail_flows(tiny_checkpoint(), [part(octave)])
    originals = {32: PowerReference(photographs(40))}
    once = deblocked(equalized(detailed, originals), originals)
    in_turn = filtered(detailed, originals)
    assert filtered(once, originals).card == in_turn.card, "whatever filters there were"
    amiss = []
    for checkpoint in (once, in_turn):
        drawn = load_flow(checkpoint).cascade.enlarge(originals[32].small(16), 32, SeededNoise(0))
        wanted = originals[32].pixels / np.float32(255)
        amiss.append(np.abs(decibels(drawn) - decibels(wanted))[6:].mean())
        assert np.abs(unevenness(drawn)).max() < 0.01
    assert amiss[1] < amiss[0]


def _told(card):
    """With all that a page of weights shows besides."""
    shipped = load("cxr-paediatric").card
    return structs.replace(shipped, octaves=card.octaves, deblocking=card.deblocking)


@pytest.mark.parametrize("size", ["", "x", "-32", "3_2", "1" * 5000])
def test_sizes_that_are_none_are_one_clear_error(octave, size):
    detailed = with_detail_flows(tiny_checkpoint(), [part(octave)])
    card = structs.replace(
        detailed.card, deblocking={size: DeblockingCard(across=(0.0,), down=(0.0,))}
    )
    with pytest.raises(WeightsError, match="sizes of deblocking"):
        load_flow(replace(detailed, card=card, sha256=""))


def test_the_command_fits_both_filters(octave, tmp_path, command):
    plain, out = tmp_path / "plain.safetensors", tmp_path / "out.safetensors"
    save(with_detail_flows(tiny_checkpoint(), [part(octave)]), plain)
    folder_of_originals(tmp_path, "")
    assert (
        command("weights", "add-detail", plain, plain, "--out", out, "--equalize", tmp_path) == 0
    )
    card = load(out).card
    assert card.octaves["32"].gains is not None
    assert set(card.deblocking) == {"32"}
