"""What a run would do, told without writing anything: no folder, key, database or file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from latentdp.core.progress import CountCallback
from latentdp.privatizer import Privatizer
from latentdp.release.decide import Decision, Status
from latentdp.release.job import Job, find_inputs, opened
from latentdp.release.request import ReleaseRequest
from latentdp.release.summary import Summary, Tally
from latentdp.release.tasks import Refusal
from latentdp.vault.ledger import LedgerEntry, Spent

__all__ = ["Preview", "RefusedFile", "foresee", "preview_release"]


class RefusedFile(NamedTuple):
    """An input that would be quarantined.

    Attributes:
        name: Its path below the input folder, which may hold a patient's name.
        reason: Why, in a word.
    """

    name: str
    reason: str


class Preview(NamedTuple):
    """What a run would tell.

    Attributes:
        summary: The numbers.
        refused: What would be quarantined.
    """

    summary: Summary
    refused: Sequence[RefusedFile]


def preview_release(
    request: ReleaseRequest, privatizer: Privatizer, progress: CountCallback | None = None
) -> Preview:
    """The numbers that `latentdp.release.run.run_release` would give.

    Without a release folder, or where its vault is still to be made, those of a new vault. What a
    draw of noise decides, an image that decodes to nothing, is not foretold.

    Args:
        request: What is asked for.
        privatizer: What would be done to each image; it outranks the recipe of the request.
        progress: Called with the number of files done and of all.

    Raises:
        InputError: As a run.
        BudgetExceeded: A patient would go over the budget or the vault's cap.
    """
    files = find_inputs(request, privatizer)
    with opened(request, privatizer, files, read_only=True) as job:
        return foresee(job, progress)


def foresee(job: Job, progress: CountCallback | None = None) -> Preview:
    """Reads and decides everything, and does nothing.

    Args:
        job: Open.
        progress: As for `preview_release`.

    Raises:
        InputError: A file in the release folder is not of the release.
        BudgetExceeded: A patient would go over the budget or the vault's cap.
    """
    job.outputs.check(job.ledger)
    left = job.outputs.left_over(job.ledger)
    recovered = {entry.output: entry for _, entry in left if entry is not None}
    decider = job.decider(recovered)
    future = _Future(job.tally(), job.outputs.entries(job.ledger) | recovered)
    for part in job.workers.chunks(job.files):
        for decision in decider.decide(part):
            future.add(decision, decider.refusal(decision))
            if progress is not None:
                progress(future.tally.accounted, len(job.files))
    unprotected = bool(job.guarantee.unprotected)
    job.ledger.check(future.asked, job.request.limit, unprotected=unprotected)
    return Preview(future.summary(job), future.refused)


@dataclass
class _Future:
    """Adds up what would become of the inputs.

    Attributes:
        tally: The counts.
        here: What would lie in the release folder, by name.
        asked: What would be charged.
        refused: What would be quarantined.
    """

    tally: Tally
    here: dict[str, LedgerEntry]
    asked: list[LedgerEntry] = field(default_factory=list)
    refused: list[RefusedFile] = field(default_factory=list)

    def add(self, decision: Decision, refusal: Refusal | None) -> None:
        """One input, and why it would have no output."""
        entry = decision.entry
        if refusal is None:
            self.tally.count_label(decision.item.label)
        if refusal is not None:
            self.tally.quarantined[refusal.reason] += 1
            self.refused.append(RefusedFile(decision.item.name, refusal.reason))
        elif entry is None:
            self.tally.duplicates += 1
        else:
            if decision.new:
                self.asked.append(entry)
            if decision.replaced is not None:
                self.here.pop(decision.replaced.output, None)  # it would be withdrawn
            self.here[entry.output] = entry
            self.tally.released += decision.status is Status.RELEASE
            self.tally.already += decision.status is Status.ALREADY

    def summary(self, job: Job) -> Summary:
        """The numbers, those of the folder and of its patients included."""
        self.tally.charge(self.asked)
        here = [
            replace(entry, subject=job.ledger.subject(entry.subject))
            for entry in self.here.values()
        ]
        subjects = {entry.subject for entry in here}
        spent = {subject: Spent() for subject in subjects} | job.ledger.spent(subjects)
        for entry in self.asked:
            subject = job.ledger.subject(entry.subject)
            spent[subject] = spent[subject].plus(entry.micro_epsilon, entry.pico_delta)
        return self.tally.summary(
            here,
            spent,
            guarantee=job.guarantee,
        )
