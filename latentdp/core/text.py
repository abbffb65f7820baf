"""Text for people, whatever it holds: names with control characters among it."""

from __future__ import annotations

__all__ = ["one_line", "printable"]


def one_line(text: str) -> str:
    """As `printable`, with newlines as escapes, too: no name looks like two."""
    return printable(text).replace("\n", "\\n")


def printable(text: str) -> str:
    """The text with what cannot be printed, or is no text, as escapes; newlines stay."""
    safe = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in safe)
