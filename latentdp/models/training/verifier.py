"""Training a verifier on real images of public data sets, resumable."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from latentdp.errors import WeightsError
from latentdp.models.device import placed
from latentdp.models.networks.embedding import EmbeddingConfig, EmbeddingNet
from latentdp.models.networks.verifier import Verifier
from latentdp.models.training.loop import TrainingLoop
from latentdp.models.training.metric_learning import Lessons, MetricLearning, MetricLearningConfig

__all__ = ["People", "VerifierTraining"]


@dataclass(frozen=True)
class People:
    """Images and whose they are: ``pixels`` ``(n, size, size)`` uint8, ``patients`` ``(n,)``."""

    pixels: NDArray[np.uint8]
    patients: NDArray[np.int64]


class VerifierTraining(TrainingLoop):
    """One training run.

    Args:
        config: Shape of the network.
        settings: How to learn.
        train: Who is learnt from.
        state: Where the run is kept so that it can go on after an interruption.
        minutes: As `TrainingLoop` has it, likewise ``steps``.
        steps: See there.
        start: A verifier whose weights the run begins with, such as one of another size.

    Raises:
        InputError: No limit, or a state of another network.
        WeightsError: The weights to start from are of another shape.
    """

    def __init__(
        self,
        config: EmbeddingConfig,
        settings: MetricLearningConfig,
        train: People,
        state: Path,
        *,
        minutes: float = 0.0,
        steps: int = 0,
        start: Verifier | None = None,
    ) -> None:
        shown = 2 * settings.patients
        super().__init__(state, config.to_json(), minutes=minutes, steps=steps, shown=shown)
        torch.manual_seed(settings.seed)
        net = EmbeddingNet(config)
        if start is not None:
            try:
                net.load_state_dict(start.net.state_dict())
            except RuntimeError as error:
                raise WeightsError("the weights to start from are of another shape") from error
        placed(net)
        lessons = Lessons(train.pixels[None], train.pixels[None], train.patients)
        self.learning = MetricLearning(net, settings, [lessons])
        self.resume()

    def verifier(self) -> Verifier:
        """The averaged network as it stands."""
        return Verifier.of(self.learning.average)

    def _learn(self) -> float:
        return self.learning.learn(self.progress)

    def _kept(self) -> dict[str, Any]:
        return self.learning.state()

    def _restore(self, kept: dict[str, Any]) -> None:
        self.learning.resume(kept)
