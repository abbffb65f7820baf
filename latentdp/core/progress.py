"""How long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["CountCallback", "ProgressCallback", "silent"]

ProgressCallback = Callable[[float, str], None]
"""Called with the share that is done, in [0, 1], and a few words about what is being done."""

CountCallback = Callable[[int, int], None]
"""Called with the number of things that are done and the number of all of them."""


def silent(done: float, doing: str) -> None:
    """A `ProgressCallback` that tells nobody."""
