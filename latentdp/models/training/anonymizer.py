"""Training an anonymizer against a verifier: the way of PriCheXy-Net (arXiv 2209.11531).

The anonymizer first learns to be the identity, its adversaries learn on real images. Then they
take turns: the anonymizer lowers the cross-entropy of findings on anonymized images plus
-log(1 - p) of the verifier's probability p that an anonymized and a real image, of one patient or
of two, are of one patient; the adversaries learn on what the anonymizer now makes.

The last anonymizer is what is used. The paper takes that with the lowest loss on validation
images; but each round's loss is against another verifier, and in a short run, in which the
verifier still gets better, the lowest one is that of the start: the identity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import mse_loss

from latentdp.core.progress import ProgressCallback, silent
from latentdp.errors import InputError
from latentdp.models.device import placed
from latentdp.models.networks.embedding import EmbeddingConfig
from latentdp.models.training.adversaries import Adversaries, Batch, descend, on_device
from latentdp.models.training.loop import Part, TrainingLoop
from latentdp.models.training.pair_dataset import LabelledImages, choose

__all__ = ["AdversarialConfig", "AdversarialTraining"]


@dataclass(frozen=True, kw_only=True)
class AdversarialConfig:
    """How long and how fast all learn.

    Attributes:
        identity_steps: Steps in which the anonymizer learns to be the identity.
        adversary_steps: Steps in which each adversary learns on real images, at least 1.
        rounds: Turns of all three.
        pairs: Pairs of images in a batch; half of them of one patient.
        learning_rate: Adam's, of the anonymizer.
        adversary_learning_rate: Adam's, of each adversary.
        save_every: Seconds after which the run is kept.
        widths: Channels of each stage of the verifier's embedding.

    Raises:
        InputError: No step of an adversary.
    """

    identity_steps: int = 0
    adversary_steps: int = 300
    rounds: int = 800
    pairs: int = 32
    learning_rate: float = 1e-3
    adversary_learning_rate: float = 5e-4
    save_every: float = 60.0
    widths: tuple[int, ...] = (16, 32, 64, 128)

    def __post_init__(self) -> None:
        if self.adversary_steps < 1:
            raise InputError("expected adversaries to learn for at least 1 step")


class AdversarialTraining(TrainingLoop):
    """One run, of which a step is a round. A complete one keeps the anonymizer alone.

    Args:
        make: Makes a new anonymizer, which maps ``(n, 1, h, w)`` images to such.
        name: What ``make`` makes, in words, so that no other run is gone on with.
        settings: How long and how fast all learn.
        train: Images to learn on.
        val: Images to fit the verifier's log odds on before the first round.
        classes: Number of findings.
        seed: Seed of first weights, order and augmentation.
        state: Where the run is kept so that it can go on after an interruption.

    Raises:
        InputError: No round.
    """

    def __init__(
        self,
        make: Callable[[], nn.Module],
        name: str,
        settings: AdversarialConfig,
        *,
        train: LabelledImages,
        val: LabelledImages,
        classes: int,
        seed: int,
        state: Path,
    ) -> None:
        run = "|".join([name, repr(settings), str(seed), train.digest, val.digest])
        super().__init__(state, run, steps=settings.rounds, images_per_step=2 * settings.pairs)
        self.settings, self.train, self.val, self.seed = settings, train, val, seed
        self._tell: ProgressCallback = silent
        embedding = EmbeddingConfig(
            size=train.images.shape[1],
            widths=settings.widths,
            blocks=(1,) * len(settings.widths),
            dimensions=64,
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.anonymizer = placed(make())
            self.adversaries = Adversaries(classes, embedding, settings.adversary_learning_rate)
        self.generator = torch.Generator().manual_seed(seed)
        self.optimiser = torch.optim.Adam(self.anonymizer.parameters(), lr=settings.learning_rate)

    def finish(self, tell: ProgressCallback) -> nn.Module:
        """Learns to the end, or on from the state, and returns the anonymizer, on the CPU.

        Args:
            tell: Progress.

        Raises:
            InputError: The state is of another run, or damaged.
        """
        self._tell = tell
        if not self.resume():
            self._prepare()
            self.save()
        self.run(every=self.settings.save_every)
        net: nn.Module = self.anonymizer.cpu().eval().requires_grad_(False)
        return net

    def _prepare(self) -> None:
        """All that comes before the first round. Short, so that it is not kept half done."""
        s, g = self.settings, self.generator
        self.anonymizer.train()
        for i in range(s.identity_steps):
            x = on_device(self.train.images[choose(len(self.train), 2 * s.pairs, g)])
            descend(self.optimiser, mse_loss(self.anonymizer(x), x))
            self._tell(0.1 * (i + 1) / s.identity_steps, "anonymizer: to be the identity")
        for i in range(s.adversary_steps):
            self.adversaries.learn_real_findings(self.train, 2 * s.pairs, g)
            self._tell(0.1 + 0.05 * (i + 1) / s.adversary_steps, "findings: real images")
        self.adversaries.learn_real_patients(
            self.train,
            pairs=s.pairs,
            steps=s.adversary_steps,
            seed=self.seed,
            tell=lambda share: self._tell(0.15 + 0.15 * share, "verifier: real images"),
        )
        self.adversaries.calibrate(self.val, g)

    def _learn(self) -> float:
        """One round; returns the anonymizer's cost."""
        batch = Batch.draw(self.train, self.settings.pairs, self.generator)
        self.anonymizer.train()
        anonymized = self.anonymizer(batch.images)
        cost = self.adversaries.cost(anonymized, batch)
        descend(self.optimiser, cost)
        self.adversaries.learn(anonymized.detach(), batch)
        done = (self.step + 1) / self.settings.rounds
        self._tell(0.3 + 0.7 * done, "anonymizer against verifier")
        return float(cost.detach())

    def _parts(self) -> Mapping[str, Part]:
        if self.progress >= 1.0:
            return {"anonymizer": self.anonymizer}
        return {
            "anonymizer": self.anonymizer,
            "anonymizer optimiser": self.optimiser,
            "generator": self.generator,
            **self.adversaries.parts(),
        }
