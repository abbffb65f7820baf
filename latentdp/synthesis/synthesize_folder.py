"""A private cohort in, a labelled synthetic data set out: the job as a function.

The command builds the same `SynthesisRequest`; the work is in `latentdp.synthesis.run`.
"""

from __future__ import annotations

from pathlib import Path

from latentdp.core.progress import ProgressCallback, silent
from latentdp.synthesis.request import SynthesisRequest
from latentdp.synthesis.run import synthesize as learn_and_draw
from latentdp.synthesis.summary import SynthesisSummary

__all__ = ["synthesize"]


def synthesize(
    cohort: str | Path,
    out: str | Path,
    *,
    labels: str | Path | None = None,
    vault: str | Path | None = None,
    weights: str = "cxr-adult",
    epsilon: float = 2.0,
    delta: float | None = None,
    findings: str | None = None,
    images: int = 1_000,
    size: int | None = None,
    method: str = "gaussian",
    images_per_patient: int = 4,
    budget: float | None = None,
    ledger: str | None = None,
    progress: ProgressCallback = silent,
) -> SynthesisSummary:
    """Learns from a whole private cohort and draws a data set, as ``latentdp synthesize``.

        >>> import latentdp
        >>> summary = latentdp.synthesize(
        ...     "samples/cxr", "dataset", labels="samples/findings.csv", images=2
        ... )
        >>> summary.patients, summary.images
        (6, 2)
        >>> latentdp.verify("dataset").ok
        True

    It may be called again after an interruption, and goes on where it was.

    Args:
        cohort: Folder of images, or a table (CSV) of them with their findings; never written to.
        out: New or empty folder, or that of the same synthesis, which stopped.
        labels: CSV of findings by file, examination or patient, under any names.
        vault: Private folder of the key and the ledger; made if absent. By default one for
            OUT in this user's state.
        weights: Public ones, by name or path.
        epsilon: Of a patient, replace-one, in nats.
        delta: In (0, 1); None for 1e-5, or less for more than 10,000 patients.
        findings: Names that are public, separated by ``;``; None to release names privately.
        images: To draw; more cost nothing.
        size: Pixels on a side of an image.
        method: Of synthesis.
        images_per_patient: Images of a patient that are looked at, at most.
        budget: Largest epsilon per patient, earlier releases from this vault included.
        ledger: URL of the ledger's database, which the vault remembers.
        progress: Told what is being done.

    Raises:
        InputError: Something is wrong before anything was charged.
        BudgetExceeded: A patient would go over the budget or the vault's cap.
        WeightsError: The weights are refused.
        Aborted: Writing failed in the middle; what is finished is safe.
    """
    from latentdp.models.flow.flow import load_flow

    request = SynthesisRequest(
        source=Path(cohort),
        out=Path(out),
        vault=None if vault is None else Path(vault),
        labels=None if labels is None else Path(labels),
        epsilon=epsilon,
        delta=delta,
        findings=findings,
        images=images,
        size=size,
        method=method,
        images_per_patient=images_per_patient,
        budget=budget,
        ledger=ledger,
    )
    return learn_and_draw(request, load_flow(weights, exact=False), progress=progress)
