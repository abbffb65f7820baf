"""Epsilon as a factor: how many times likelier one source may become than another."""

from __future__ import annotations

import math

from latentdp.privacy.guarantee import Guarantee, above
from latentdp.privacy.rounding import FEW
from latentdp.reports.language import Language

__all__ = ["likelier"]


def likelier(guarantee: Guarantee, language: Language) -> str:
    """exp(epsilon), rounded up: how many times likelier one source may become than another."""
    epsilon = guarantee.epsilon
    if math.isinf(epsilon):
        return language.say("infinity")
    if epsilon >= math.log(1e9):
        power = math.ceil(above(epsilon / math.log(10)))
        return f"10^{language.number(power)}"
    factor = above(math.exp(epsilon))
    if factor <= 100:
        return language.number(factor)
    step = 10 ** (math.floor(math.log10(factor)) + 1 - FEW)
    return language.number(step * math.ceil(factor / step))
