"""Who trained the flow: training images may be likelier under it than others.

The score is the flow's own density, in the simplest of membership attacks (Yeom et al. 2018,
arXiv 1709.01604, section 3). It is about the weights, which every release shares, and not about
one release: no epsilon of a release bounds it.
"""

from __future__ import annotations

import numpy as np

from latentdp.core.progress import ProgressCallback
from latentdp.evaluation.attacks.base import Attack
from latentdp.evaluation.threat_model import ThreatModel
from latentdp.metrics.bootstrap import Resamples, auc, estimate
from latentdp.metrics.definitions.verification import AUC
from latentdp.metrics.linkage import some, widened
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.results import Outcome

__all__ = ["Membership", "attack"]

MOST = 600  # images of either side


class Membership(Attack):
    """Practice images, which trained the flow, against target images, which did not."""

    name = "membership"
    title = "tells images that trained the flow from others by their likelihood"
    kind = AttackKind.MEMBERSHIP
    meaning = "The attacker guesses whether a patient was in the flow's training set."

    def unavailable_reason(self, scene: ThreatModel) -> str | None:
        """Without a flow, or without images that trained it."""
        if scene.privatizer is None:
            return "there is no flow, or it is not known"
        return None if scene.members else "the practice images did not train the flow"

    def run(self, scene: ThreatModel, tell: ProgressCallback) -> list[Outcome]:
        """AUC of members against others of the same source and view."""
        assert scene.privatizer is not None
        sides = [
            side.cohort.take(some(len(side.cohort), MOST, scene.seed))
            for side in (scene.practice, scene.target)
        ]
        density = []
        for i, side in enumerate(sides):
            tell(i / 2, "rating")
            density.append(-scene.privatizer.flow.encode_and_rate(side.images, side.labels)[1])
        member = np.repeat([True, False], [len(side) for side in sides])
        patients = np.concatenate([2 * sides[0].patients, 2 * sides[1].patients + 1])
        keys = [
            f"{s}/{v}" for side in sides for s, v in zip(side.sources, side.views, strict=True)
        ]
        cells = np.unique(keys, return_inverse=True)[1].astype(np.int64)
        scores = np.concatenate(density)
        weights = Resamples(patients, scene.effort.resamples, scene.seed).images(
            np.ones(len(scores), dtype=np.bool_)
        )
        values = estimate(auc(scores, member, weights, cells))
        if values is None:  # no cell holds both
            return []
        count = len(np.unique(patients))
        interval = widened(values, count)
        cut = np.quantile(scores[~member], 0.99)
        caught = float((scores[member] > cut).mean())
        return [
            Outcome.of(
                interval,
                attack=self.name,
                setting="training images against others of the same source and view",
                metric=AUC,
                n=len(scores),
                patients=count,
                chance=0.5,
                headline=True,
                detail={
                    "members": int(member.sum()),
                    "caught_at_1_percent_false_alarms": caught,
                    "note": "of the weights, not of a release",
                },
            )
        ]


attack = Membership()
