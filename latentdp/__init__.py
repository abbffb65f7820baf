"""latentdp: release chest X-rays under differential privacy in the latent space of a flow.

Folders, as the commands do them (`privatize_folder`, `preview`, `verify`, `evaluate`, `compare`):

    >>> import latentdp
    >>> summary = latentdp.privatize_folder("samples/cxr/clinic-a", "release", preset="balanced")
    >>> print(summary.guarantee)
    epsilon 8 per image (replace-one)

Images that are in memory (`Privatizer`, `load_flow`):

    >>> import numpy as np
    >>> privatizer = latentdp.Privatizer.load("cxr-adult", preset="strict")
    >>> release = privatizer(np.full((1, 64, 64), 0.5), labels=[0])
    >>> print(release.guarantee)
    epsilon 1 per image (replace-one)

Files as such images (`load_images`, `resize_images`), and images as files (`Release.save`).

Importing the package loads neither numpy nor torch; each name loads what it needs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from latentdp.core.version import __version__ as __version__
from latentdp.core.warnings import LatentDPWarning, PluginWarning, WeightsWarning
from latentdp.errors import (
    Aborted,
    BudgetExceeded,
    InputError,
    LatentDPError,
    Refuted,
    UnsupportedInstance,
    WeightsError,
)

if TYPE_CHECKING:
    from latentdp.data.load_images import load_images
    from latentdp.data.preprocess import resize_images
    from latentdp.evaluation.compare_methods import compare
    from latentdp.evaluation.evaluate_folders import evaluate
    from latentdp.federation.evaluate_site import evaluate_site
    from latentdp.models.flow.flow import load_flow
    from latentdp.privacy.guarantee import Guarantee, Relation, Unit
    from latentdp.private_training.comparison.compare_private import compare_private
    from latentdp.private_training.finding_reader import load_classifier
    from latentdp.private_training.train import train_privately
    from latentdp.private_training.verify import verify
    from latentdp.privatizer import Privatizer, Release
    from latentdp.recipe import PRESETS, Preset, Recipe
    from latentdp.release.privatize import preview, privatize_folder
    from latentdp.synthesis.comparison.compare_central import compare_central
    from latentdp.synthesis.evaluation.evaluate_synthesis import evaluate_synthesis
    from latentdp.synthesis.synthesize_folder import synthesize

__all__ = [
    "PRESETS",
    "Aborted",
    "BudgetExceeded",
    "Guarantee",
    "InputError",
    "LatentDPError",
    "LatentDPWarning",
    "PluginWarning",
    "Preset",
    "Privatizer",
    "Recipe",
    "Refuted",
    "Relation",
    "Release",
    "Unit",
    "UnsupportedInstance",
    "WeightsError",
    "WeightsWarning",
    "compare",
    "compare_central",
    "compare_private",
    "evaluate",
    "evaluate_site",
    "evaluate_synthesis",
    "load_classifier",
    "load_flow",
    "load_images",
    "preview",
    "privatize_folder",
    "resize_images",
    "synthesize",
    "train_privately",
    "verify",
]

_MODULES = {  # of each name, whose import can wait until it is asked for
    "Guarantee": "latentdp.privacy.guarantee",
    "PRESETS": "latentdp.recipe",
    "Preset": "latentdp.recipe",
    "Privatizer": "latentdp.privatizer",
    "Recipe": "latentdp.recipe",
    "Relation": "latentdp.privacy.guarantee",
    "Release": "latentdp.privatizer",
    "Unit": "latentdp.privacy.guarantee",
    "compare": "latentdp.evaluation.compare_methods",
    "compare_central": "latentdp.synthesis.comparison.compare_central",
    "compare_private": "latentdp.private_training.comparison.compare_private",
    "evaluate": "latentdp.evaluation.evaluate_folders",
    "evaluate_site": "latentdp.federation.evaluate_site",
    "evaluate_synthesis": "latentdp.synthesis.evaluation.evaluate_synthesis",
    "load_classifier": "latentdp.private_training.finding_reader",
    "load_flow": "latentdp.models.flow.flow",
    "load_images": "latentdp.data.load_images",
    "resize_images": "latentdp.data.preprocess",
    "preview": "latentdp.release.privatize",
    "privatize_folder": "latentdp.release.privatize",
    "synthesize": "latentdp.synthesis.synthesize_folder",
    "train_privately": "latentdp.private_training.train",
    "verify": "latentdp.private_training.verify",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
