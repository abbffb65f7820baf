"""Claims as text: an epsilon, a delta or a ceiling is printed rounded up, never below itself.

People read few digits, 8 for 7.99853453; JSON has the number itself.

A float counts as the shortest decimal that means it (as in `latentdp.privacy.units`): 0.1 is
printed as 0.1. Whoever reads the text back gets a float that is no smaller.
"""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

__all__ = ["EXACTLY", "FEW", "IN_FULL", "at_most", "left_over", "printed"]

FEW = 3  # digits, for people; a number below a million keeps all before its point
EXACTLY = 6  # digits, where two numbers are held against each other

IN_FULL = 17  # digits; no float needs more, so nothing is rounded
_WHOLE = 6  # digits of the largest numbers that are written without an exponent
_WIDE = Context(prec=400)  # digits; no float has more before its point


def printed(value: float, digits: int = FEW) -> str:
    """A claim with so many significant digits, rounded up: ``8`` for 7.99853453.

    Args:
        value: An epsilon, a delta or a ceiling.
        digits: At least 1. Below a million no digit before the point is lost: ``4096`` for
            4095.3. Larger and tiny numbers are written with an exponent, as by ``g``.

    Returns:
        ``infinity`` also of what is no number: it promises nothing.
    """
    return _printed(value, digits, ROUND_CEILING)


def left_over(value: float, digits: int = FEW) -> str:
    """What may still be spent, with so many significant digits, rounded down: ``4`` for 4.00293.

    Args:
        value: At least 0.
        digits: As of `printed`.
    """
    return _printed(value, digits, ROUND_FLOOR)


def _printed(value: float, digits: int, rounding: str) -> str:
    if math.isnan(value) or value == math.inf:
        return "infinity"
    if value == 0:
        return "0"
    meant = Decimal(repr(float(value)))
    whole = meant.adjusted() + 1
    if whole <= _WHOLE:
        digits = max(digits, whole)
    rounded = Context(prec=digits, rounding=rounding).create_decimal(meant)
    power = rounded.adjusted()
    if -5 < power < max(digits, _WHOLE):
        return f"{rounded.normalize():f}"
    return f"{rounded.scaleb(-power).normalize():f}e{power:+03d}"


def at_most(value: float, decimals: int) -> str:
    """A ceiling with so many decimals, rounded up: ``0.9997`` for 0.99966."""
    if math.isnan(value) or value == math.inf:
        return "infinity"
    last = Decimal(1).scaleb(-decimals)
    return f"{Decimal(repr(float(value))).quantize(last, ROUND_CEILING, _WIDE):f}"
