"""Equalizers: gains by frequency for images that are enlarged."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from latentdp import InputError, WeightsError
from latentdp.metrics.spectrum import power
from latentdp.models.checkpoints import load, save
from latentdp.models.flow.flow import load_flow
from latentdp.models.model_card.equalizer import (
    FEWEST,
    PowerReference,
    equalized,
    fit_equalizer,
)
from latentdp.models.super_resolution.cascade import SuperResolutionCascade
from latentdp.models.super_resolution.checkpoint import with_detail_flows
from latentdp.models.super_resolution.equalizer import Equalizer
from latentdp.privacy.noise import SeededNoise
from tests.models.test_weights_with_detail import part
from tests.support.detail_flows import photographs
from tests.support.tiny_flow import tiny_checkpoint


@given(st.integers(2, 24), st.integers(2, 24), st.data())
def test_a_wave_is_louder_by_the_gain_at_its_frequency(height, width, data):
    """Cosines that are mirrored at the edges, with u and v half cycles a side."""
    u, v = (data.draw(st.integers(0, side - 1)) for side in (height, width))
    down, across = (
        np.cos(np.pi * k * (np.arange(side) + 0.5) / side) for k, side in ((u, height), (v, width))
    )
    wave = 0.1 * np.outer(down, across)
    frequency = np.hypot(u / height, v / width)
    louder = Equalizer((1.0, 3.0)).apply((0.5 + wave).astype(np.float32)[None])[0]
    gain = 1 + 2 * min(1, frequency) if u or v else 1
    assert np.allclose(louder - 0.5, gain * wave, atol=1e-5)


def test_each_image_goes_through_alone_and_stays_grey():
    images = photographs(5) / np.float32(255)
    equalizer = Equalizer((1.0, 0.9, 4.0))
    together = equalizer.apply(images)
    assert np.array_equal(together, equalizer.apply(images)), (
        "gains that are kept stay as they are"
    )
    assert np.array_equal(together, np.concatenate([equalizer.apply(x[None]) for x in images]))
    assert together.min() >= 0
    assert together.max() <= 1
    assert np.allclose(Equalizer((1.0, 1.0)).apply(images), images, atol=1e-5)


@pytest.mark.parametrize(
    "gains", [(), (1.0,), (1.0, 0.0), (1.0, 9.0), (1.0, float("nan")), (1.0,) * 1025]
)
def test_gains_that_are_none_are_refused(gains):
    with pytest.raises(WeightsError, match="gains of an equalizer"):
        Equalizer(gains)


def test_only_the_size_that_is_asked_for_is_equalized(octave):
    small = photographs(1)[:, ::2, ::2] / np.float32(255)
    plain = SuperResolutionCascade([octave])
    loud = SuperResolutionCascade([replace(octave, equalizer=Equalizer((1.0, 2.0)))])
    drawn = plain.enlarge(small, 32, SeededNoise(1))
    for made in (
        loud.enlarge(small, 32, SeededNoise(1)),
        np.stack(list(loud.enlarge_each(small, 32, SeededNoise(1)))),
    ):
        assert np.allclose(made, Equalizer((1.0, 2.0)).apply(drawn), atol=1e-5)
    assert np.array_equal(loud.without_filters().enlarge(small, 32, SeededNoise(1)), drawn)
    assert np.array_equal(loud.enlarge(small, 16, SeededNoise(1)), small)


def decibels(images):
    return 10 * np.log10(power(images))


def test_fitted_gains_give_what_is_drawn_the_power_of_originals(octave):
    """In each band of frequencies, to less than a decibel, where it was off by more."""
    originals = photographs(24) / np.float32(255)
    halves = originals.reshape(-1, 16, 2, 16, 2).mean(axis=(2, 4))
    fitted = fit_equalizer(SuperResolutionCascade([octave]), halves, originals)
    drawn = octave.enlarge(halves, SeededNoise(0))
    before, after = (
        np.abs(decibels(x) - decibels(originals))[6:] for x in (drawn, fitted.apply(drawn))
    )
    assert before.max() > 1.4
    assert after.max() < 0.7


def test_weights_keep_their_equalizers(octave, tmp_path):
    detailed = with_detail_flows(tiny_checkpoint(), [part(octave)])
    originals = PowerReference(photographs(FEWEST))
    save(equalized(detailed, {32: originals}), tmp_path / "it.safetensors")
    read = load(tmp_path / "it.safetensors")
    equalizer = load_flow(read).cascade.by_size[32].equalizer
    assert equalizer is not None
    assert read.card.octaves["32"].gains == equalizer.gains
    assert set(equalizer.gains[:17]) == {1.0}, "what the flow draws itself stays"
    assert np.array_equal(
        read.tensors["octave.32.prior.weight"], detailed.tensors["octave.32.prior.weight"]
    )


def test_private_images_get_the_power_that_originals_have_in_detail(octave):
    detailed = with_detail_flows(tiny_checkpoint(), [part(octave)])
    pixels, flow = photographs(40), load_flow(detailed)
    private = flow.decode(np.random.default_rng(2).normal(size=(200, flow.d)))
    flow = load_flow(equalized(detailed, {32: PowerReference(pixels, private)}))
    assert set(flow.cascade.by_size[32].equalizer.gains[:17]) == {1.0}, "what is coarse stays"
    drawn = flow.decode(np.random.default_rng(3).normal(size=(200, flow.d)))
    before, after = (
        np.abs(
            decibels(cascade.enlarge(drawn, 32, SeededNoise(4)))
            - decibels(pixels / np.float32(255))
        )[6:].mean()
        for cascade in (flow.cascade.without_filters(), flow.cascade)
    )
    assert after < before / 2


def test_originals_that_are_too_few_too_small_or_for_nothing_are_refused(octave):
    detailed = with_detail_flows(tiny_checkpoint(), [part(octave)])
    with pytest.raises(InputError, match="at least 20 originals of 32 pixels, got 19 of 32"):
        equalized(detailed, {32: PowerReference(photographs(FEWEST - 1))})
    with pytest.raises(InputError, match="got 20 of 16"):
        equalized(detailed, {32: PowerReference(photographs(FEWEST)[:, :16, :16])})
    with pytest.raises(InputError, match="weights that draw detail"):
        equalized(tiny_checkpoint(), {})


def folder_of_originals(folder, source: str) -> None:
    with (folder / "manifest.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "split", "patient_id", "source"])
        for i, pixels in enumerate(photographs(FEWEST)):
            Image.fromarray(pixels).save(folder / f"{i}.png")
            rows.writerow([f"{i}.png", "train", i, source])


def test_the_command_equalizes(octave, tmp_path, command, capsys):
    detailed = with_detail_flows(tiny_checkpoint(), [part(octave)])
    save(detailed, tmp_path / "plain.safetensors")
    folder_of_originals(tmp_path, "")
    plain, out = tmp_path / "plain.safetensors", tmp_path / "out.safetensors"
    given = ("weights", "add-detail", plain, plain, "--out", out, "--equalize")
    assert command(*given, tmp_path) == 0
    assert load(out).card.octaves["32"].gains is not None
    assert not load(out).card.private_training
    assert command(*given, tmp_path / "nowhere") == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("learnt", [{}, {"private_training": True}])
def test_the_command_equalizes_private_images_where_the_flow_learnt_from_their_like(
    octave, tmp_path, command, learnt
):
    """Without public directions, too, which may be added later; what is private is so marked."""
    checkpoint = tiny_checkpoint(sources=["here", "there"], **learnt)
    save(with_detail_flows(checkpoint, [part(octave)]), tmp_path / "plain.safetensors")
    folder_of_originals(tmp_path, "here")
    plain, out = tmp_path / "plain.safetensors", tmp_path / "out.safetensors"
    given = ("weights", "add-detail", plain, plain, "--out", out, "--equalize", tmp_path)
    assert command(*given, "--source", "here") == 0
    card = load(out).card
    reduced = equalized(load(plain), {32: PowerReference(photographs(FEWEST))}).card
    assert card.octaves["32"].gains != reduced.octaves["32"].gains
    assert bool(card.private_training) is bool(learnt)
    assert command(*given, "--source", "here", "--private-data") == 0
    assert load(out).card.private_training
    assert command(*given, "--source", "nowhere") == 2


def test_the_command_takes_the_sources_that_both_learnt_from(octave, tmp_path, command):
    """Of two that detail learnt from, the flow knows one: private images are made of that."""
    detail = part(octave, sources=["there", "here"])
    plain, out = tmp_path / "plain.safetensors", tmp_path / "out.safetensors"
    save(with_detail_flows(tiny_checkpoint(sources=["here", "else"]), [detail]), plain)
    folder_of_originals(tmp_path, "here")
    given = ("weights", "add-detail", plain, plain, "--out", out, "--equalize", tmp_path)
    assert command(*given) == 0
    shared = load(out).card.octaves["32"].gains
    assert command(*given, "--source", "here") == 0
    assert load(out).card.octaves["32"].gains == shared
    reduced = equalized(load(plain), {32: PowerReference(photographs(FEWEST))}).card
    assert reduced.octaves["32"].gains != shared
