"""A private cohort in, a classifier out: charged once, learnt once, written as often as asked."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from latentdp.core.filesystem import whole
from latentdp.core.progress import ProgressCallback, silent
from latentdp.errors import Aborted
from latentdp.privacy.noise import Noise, SystemNoise
from latentdp.private_training.job import opened_training
from latentdp.private_training.request import TrainingRequest
from latentdp.synthesis.learn_once import learn_once, preview_learning
from latentdp.synthesis.summary import SynthesisSummary

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["preview_training", "train_classifier", "train_privately"]


def train_classifier(
    request: TrainingRequest,
    flow: Flow,
    *,
    noise: Noise | None = None,
    progress: ProgressCallback = silent,
) -> SynthesisSummary:
    """Learns from a cohort under (epsilon, delta) of a patient, and writes a classifier.

    Called again it charges nothing, and writes what was learnt before.

    Args:
        request: What is asked for.
        flow: The public flow.
        noise: Only tests give one.
        progress: Told what is being done.

    Raises:
        InputError: Something is wrong before anything was charged.
        BudgetExceeded: A patient would go over the budget or the vault's cap; nothing was charged.
        Aborted: Writing failed in the middle; what is finished is safe.
    """
    noise = SystemNoise() if noise is None else noise
    try:
        with opened_training(request, flow, read_only=False, progress=progress) as job:
            learnt = learn_once(job, noise, progress)
            request.out.parent.mkdir(parents=True, exist_ok=True)
            with whole(request.out) as temporary:
                shutil.copyfile(learnt.file, temporary)
    except OSError as error:
        raise Aborted(
            f"a file could not be written ({error.strerror}); running the same command again "
            "goes on from here"
        ) from error
    return learnt.summary


def preview_training(
    request: TrainingRequest, flow: Flow, *, progress: ProgressCallback = silent
) -> SynthesisSummary:
    """What `train_classifier` would do and cost, told without writing anything.

    Raises:
        InputError: As `train_classifier`.
        BudgetExceeded: A patient would go over the budget or the vault's cap.
    """
    with opened_training(request, flow, read_only=True, progress=progress) as job:
        return preview_learning(job, progress)


def train_privately(
    cohort: str | Path,
    out: str | Path,
    *,
    findings: str,
    labels: str | Path | None = None,
    vault: str | Path | None = None,
    weights: str = "cxr-adult",
    epsilon: float = 2.0,
    delta: float | None = None,
    method: str = "head",
    schedule: str = "constant",
    images_per_patient: int = 4,
    budget: float | None = None,
    ledger: str | None = None,
    progress: ProgressCallback = silent,
) -> SynthesisSummary:
    """Trains a classifier on a whole private cohort, as ``latentdp weights train --private``.

        >>> import latentdp
        >>> summary = latentdp.train_privately(
        ...     "samples/cxr", "reader.safetensors", labels="samples/findings.csv",
        ...     findings="pneumonia;no finding", method="vmf",
        ... )
        >>> summary.patients, summary.findings
        (6, ('no finding', 'pneumonia'))
        >>> latentdp.verify("reader.safetensors").ok
        True

    Args:
        cohort: Folder of images, or a table (CSV) of them with their findings; never written to.
        out: New file, or that of the same training.
        findings: Names that the classifier shall tell, separated by ``;``; they are public.
        labels: CSV of findings by file, examination or patient.
        vault: Private folder of the key and the ledger; made if absent. By default one for
            OUT in this user's state.
        weights: Public ones, by name or path.
        epsilon: Of a patient, replace-one, in nats.
        delta: In (0, 1); None for 1e-5, or less for more than 10,000 patients.
        method: Of training.
        schedule: Of its noise over rounds.
        images_per_patient: Images of a patient that are looked at, at most.
        budget: Largest epsilon per patient, earlier releases from this vault included.
        ledger: URL of the ledger's database, which the vault remembers.
        progress: Told what is being done.

    Raises:
        InputError: Something is wrong before anything was charged, or the noise would drown what
            so few patients say.
        BudgetExceeded: A patient would go over the budget or the vault's cap.
        WeightsError: The weights are refused.
        Aborted: Writing failed in the middle; what is finished is safe.
    """
    from latentdp.models.flow.flow import load_flow

    request = TrainingRequest(
        source=Path(cohort),
        out=Path(out),
        findings=findings,
        labels=None if labels is None else Path(labels),
        vault=None if vault is None else Path(vault),
        epsilon=epsilon,
        delta=delta,
        method=method,
        schedule=schedule,
        images_per_patient=images_per_patient,
        budget=budget,
        ledger=ledger,
    )
    return train_classifier(request, load_flow(weights, exact=False), progress=progress)
