"""The presets: defaults of a recipe under a name, with the sentence that explains them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["ALL", "PRESETS", "Preset"]

ALL = -1  # "every latent dimension", for `Recipe.directions`
CANDIDATES = 4  # of presets that draw most of an image, benchmarks/candidates.py: as real as eight

Value: TypeAlias = str | int | float


@dataclass(frozen=True)
class Preset:
    """Defaults of a recipe under a name, with the sentence that explains them."""

    summary: str
    values: Mapping[str, Value]


PRESETS: dict[str, Preset] = {
    "strict": Preset(
        "label by randomised response; everything else is resampled",
        {
            "epsilon": 1.0,
            "directions": 0,
            "label": "response",
            "label_share": 1.0,
            "candidates": CANDIDATES,
        },
    ),
    "balanced": Preset(
        "label by randomised response (three quarters of the budget); Laplace with a clip of the "
        "image's l1 norm on the two public directions that say most about findings; the rest is "
        "resampled",
        {
            "epsilon": 8.0,
            "mechanism": "laplace_l1",
            "directions": 2,
            "label": "response",
            "label_share": 0.75,
            "candidates": CANDIDATES,
        },
    ),
    "tight": Preset(
        "the same with the mechanism that keeps most per unit of budget, a codebook",
        {
            "epsilon": 8.0,
            "mechanism": "codebook",
            "directions": 2,
            "label": "response",
            "label_share": 0.75,
            "candidates": CANDIDATES,
        },
    ),
    "high-content": Preset(
        "a staged codebook on many public directions; above what protects from a search in a "
        "large gallery",
        {
            "epsilon": 50.0,
            "mechanism": "codebook",
            "directions": 32,
            "label": "response",
            "label_share": 0.1,
            "candidates": CANDIDATES,
        },
    ),
    "empirical": Preset(
        "no guarantee: the label, directions of findings and a few of layout are passed on "
        "unprotected, all else is resampled; other images of a patient led attackers hardly "
        "further than the label does, but who has the very original finds it every time",
        {
            "epsilon": 1.0,  # of which nothing is spent
            "directions": 0,
            "keep_label_dims": 16,
            "resample_identity": 32,
            "keep_layout": 2,
            "label": "public",
        },
    ),
    "dp-glow": Preset(
        "per-element Laplace on the full latent, as in DP-GLOW, with the guarantee of the whole "
        "image; for comparison",
        {"epsilon": 4096.0, "directions": ALL, "label": "none"},
    ),
    "cadp": Preset(
        "per-image l1 clip with the right sensitivity and Laplace noise of CADP's scale 0.5 on "
        "the full latent; the label is public; for comparison",
        {
            "epsilon": 13072.0,  # 2 * 4096 * sqrt(2 / pi) / 0.5
            "mechanism": "laplace_l1",
            "directions": ALL,
            "label": "public",
        },
    ),
}
