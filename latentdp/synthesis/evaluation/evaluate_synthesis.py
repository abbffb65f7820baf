"""A synthetic data set and its cohort in, an evaluation out: the job as a function."""

from __future__ import annotations

from pathlib import Path

from latentdp.core.progress import ProgressCallback, forward, part, silent
from latentdp.errors import InputError
from latentdp.reports.release_card import CARD
from latentdp.reports.synthesis_card import SynthesisCard
from latentdp.synthesis.evaluation.mark_refuted import mark_refuted
from latentdp.synthesis.evaluation.request import (
    READ,
    EvaluationRequest,
    SyntheticEvaluationReport,
)
from latentdp.synthesis.evaluation.synthetic_set import SyntheticSet

__all__ = ["evaluate_synthesis"]


def evaluate_synthesis(
    cohort: str | Path,
    out: str | Path,
    *,
    labels: str | Path | None = None,
    test: str | Path | None = None,
    test_labels: str | Path | None = None,
    vault: str | Path | None = None,
    weights: str = "",
    report: str | Path | None = None,
    images: int = 2_000,
    quick: bool = False,
    seed: int = 0,
    verifier: str = "",
    progress: ProgressCallback = silent,
) -> SyntheticEvaluationReport:
    """Measures what a synthetic data set is good for, and who can be told to be in its cohort.

    As ``latentdp evaluate`` does where OUT is a data set of ``latentdp synthesize``:

        >>> import latentdp
        >>> _ = latentdp.synthesize(
        ...     "samples/cxr", "dataset", labels="samples/findings.csv", images=4
        ... )
        >>> evaluation, page = latentdp.evaluate_synthesis(
        ...     "samples/cxr", "dataset", labels="samples/findings.csv", quick=True
        ... )
        >>> evaluation.refuted, page.name
        (False, 'synthetic-evaluation.html')

    Nothing is learnt again for a release, and nobody is charged: the numbers are measured on
    originals and stand outside the guarantee. Where one refutes it, card and page of the set say
    that from then on. What needs patients who were not learnt from is not
    measured without ``test``.

    Args:
        cohort: As it was given to `latentdp.synthesize`.
        out: The data set that was made of it.
        labels: As they were given.
        test: Folder of other patients, a table (CSV) of their files, or a folder with a
            ``manifest.csv``; columns ``sex``, ``age`` and ``view`` outrank headers.
        test_labels: Table of findings of that folder.
        vault: That was charged; by default the one for OUT in this user's state.
        weights: The public ones, by name or path, if they are not shipped.
        report: Private folder to write to; by default ``VAULT/evaluation``.
        images: Synthetic images, and images of either group of people, that are looked at, at
            most about; whole patients.
        quick: A first look: fewer patients, shadows and canaries, and no networks.
        seed: Of everything random; the same seed gives the same report.
        verifier: Weights of the verifier, by name or path; empty for the shipped ones that fit.
        progress: Called with the share done, in [0, 1], and words.

    Raises:
        InputError: Folders do not belong together, or others are of the cohort; nothing was
            written.
        WeightsError: Weights are refused, or are others.
    """
    from latentdp.models.flow.flow import load_flow

    request = EvaluationRequest.of(
        cohort,
        out,
        labels=labels,
        test=test,
        test_labels=test_labels,
        vault=vault,
        report=report,
        images=images,
        quick=quick,
        seed=seed,
        verifier=verifier,
    )
    tell = forward(progress)
    flow = load_flow(weights or _weights_of(request.out), exact=False)
    released = SyntheticSet.read(request.out, flow.shape, images)
    session = request.session(released, flow, tell)
    measured = session.measure(part(tell, READ, 1.0))
    written = request.written(session, measured, request.out / CARD)
    if written.evaluation.refuted:
        mark_refuted(request.out)
    return written


def _weights_of(out: Path) -> str:
    card = SynthesisCard.find(out)
    if card is None:
        raise InputError("expected OUT to be a data set of latentdp synthesize")
    return card.synthesis.weights.name
