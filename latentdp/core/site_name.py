"""What a site may call itself: others read it on a card, and in a terminal."""

from __future__ import annotations

from latentdp.errors import InputError

__all__ = ["check_name"]

LONGEST = 64  # characters


def check_name(name: str) -> None:
    """Refuses what is no name of a site.

        >>> check_name("St. Anna, north wing")

    Raises:
        InputError: It is empty, long, or holds what cannot be printed.
    """
    if not (0 < len(name) <= LONGEST and name.isprintable()):
        raise InputError(
            f"expected the name of a site to have 1 to {LONGEST} characters that can be printed"
        )
