"""What is to be made of a chunk, each with the reservation that pays for it.

Nothing is drawn before its cost is recorded, durably. A run that dies afterwards owes an output,
which the next run makes under the same reservation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from latentdp.core.version import __version__
from latentdp.data import radiograph
from latentdp.release.account import Account
from latentdp.release.decide import Decision, Status
from latentdp.release.describe import derivation
from latentdp.release.job import Job
from latentdp.release.naming import Naming
from latentdp.release.tasks import Task
from latentdp.reports.layout import Layout
from latentdp.vault.ledger import LedgerEntry

__all__ = ["Owed", "Reserver"]


@dataclass(frozen=True, kw_only=True)
class Owed:
    """An image that is to be made.

    Attributes:
        decision: Of its input, which was read.
        entry: The reservation that has paid for it.
        task: What is to be done.
    """

    decision: Decision
    entry: LedgerEntry
    task: Task


class Reserver:
    """Pays for what is new.

    Args:
        job: Open, and alone in its release folder.
        naming: Of the release.
        account: Is told what was charged.
    """

    def __init__(self, job: Job, naming: Naming, account: Account) -> None:
        self._ledger, self._outputs, self._limit = job.ledger, job.outputs, job.limit
        self._index = job.index
        self._unprotected = bool(job.guarantee.unprotected)
        self._naming, self._account = naming, account
        self._withdrawn = job.vault.path / "withdrawn"
        self._method, self._layout = _provenance(job), job.request.layout

    def expose(self, decisions: Sequence[Decision]) -> None:
        """Has the ledger remember of whom something is released exactly by what was paid earlier.

        In a mirror that may be an image of a release that kept nothing; or version 0.1, whose
        ledger did not remember, has paid.
        """
        if self._unprotected:
            self._ledger.expose(
                decision.entry
                for decision in decisions
                if decision.entry is not None and not decision.new
            )

    def reserve(self, decisions: Sequence[Decision]) -> list[Owed]:
        """Charges what is new; what an earlier run paid for and did not make is owed, too.

        Raises:
            BudgetExceeded: A patient would go over; nothing was charged.
            InputError: The ledger was tampered with.
            Aborted: The database failed.
        """
        paid = []
        for decision in decisions:
            if decision.status is Status.RELEASE and decision.entry is not None:
                if decision.replaced is not None:
                    self._outputs.withdraw(decision.replaced, self._withdrawn)
                paid.append((decision, decision.entry))
        new = [entry for decision, entry in paid if decision.new]
        self._ledger.reserve(new, self._limit, unprotected=self._unprotected)
        self._account.charged(new)
        return self._owed(paid)

    def _owed(self, paid: Sequence[tuple[Decision, LedgerEntry]]) -> list[Owed]:
        """With pseudonyms, and a place for each."""
        known = self._ledger.find([decision.item.key for decision, _ in paid])
        ordinals = {e.output: i for entries in known.values() for i, e in enumerate(entries)}
        owed = [
            Owed(
                decision=decision,
                entry=entry,
                task=self._task(decision, entry.output, ordinals[entry.output]),
            )
            for decision, entry in paid
        ]
        self._index.add_patients({one.task.identity.patient: one.entry.subject for one in owed})
        places = {
            one.entry.output: self._naming.place(
                one.decision.item, one.entry.output, one.task.identity
            )
            for one in owed
        }
        if self._layout is not Layout.CLASS:  # there a label has to be drawn before
            self._outputs.assign(places)
        return owed

    def _task(self, decision: Decision, output: str, ordinal: int) -> Task:
        read = decision.read
        assert read is not None
        return Task(
            output=output,
            image=read.image,
            source=read.source,
            label=decision.item.label,
            identity=self._naming.identity(decision.item, read.said, ordinal),
            method=self._method,
            rated=decision.rated,
        )


def _provenance(job: Job) -> radiograph.Provenance:
    privatizer, guarantee = job.privatizer, job.guarantee
    return radiograph.Provenance(
        description=derivation(privatizer, guarantee),
        private=guarantee.private,
        version=__version__,
        size=privatizer.size,
        profile=privatizer.recipe.profile,
    )
