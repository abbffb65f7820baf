"""What comes into the release folder: outputs that were recorded, new or of earlier runs.

Nothing comes there before what it is has been recorded. A run that dies in between leaves a draft
in the vault, which the next run publishes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from latentdp.data import radiograph
from latentdp.errors import InputError
from latentdp.release.account import Account
from latentdp.release.decide import Decider, Decision, Status
from latentdp.release.inputs import Input
from latentdp.release.job import Job
from latentdp.release.naming import Naming
from latentdp.release.reserve import Owed
from latentdp.release.tasks import LOST, NON_FINITE, Written
from latentdp.reports.layout import Layout
from latentdp.vault.ledger import NOTHING, LedgerEntry

__all__ = ["Publisher"]


class Publisher:
    """Sees to it that each input has its output in the folder, or a reason why not.

    Args:
        job: Open, and alone in its release folder.
        decider: Made the decisions.
        naming: Of the release.
        account: Is told what became of each input.
    """

    def __init__(self, job: Job, decider: Decider, naming: Naming, account: Account) -> None:
        self._ledger, self._outputs = job.ledger, job.outputs
        self._decider, self._naming, self._account = decider, naming, account
        self._published: dict[str, LedgerEntry] = {}  # by key
        self._space = job.privatizer.label_space
        self._by_class = job.request.layout is Layout.CLASS

    def known(self, decisions: Sequence[Decision]) -> None:
        """What needs nothing to be made: what is refused, and what earlier runs made.

        Raises:
            InputError: The output of an earlier run is gone.
        """
        earlier = self._find_earlier(decisions)
        for decision in decisions:
            if decision.refusal is not None:
                self._account.refused(decision, decision.refusal)
            elif decision.status is Status.ALREADY and decision.entry is not None:
                self._serve(decision.entry, earlier[decision.entry.output])
                self._published[decision.item.key] = decision.entry
                self._account.already(decision, decision.entry, self._place(decision.entry))

    def publish(self, owed: Sequence[Owed], results: Sequence[Written]) -> None:
        """Records what was written, then publishes it.

        Args:
            owed: Images that were to be made.
            results: What became of each.
        """
        recorded = [
            one.entry.written(result.sha256 or NOTHING, result.label, self._outputs.folder)
            for one, result in zip(owed, results, strict=True)
        ]
        late = self._ledger.finish(recorded)
        if self._by_class:
            self._sort(owed, recorded, late)
        for one, entry, result in zip(owed, recorded, results, strict=True):
            if entry.output in late:
                self._outputs.discard(entry)
                refusal = LOST
            elif entry.sha256 == NOTHING:
                refusal = NON_FINITE
            else:
                self._outputs.publish(entry)
                self._published[one.decision.item.key] = entry
                self._account.released(one.decision, entry, self._place(entry), one.task, result)
                continue
            self._decider.refuse(one.decision.item, refusal)
            self._account.refused(one.decision, refusal)

    def duplicates(self, decisions: Sequence[Decision]) -> None:
        """What equals another input has that one's output, or the reason why it has none."""
        for decision in decisions:
            if decision.status is not Status.DUPLICATE:
                continue
            refusal = self._decider.refusal(decision)
            if refusal is None:
                entry = self._published[decision.item.key]
                self._account.duplicate(decision, entry, self._place(entry))
            else:
                self._account.refused(decision, refusal)

    def _sort(
        self, owed: Sequence[Owed], recorded: Sequence[LedgerEntry], late: Collection[str]
    ) -> None:
        """Gives outputs their places by the labels that were drawn, which are recorded."""
        self._outputs.assign(
            {
                entry.output: self._naming.place(
                    one.decision.item, entry.output, one.task.identity, self._label(entry)
                )
                for one, entry in zip(owed, recorded, strict=True)
                if entry.output not in late and entry.sha256 != NOTHING
            }
        )

    def _label(self, entry: LedgerEntry) -> str:
        """The released label of an output; empty for none."""
        return self._space.name(entry.label)

    def _place(self, entry: LedgerEntry) -> str:
        return self._outputs.place(entry.output)

    def _find_earlier(self, decisions: Sequence[Decision]) -> dict[str, Path]:
        """The outputs of earlier runs, by name; those that lie elsewhere get their places here."""
        earlier: dict[str, Path] = {}
        places: dict[str, str] = {}
        for decision in decisions:
            if decision.status is not Status.ALREADY or decision.entry is None:
                continue
            item, output = decision.item, decision.entry.output
            path = self._outputs.find(decision.entry)
            if path is None:  # removed since it was decided
                raise InputError("an output was removed while the run was going on; run it again")
            earlier[output] = path
            if path != self._outputs.path(output):
                places[output] = self._naming.place(
                    item, output, self._stated(item, path), self._label(decision.entry)
                )
        if places:
            self._outputs.assign(places)
        return earlier

    def _serve(self, entry: LedgerEntry, path: Path) -> None:
        """Has the output of an earlier run here, copied if need be."""
        if path != self._outputs.path(entry.output):
            self._outputs.serve(entry, path)
        if not Path(entry.folder).exists():  # moved: from now on it is known to be here
            here = self._outputs.folder
            self._ledger.move(entry.written(entry.sha256, entry.label, here))

    def _stated(self, item: Input, output: Path) -> radiograph.Identity:
        """The pseudonyms of an output, which a picture of 0.1 does not state."""
        stated = radiograph.released_identity(output)
        if stated.patient:
            return stated
        said = radiograph.Identity(patient="", study="", series="", instance="")
        return self._naming.identity(item, said, 0)
