"""What a model card says of a detail flow: likelihood, temperature, spectra."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from latentdp.core.arrays import Images, evenly
from latentdp.data.preprocess import shrink
from latentdp.metrics.spectrum import octaves
from latentdp.models.model_card.card import ModelCard
from latentdp.models.super_resolution.detail_flow import DetailFlow
from latentdp.models.super_resolution.enlarger import Enlarger
from latentdp.models.super_resolution.haar import half
from latentdp.models.training.wavelet_flow import detail_bits
from latentdp.privacy.noise import SeededNoise

__all__ = ["assess", "spectra", "temperature"]

Pixels = NDArray[np.uint8]

COLDEST, HOTTEST, TOLERANCE = 0.5, 1.5, 0.01
LOOKED_AT = 48  # images that spectra are measured on
RATED = 512  # images of a split that bits are measured on


def assess(flow: DetailFlow, splits: dict[str, Pixels]) -> ModelCard:
    """A card of measurements: bits per detail coefficient, power per octave, real and drawn.

    Args:
        flow: The detail flow, with its temperature.
        splits: 8-bit images ``(n, size, size)`` by the split's name.
    """
    rated = {
        name: detail_bits(flow.net, _evenly(pixels, RATED)) for name, pixels in splits.items()
    }
    return ModelCard(
        bits_per_detail={name: round(bits, 4) for name, (bits, _) in rated.items()},
        without_density={name: others for name, (_, others) in rated.items()},
        decibels_by_octave={
            name: spectra(flow, pixels) for name, pixels in splits.items() if name != "train"
        },
    )


def temperature(flow: DetailFlow, val: Pixels) -> float:
    """The temperature under which the detail that is drawn has the power of real detail.

    Args:
        flow: The detail flow; its own temperature does not matter.
        val: 8-bit images ``(n, size, size)``.

    Returns:
        A standard deviation of latents from 0.5 to 1.5; the nearest end where none fits.
    """
    real = _some(val)
    wanted, halves = octaves(real)[-1], half(real)

    def too_much(t: float) -> float:
        """Power in decibels, which grows with the temperature."""
        warm = replace(flow, temperature=t)
        return float(octaves(warm.enlarge(halves, SeededNoise(0)))[-1] - wanted)

    if too_much(COLDEST) >= 0:
        return COLDEST
    if too_much(HOTTEST) <= 0:
        return HOTTEST
    return round(float(brentq(too_much, COLDEST, HOTTEST, xtol=TOLERANCE)), 2)


def spectra(step: Enlarger, pixels: Pixels) -> dict[str, tuple[float, ...]]:
    """Decibels of power in each octave of images that are real, drawn, and without detail.

    Args:
        step: What draws them, from their reduced selves.
        pixels: 8-bit images ``(n, size, size)``.
    """
    real, factor = _some(pixels), step.size // step.side
    small = shrink(real, real.shape[1] // factor)
    smooth = np.repeat(np.repeat(small, factor, axis=1), factor, axis=2)
    shown = {
        "real": real,
        "drawn": step.enlarge(small, SeededNoise(0)),
        "halves alone": smooth,
    }
    return {name: tuple(round(float(x), 2) for x in octaves(of)) for name, of in shown.items()}


def _some(pixels: Pixels) -> Images:
    return np.asarray(_evenly(pixels, LOOKED_AT) / 255, dtype=np.float32)


def _evenly(pixels: Pixels, most: int) -> Pixels:
    return np.asarray(pixels[evenly(len(pixels), most)])
