"""Values as text for people: names that may hold control characters, bounds that must hold."""

from __future__ import annotations

import math

__all__ = ["at_most", "printable"]


def printable(text: str) -> str:
    """The text with what cannot be printed, or is no text, as escapes; newlines stay."""
    safe = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in safe)


def at_most(value: float, digits: int) -> str:
    """A bound with so many decimals, rounded up: never understated."""
    return f"{math.ceil(value * 10**digits) / 10**digits:.{digits}f}"
