"""Voters of a vault are asked about public images: charged once, answered once, written any time.

    count -> check the budget -> reserve -> draw -> keep -> record -> write

The cost of all patients is reserved in one durable transaction before the first noise is drawn.
Answers are kept in the vault as soon as they are drawn, so a run that dies afterwards writes the
same; one that dies before has released nothing, and its successor answers under the same
reservation.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from latentdp.core.documents import from_json, read_json, to_json
from latentdp.core.filesystem import digest, write_json
from latentdp.core.progress import ProgressCallback, silent
from latentdp.errors import Aborted, InputError
from latentdp.privacy.noise import Noise, SystemNoise
from latentdp.reports.answers_card import AnswersCard, AnswersRecipe, VotesGuarantee
from latentdp.synthesis.voting.agreement_report import AgreementReport
from latentdp.synthesis.voting.answer_job import COUNTED, AnswerJob, opened_questions
from latentdp.synthesis.voting.answer_request import AnswerRequest
from latentdp.synthesis.voting.describe import card_of
from latentdp.synthesis.voting.kept_voters import voters_file
from latentdp.synthesis.voting.student import Student
from latentdp.synthesis.voting.voters.base import Ballot
from latentdp.synthesis.voting.write import holds, write_answers
from latentdp.vault.spending import Spent

__all__ = ["AnswerSummary", "answer", "preview_answer"]


@dataclass(frozen=True, kw_only=True)
class AnswerSummary:
    """What became of the questions, for the operator's eyes.

    Attributes:
        patients: Who stands behind the voters.
        questions: That are answered.
        elections: That were paid for.
        voters: In each election.
        sure_lead: Votes ahead of one rival from which on an answer is right with 95 %.
        guarantee: Of each patient, and of the site.
        charged: Epsilon that this run charged each patient's account; 0 for one that went on.
        standing: Most that patients have spent in the vault, this and all else.
        warnings: What a reader must not overlook.
        already: The folder held these answers already.
        card: As written; None for a preview.
        report: Private report, in the vault; None for a preview.
    """

    patients: int
    questions: int
    elections: int
    voters: int
    sure_lead: int
    guarantee: VotesGuarantee
    charged: float = 0.0
    standing: Spent = field(default_factory=Spent)
    warnings: tuple[str, ...] = ()
    already: bool = False
    card: AnswersCard | None = None
    report: Path | None = None


class KeptAnswers(Struct, frozen=True, kw_only=True):
    """What was drawn, in the vault until it is written.

    Attributes:
        winners: Of each election.
        secure: Whether the noise was.
    """

    winners: tuple[int, ...]
    secure: bool


def answer(
    request: AnswerRequest, *, noise: Noise | None = None, progress: ProgressCallback = silent
) -> AnswerSummary:
    """Answers questions under (epsilon, delta) of a patient, and teaches a student by them.

    It may be called again after an interruption, and goes on where it was.

    Args:
        request: What is asked for.
        noise: Only tests give one.
        progress: Told what is being done.

    Raises:
        InputError: Something is wrong before anything was charged.
        BudgetExceeded: A patient would go over the budget or the vault's cap; nothing was charged.
        Aborted: Writing failed in the middle; what is finished is safe.
    """
    noise = SystemNoise() if noise is None else noise
    try:
        with opened_questions(request, read_only=False, progress=progress) as job:
            return _run(job, noise, progress)
    except OSError as error:
        raise Aborted(
            f"a file could not be written ({error.strerror}); running the same command again "
            "goes on from here"
        ) from error


def preview_answer(
    request: AnswerRequest, *, progress: ProgressCallback = silent
) -> AnswerSummary:
    """What `answer` would do and cost, told without writing anything.

    Raises:
        InputError: As `answer`.
        BudgetExceeded: A patient would go over the budget or the vault's cap.
    """
    with opened_questions(request, read_only=True, progress=progress) as job:
        holds(request.out, _run_of(job), request.site)
        if job.entries():
            return _summary(job, standing=job.standing())
        charge = job.charge("check")
        job.ledger.check(charge, request.limit)
        return _summary(job, charged=job.guarantee.charged, standing=job.standing(charge))


def _run(job: AnswerJob, noise: Noise, progress: ProgressCallback) -> AnswerSummary:
    entries, run = job.entries(), _run_of(job)
    already = holds(job.request.out, run, job.request.site)
    folder = voters_file(job.vault.path, job.request.name).parent
    file, report = folder / f"answers-{run}.json", job.vault.reports / f"votes-{run}.json"
    charged = 0.0
    if not file.is_file():
        if any(entry.sha256 for entry in entries):
            raise InputError(
                "what an earlier run answered, and paid for, is gone from the vault; put its file "
                "back, or ask other questions, and pay, once more"
            )
        if not entries:
            job.ledger.reserve(job.charge(run), job.request.limit)
            charged = job.guarantee.charged
        progress(COUNTED, "counting votes")
        counts = job.counts()
        winners = job.plan.aggregator.winners(counts, noise)
        write_json(
            report,
            to_json(AgreementReport.of(job.plan, counts, winners, job.recipe.delta)),
        )
        kept = KeptAnswers(winners=tuple(winners.tolist()), secure=noise.secure)
        write_json(file, to_json(kept))
    kept = _kept(job, file)
    _finish(job, file)
    card = card_of(
        run,
        job.recipe,
        job.plan,
        job.kept.card.weights,
        secure=kept.secure,
        vault=job.vault.tag,
        name=job.request.site,
    )
    if not already:
        answers = _shown(job.recipe, np.array(kept.winners, dtype=np.int64))
        student = Student.taught(
            job.kept.voters.head, job.recipe.voters.findings, job.questions.thumbnails, answers
        )
        write_answers(job.request.out, card, job.questions.names, answers, student, job.vault)
    return replace(
        _summary(job, charged=charged, standing=job.standing()),
        warnings=card.warnings,
        already=already,
        card=AnswersCard.find(job.request.out),
        report=report,
    )


def _kept(job: AnswerJob, file: Path) -> KeptAnswers:
    """What was drawn, as the vault keeps it.

    Raises:
        InputError: It is damaged, or not what the ledger has recorded.
    """
    kept = from_json(
        read_json(file, "answers in the vault"), KeptAnswers, "the answers in the vault"
    )
    recorded = {entry.sha256 for entry in job.entries() if entry.sha256}
    candidates = len(job.recipe.voters.findings) if job.recipe.ballot == Ballot.ONE else 2
    right = len(kept.winners) == job.plan.number and all(
        0 <= winner < candidates for winner in kept.winners
    )
    if not right or recorded - {digest(file)}:
        raise InputError(
            "the answers in the vault are not those that were paid for: their file was altered; "
            "put it back from a copy of the vault"
        )
    return kept


def _run_of(job: AnswerJob) -> str:
    """That of an earlier run of the same, or a new random one."""
    entries = job.entries()
    if entries:
        return entries[0].output.partition(".")[0]
    return SystemNoise().words(2).tobytes().hex()


def _summary(job: AnswerJob, *, standing: Spent, charged: float = 0.0) -> AnswerSummary:
    return AnswerSummary(
        patients=len(job.kept.card.accounts),
        questions=job.recipe.questions,
        elections=job.plan.number,
        voters=job.recipe.voters.number,
        sure_lead=job.plan.aggregator.sure_lead(),
        guarantee=job.guarantee,
        charged=charged,
        standing=standing,
    )


def _finish(job: AnswerJob, file: Path) -> None:
    """Records what was answered, for every patient who paid for it."""
    open_ = [entry for entry in job.entries() if not entry.sha256]
    if open_:
        sha256, folder = digest(file), str(job.vault.path.resolve())
        job.ledger.finish([entry.written(sha256, -1, folder) for entry in open_])


def _shown(recipe: AnswersRecipe, winners: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Answers ``(q, f)``."""
    findings = len(recipe.voters.findings)
    if recipe.ballot == Ballot.ONE:
        return np.eye(findings, dtype=np.bool_)[winners]
    return winners.reshape(-1, findings).astype(np.bool_)
