"""Claims as text: an epsilon, a delta or a ceiling is printed rounded up, never below itself.

A float counts as the shortest decimal that means it (as in `latentdp.privacy.units`): 0.1 is
printed as 0.1. Whoever reads the text back gets a float that is no smaller.
"""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, Context, Decimal

__all__ = ["IN_FULL", "at_most", "printed"]

IN_FULL = 17  # digits; no float needs more, so nothing is rounded
_WIDE = Context(prec=400)  # digits; no float has more before its point


def printed(value: float, digits: int = 6) -> str:
    """A claim with so many significant digits, rounded up: ``7.99854`` for 7.99853453.

    Args:
        value: An epsilon, a delta or a ceiling.
        digits: At least 1. Larger and tiny numbers are written with an exponent, as by ``g``.

    Returns:
        ``infinity`` also of what is no number: it promises nothing.
    """
    if math.isnan(value) or value == math.inf:
        return "infinity"
    if value == 0:
        return "0"
    rounded = Context(prec=digits, rounding=ROUND_CEILING).create_decimal(repr(float(value)))
    power = rounded.adjusted()
    if -5 < power < digits:
        return f"{rounded.normalize():f}"
    return f"{rounded.scaleb(-power).normalize():f}e{power:+03d}"


def at_most(value: float, decimals: int) -> str:
    """A ceiling with so many decimals, rounded up: ``0.9997`` for 0.99966."""
    if math.isnan(value) or value == math.inf:
        return "infinity"
    last = Decimal(1).scaleb(-decimals)
    return f"{Decimal(repr(float(value))).quantize(last, ROUND_CEILING, _WIDE):f}"
