"""A site's part in each round: read a question, answer it once, and the same ever after."""

from __future__ import annotations

import math
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from latentdp.core.filesystem import whole
from latentdp.core.progress import ProgressCallback, silent
from latentdp.core.version import __version__
from latentdp.errors import Aborted, InputError
from latentdp.federation.rounds.answer import RoundAnswer
from latentdp.federation.rounds.job import RoundsJob, opened_rounds, write_document
from latentdp.federation.rounds.question import RoundQuestion, answer_name, question_name
from latentdp.federation.rounds.request import RoundsRequest
from latentdp.privacy.noise import Noise, SystemNoise
from latentdp.private_training.accounting import rounds_of
from latentdp.private_training.readers import sides_of
from latentdp.private_training.several_sites import whole_site
from latentdp.reports.training_card import WholeSite
from latentdp.synthesis.head import HeadData, start
from latentdp.synthesis.learn_once import LearntCohort, learn_once, preview_learning
from latentdp.synthesis.public import PublicModel
from latentdp.synthesis.summary import SynthesisSummary
from latentdp.vault.signature import public_key, signature

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["Answered", "answer_rounds", "preview_rounds"]

POLL = 0.2  # seconds


@dataclass(frozen=True)
class Answered:
    """What became of the rounds at a site.

    Attributes:
        summary: For the operator's eyes.
        rounds: Whose answers lie in the folder.
        key: Public key of the site.
        whole: What the hospital as a whole risks.
    """

    summary: SynthesisSummary
    rounds: tuple[int, ...]
    key: str
    whole: WholeSite


def answer_rounds(
    request: RoundsRequest,
    flow: Flow,
    *,
    noise: Noise | None = None,
    progress: ProgressCallback = silent,
) -> Answered:
    """Answers the questions in a folder, and those that still come while it waits.

    All rounds are charged once, before the first answer. Called again it charges nothing; a round
    that was answered is answered as before, bit for bit, and never for another question.

    Args:
        request: What the steward agreed to.
        flow: The public flow that all sites start from.
        noise: Only tests give one.
        progress: Told what is being done.

    Raises:
        InputError: Something is wrong before anything was charged, or a question is not what was
            agreed to.
        BudgetExceeded: A patient would go over the budget or the vault's cap; nothing was charged.
        Aborted: Writing failed in the middle; what is finished is safe.
    """
    noise = SystemNoise() if noise is None else noise
    try:
        with opened_rounds(request, flow, read_only=False, progress=progress) as job:
            return _Respondent(job, noise, progress).run()
    except OSError as error:
        raise Aborted(
            f"a file could not be written ({error.strerror}); running the same command again "
            "goes on from here"
        ) from error


def preview_rounds(
    request: RoundsRequest, flow: Flow, *, progress: ProgressCallback = silent
) -> SynthesisSummary:
    """What `answer_rounds` would cost, told without writing anything.

    Raises:
        InputError: As `answer_rounds`.
        BudgetExceeded: A patient would go over the budget or the vault's cap.
    """
    with opened_rounds(request, flow, read_only=True, progress=progress) as job:
        job.check_study()
        return preview_learning(job, progress)


class _Respondent:
    """Answers, one question after the other."""

    def __init__(self, job: RoundsJob, noise: Noise, progress: ProgressCallback) -> None:
        self._job, self._noise, self._progress = job, noise, progress
        self._public = PublicModel.of(job.flow)
        self._learnt: LearntCohort | None = None
        self._data: HeadData | None = None

    def run(self) -> Answered:
        """Until all rounds are answered, or no question has come for as long as it shall wait."""
        job, request = self._job, self._job.request
        job.check_study()
        if not job.entries():
            job.check_budget()
        answered: set[int] = set()
        until = time.monotonic() + request.wait
        while len(answered) < request.rounds:
            for number in sorted(set(range(1, request.rounds + 1)) - answered):
                if (request.out / question_name(number)).is_file():
                    self._answer(number)
                    answered.add(number)
                    until = time.monotonic() + request.wait
            if time.monotonic() >= until:
                break
            self._progress(len(answered) / request.rounds, "waiting for a question")
            time.sleep(min(POLL, request.wait))
        if self._learnt is None:
            raise InputError(
                f"expected a question in FOLDER, such as {question_name(1)}; there is none"
            )
        counted = job.counted(self._learnt.file)
        return Answered(
            summary=self._learnt.summary,
            rounds=tuple(sorted(answered)),
            key=public_key(job.vault),
            whole=whole_site(counted.training, counted.patients_at_most),
        )

    def _answer(self, number: int) -> None:
        """Writes the answer of a round, which is drawn if it never was before."""
        job = self._job
        question = RoundQuestion.read(job.request.out / question_name(number))
        self._check(question, number)
        sent = job.request.out / answer_name(number)
        if sent.is_file() and not job.kept_answer(number).is_file():
            raise InputError(
                f"{sent.name} is none that the vault keeps for these options, so a second answer "
                "would be drawn; give the options of before, put the vault's file back, or remove "
                "from FOLDER what is not yours"
            )
        if self._learnt is None:
            self._learnt = learn_once(job, self._noise, self._progress)
        kept = job.kept_answer(number)
        if not kept.is_file():
            write_document(kept, self._drawn(question, self._learnt.file))
        elif RoundAnswer.read(kept).question != question.digest:
            raise InputError(
                f"round {number} was answered before, to another question; it is answered once"
            )
        with whole(sent) as temporary:
            shutil.copyfile(kept, temporary)
        self._progress(number / job.request.rounds, f"answered round {number}")

    def _drawn(self, question: RoundQuestion, file: Path) -> RoundAnswer:
        """A new answer, which is to be kept before anybody sees it."""
        job, counted = self._job, self._job.counted(file)
        if self._data is None:
            self._data = job.data()
        weights = question.matrix
        head = start(self._public, len(weights), _side(weights)).with_weights(weights)
        mechanism = rounds_of(job.releases[1:])[question.round - 1]
        known = np.ones(len(weights), dtype=np.bool_)
        total = np.zeros(weights.size, dtype=np.int64)
        for records in self._data.records(head, known):
            total += mechanism.quantise(records).sum(axis=0)
        answer = RoundAnswer(
            tool="latentdp",
            version=__version__,
            format=1,
            name=job.request.name,
            key=public_key(job.vault),
            study=question.study,
            round=question.round,
            question=question.digest,
            training=counted.training,
            patients=counted.patients,
            patients_at_most=counted.patients_at_most,
            sums=tuple(mechanism.release(total, self._noise).tolist()),
        )
        return structs.replace(answer, signature=signature(job.vault, answer.signed))

    def _check(self, question: RoundQuestion, number: int) -> None:
        """Refuses what the steward did not agree to.

        Raises:
            InputError: Why.
        """
        request, name = self._job.request, question_name(number)
        agreed = {
            "study": (question.study, request.study),
            "number of rounds": (question.rounds, request.rounds),
            "list of findings": (question.findings, request.declared),
            "flow": (question.flow, self._job.flow.sha256),
            "round": (question.round, number),
        }
        for what, (asked, ours) in agreed.items():
            if asked != ours:
                raise InputError(
                    f"{name}: it is of another {what} than was agreed to; nothing is sent"
                )
        sides = sides_of(self._public)
        if question.matrix.shape[1] not in [side**2 + 1 for side in sides]:
            raise InputError(
                f"{name}: expected weights for thumbnails of "
                f"{', '.join(map(str, sides))} pixels on a side; nothing is sent"
            )


def _side(weights: NDArray[np.float64]) -> int:
    return math.isqrt(weights.shape[1] - 1)
