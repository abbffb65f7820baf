"""What repeats give: several releases of the same image are put together and its source sought.

Independent noise averages out, which is why a patient's budget adds up over repeats: k releases
have the guarantee of one composed k times, and that is the ceiling here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Latents
from latentdp.core.progress import ProgressCallback
from latentdp.evaluation.attacks.base import Attack
from latentdp.evaluation.attacks.likelihood import carried
from latentdp.evaluation.threat_model import ThreatModel
from latentdp.metrics.linkage import correlations, some
from latentdp.privatizer import Privatizer
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.results import Outcome

__all__ = ["Averaging", "attack"]

Matrix = NDArray[np.float64]

PROBES = 150
PRACTICE = 400  # images on which the attacker learns what a release does to a latent


class Averaging(Attack):
    """Means of 1, 4 and 16 releases against every original."""

    name = "averaging"
    title = "averages repeated releases of an image and looks for the original"
    kind = AttackKind.REPETITION
    meaning = "The attacker averages several releases of the same image to remove the noise."

    def unavailable_reason(self, scene: ThreatModel) -> str | None:
        """Where no repeats can be made."""
        return "no repeated releases can be made" if scene.more is None else None

    def run(self, scene: ThreatModel, tell: ProgressCallback) -> list[Outcome]:
        """Rank-1 and AUC, for each number of releases, by pixels and by latents."""
        assert scene.more is not None
        target = scene.target
        copies = max(1, scene.effort.copies)
        rows = some(len(target.cohort), PROBES, scene.seed)
        private, labels = target.private[:copies, rows], target.labels[:copies, rows]
        if len(private) < copies:
            tell(0.0, "releasing again")
            images, answers = scene.more(copies - len(private), rows)
            private = np.concatenate([private, images])
            labels = np.concatenate([labels, answers])
        counts = [k for k in (1, 4, 16) if k < copies] + [copies]
        outcomes: list[Outcome] = []
        for k in counts:
            scores = correlations(private[:k].mean(axis=0), target.cohort.images)
            outcomes += self.linked(
                scene, scores, rows, f"own image, mean of {k}, by pixels", copies=k
            )
        maker = scene.privatizer
        if maker is None or not (carried(maker.plan) or maker.plan.response):
            return outcomes
        tell(0.5, "encoding")
        channel = _Channel.learn(maker, scene)
        pairs = zip(private, labels, strict=True)
        read = np.stack([channel.coordinates(maker.flow.encode(*pair)) for pair in pairs])
        sources = channel.coordinates(maker.encode(target.cohort.images, target.cohort.labels))
        for k in counts:
            scores = k * channel.score(read[:k].mean(axis=0), sources)
            if maker.plan.response is not None:
                for released in labels[:k]:
                    scores += maker.plan.response.log_likelihood(
                        target.cohort.labels[None], released[:, None]
                    )
            outcomes += self.linked(
                scene, scores, rows, f"own image, mean of {k}, by latents", copies=k
            )
        tell(1.0, "done")
        return outcomes


@dataclass(frozen=True)
class _Channel:
    """What a release does to the coordinates that follow the image: y = slope x + offset + noise.

    Learnt on practice images, each coordinate on its own.
    """

    maker: Privatizer
    slope: Matrix
    offset: Matrix
    variance: Matrix

    @classmethod
    def learn(cls, maker: Privatizer, scene: ThreatModel) -> Self:
        practice = scene.practice
        rows = some(len(practice.cohort), PRACTICE, scene.seed)
        blank = cls(maker, np.ones(1), np.zeros(1), np.ones(1))
        cohort = practice.cohort.take(rows)
        x = blank.coordinates(maker.encode(cohort.images, cohort.labels))
        private = maker.flow.encode(practice.private[0, rows], practice.labels[0, rows])
        y = blank.coordinates(private)
        dx, dy = x - x.mean(axis=0), y - y.mean(axis=0)
        slope = (dx * dy).sum(axis=0) / np.maximum((dx * dx).sum(axis=0), 1e-12)
        variance = np.square(dy - slope * dx).mean(axis=0)
        offset = y.mean(axis=0) - slope * x.mean(axis=0)
        return cls(maker, slope, offset, np.maximum(variance, 1e-6))

    def coordinates(self, latents: Latents) -> Latents:
        """``(n, c)`` of latents ``(n, d)``: the c coordinates that follow the image."""
        plan = self.maker.plan
        z = plan.coordinates(latents)
        return np.concatenate([z[:, :0], *[z[:, dims] for dims in carried(plan)]], axis=1)

    def score(self, y: Latents, x: Latents) -> Matrix:
        """Log-density ``(p, n)`` of private y under candidates x, as if noise were Gaussian."""
        precise = 1 / np.sqrt(self.variance)
        a, b = (y - self.offset) * precise, x * self.slope * precise
        square = np.square(a).sum(axis=1)[:, None] + np.square(b).sum(axis=1)
        return np.asarray(-(square - 2 * a @ b.T) / 2)


attack = Averaging()
