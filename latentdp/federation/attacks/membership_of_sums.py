"""Membership: was a patient, whose record is known, among those who were added up?

Shadow sites have members by fair coins; the attacker knows everybody's record and solves for all
coins at once. Under add-remove the guarantee bounds how many are found at each rate of false
alarms.
"""

from __future__ import annotations

import numpy as np

from latentdp.core.progress import ProgressCallback
from latentdp.federation.attacks._recognised import too_few_people
from latentdp.federation.attacks.base import SharingAttack, SharingScene
from latentdp.metrics.definitions.leakage import V_INFORMATION
from latentdp.metrics.definitions.membership import CAUGHT, RATES
from latentdp.metrics.definitions.verification import AUC
from latentdp.metrics.membership import auc_ceiling, detected, detection_ceiling
from latentdp.metrics.v_information import gaussian_ceiling, side_bits
from latentdp.privacy.noise import SeededNoise
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.results import Outcome
from latentdp.synthesis.evaluation.coins import CoinReader

__all__ = ["MembershipOfSums", "attack"]

SETTING = "by least squares of all coins"


class MembershipOfSums(SharingAttack):
    """Knows everybody's record, and not who is a member."""

    name = "membership_of_sums"
    title = "asks whether a known patient is in a sum"
    kind = AttackKind.MEMBERSHIP
    meaning = "The coordinator has a patient's image and asks whether the site treated them."
    family = "a number that grows with the patient's coin"

    def unavailable_reason(self, scene: SharingScene) -> str | None:
        """With too few patients."""
        return too_few_people(scene)

    def run(self, scene: SharingScene, tell: ProgressCallback) -> list[Outcome]:
        """AUC, members found at small rates of false alarms, and bits."""
        shared, mu = scene.shared, scene.shared.mu
        records = shared.integers(shared.records(scene.site))
        unit = 1.0 if shared.mechanism is None else shared.mechanism.grid
        reader = CoinReader(records / unit, shared.deviation)
        noise = SeededNoise(scene.seed)
        member, scores = [], []
        for shadow in range(scene.shadows):
            tell(shadow / scene.shadows, "shadow sites")
            coins = noise.words(len(records)) % np.uint64(2) == 1
            scores.append(reader(shared.sent(coins @ records, noise)))
            member.append(coins)
        found = detected(np.stack(scores), np.stack(member), RATES, scene.seed)
        noisy = bool(np.isfinite(mu))
        numbers = [(AUC, found.auc, 0.5, auc_ceiling(mu))]
        numbers += [
            (CAUGHT[rate], caught, rate, detection_ceiling(rate, mu))
            for rate, caught in found.caught.items()
        ]
        bits = side_bits(np.concatenate(scores), np.concatenate(member), scene.seed)
        numbers.append((V_INFORMATION, bits, 0.0, gaussian_ceiling(mu) if noisy else 1.0))
        return [
            Outcome.of(
                value,
                attack=self.name,
                setting=SETTING,
                metric=metric,
                n=found.members + found.others,
                patients=len(records),
                chance=chance,
                ceiling=ceiling if noisy else None,
                headline=metric is CAUGHT[RATES[0]],
            )
            for metric, value, chance, ceiling in numbers
            if value is not None
        ]


attack = MembershipOfSums()
