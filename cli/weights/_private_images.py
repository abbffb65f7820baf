"""What weights make of public images, for networks that are to enlarge private ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from latentdp.core.arrays import Images
    from latentdp.models.flow.flow import Flow

__all__ = ["private_images"]

PRESETS = ("balanced", "strict")


def private_images(flow: Flow, images: Images, seed: int) -> Images:
    """Private images ``(m, side, side)`` of public ones ``(n, side, side)``, of each preset.

    Weights that carry no public directions yet have those of ``strict`` alone, which needs none;
    where they know no classes either, no label is released.
    """
    import numpy as np

    from latentdp.privacy.noise import SeededNoise
    from latentdp.privatizer.privatizer import Privatizer
    from latentdp.recipe.recipe import Recipe

    classes = max(len(one.values) for one in flow.conditioning)
    recipes = [Recipe.from_preset(p, label=None if classes > 1 else "none") for p in PRESETS]
    able = [recipe for recipe in recipes if recipe.directions <= len(flow.directions)]
    return np.concatenate(
        [Privatizer(flow, recipe, SeededNoise(seed))(images).images for recipe in able]
    )
