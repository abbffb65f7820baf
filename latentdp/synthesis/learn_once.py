"""Learning once from a whole cohort, under one charge of every patient.

    check the budget -> read -> check again and reserve -> learn -> keep -> record

The cost of all patients is reserved in one durable transaction before the first noise is drawn.
What was learnt is kept in the vault as soon as it exists, so a run that dies afterwards goes on
from there; one that dies before has released nothing, and its successor learns under the same
reservation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from latentdp.core.filesystem import digest
from latentdp.core.progress import ProgressCallback
from latentdp.errors import InputError
from latentdp.privacy.noise import Noise, SystemNoise
from latentdp.release.tasks import Refusal
from latentdp.synthesis.cohort import PrivateCohort, read_images
from latentdp.synthesis.cohort_job import FOUND, READ, CohortJob
from latentdp.synthesis.summary import SynthesisSummary, reasons
from latentdp.vault.ledger import LedgerEntry
from latentdp.vault.run_report import ReportRow, RunReport

__all__ = ["LearntCohort", "learn_once", "preview_learning"]


@dataclass(frozen=True)
class LearntCohort:
    """What was learnt of a cohort, and paid for.

    Attributes:
        file: Of what was learnt, in the vault.
        summary: For the operator's eyes; nothing is drawn yet.
    """

    file: Path
    summary: SynthesisSummary


def preview_learning(job: CohortJob, progress: ProgressCallback) -> SynthesisSummary:
    """What `learn_once` would do, told without writing anything.

    Args:
        job: Open, for a preview.
        progress: Told what is being done.

    Raises:
        BudgetExceeded: A patient would go over the budget or the vault's cap.
    """
    cohort = job.cohort
    refused = dict(cohort.refused)
    patients: list[str] = []
    for part in read_images(cohort, job.shape, job.request.profile):
        refused |= part.refused
        job.join(part)
        patients += part.subjects
        progress(len(patients) / len(cohort.patients), "reading the cohort")
    known = bool(job.entries())
    if not known:
        job.check_budget()
    return SynthesisSummary(
        patients=len(patients),
        files=_read(cohort, refused),
        passed_over=cohort.passed_over,
        quarantined=reasons(refused),
        refused=refused,
        guarantee=job.guarantee,
        charged=0.0 if known else job.guarantee.charged,
        standing=job.standing(() if known else job.charge(patients, "check")),
    )


def learn_once(job: CohortJob, noise: Noise, progress: ProgressCallback) -> LearntCohort:
    """Charges the cohort and learns from it, or goes on with what a run before has learnt.

    Args:
        job: Open, not for a preview.
        noise: Of the releases.
        progress: Told what is being done.

    Raises:
        InputError: Nothing can be read, or what was paid for is gone.
        BudgetExceeded: A patient would go over; nothing was charged.
    """
    entries = job.entries()
    run = job.paid_run() or SystemNoise().words(2).tobytes().hex()
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
    _report(path, job.cohort, refused)
    stated = job.stated(job.kept(run))
    summary = SynthesisSummary(
        patients=len(job.entries()),
        files=_read(job.cohort, refused),
        passed_over=job.cohort.passed_over,
        quarantined=reasons(refused),
        refused=refused,
        guarantee=stated.guarantee,
        charged=charged,
        standing=job.standing(),
        findings=stated.findings,
        warnings=stated.warnings,
        report=path,
    )
    return LearntCohort(file=job.kept(run), summary=summary)


def _learn(
    job: CohortJob,
    run: str,
    entries: Sequence[LedgerEntry],
    refused: dict[str, Refusal],
    noise: Noise,
    progress: ProgressCallback,
) -> float:
    """Reads the cohort, reserves, learns and keeps what was learnt; returns what was charged."""
    if not entries:
        job.check_budget()
    learning = job.learning()
    patients: list[str] = []
    everyone = len(job.cohort.patients)
    for part in read_images(job.cohort, job.shape, job.request.profile):
        refused |= part.refused
        job.join(part)
        if part.subjects:
            learning.add(part)
            patients += part.subjects
        progress(FOUND + READ * len(patients) / everyone, "reading the cohort")
    if not patients:
        raise InputError("no image of the cohort can be read; nothing was charged")
    owing = job.owing(patients, entries)
    job.ledger.reserve(job.charge(owing, run, after=len(entries)), job.request.limit)
    progress(FOUND + READ, "learning")
    job.kept(run).parent.mkdir(mode=0o700, exist_ok=True)
    learning.learn(run, noise, job.kept(run))
    return job.guarantee.charged if owing else 0.0


def _read(cohort: PrivateCohort, refused: Mapping[str, Refusal]) -> int:
    """Number of files that were looked at and could be read."""
    return cohort.files - len(refused.keys() - cohort.refused.keys())


def _finish(job: CohortJob, run: str) -> None:
    """Records what was learnt, for every patient who paid for it."""
    open_ = [entry for entry in job.entries() if not entry.sha256]
    if open_:
        sha256, folder = digest(job.kept(run)), str(job.vault.path.resolve())
        job.ledger.finish([entry.written(sha256, -1, folder) for entry in open_])


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
