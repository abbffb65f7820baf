"""Training a verifier on real images of public data sets, resumable."""

from __future__ import annotations

from pathlib import Path

import torch

from latentdp.errors import WeightsError
from latentdp.models.device import placed
from latentdp.models.networks.embedding import EmbeddingConfig, EmbeddingNet
from latentdp.models.networks.verifier import Verifier
from latentdp.models.training.metric_learning import MetricLearning, MetricLearningConfig
from latentdp.models.training.pair_dataset import PairDataset

__all__ = ["VerifierTraining"]


class VerifierTraining(MetricLearning):
    """One training run of a verifier.

    Args:
        config: Shape of the network.
        settings: How to learn.
        train: Images and whose they are; see `PairDataset.of_images`.
        state: Where the run is kept so that it can go on after an interruption.
        minutes: Wall-clock length of the whole run, resumed parts counted in; 0 for no limit.
        steps: Number of optimiser steps; 0 for no limit. The first limit reached ends the run.
        start: A verifier whose weights the run begins with, such as one of another size.

    Raises:
        InputError: No limit, or a state of another network.
        WeightsError: The weights to start from are of another shape.
    """

    def __init__(
        self,
        config: EmbeddingConfig,
        settings: MetricLearningConfig,
        train: PairDataset,
        state: Path,
        *,
        minutes: float = 0.0,
        steps: int = 0,
        start: Verifier | None = None,
    ) -> None:
        torch.manual_seed(settings.seed)
        net = EmbeddingNet(config)
        if start is not None:
            try:
                net.load_state_dict(start.net.state_dict())
            except RuntimeError as error:
                raise WeightsError("the weights to start from are of another shape") from error
        super().__init__(placed(net), settings, [train], state=state, minutes=minutes, steps=steps)
        self.resume()

    def verifier(self) -> Verifier:
        """The averaged network as it stands."""
        return Verifier.of(self.average)
