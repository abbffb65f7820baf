"""Privacy-Net: the same game as PriCheXy-Net's, but the network repaints the image.

Kim et al. 2021, arXiv 1909.04087, as Packhaeuser et al. 2023 (arXiv 2209.11531) compare to it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from latentdp.evaluation.methods._adversarial import Adversarial
from latentdp.evaluation.methods._weights import Weights
from latentdp.evaluation.methods.base import Method
from latentdp.models.networks.anonymizers import Repainter
from latentdp.models.training.anonymizer import AdversarialConfig

__all__ = ["PrivacyNet", "examples_for"]


class PrivacyNet(Adversarial):
    """Repaints images so that a verifier fails and a classifier of findings does not.

    Args:
        training: How long and how fast it learns; by default `default`.
        features: Channels of the U-Net's first level; the papers' has 32, four times as slow.
        levels: How often the U-Net halves the image.
    """

    name = "privacy-net"
    title = "adversarial repainting (Privacy-Net)"
    source = "Kim et al. 2021, arXiv 1909.04087"
    claim = "recognition near chance"
    default: ClassVar[AdversarialConfig] = AdversarialConfig(identity_steps=150, rounds=500)

    def make(self) -> Any:
        """A U-Net whose output is the image."""
        return Repainter(features=self.features, levels=self.levels)


def examples_for(weights: Weights) -> tuple[Method, ...]:
    """As it is."""
    return (PrivacyNet(),)
