"""One synthesis: a cohort is charged once, learnt from once, and drawn from as often as one likes.

    find -> check the budget -> read -> check again and reserve -> learn -> keep -> record -> draw

The cost of all patients is reserved in one durable transaction before the first noise is drawn.
What was learnt is kept in the vault as soon as it exists, so a run that dies afterwards goes on
from there; one that dies before has released nothing, and its successor learns under the same
reservation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from latentdp.core import plugins
from latentdp.core.filesystem import digest
from latentdp.core.progress import ProgressCallback, silent
from latentdp.errors import Aborted, InputError
from latentdp.privacy.noise import Noise, SystemNoise
from latentdp.release.tasks import Refusal
from latentdp.synthesis.cohort import PrivateCohort, ReadImages, read_images
from latentdp.synthesis.describe import guarantee_of, synthesis_of
from latentdp.synthesis.generator import Generator
from latentdp.synthesis.job import FOUND, SynthesisJob, opened
from latentdp.synthesis.learn import Learner, calibrated, seen
from latentdp.synthesis.public import PublicModel
from latentdp.synthesis.request import SynthesisRequest
from latentdp.synthesis.summary import SynthesisSummary, reasons
from latentdp.synthesis.vectors import PatientImages
from latentdp.synthesis.write import draw
from latentdp.vault.ledger import LedgerEntry
from latentdp.vault.run_report import ReportRow, RunReport

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["preview_synthesis", "synthesize"]

READ, DRAWN = 0.5, 0.4  # shares of the work


def synthesize(
    request: SynthesisRequest,
    flow: Flow,
    *,
    noise: Noise | None = None,
    progress: ProgressCallback = silent,
) -> SynthesisSummary:
    """Learns from a cohort under (epsilon, delta) of a patient, and writes a labelled data set.

    It may be called again after an interruption, and goes on where it was.

    Args:
        request: What is asked for.
        flow: The public flow to start from.
        noise: Only tests give one.
        progress: Told what is being done.

    Raises:
        InputError: Something is wrong before anything was charged.
        BudgetExceeded: A patient would go over the budget or the vault's cap; nothing was charged.
        Aborted: Writing failed in the middle; what is finished is safe.
    """
    noise = SystemNoise() if noise is None else noise
    try:
        with opened(request, flow, read_only=False, progress=progress) as job:
            return _run(job, noise, progress)
    except OSError as error:
        raise Aborted(
            f"a file could not be written ({error.strerror}); running the same command again "
            "goes on from here"
        ) from error


def preview_synthesis(
    request: SynthesisRequest, flow: Flow, *, progress: ProgressCallback = silent
) -> SynthesisSummary:
    """What `synthesize` would do, told without writing anything.

    Args:
        request: As for `synthesize`, likewise the others.
        flow: The public flow.
        progress: Told what is being done.

    Raises:
        InputError: As `synthesize`.
        BudgetExceeded: A patient would go over the budget or the vault's cap.
    """
    with opened(request, flow, read_only=True, progress=progress) as job:
        cohort, plan = job.cohort, job.plan
        refused = dict(cohort.refused)
        patients: list[str] = []
        for part in read_images(cohort, flow.shape, request.profile):
            refused |= part.refused
            job.join(part)
            patients += part.subjects
            progress(len(patients) / len(cohort.patients), "reading the cohort")
        known = bool(job.entries())
        if not known:
            job.check_budget()
        guarantee = guarantee_of(plan, secure=True)
        return SynthesisSummary(
            patients=len(patients),
            files=cohort.files,
            passed_over=cohort.passed_over,
            quarantined=reasons(refused),
            refused=refused,
            guarantee=guarantee,
            charged=0.0 if known else guarantee.charged,
            standing=job.standing(() if known else job.charge(patients, "check")),
            images=request.images,
        )


def _run(job: SynthesisJob, noise: Noise, progress: ProgressCallback) -> SynthesisSummary:
    entries = job.entries()
    run = (
        entries[0].output.partition(".")[0] if entries else SystemNoise().words(2).tobytes().hex()
    )
    path = job.vault.reports / f"{datetime.now(UTC).strftime('%Y%m%dT%H%M%S%fZ')}.jsonl"
    refused = dict(job.cohort.refused)
    charged = 0.0
    if not job.kept(run).is_file():
        if any(entry.sha256 for entry in entries):
            raise InputError(
                "what an earlier run learnt of this cohort, and paid for, is gone from the vault; "
                "put its file back, or change the recipe to learn, and pay, once more"
            )
        charged = _learn(job, run, entries, refused, noise, progress)
    _finish(job, run)
    generator = Generator.load(job.kept(run))
    already = job.destination.holds(generator)
    if not already:
        draw(
            job.kept(run),
            job.destination,
            job.flow,
            SystemNoise() if noise.secure else noise,
            lambda done, total: progress(1 - DRAWN * (1 - done / total), "drawing images"),
        )
    _report(path, job.cohort, refused)
    synthesis = generator.synthesis
    return SynthesisSummary(
        patients=len(job.entries()),
        files=job.cohort.files,
        passed_over=job.cohort.passed_over,
        quarantined=reasons(refused),
        refused=refused,
        guarantee=synthesis.guarantee,
        charged=charged,
        standing=job.standing(),
        images=job.destination.images,
        findings=synthesis.findings,
        warnings=synthesis.warnings,
        already=already,
        report=path,
    )


def _learn(
    job: SynthesisJob,
    run: str,
    entries: Sequence[LedgerEntry],
    refused: dict[str, Refusal],
    noise: Noise,
    progress: ProgressCallback,
) -> float:
    """Reads the cohort, reserves, learns and keeps what was learnt; returns what was charged."""
    if not entries:
        job.check_budget()
    vocabulary = job.recipe.declared or job.cohort.findings
    method = plugins.load("synthesis methods", job.recipe.method).method
    learner = Learner(
        method(PublicModel.of(job.flow), len(vocabulary)),
        job.plan,
        declared=bool(job.recipe.declared),
    )
    patients: list[str] = []
    everyone = len(job.cohort.patients)
    for part in read_images(job.cohort, job.flow.shape, job.request.profile):
        refused |= part.refused
        job.join(part)
        if part.subjects:
            learner.add(_seen(job.flow, part, vocabulary))
            patients += part.subjects
        progress(FOUND + READ * len(patients) / everyone, "reading the cohort")
    if not patients:
        raise InputError("no image of the cohort can be read; nothing was charged")
    owing = job.owing(patients, entries)
    job.ledger.reserve(job.charge(owing, run, after=len(entries)), job.request.limit)
    progress(FOUND + READ, "learning")
    learnt = learner.release(noise)
    findings = tuple(np.array(vocabulary, dtype=object)[learnt.known])
    synthesis = synthesis_of(
        run,
        job.recipe,
        job.plan,
        job.flow,
        findings=findings,
        faint=learnt.faint,
        secure=noise.secure,
    )
    job.kept(run).parent.mkdir(mode=0o700, exist_ok=True)
    head = calibrated(learnt, job.flow)
    Generator(mixture=learnt.mixture, head=head, synthesis=synthesis).save(job.kept(run))
    return synthesis.guarantee.charged if owing else 0.0


def _finish(job: SynthesisJob, run: str) -> None:
    """Records what was learnt, for every patient who paid for it."""
    open_ = [entry for entry in job.entries() if not entry.sha256]
    if open_:
        sha256, folder = digest(job.kept(run)), str(job.vault.path.resolve())
        job.ledger.finish([entry.written(sha256, -1, folder) for entry in open_])


def _seen(flow: Flow, part: ReadImages, vocabulary: Sequence[str]) -> PatientImages:
    said = [file.annotation.findings for file in part.files]
    return seen(
        flow,
        part.images,
        np.array([[name in names for name in vocabulary] for names in said], dtype=np.bool_),
        np.array([bool(names) for names in said], dtype=np.bool_),
        part.patients,
    )


def _report(path: Path, cohort: PrivateCohort, refused: Mapping[str, Refusal]) -> None:
    with RunReport(path) as report:
        for files in cohort.patients.values():
            for file in files:
                if file.name not in refused:
                    report.add(ReportRow(file=file.name, status="learnt"))
        for name, refusal in sorted(refused.items()):
            report.add(
                ReportRow(
                    file=name,
                    status="quarantined",
                    reason=refusal.reason,
                    message=refusal.message,
                )
            )
