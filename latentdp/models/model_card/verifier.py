"""How good a verifier is on raw images of people it has never seen: the true "before"."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images
from latentdp.core.documents import to_json
from latentdp.metrics.bootstrap import Estimate, Resamples, estimate, mean
from latentdp.metrics.identification import same_patient
from latentdp.metrics.pairs import CAP, IMPOSTORS, Pairs
from latentdp.metrics.verification import verify
from latentdp.models.networks.verifier import Verifier

__all__ = ["assess"]


def assess(
    verifier: Verifier,
    images: Images,
    patients: NDArray[np.int64],
    cells: NDArray[np.int64],
    *,
    resamples: int = 1000,
) -> dict[str, Any]:
    """Verification and identification on one split, as JSON values for the card.

    Args:
        verifier: At its own size; images of another size are resized.
        images: ``(n, h, w)`` in [0, 1].
        patients: ``(n,)``.
        cells: ``(n,)`` source, view and sex; hard impostors are drawn from the same.
        resamples: Of the bootstrap over patients.
    """
    seen = verifier(images)
    drawn = Resamples(patients, resamples, seed=11)
    found: dict[str, Any] = {
        "images": len(images),
        "patients": len(np.unique(patients)),
        "patients_with_several": int((np.unique(patients, return_counts=True)[1] > 1).sum()),
        "pairs_per_patient_at_most": CAP,
        "impostors_per_pair": IMPOSTORS,
        "resamples": resamples,
    }
    for name, where in (("any", None), ("hard", cells)):
        pairs = Pairs.of(patients, where, ordered=False)
        scores = (seen[pairs.probe] * seen[pairs.reference]).sum(axis=1)
        reached = verify(scores[None], pairs, drawn)
        found[name] = {
            "positive_pairs": int(pairs.same.sum()),
            "auc": _rounded(reached.best),
            "eer": _rounded(reached.eer),
        }
    hits = same_patient(seen @ seen.T, patients)
    weights = drawn.of(hits.probes)
    found["p@1"] = _rounded(estimate(mean(hits.first(), weights)))
    found["map@r"] = _rounded(estimate(mean(hits.precision, weights)))
    return found | {"probes": len(hits.probes), "cmc": to_json(hits.cmc(drawn))}


def _rounded(found: Estimate | None) -> list[float] | None:
    return None if found is None else [round(x, 4) for x in (found.value, found.low, found.high)]
