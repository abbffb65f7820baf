"""A plug-in is a file: the names of a kind are the modules of its folder.

Modules that plug-ins share begin with an underscore.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from latentdp.errors import InputError

__all__ = ["KINDS", "load", "modules", "names"]

_NOT_PLUGINS = frozenset({"base"})

# The folder of each kind.
KINDS = {
    "mechanisms": "latentdp.privacy.mechanisms",
    "attacks": "latentdp.evaluation.attacks",
    "methods": "latentdp.evaluation.methods",
    "utility": "latentdp.evaluation.utility",
    "metrics": "latentdp.metrics.definitions",
    "synthesis methods": "latentdp.synthesis.methods",
}


def modules(package: str) -> tuple[str, ...]:
    """Names of the modules and packages in ``package`` without an underscore in front, sorted."""
    path = importlib.import_module(package).__path__
    return tuple(sorted({m.name for m in pkgutil.iter_modules(path) if m.name[0] != "_"}))


def names(kind: str) -> tuple[str, ...]:
    """Names of the plug-ins of ``kind``, one of `KINDS`, sorted."""
    return tuple(name for name in modules(KINDS[kind]) if name not in _NOT_PLUGINS)


def load(kind: str, name: str) -> Any:
    """The module of one plug-in.

    Raises:
        InputError: No such plug-in; the message lists those that there are.
    """
    if name not in names(kind):
        raise InputError(f"no {kind[:-1]} {name!r}; there are: {', '.join(names(kind))}")
    return importlib.import_module(f"{KINDS[kind]}.{name}")
