"""How long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["CountCallback", "ProgressCallback", "forward", "part", "silent"]

ProgressCallback = Callable[[float, str], None]
"""Called with the share that is done, in [0, 1], and a few words about what is being done."""

CountCallback = Callable[[int, int], None]
"""Called with the number of things that are done and the number of all of them."""


def part(tell: ProgressCallback, start: float, end: float) -> ProgressCallback:
    """Tells of a part of the work, which goes from one share of the whole to another.

    Example:
        >>> part(lambda done, doing: print(f"{done:.2f} {doing}"), 0.5, 1.0)(0.5, "reading")
        0.75 reading
    """

    def told(done: float, doing: str) -> None:
        tell(start + (end - start) * done, doing)

    return told


def forward(tell: ProgressCallback) -> ProgressCallback:
    """Tells of no less than it told before, whatever comes: work that is done stays done.

    Example:
        >>> tell = forward(lambda done, doing: print(f"{done:.2f} {doing}"))
        >>> tell(0.5, "first"); tell(0.2, "second")
        0.50 first
        0.50 second
    """
    most = 0.0

    def told(done: float, doing: str) -> None:
        nonlocal most
        most = min(1.0, max(most, done))
        tell(most, doing)

    return told


def silent(done: float, doing: str) -> None:
    """A `ProgressCallback` that tells nobody."""
