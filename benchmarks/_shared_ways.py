"""A site of public patients, and the ways in which it may share what it learns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from _shared_gradients import HeadGradient, NetworkGradient, SmallNetwork
from numpy.typing import NDArray

from latentdp.federation.attacks._site_sums import SiteSums
from latentdp.federation.attacks.base import SharedSum, SitePeople
from latentdp.privacy.gaussian_accountant import mu_of
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.synthesis.comparison.cohort import ComparedCohort
from latentdp.synthesis.methods.gaussian import FindingGaussians
from latentdp.synthesis.plan import SynthesisPlan
from latentdp.synthesis.public import thumbnails
from latentdp.synthesis.vectors import PatientImages

__all__ = ["DELTA", "SharedWays"]

DELTA = 1e-5


class SharedWays:
    """One site of a source, and all ways to share.

    Args:
        cohort: Its patients.
        epsilon: Of a patient, replace-one.
        seed: Of the lot of patients, and of the network's weights.
    """

    def __init__(self, cohort: ComparedCohort, epsilon: float, seed: int) -> None:
        self.cohort, self.flow, self.seed = cohort, cohort.flow, seed
        self.mu = mu_of(epsilon, DELTA) / 2  # add-remove
        self.plan = SynthesisPlan.calibrate(epsilon, DELTA, declared=True)
        self.first = np.flatnonzero(np.diff(cohort.private.patients, prepend=-1))
        self.lot = cohort.sample(0, seed)

    def people(self, who: NDArray[np.int64], names: Sequence[str] = ()) -> SitePeople:
        """One image of each; findings of these names, or all."""
        rows, kept = self.first[who], [self.cohort.names.index(n) for n in names or self.names]
        images = self.cohort.private.images[rows]
        return SitePeople(
            seen=PatientImages(
                latents=self.cohort.latents()[rows],
                thumbnails=thumbnails(images),
                findings=self.cohort.private.findings[np.ix_(rows, kept)],
                read=np.ones(len(rows), dtype=np.bool_),
                patients=np.arange(len(rows)),
            ),
            images=images,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Findings of the source."""
        return self.cohort.names

    def shown(self, name: str) -> NDArray[np.bool_]:
        """``(p,)`` whose image shows it."""
        return np.asarray(self.cohort.private.findings[self.first, self.names.index(name)])

    def head(self, mechanism: NoisySum | None, findings: int = 0) -> HeadGradient:
        """The gradient of a linear head."""
        return HeadGradient(
            self.cohort.public, findings or len(self.names), mechanism, "linear head"
        )

    def network(self, mechanism: NoisySum | None) -> NetworkGradient:
        """The gradient of a small network."""
        side = self.flow.shape[0]
        network = SmallNetwork(side, len(self.names), self.seed)
        return NetworkGradient(network, mechanism, "small network")

    def file(self, findings: int = 0, *, noisy: bool = True) -> SiteSums:
        """The sums of `latentdp federate share`."""
        sums = SiteSums(
            FindingGaussians(self.cohort.public, findings or len(self.names)), self.plan.statistics
        )
        if not noisy:
            sums.mechanism = None
        return sums

    @property
    def step(self) -> NoisySum:
        """All of epsilon for one step."""
        return NoisySum.calibrate(self.mu)

    def ways(self) -> Mapping[str, SharedSum]:
        """By name, in the order of the table."""
        return {
            "FedAvg, small network": self.network(None),
            "FedAvg, linear head": self.head(None),
            "DP-SGD, small network": self.network(self.step),
            "DP-SGD, linear head": self.head(self.step),
            "one-round file": self.file(),
            "one-round file, without its noise": self.file(noisy=False),
        }
