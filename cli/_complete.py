"""Values that the shell completes, where an option takes a name."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import shorten

from latentdp.core import plugins
from latentdp.data.dicom.profile import SYNTAXES
from latentdp.privacy.randomized_response import LabelRelease
from latentdp.recipe import PRESETS

__all__ = [
    "aggregators",
    "flows",
    "label_releases",
    "mechanisms",
    "presets",
    "synthesis_methods",
    "syntaxes",
    "verifiers",
    "voters",
]

Completions = list[tuple[str, str]]  # a value, and what it is
WIDTH = 60  # of that: a shell shows one line


def presets() -> Completions:
    """Names of presets."""
    return [(name, shorten(preset.summary, WIDTH)) for name, preset in PRESETS.items()]


def mechanisms() -> Completions:
    """Names of mechanisms, those of other packages too."""
    return _bare(plugins.names("mechanisms"))


def synthesis_methods() -> Completions:
    """Names of methods of synthesis."""
    return _bare(plugins.names("synthesis methods"))


def training_methods() -> Completions:
    """Names of methods of private training."""
    return _bare(plugins.names("training methods"))


def voters() -> Completions:
    """Kinds of voters."""
    return _bare(plugins.names("voters"))


def aggregators() -> Completions:
    """Ways to answer votes."""
    return _bare(plugins.names("aggregators"))


def flows() -> Completions:
    """Shipped weights of a flow; the shell adds files."""
    return _weights("glow")


def verifiers() -> Completions:
    """Shipped weights of a verifier; the shell adds files."""
    return _weights("embedding")


def label_releases() -> Completions:
    """Ways to release a label."""
    return _bare(map(str, LabelRelease))


def syntaxes() -> Completions:
    """Transfer syntaxes of an output."""
    return _bare(SYNTAXES)


def _weights(kind: str) -> Completions:
    from latentdp.models.checkpoints import shipped

    return [(name, shorten(entry.summary, WIDTH)) for name, entry in shipped(kind).items()]


def _bare(names: Iterable[str]) -> Completions:
    return [(name, "") for name in names]
