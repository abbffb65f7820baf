"""How the networks that an anonymizer learns against learn, and what they make it pay.

One tells findings, which an anonymizer should leave; the other tells whether two images are of one
patient, which it should not let be told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, one_hot, softplus

from latentdp.models.device import device, placed
from latentdp.models.networks.adversaries import FindingAdversary, VerificationAdversary
from latentdp.models.networks.embedding import EmbeddingConfig, embed
from latentdp.models.training.loop import Part
from latentdp.models.training.metric_learning import MetricLearning, MetricLearningConfig
from latentdp.models.training.pair_dataset import LabelledImages, PairDataset, choose

__all__ = ["Adversaries", "Batch", "descend", "on_device"]

CALIBRATION = 256  # validation pairs that log odds are fitted on


@dataclass(frozen=True, eq=False)
class Batch:
    """Pairs of images, the first half of one patient, on the device of the networks.

    Attributes:
        images: ``(n, 1, h, w)`` in [0, 1]: those that are anonymized.
        findings: ``(n,)`` class indices of the images, -1 unknown.
        partners: ``(n, 1, h, w)`` in [0, 1]: the real images that they are held against.
        same: ``(n,)`` 1.0 where both are of one patient, 0.0 elsewhere.
    """

    images: Tensor
    findings: Tensor
    partners: Tensor
    same: Tensor

    @classmethod
    def draw(cls, source: LabelledImages, n: int, generator: torch.Generator) -> Self:
        """``n`` pairs."""
        first, second = source.sampler.half_same(n, generator)
        return cls(
            images=on_device(source.images[first]),
            findings=torch.from_numpy(source.findings[first]).to(device()),
            partners=on_device(source.images[second]),
            same=(torch.arange(n) < n // 2).float().to(device()),
        )


class Adversaries:
    """Both networks, each with its optimiser.

    Args:
        classes: Number of findings.
        embedding: Shape of the network whose embeddings are compared.
        learning_rate: Adam's, of each.
    """

    def __init__(self, classes: int, embedding: EmbeddingConfig, learning_rate: float) -> None:
        self.classes = classes
        self.findings = placed(FindingAdversary(classes))
        self.verification = placed(VerificationAdversary(embedding))
        self._optimisers = {
            "findings": torch.optim.Adam(self.findings.parameters(), lr=learning_rate),
            "verification": torch.optim.Adam(self.verification.parameters(), lr=learning_rate),
        }

    def parts(self) -> dict[str, Part]:
        """What a state holds of them."""
        return {
            "findings": self.findings,
            "verification": self.verification,
            "findings optimiser": self._optimisers["findings"],
            "verification optimiser": self._optimisers["verification"],
        }

    def cost(self, anonymized: Tensor, batch: Batch) -> Tensor:
        """What an anonymizer lowers: findings that are misread, and patients that are recognised.

        The latter is -log(1 - p) of the probability p that both images are of one patient, which
        is the softplus of its log odds. The adversaries do not learn from it.

        Args:
            anonymized: ``(n, 1, h, w)``, with a gradient.
            batch: What they were made from.
        """
        self._set_learning(False)
        odds = self.verification(anonymized, batch.partners)
        return self._misread(anonymized, batch.findings) + softplus(odds).mean()

    def learn(self, anonymized: Tensor, batch: Batch) -> None:
        """One step of each on what an anonymizer makes.

        Args:
            anonymized: ``(n, 1, h, w)``, without a gradient.
            batch: What they were made from.
        """
        self._set_learning(True)
        descend(self._optimisers["findings"], self._misread(anonymized, batch.findings))
        odds = self.verification(anonymized, batch.partners)
        descend(
            self._optimisers["verification"], binary_cross_entropy_with_logits(odds, batch.same)
        )

    def learn_real_findings(self, source: LabelledImages, n: int, g: torch.Generator) -> None:
        """One step of the finding adversary on ``n`` real images."""
        rows = choose(len(source), n, g)
        findings = torch.from_numpy(source.findings[rows]).to(device())
        self.findings.train()
        descend(
            self._optimisers["findings"], self._misread(on_device(source.images[rows]), findings)
        )

    def learn_real_patients(
        self,
        source: LabelledImages,
        *,
        pairs: int,
        steps: int,
        seed: int,
        tell: Callable[[float], None],
    ) -> None:
        """All steps of the embedding on real images.

        Args:
            source: Images to learn from.
            pairs: Pairs in a batch.
            steps: Steps of the optimiser.
            seed: Seed of order and augmentation.
            tell: Called with the share that is done, in [0, 1].
        """
        pixels = np.rint(source.images * 255).astype(np.uint8)
        embedding = self.verification.embedding
        learning = MetricLearning(
            embedding,
            MetricLearningConfig(patients=pairs, seed=seed, warmup=steps // 10),
            [PairDataset.of_images(pixels, source.patients)],
            steps=steps,
        )
        learning.run(lambda now: tell(now["progress"]), every=0.0)
        embedding.load_state_dict(learning.average.state_dict())

    def calibrate(self, source: LabelledImages, g: torch.Generator) -> None:
        """Fits the line from cosines to log odds on pairs of images that nothing learnt from."""
        first, second = source.sampler.half_same(CALIBRATION, g)
        embedding = self.verification.embedding
        a, b = (embed(embedding, source.images[rows]) for rows in (first, second))
        cosines = (a * b).sum(axis=1)[:, None]
        line = LogisticRegression(C=1e3).fit(cosines, np.arange(CALIBRATION) < CALIBRATION // 2)
        with torch.no_grad():
            self.verification.log_slope.fill_(float(np.log(max(line.coef_[0, 0], 0.1))))
            self.verification.offset.fill_(float(line.intercept_[0]))

    def _misread(self, images: Tensor, findings: Tensor) -> Tensor:
        """Binary cross-entropy of each finding, over images whose finding is known."""
        wanted = one_hot(findings.clamp(min=0), self.classes).float()
        losses = binary_cross_entropy_with_logits(self.findings(images), wanted, reduction="none")
        known = (findings >= 0).float()
        return (losses.mean(dim=1) * known).sum() / known.sum().clamp(min=1)

    def _set_learning(self, learning: bool) -> None:
        self.findings.train(learning)
        self.verification.train(learning)


def on_device(images: NDArray[np.float32]) -> Tensor:
    """Images ``(n, h, w)`` as ``(n, 1, h, w)`` where the networks are."""
    return torch.from_numpy(images)[:, None].to(device(), memory_format=torch.channels_last)


def descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step; the gradient goes through networks of others and leaves them untouched."""
    parameters: list[nn.Parameter] = optimiser.param_groups[0]["params"]
    optimiser.zero_grad(set_to_none=True)
    loss.backward(inputs=parameters)  # type: ignore[no-untyped-call]
    optimiser.step()
