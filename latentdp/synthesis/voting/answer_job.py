"""Questions to voters, checked and open: vault, ledger, voters and plan, for runs and previews."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from latentdp.core.documents import to_json
from latentdp.core.progress import ProgressCallback
from latentdp.errors import InputError
from latentdp.privacy.gaussian_accountant import default_delta
from latentdp.privacy.units import micro, pico
from latentdp.privacy.vote_accountant import Elections
from latentdp.reports.answers_card import AnswersRecipe, VotesGuarantee
from latentdp.synthesis.voting.answer_request import AnswerRequest
from latentdp.synthesis.voting.describe import guarantee_of_votes, planned
from latentdp.synthesis.voting.kept_voters import KeptVoters, voters_file
from latentdp.synthesis.voting.own_images import refuse_own_images
from latentdp.synthesis.voting.questions import Questions, read_questions
from latentdp.synthesis.voting.voters.base import Ballot, counted
from latentdp.synthesis.voting.write import check_destination
from latentdp.vault.ledger import Ledger, LedgerEntry, Spent
from latentdp.vault.most_spent import most_spent
from latentdp.vault.vault import Vault

__all__ = ["COUNTED", "AnswerJob", "opened_questions"]

COUNTED = 0.7  # share of the work that reading takes


@dataclass(frozen=True, kw_only=True)
class AnswerJob:
    """Questions to voters, checked and open.

    Attributes:
        request: What is asked for.
        vault: Open, and for a run locked.
        ledger: That of the vault, verified.
        kept: The voters: private.
        questions: Public images, read.
        recipe: What determines all answers.
        plan: Their noise.
    """

    request: AnswerRequest
    vault: Vault
    ledger: Ledger
    kept: KeptVoters
    questions: Questions
    recipe: AnswersRecipe
    plan: Elections

    @cached_property
    def key(self) -> str:
        """What makes answers the same ones: voters, questions and recipe."""
        return self.vault.token("answers", self.kept.sha256, str(to_json(self.recipe)))

    @cached_property
    def guarantee(self) -> VotesGuarantee:
        """What every patient is charged, and what the site risks."""
        return guarantee_of_votes(
            self.plan, self.recipe.delta, self.recipe.voters.number, secure=True
        )

    def entries(self) -> list[LedgerEntry]:
        """What the ledger knows of these answers: an entry of each patient, or none."""
        return self.ledger.find([self.key]).get(self.key, [])

    def charge(self, run: str) -> list[LedgerEntry]:
        """What is to be reserved, of every patient behind the voters."""
        for account in self.kept.card.accounts:
            for spelling in account.spellings:
                self.ledger.join(spelling, account.subject)
            for picture in account.pictures:
                self.ledger.join(picture, account.subject, uncharged=True)
        return [
            LedgerEntry(
                key=self.key,
                subject=account.subject,
                micro_epsilon=micro(self.guarantee.charged),
                pico_delta=pico(self.recipe.delta),
                output=f"{run}.{i}",
                folder=self.vault.tag,
            )
            for i, account in enumerate(self.kept.card.accounts)
        ]

    def standing(self, more: Sequence[LedgerEntry] = ()) -> Spent:
        """Most that patients behind the voters have spent in the vault.

        Args:
            more: What would be reserved beside.
        """
        subjects = (account.subject for account in self.kept.card.accounts)
        return most_spent(self.ledger, subjects, more)

    def counts(self) -> NDArray[np.int64]:
        """Votes: **private**."""
        ballot = Ballot(self.recipe.ballot)
        return counted(self.kept.voters, self.questions.thumbnails, ballot)


@contextmanager
def opened_questions(
    request: AnswerRequest, *, read_only: bool, progress: ProgressCallback
) -> Iterator[AnswerJob]:
    """The job, open until the block ends.

    Args:
        request: What is asked for.
        read_only: For a preview: nothing is made or written, nor locked.
        progress: Told how many questions were read.

    Raises:
        InputError: The vault, its voters, the questions or the output cannot be used.
    """
    with ExitStack() as held:
        vault = Vault(request.vault, read_only=read_only)
        if not read_only:
            held.enter_context(vault.locked())
        ledger = held.enter_context(closing(vault.ledger(request.ledger)))
        ledger.verify()
        check_destination(request.out, vault.tag)
        kept = KeptVoters.load(voters_file(vault.path, request.name))
        findings = kept.card.recipe.findings
        if request.ballot == Ballot.ONE and len(findings) < 2:
            raise InputError(
                "one finding alone is no choice; give --ballot each, or teach voters of two"
            )
        questions = read_questions(
            request.queries,
            request.questions,
            kept.card.shape,
            request.profile,
            lambda done, total: progress(COUNTED * done / total, "reading questions"),
        )
        refuse_own_images(questions, kept.card, vault)
        delta = request.delta
        recipe = AnswersRecipe(
            voters=kept.card.recipe,
            ballot=request.ballot,
            aggregator=request.aggregator,
            epsilon=float(request.epsilon),
            delta=default_delta(len(kept.card.accounts)) if delta is None else float(delta),
            questions=request.questions,
            asked=questions.asked,
        )
        yield AnswerJob(
            request=request,
            vault=vault,
            ledger=ledger,
            kept=kept,
            questions=questions,
            recipe=recipe,
            plan=planned(recipe),
        )
