"""All that determines a release, as one frozen record with a digest; the presets."""

from latentdp.recipe.presets import ALL, PRESETS, Preset
from latentdp.recipe.recipe import Recipe

__all__ = ["ALL", "PRESETS", "Preset", "Recipe"]
