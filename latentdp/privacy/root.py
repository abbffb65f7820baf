"""Where a function crosses zero."""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["root"]

FINEST = 4 * math.ulp(1)


def root(
    function: Callable[[float], float],
    low: float,
    high: float,
    *,
    relative: float = 4 * math.ulp(1),
) -> float:
    """Brent's method, to 1e-12 or a relative tolerance, whichever is more.

    Args:
        function: Continuous, with different signs at both ends.
        low: Lower end.
        high: Upper end.
        relative: Tolerance.
    """
    from scipy.optimize import brentq  # loaded by those who search, not by all who read a card

    return float(brentq(function, low, high, xtol=1e-12, rtol=relative))
