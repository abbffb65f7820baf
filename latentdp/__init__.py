"""latentdp: release chest X-rays under differential privacy in the latent space of a flow.

Folders, as the commands do them (`privatize_folder`, `preview`, `verify`, `evaluate`, `compare`):

    >>> import latentdp
    >>> summary = latentdp.privatize_folder("samples/cxr/clinic-a", "release", preset="balanced")
    >>> print(summary.guarantee)
    epsilon 7.99854 per image (replace-one)

Images that are in memory (`Privatizer`, `load_flow`):

    >>> import numpy as np
    >>> privatizer = latentdp.Privatizer.load("cxr-adult", preset="strict")
    >>> release = privatizer(np.full((1, 64, 64), 0.5), labels=[0])
    >>> print(release.guarantee)
    epsilon 1 per image (replace-one)

Importing the package loads no torch; what computes with networks does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from latentdp.evaluation.compare_methods import compare
    from latentdp.evaluation.evaluate_folders import evaluate
    from latentdp.models.flow.flow import load_flow
    from latentdp.release.privatize import preview, privatize_folder
    from latentdp.synthesis.synthesize_folder import synthesize
    from latentdp.synthesis.verify import verify

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
    "compare",
    "evaluate",
    "load_flow",
    "preview",
    "privatize_folder",
    "synthesize",
    "verify",
]

_LATE = {  # what loads much; the module of each
    "compare": "latentdp.evaluation.compare_methods",
    "evaluate": "latentdp.evaluation.evaluate_folders",
    "load_flow": "latentdp.models.flow.flow",
    "preview": "latentdp.release.privatize",
    "privatize_folder": "latentdp.release.privatize",
    "synthesize": "latentdp.synthesis.synthesize_folder",
    "verify": "latentdp.synthesis.verify",
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LATE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
