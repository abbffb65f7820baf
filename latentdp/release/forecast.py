"""What a run would do, decided without any effect: no folder, key, database or file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import UNKNOWN
from latentdp.core.progress import CountCallback
from latentdp.privatizer import Privatizer, Rating
from latentdp.release.decide import Decision, Status
from latentdp.release.job import Job
from latentdp.release.selection import Candidate, select
from latentdp.release.summary import Summary, Tally
from latentdp.release.tasks import BEYOND, Refusal
from latentdp.vault.ledger import LedgerEntry, Spent

__all__ = ["Forecast", "RefusedFile", "foresee"]


class RefusedFile(NamedTuple):
    """An input that would be quarantined.

    Attributes:
        name: Its path below the input folder, which may hold a patient's name.
        reason: Why, in a word.
    """

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """All that is known of a run before it is made.

    Attributes:
        summary: The numbers.
        refused: What would be quarantined.
        selected: The images that would be charged, by `Decision.order`.
        images_per_patient: Number of images to number of patients who have as many, in the inputs
            and in the folder, what is left out included; duplicates are one image.
        odd: Names of the inputs to be released that are unlike what the flow was trained on;
            None where they were not rated.
        unlabelled: Names of the inputs that the list gives no label, of those that would not be
            quarantined; none where labels are not used.
    """

    summary: Summary
    refused: Sequence[RefusedFile]
    selected: frozenset[str]
    images_per_patient: Mapping[int, int]
    odd: tuple[str, ...] | None
    unlabelled: tuple[str, ...]


def foresee(job: Job, progress: CountCallback | None = None, *, rate: bool = False) -> Forecast:
    """Reads and decides everything, and does nothing.

    Args:
        job: Open.
        progress: Called with the number of files done and of all.
        rate: Look for odd inputs, too.

    Raises:
        InputError: A file in the release folder is not of the release.
        BudgetExceeded: A patient would go over the budget or the vault's cap.
    """
    job.outputs.check(job.ledger)
    left = job.outputs.left_over(job.ledger)
    recovered = {entry.output: entry for _, entry in left if entry is not None}
    decider = job.decider(recovered)
    future = _Future(job.tally(), job.outputs.entries(job.ledger) | recovered)
    odd: list[str] = []
    done = 0
    for part in job.workers.chunks(job.files):
        decisions = decider.decide(part)
        for decision in decisions:
            future.add(decision, decider.refusal(decision))
            done += 1
            if progress is not None:
                progress(done, len(job.files))
        if rate:
            read, found = _rated(decisions, job.privatizer)
            future.tally.rate(found)
            odd += [name for name, is_odd in zip(read, found, strict=True) if is_odd]
    selected = future.select(job)
    unprotected = bool(job.guarantee.unprotected)
    job.ledger.check(future.asked, job.limit, unprotected=unprotected)
    return Forecast(
        summary=future.summary(job),
        refused=future.refused,
        selected=selected,
        images_per_patient=future.images_per_patient(job),
        odd=tuple(odd) if rate else None,
        unlabelled=tuple(future.unlabelled) if job.labelled else (),
    )


def _rated(
    decisions: Sequence[Decision], privatizer: Privatizer
) -> tuple[list[str], NDArray[np.bool_]]:
    """Names of the inputs that were read, and whether each is unlike what the flow knows."""
    read = [
        (decision.item, decision.read.image)
        for decision in decisions
        if decision.status is Status.RELEASE and decision.read is not None
    ]
    if not read:
        return [], np.zeros(0, dtype=np.bool_)
    rated = [one.rated for one in decisions if one.rated is not None]
    if len(rated) == len(read):  # --refuse-odd has asked already
        return [item.name for item, _ in read], Rating.together(rated).odd
    labels = np.array([item.label for item, _ in read])
    rating = privatizer.rate(np.stack([image for _, image in read]), labels=labels)
    return [item.name for item, _ in read], rating.odd


@dataclass
class _Future:
    """Adds up what would become of the inputs.

    Attributes:
        tally: The counts.
        here: What would lie in the release folder, by name.
        new: What a patient's budget may have to pay for.
        duplicates: Inputs for which the output of another one would stand.
        beyond: What would be left out.
        asked: What would be charged.
        refused: What would be quarantined.
        unlabelled: What else has no label, by name.
    """

    tally: Tally
    here: dict[str, LedgerEntry]
    new: list[_New] = field(default_factory=list)
    duplicates: list[_Duplicate] = field(default_factory=list)
    beyond: list[LedgerEntry] = field(default_factory=list)
    asked: list[LedgerEntry] = field(default_factory=list)
    refused: list[RefusedFile] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)

    def add(self, decision: Decision, refusal: Refusal | None) -> None:
        """One input, and why it would have no output."""
        item, entry = decision.item, decision.entry
        if refusal is None and item.label == UNKNOWN:
            self.unlabelled.append(item.name)
        if refusal is not None:
            self.tally.refuse(refusal)
            self.refused.append(RefusedFile(item.name, refusal.reason))
        elif entry is None:
            self.duplicates.append(_Duplicate(item.key, item.label))
        elif decision.new:
            replaced = None if decision.replaced is None else decision.replaced.output
            self.new.append(_New(decision.order, entry, item.label, replaced))
        else:
            self._has(entry, item.label)
            self.tally.released += decision.status is Status.RELEASE
            self.tally.already += decision.status is Status.ALREADY

    def select(self, job: Job) -> frozenset[str]:
        """Charges what the patients' budgets pay for, and leaves out the rest."""
        spent, subject = job.ledger.spent(), job.ledger.subject
        selected = select(
            (
                Candidate(
                    order=one.order,
                    subject=subject(one.entry.subject),
                    micro_epsilon=one.entry.micro_epsilon,
                    pico_delta=one.entry.pico_delta,
                )
                for one in self.new
            ),
            lambda who: spent.get(who, Spent()),
            job.patient_limit,
        )
        for one in self.new:
            if one.order in selected:
                if one.replaced is not None:
                    self.here.pop(one.replaced, None)  # it would be withdrawn
                self.asked.append(one.entry)
                self._has(one.entry, one.label)
                self.tally.released += 1
            else:
                self.beyond.append(one.entry)
                self.tally.refuse(BEYOND)
        left_out = {entry.key for entry in self.beyond}
        for copy in self.duplicates:
            if copy.key in left_out:
                self.tally.refuse(BEYOND)
            else:
                self.tally.duplicates += 1
                self.tally.count_label(copy.label)
        return selected

    def _has(self, entry: LedgerEntry, label: int) -> None:
        """An input with an output."""
        self.here[entry.output] = entry
        self.tally.count_label(label)

    def images_per_patient(self, job: Job) -> Mapping[int, int]:
        """Number of images to number of patients."""
        entries = [*self.here.values(), *self.beyond]
        images = Counter(job.ledger.subject(entry.subject) for entry in entries)
        return dict(sorted(Counter(images.values()).items()))

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
            budget=job.privatizer.recipe.patient_budget,
        )


class _New(NamedTuple):
    """An input that is still to be charged: its `Decision` without the image."""

    order: str
    entry: LedgerEntry
    label: int
    replaced: str | None


class _Duplicate(NamedTuple):
    """An input for which the output of another one of this key stands."""

    key: str
    label: int
