"""A plug-in is a file: the names of a kind are the modules of its folder.

Modules that plug-ins share begin with an underscore. Another package adds mechanisms, attacks and
methods by entry points (`GROUPS`), each the name of a module that holds what a file of that kind
does. A name of ours is never another's.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from latentdp.core.warnings import PluginWarning
from latentdp.errors import InputError

__all__ = [
    "GROUPS",
    "KINDS",
    "check",
    "is_there",
    "load",
    "modules",
    "names",
    "provider",
    "usable",
]

_NOT_PLUGINS = frozenset({"base"})

# The folder of each kind.
KINDS = {
    "mechanisms": "latentdp.privacy.mechanisms",
    "attacks": "latentdp.evaluation.attacks",
    "methods": "latentdp.evaluation.methods",
    "utility": "latentdp.evaluation.utility",
    "metrics": "latentdp.metrics.definitions",
    "synthesis methods": "latentdp.synthesis.methods",
    "training methods": "latentdp.private_training.methods",
    "aggregators": "latentdp.privacy.aggregators",
    "voters": "latentdp.synthesis.voting.voters",
    "sharing attacks": "latentdp.federation.attacks",
}


@dataclass(frozen=True)
class _Group:
    """Plug-ins of other packages.

    Attributes:
        group: Of entry points.
        holds: What the module of each must hold.
        contract: The class, in ``base`` of the folder, that the first of these follows; empty
            where it is a function.
    """

    group: str
    holds: tuple[str, ...]
    contract: str = ""


# Of the kinds that other packages may add to.
GROUPS = {
    "mechanisms": _Group("latentdp.mechanisms", ("mechanism", "examples"), "Mechanism"),
    "attacks": _Group("latentdp.attacks", ("attack",), "Attack"),
    "methods": _Group("latentdp.methods", ("examples_for",)),
}


def modules(package: str) -> tuple[str, ...]:
    """Names of the modules and packages in ``package`` without an underscore in front, sorted."""
    path = tuple(importlib.import_module(package).__path__)
    return _listed(path, tuple(map(_changed, path)))


@lru_cache
def _listed(path: tuple[str, ...], _changed: tuple[int, ...]) -> tuple[str, ...]:
    """Read again where a folder has changed: a recipe asks for the mechanisms each time."""
    return tuple(sorted({m.name for m in pkgutil.iter_modules(path) if m.name[0] != "_"}))


def _changed(folder: str) -> int:
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:  # in an archive
        return 0


def names(kind: str) -> tuple[str, ...]:
    """Names of the plug-ins of ``kind``, one of `KINDS`, sorted; none is imported for it."""
    return tuple(sorted({*_ours(kind), *_others(kind)}))


def is_there(kind: str, name: str) -> bool:
    """Whether ``kind`` has a plug-in of this name. Other packages are only asked if we have none.

    Example:
        >>> is_there("mechanisms", "laplace"), is_there("mechanisms", "la place")
        (True, False)
    """
    return name in _ours(kind) or name in _others(kind)


def load(kind: str, name: str) -> Any:
    """The module of one plug-in.

    Raises:
        InputError: No such plug-in, and the message lists those that there are; or one of
            another package that cannot be used, which is named.
    """
    if name in _ours(kind):
        return importlib.import_module(f"{KINDS[kind]}.{name}")
    point = _others(kind).get(name)
    if point is None:
        raise InputError(f"no {kind[:-1]} {name!r}; there are: {', '.join(names(kind))}")
    return _loaded(kind, point)


def check(kind: str, name: str) -> None:
    """Refuses what `load` would refuse; one of ours is not imported for it.

    Raises:
        InputError: As `load`.
    """
    if name not in _ours(kind):
        load(kind, name)


def provider(kind: str, name: str) -> str:
    """The package and version that a plug-in comes from; empty for one of ours, or for none."""
    if name in _ours(kind):
        return ""
    point = _others(kind).get(name)
    return "" if point is None else _package(point)


def usable(kind: str) -> Iterator[tuple[str, Any]]:
    """Name and module of each plug-in; a broken one of another package is left out.

    Warns:
        PluginWarning: Which one is left out, and why.
    """
    for name in names(kind):
        try:
            module = load(kind, name)
        except InputError as error:
            warnings.warn(str(error), PluginWarning, stacklevel=2)
        else:
            yield name, module


def _ours(kind: str) -> tuple[str, ...]:
    return tuple(name for name in modules(KINDS[kind]) if name not in _NOT_PLUGINS)


def _others(kind: str) -> dict[str, EntryPoint]:
    """Entry points by name, without those whose name is ours or taken.

    Warns:
        PluginWarning: Of a name that is taken.
    """
    found: dict[str, EntryPoint] = {}
    if kind not in GROUPS:
        return found
    ours = _ours(kind)
    for point in _entry_points(GROUPS[kind].group, tuple(sys.path)):
        if point.name not in ours and point.name not in found:
            found[point.name] = point
            continue
        first = "latentdp" if point.name in ours else _package(found[point.name])
        warnings.warn(
            f"the {kind[:-1]} {point.name!r} of the package {_package(point)} is left out: "
            f"{first} has one of that name",
            PluginWarning,
            stacklevel=3,
        )
    return found


@lru_cache(maxsize=64)
def _entry_points(group: str, path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """Of all packages on a path, which is looked through once: that takes a moment."""
    return tuple(sorted(entry_points(group=group), key=lambda point: (point.name, point.value)))


def _package(point: EntryPoint) -> str:
    return "unknown" if point.dist is None else f"{point.dist.name} {point.dist.version}"


def _loaded(kind: str, point: EntryPoint) -> Any:
    """The module that an entry point names, which is somebody else's code: anything may happen.

    Raises:
        InputError: It cannot be imported, or is no plug-in of this kind.
    """
    rules = GROUPS[kind]
    whose = f"the {kind[:-1]} {point.name!r} of the package {_package(point)} cannot be used"
    try:
        module = point.load()
    except Exception as error:
        raise InputError(f"{whose}: {type(error).__name__}: {error}") from error
    missing = [name for name in rules.holds if not hasattr(module, name)]
    if missing:
        raise InputError(f"{whose}: {point.value} has no {missing[0]!r}")
    if rules.contract:
        plugin = getattr(module, rules.holds[0])
        contract = getattr(importlib.import_module(f"{KINDS[kind]}.base"), rules.contract)
        if not issubclass(plugin if isinstance(plugin, type) else type(plugin), contract):
            raise InputError(f"{whose}: its {rules.holds[0]} is no {rules.contract}")
        if plugin.name != point.name:
            raise InputError(f"{whose}: it calls itself {plugin.name!r}")
    return module
