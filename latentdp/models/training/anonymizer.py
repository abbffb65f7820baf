"""Teaching a disguise against a verifier: PriCheXy-Net's game (arXiv 2209.11531).

The disguise first learns to be the identity, its judges learn on real images. Then they take
turns: the disguise lowers the reader's cross-entropy on disguised images plus -log(1 - p) of the
verifier's probability p that a disguised and a real image, of one patient or of two, are of one
patient; the reader and the verifier learn on what the disguise now makes.

The last disguise is what is used. The paper takes that with the lowest loss on validation images;
but each round's loss is against another verifier, and in a short run, in which the verifier still
gets better, the lowest one is that of the start: the identity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import mse_loss, softplus

from latentdp.core.filesystem import whole
from latentdp.errors import InputError
from latentdp.models.device import device, placed
from latentdp.models.networks.adversaries import FindingAdversary, VerificationAdversary
from latentdp.models.networks.embedding import EmbeddingConfig, embed
from latentdp.models.training.metric_learning import Lessons, MetricLearning, MetricLearningConfig
from latentdp.models.training.pair_dataset import Material, some

__all__ = ["AdversarialTraining", "AdversarialConfig", "disguised"]


@dataclass(frozen=True, kw_only=True)
class AdversarialConfig:
    """How the game is played.

    Attributes:
        identity: Steps in which the disguise learns to be the identity.
        judges: Steps in which each judge learns on real images.
        rounds: Turns of all three.
        pairs: In a batch; half of them of one patient.
        rate: Adam's, of the disguise; ``judges_rate`` is that of the others.
        judges_rate: See there.
        every: Rounds after which the run is kept.
        widths: Of the verifier's embedding.
    """

    identity: int = 0
    judges: int = 300
    rounds: int = 800
    pairs: int = 32
    rate: float = 1e-3
    judges_rate: float = 5e-4
    every: int = 50
    widths: tuple[int, ...] = (16, 32, 64, 128)


class AdversarialTraining:
    """One run.

    Args:
        make: Makes a new disguise, which maps ``(n, 1, h, w)`` images to such.
        rules: How to play.
        train: To learn on.
        val: To fit the verifier's odds on before the game.
        classes: Number of findings.
        seed: Of everything.

    Raises:
        InputError: Material without pairs of both kinds.
    """

    def __init__(
        self,
        make: Callable[[], nn.Module],
        rules: AdversarialConfig,
        *,
        train: Material,
        val: Material,
        classes: int,
        seed: int,
    ) -> None:
        train.check()
        val.check()
        self.rules, self.train, self.val, self.seed = rules, train, val, seed
        self.classes = classes
        self.device = device()
        size = train.images.shape[1]
        config = EmbeddingConfig(
            size=size, widths=rules.widths, blocks=(1,) * len(rules.widths), dimensions=64
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.disguise = placed(make())
            self.reader = placed(FindingAdversary(classes))
            self.verifier = placed(VerificationAdversary(config))
        self.generator = torch.Generator().manual_seed(seed)
        self.optimisers = [
            torch.optim.Adam(net.parameters(), lr=rate)
            for net, rate in (
                (self.disguise, rules.rate),
                (self.reader, rules.judges_rate),
                (self.verifier, rules.judges_rate),
            )
        ]
        self.round = -1  # the judges know nothing yet

    def play(self, state: Path, key: str, tell: Callable[[float, str], None]) -> nn.Module:
        """Plays to the end, or on from ``state``, and returns the disguise, on the CPU.

        Args:
            state: Where the run is kept.
            key: What ``make`` makes, in words, so that no other run is gone on with.
            tell: Progress.

        Raises:
            InputError: ``state`` is of another run, or no state.
        """
        rules = self.rules
        key = "|".join([key, repr(rules), str(self.seed), self.train.digest, self.val.digest])
        if state.is_file():
            self._resume(state, key)
        if self.round < 0:
            self._prepare(tell)
            self._keep(state, key)
        while self.round < rules.rounds:
            self._play_round()
            self.round += 1
            if self.round % rules.every == 0 or self.round == rules.rounds:
                self._keep(state, key)
            tell(0.3 + 0.7 * self.round / rules.rounds, "disguise against verifier")
        net: nn.Module = self.disguise.cpu().eval().requires_grad_(False)
        return net

    def _shown(self, material: Material, rows: NDArray[np.int64]) -> Tensor:
        images = torch.from_numpy(material.images[rows])[:, None]
        return images.to(self.device, memory_format=torch.channels_last)

    def _prepare(self, tell: Callable[[float, str], None]) -> None:
        """Identity and judges. Short, so that it is not kept half done."""
        rules, n = self.rules, len(self.train.images)
        self.disguise.train()
        for i in range(rules.identity):
            x = self._shown(self.train, some(n, 2 * rules.pairs, self.generator))
            self._descend(0, mse_loss(self.disguise(x), x))
            tell(0.1 * (i + 1) / rules.identity, "disguise: to be the identity")
        self.reader.train()
        for i in range(rules.judges):
            rows = some(n, 2 * rules.pairs, self.generator)
            self._descend(1, self._misread(self._shown(self.train, rows), self.train, rows))
            tell(0.1 + 0.05 * (i + 1) / rules.judges, "reader: real images")
        pixels = np.rint(self.train.images * 255).astype(np.uint8)[None]
        learning = MetricLearning(
            self.verifier.embedding,
            MetricLearningConfig(patients=rules.pairs, seed=self.seed, warmup=rules.judges // 10),
            [Lessons(pixels, pixels, self.train.patients)],
        )
        for i in range(rules.judges):
            learning.learn(i / rules.judges)
            tell(0.15 + 0.15 * (i + 1) / rules.judges, "verifier: real images")
        self.verifier.embedding.load_state_dict(learning.average.state_dict())
        a, b = self.val.draw(256, self.generator)
        cosines = np.sum(
            embed(self.verifier.embedding, self.val.images[a])
            * embed(self.verifier.embedding, self.val.images[b]),
            axis=1,
        )
        line = LogisticRegression(C=1e3).fit(cosines[:, None], np.arange(256) < 128)
        with torch.no_grad():
            self.verifier.log_slope.fill_(float(np.log(max(line.coef_[0, 0], 0.1))))
            self.verifier.offset.fill_(float(line.intercept_[0]))
        self.round = 0

    def _play_round(self) -> None:
        """One turn of each; -log(1 - p) is softplus of the verifier's log odds."""
        rows, others = self.train.draw(self.rules.pairs, self.generator)
        x, partners = self._shown(self.train, rows), self._shown(self.train, others)
        self.disguise.train()
        self._judging(learn=False)
        changed = self.disguise(x)
        known = softplus(self.verifier(changed, partners)).mean()
        self._descend(0, self._misread(changed, self.train, rows) + known)
        changed = changed.detach()
        self._judging(learn=True)
        self._descend(1, self._misread(changed, self.train, rows))
        same = (torch.arange(len(rows)) < len(rows) // 2).float().to(self.device)
        self._descend(2, cross_entropy(self.verifier(changed, partners), same))

    def _judging(self, *, learn: bool) -> None:
        self.reader.train(learn)
        self.verifier.train(learn)

    def _misread(self, images: Tensor, material: Material, rows: NDArray[np.int64]) -> Tensor:
        """Binary cross-entropy of each finding, over images whose finding is known."""
        told = torch.from_numpy(material.findings[rows]).to(self.device)
        wanted = torch.nn.functional.one_hot(told.clamp(min=0), self.classes).float()
        each = cross_entropy(self.reader(images), wanted, reduction="none").mean(dim=1)
        weight = (told >= 0).float()
        return (each * weight).sum() / weight.sum().clamp(min=1)

    def _descend(self, which: int, loss: Tensor) -> None:
        """One step of one of the three; the gradient goes through the others untouched."""
        optimiser = self.optimisers[which]
        parameters = optimiser.param_groups[0]["params"]
        optimiser.zero_grad(set_to_none=True)
        loss.backward(inputs=parameters)  # type: ignore[no-untyped-call]
        optimiser.step()

    def _keep(self, state: Path, key: str) -> None:
        kept: dict[str, Any] = {
            "key": key,
            "round": self.round,
            "disguise": self.disguise.state_dict(),
        }
        if self.round < self.rules.rounds:  # of a complete run the disguise is all
            kept |= {
                "generator": self.generator.get_state(),
                "optimisers": [o.state_dict() for o in self.optimisers],
                "reader": self.reader.state_dict(),
                "verifier": self.verifier.state_dict(),
            }
        with whole(state) as temporary:
            torch.save(kept, temporary)

    def _resume(self, state: Path, key: str) -> None:
        try:
            kept = torch.load(state, map_location="cpu", weights_only=True)
            same = kept["key"] == key
        except (UnpicklingError, ValueError, RuntimeError, EOFError, KeyError, TypeError) as error:
            raise InputError(f"{state.name} is no state of such a run; remove it") from error
        if not same:
            raise InputError(f"{state.name} is the state of another run; remove it")
        self.round = int(kept["round"])
        self.disguise.load_state_dict(kept["disguise"])
        if self.round < self.rules.rounds:
            self.generator.set_state(kept["generator"])
            for optimiser, values in zip(self.optimisers, kept["optimisers"], strict=True):
                optimiser.load_state_dict(values)
            self.reader.load_state_dict(kept["reader"])
            self.verifier.load_state_dict(kept["verifier"])


def disguised(
    net: nn.Module, images: NDArray[np.floating], batch: int = 64
) -> NDArray[np.float32]:
    """Images ``(n, h, w)`` in [0, 1], each disguised on its own."""
    net = placed(net)
    out = np.empty(images.shape, dtype=np.float32)
    with torch.inference_mode():
        for i in range(0, len(images), batch):
            part = np.ascontiguousarray(images[i : i + batch], dtype=np.float32)
            shown = torch.from_numpy(part)[:, None].to(device(), memory_format=torch.channels_last)
            out[i : i + batch] = net(shown)[:, 0].cpu().numpy()
    return np.clip(out, 0, 1)
