"""What weights make of public images, for networks that are to enlarge private ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from latentdp.core.arrays import Images
    from latentdp.models.flow.flow import Flow

__all__ = ["private_images"]

PRESETS = ("balanced", "strict")


def private_images(flow: Flow, images: Images, seed: int) -> Images:
    """Private images ``(2 n, side, side)`` of public ones ``(n, side, side)``, of each preset."""
    import numpy as np

    from latentdp.privacy.noise import SeededNoise
    from latentdp.privatizer.privatizer import Privatizer
    from latentdp.recipe.recipe import Recipe

    return np.concatenate(
        [
            Privatizer(flow, Recipe.from_preset(preset), SeededNoise(seed))(images).images
            for preset in PRESETS
        ]
    )
