"""latentdp: release chest X-rays under differential privacy in the latent space of a flow.

    import latentdp as ldp
    privatizer = ldp.Privatizer.load("cxr-adult", preset="balanced")
    release = privatizer(images, labels=labels)
    print(release.guarantee)

Importing the package loads no torch; `Privatizer.load` does.
"""

from latentdp.core.version import __version__ as __version__
from latentdp.errors import (
    Aborted,
    BudgetExceeded,
    InputError,
    LatentDPError,
    Refuted,
    UnsupportedInstance,
    WeightsError,
)
from latentdp.privacy.guarantee import Guarantee, Relation, Unit
from latentdp.privatizer import Privatizer, Release
from latentdp.recipe import PRESETS, Preset, Recipe

__all__ = [
    "PRESETS",
    "Aborted",
    "BudgetExceeded",
    "Guarantee",
    "InputError",
    "LatentDPError",
    "Preset",
    "Privatizer",
    "Recipe",
    "Refuted",
    "Relation",
    "Release",
    "Unit",
    "UnsupportedInstance",
    "WeightsError",
]
