"""PriCheXy-Net: an adversarial deformation, with its border fault corrected.

Packhaeuser et al. 2023, arXiv 2209.11531. The published program smooths positions with zeros
around them, which draws the border to the centre: of a 64 x 64 image 18 % of the pixels are
never sampled even at mu = 0. Here the displacement is smoothed, and at mu = 0 nothing moves;
``faulty_border=True`` gives the published operator. mu is in half sides of the image: 0.01 is
1.3 pixels at the paper's 256 and a third of a pixel at 64.

What else differs: the size, fewer steps and a narrower network, a verifier that learnt on these
training images, and a last layer that starts at zero, which is the identity that the paper
first trains for.
"""

from __future__ import annotations

from typing import Any

from latentdp.errors import InputError
from latentdp.evaluation.methods._adversarial import Adversarial
from latentdp.evaluation.methods._weights import Weights
from latentdp.evaluation.methods.base import Method
from latentdp.models.networks.anonymizers import Deformer
from latentdp.models.training.anonymizer import AdversarialConfig

__all__ = ["Deformation", "examples_for"]


class Deformation(Adversarial):
    """Bends images so that patients cannot be told and findings can.

    Args:
        mu: Largest displacement, in half sides of the image.
        faulty_border: Whether to use the published operator.
        training: How long and how fast it learns; by default `default`.
        features: Channels of the U-Net's first level; the papers' has 32, four times as slow.
        levels: How often the U-Net halves the image.

    Raises:
        InputError: A negative or too large mu.
    """

    source = "Packhaeuser et al. 2023, arXiv 2209.11531"
    claim = "recognition near chance"

    def __init__(
        self,
        mu: float = 0.01,
        *,
        faulty_border: bool = False,
        training: AdversarialConfig | None = None,
        features: int = 16,
        levels: int = 4,
    ) -> None:
        super().__init__(training=training, features=features, levels=levels)
        if not 0 <= mu <= 1:
            raise InputError(f"expected mu in [0, 1], got {mu}")
        self.mu, self.faulty_border = mu, faulty_border
        self.name = f"deformation-{mu:g}" + ("-faulty-border" if faulty_border else "")
        self.title = f"adversarial deformation (PriCheXy-Net), mu {mu:g}" + (
            ", border as published" if faulty_border else ""
        )

    def make(self) -> Any:
        """A U-Net that predicts displacements."""
        return Deformer(
            self.mu,
            faulty_border=self.faulty_border,
            features=self.features,
            levels=self.levels,
        )


def examples_for(weights: Weights) -> tuple[Method, ...]:
    """The strongest of the paper."""
    return (Deformation(0.01),)
