"""Property: does a larger or a smaller part of a site's patients have a trait?

After Ganju et al. 2018 ("Property inference attacks on fully connected neural networks") in the
form that sums allow: shadow sites of the same size, of which 60 or 40 in 100 patients have the
trait, and a matched filter along the difference of the mean records of other patients with and
without it. **A guarantee of patients does not hide this**: it is true of thousands, and noise that
hides one of them hides it at small sites only. So there is no ceiling.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentdp.core.progress import ProgressCallback
from latentdp.federation.attacks.base import SharingAttack, SharingScene
from latentdp.metrics.bootstrap import Resamples, auc, estimate
from latentdp.metrics.definitions.leakage import V_INFORMATION
from latentdp.metrics.definitions.verification import AUC
from latentdp.metrics.linkage import widened
from latentdp.metrics.v_information import side_bits
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import below, permutation
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.results import Outcome

__all__ = ["PropertyOfSite", "attack", "site_auc"]

Matrix = NDArray[np.float64]

FEWEST = 4  # patients with a trait, and without it
SHARES = (0.4, 0.6)
OPEN = "not hidden by a guarantee of patients: it is a property of the whole site"


class PropertyOfSite(SharingAttack):
    """Asks about the site as a whole."""

    name = "property_of_site"
    title = "asks whether 60 or 40 in 100 of a site's patients have a trait"
    kind = AttackKind.ATTRIBUTE
    meaning = "The coordinator learns of the site what no patient's guarantee is about."
    family = "a matched filter"

    def unavailable_reason(self, scene: SharingScene) -> str | None:
        """Without a trait that enough have, and enough do not."""
        if any(_enough(trait) for trait in scene.traits.values()):
            return None
        return f"no trait of {FEWEST} patients that {FEWEST} others do not have"

    def run(self, scene: SharingScene, tell: ProgressCallback) -> list[Outcome]:
        """Of each trait, AUC and bits."""
        records = scene.shared.integers(scene.shared.records(scene.site))
        found = []
        for i, (name, trait) in enumerate(scene.traits.items()):
            if not _enough(trait):
                continue
            tell(i / len(scene.traits), "shadow sites")
            found += self._told(scene, name, records, trait)
        return found

    def _told(
        self, scene: SharingScene, name: str, records: Matrix, trait: NDArray[np.bool_]
    ) -> list[Outcome]:
        scores, many = site_auc(scene, records, trait, scene.site.count)
        weights = Resamples(np.arange(len(many)), seed=scene.seed).counts
        value, bits = estimate(auc(scores, many, weights)), side_bits(scores, many, scene.seed)
        setting = f"share of {name}, at {scene.site.count:,} patients"
        return [
            Outcome.of(
                estimated,
                attack=self.name,
                setting=setting,
                metric=metric,
                n=len(many),
                patients=scene.site.count,
                chance=chance,
                headline=metric is AUC,
                detail={"note": OPEN},
            )
            for metric, estimated, chance in (
                (AUC, None if value is None else widened(value, len(many)), 0.5),
                (V_INFORMATION, bits, 0.0),
            )
            if estimated is not None
        ]


def site_auc(
    scene: SharingScene, records: Matrix, trait: NDArray[np.bool_], patients: int
) -> tuple[Matrix, NDArray[np.bool_]]:
    """Scores ``(s,)`` of shadow sites, and which of them have the larger share.

    Half of the people are the attacker's; sites are drawn of the others, with replacement.

    Args:
        scene: With the noise, and how many shadow sites.
        records: ``(p, k)`` as they are added up.
        trait: ``(p,)`` of these people.
        patients: Of each shadow site.
    """
    noise = SeededNoise(scene.seed)
    own = np.zeros(len(trait), dtype=np.bool_)
    for side in (trait, ~trait):
        rows = np.flatnonzero(side)
        own[rows[permutation(noise, len(rows))[: len(rows) // 2]]] = True
    filtered = records[own & trait].mean(axis=0) - records[own & ~trait].mean(axis=0)
    pools = [np.flatnonzero(~own & ~trait), np.flatnonzero(~own & trait)]
    many = np.arange(scene.shadows) % 2 == 1
    scores = []
    for larger in many:
        having = round(SHARES[int(larger)] * patients)
        counts = np.zeros(len(records))
        for pool, size in zip(pools, (patients - having, having), strict=True):
            np.add.at(counts, pool[below(noise, len(pool), size)], 1)
        scores.append(float(scene.shared.sent(counts @ records, noise) @ filtered))
    return np.array(scores), many


def _enough(trait: NDArray[np.bool_]) -> bool:
    return bool(FEWEST <= int(trait.sum()) <= len(trait) - FEWEST)


attack = PropertyOfSite()
