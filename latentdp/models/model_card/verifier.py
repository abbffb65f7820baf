"""How good a verifier is on raw images of people it has never seen: the true "before"."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images
from latentdp.metrics.bootstrap import Estimate, Resamples, estimate, mean
from latentdp.metrics.identification import same_patient
from latentdp.metrics.pairs import CAP, IMPOSTORS, Pairs
from latentdp.metrics.verification import verify
from latentdp.models.model_card.card_parts import VerificationCard, VerifiedPairs
from latentdp.models.model_card.directions_card import Interval
from latentdp.models.networks.verifier import Verifier

__all__ = ["assess"]


def assess(
    verifier: Verifier,
    images: Images,
    patients: NDArray[np.int64],
    cells: NDArray[np.int64],
    *,
    resamples: int = 1000,
) -> VerificationCard:
    """Verification and identification on one split, for the card.

    Args:
        verifier: The verifier; images of another size than its own are resized.
        images: ``(n, h, w)`` in [0, 1].
        patients: ``(n,)`` numbers of patients.
        cells: ``(n,)`` source, view and sex; hard impostors come from the cell of the true probe.
        resamples: Number of resamples of the bootstrap over patients.
    """
    embeddings = verifier(images)
    bootstrap = Resamples(patients, resamples, seed=11)

    def against(cells: NDArray[np.int64] | None) -> VerifiedPairs:
        pairs = Pairs.of(patients, cells, ordered=False)
        scores = (embeddings[pairs.probe] * embeddings[pairs.reference]).sum(axis=1)
        reached = verify(scores[None], pairs, bootstrap)
        return VerifiedPairs(
            positive_pairs=int(pairs.same.sum()),
            auc=_rounded(reached.best),
            eer=_rounded(reached.eer),
        )

    hits = same_patient(embeddings @ embeddings.T, patients)
    weights = bootstrap.of(hits.probes)
    return VerificationCard(
        images=len(images),
        patients=len(np.unique(patients)),
        patients_with_several=int((np.unique(patients, return_counts=True)[1] > 1).sum()),
        pairs_per_patient_at_most=CAP,
        impostors_per_pair=IMPOSTORS,
        resamples=resamples,
        any=against(None),
        hard=against(cells),
        first=_rounded(estimate(mean(hits.first(), weights))),
        precision=_rounded(estimate(mean(hits.precision, weights))),
        probes=len(hits.probes),
        cmc=hits.cmc(bootstrap),
    )


def _rounded(measured: Estimate | None) -> Interval | None:
    return None if measured is None else measured.rounded(4)
