"""DP-GLOW: per-element Laplace noise on the whole latent of a flow trained on public images.

Shibata et al. 2022, arXiv 2212.10688. What is quoted there as epsilon can only be that of one
latent element; two images differ in all of them, so that of the image is as many times larger.
This is our preset of that name, with the exact quantile map that the paper does not have.
"""

from __future__ import annotations

from dataclasses import replace

from latentdp.errors import InputError
from latentdp.evaluation.methods._weights import Weights
from latentdp.evaluation.methods.base import Method
from latentdp.evaluation.methods.presets import PresetMethod
from latentdp.privacy.rounding import printed
from latentdp.privatizer import Privatizer

__all__ = ["DPGlow", "examples_for"]


class DPGlow(PresetMethod):
    """The preset ``dp-glow`` with a budget for each latent element.

    Args:
        weights: Of the flow.
        each: Epsilon of one element.

    Raises:
        InputError: It is not positive.
    """

    source = "Shibata et al. 2022, arXiv 2212.10688"

    def __init__(self, weights: Weights, *, each: float = 1.0) -> None:
        if not each > 0:
            raise InputError(f"expected a positive epsilon of an element, got {each}")
        super().__init__("dp-glow", weights, name=f"dp-glow-{each:g}")
        self.each = each
        self.claim = f"epsilon {printed(each)} for one latent element"

    def _make(self) -> Privatizer:
        flow = self.weights.flow
        return Privatizer(flow, replace(self.recipe, epsilon=self.each * flow.d))


def examples_for(weights: Weights) -> tuple[Method, ...]:
    """At one nat an element."""
    return (DPGlow(weights),)
