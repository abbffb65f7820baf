"""Privacy-Net: the same game as PriCheXy-Net's, but the network repaints the image.

Kim et al. 2021, arXiv 1909.04087, as Packhaeuser et al. 2023 (arXiv 2209.11531) compare to it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from latentdp.evaluation.methods._adversarial import Adversarial
from latentdp.evaluation.methods.base import Method
from latentdp.evaluation.methods.presets import Weights
from latentdp.models.networks.anonymizers import Repainter
from latentdp.models.training.anonymizer import AdversarialConfig

__all__ = ["PrivacyNet", "examples_for"]


class PrivacyNet(Adversarial):
    """Repaints images so that a verifier fails and a reader does not.

    Args:
        rules: As for `Adversarial`, likewise ``features`` and ``levels``.
        features: Of the U-Net.
        levels: Of the U-Net.
    """

    name = "privacy-net"
    title = "adversarial repainting (Privacy-Net)"
    source = "Kim et al. 2021, arXiv 1909.04087"
    claim = "recognition near chance"
    default: ClassVar[AdversarialConfig] = AdversarialConfig(identity=150, rounds=500)

    def make(self) -> Any:
        """A U-Net whose output is the image."""
        return Repainter(features=self.features, levels=self.levels)


def examples_for(weights: Weights) -> tuple[Method, ...]:
    """As it is."""
    return (PrivacyNet(),)
