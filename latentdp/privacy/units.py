"""Integer units of what is spent: sums of them are exact, and the same on every machine.

A charge is rounded up and an allowance down. A float counts as the shortest decimal that means
it, which is what a person typed and what is printed: 0.1 is 100,000 micro-epsilons, not 100,001.
"""

from __future__ import annotations

import math
from decimal import Context, Decimal

from latentdp.errors import InputError

__all__ = ["LARGEST", "allowance", "delta_allowance", "micro", "pico"]

LARGEST = 1e9  # epsilon; sums of billions of these fit the 64 bits of a database's integer

_EXACT = Context(prec=400)  # digits; no float in range times a power of ten is rounded


def micro(epsilon: float) -> int:
    """Nats to integer micro-epsilons, rounded up.

    Raises:
        InputError: Not a number from 0 to `LARGEST`.
    """
    return math.ceil(_micro(epsilon, "to charge"))


def pico(delta: float) -> int:
    """Delta in integer units of 1e-12, rounded up.

    Raises:
        InputError: Not in [0, 1).
    """
    if not 0 <= delta < 1:
        raise InputError(f"expected a delta in [0, 1) to charge, got {delta}")
    return math.ceil(_scaled(delta, 12))


def allowance(epsilon: float) -> int:
    """The most micro-epsilons that stay within a budget of ``epsilon`` nats.

    Raises:
        InputError: Not a number from 0 to `LARGEST`.
    """
    return math.floor(_micro(epsilon, "for a budget"))


def _micro(epsilon: float, use: str) -> Decimal:
    if not 0 <= epsilon <= LARGEST:
        raise InputError(
            f"expected a finite epsilon of at least 0 and at most {LARGEST:g} {use}, got {epsilon}"
        )
    return _scaled(epsilon, 6)


def delta_allowance(delta: float) -> int:
    """The most units of 1e-12 that stay within a budget of ``delta``.

    Raises:
        InputError: Not in [0, 1).
    """
    if not 0 <= delta < 1:
        raise InputError(f"expected a budget of delta in [0, 1), got {delta}")
    return math.floor(_scaled(delta, 12))


def _scaled(value: float, digits: int) -> Decimal:
    return Decimal(repr(float(value))).scaleb(digits, _EXACT)
