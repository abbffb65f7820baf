"""One claim beside what it should be, and when the two agree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from latentdp.errors import InputError

__all__ = ["CALIBRATION", "Check", "at_least", "equal", "following", "is_number", "one_of"]

TOLERANCE = 1e-9  # relative: a claim is a float that was written as decimal digits
CALIBRATION = 1e-6  # relative: of what was searched for numerically, perhaps on another machine


@dataclass(frozen=True, kw_only=True)
class Check:
    """One claim of a card.

    Attributes:
        claim: What is claimed, in words.
        claimed: The value on the card.
        found: The value that follows from the rest of the card, or from what lies beside it.
        ok: Whether they agree.
    """

    claim: str
    claimed: Any
    found: Any
    ok: bool


def at_least(claim: str, claimed: Any, bound: float) -> Check:
    """Of a number that must not be below a bound."""
    ok = is_number(claimed) and claimed >= bound * (1 - TOLERANCE)
    return Check(claim=claim, claimed=claimed, found=bound, ok=ok)


def equal(claim: str, claimed: Any, value: Any, tolerance: float = TOLERANCE) -> Check:
    """Of JSON values that must be equal in every part, floats up to a relative tolerance."""
    return Check(claim=claim, claimed=claimed, found=value, ok=_same(claimed, value, tolerance))


def one_of(claim: str, claimed: Any, *values: Any) -> Check:
    """Of what may be said in several ways, of which the first is that of today."""
    ok = any(_same(claimed, value, TOLERANCE) for value in values)
    return Check(claim=claim, claimed=claimed, found=values[0], ok=ok)


def is_number(value: Any) -> bool:
    """Whether a JSON value is one."""
    return type(value) in (int, float)


@contextmanager
def following(card: str) -> Iterator[None]:
    """Where the values of a card are such that nothing follows from them, there is no card.

    Args:
        card: What it is, for the message.

    Raises:
        InputError: In place of what a sum or a search over such values raises.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise InputError(
            f"{card} states values from which nothing follows: expected what latentdp writes; "
            "have it made or sent again"
        ) from error
    except RecursionError:
        raise InputError(f"{card} is nested too deeply") from None


def _same(a: Any, b: Any, tolerance: float) -> bool:
    if isinstance(b, float):
        return is_number(a) and abs(a - b) <= tolerance * abs(b)
    if isinstance(b, dict):
        return (
            isinstance(a, dict)
            and a.keys() == b.keys()
            and all(_same(a[key], b[key], tolerance) for key in b)
        )
    if isinstance(b, (list, tuple)):
        return (
            isinstance(a, (list, tuple))
            and len(a) == len(b)
            and all(_same(x, y, tolerance) for x, y in zip(a, b, strict=True))
        )
    return type(a) is type(b) and bool(a == b)
