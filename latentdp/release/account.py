"""What a run tells of each input: a count, a row of the private report, a line of the map."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from msgspec import structs

from latentdp.core.progress import CountCallback
from latentdp.release.decide import Decision
from latentdp.release.inputs import Input
from latentdp.release.summary import Tally
from latentdp.release.tasks import BEYOND, Refusal, Task, Written
from latentdp.release.uid_mapping import UidMapping
from latentdp.vault.ledger import LedgerEntry
from latentdp.vault.run_report import ReportRow, RunReport

__all__ = ["Account"]


class Account:
    """Is told of each input once, when it is done, and of what was charged.

    Args:
        tally: Of the run.
        report: Open.
        images: Folder of the released images.
        mapping: Takes old and new identifiers; None for no map.
        progress: Called with the number of files done and of all.
        unprotected: Whether anything of each output is released exactly.
    """

    def __init__(
        self,
        tally: Tally,
        report: RunReport,
        images: Path,
        mapping: UidMapping | None,
        progress: CountCallback | None,
        *,
        unprotected: bool,
    ) -> None:
        self._tally, self._report, self._images = tally, report, images
        self._mapping, self._progress = mapping, progress
        self._unprotected = unprotected

    def charged(self, entries: Collection[LedgerEntry]) -> None:
        """Reservations were made."""
        self._tally.charge(entries)

    def flush(self) -> None:
        """What was told so far is in the report, whatever happens."""
        self._report.flush()

    def refused(self, decision: Decision, refusal: Refusal) -> None:
        """It is not released, and why."""
        self._tally.refuse(refusal)
        row = ReportRow(
            file=decision.item.name,
            status="beyond" if refusal == BEYOND else "quarantined",
            reason=refusal.reason,
            message=refusal.message,
        )
        self._add(decision, row)

    def already(self, decision: Decision, entry: LedgerEntry, place: str) -> None:
        """Its output of an earlier run is here.

        Args:
            decision: On the input.
            entry: Of the output in the ledger.
            place: Of the output below the images folder.
        """
        self._tally.already += 1
        self._add(decision, self._here("already", decision.item, entry, place))

    def duplicate(self, decision: Decision, entry: LedgerEntry, place: str) -> None:
        """The output of an equal input stands for it."""
        self._tally.duplicates += 1
        self._add(decision, self._here("duplicate", decision.item, entry, place))

    def released(
        self, decision: Decision, entry: LedgerEntry, place: str, task: Task, written: Written
    ) -> None:
        """Its output was written, recorded and published."""
        self._tally.released += 1
        self._tally.rate([written.odd])
        row = structs.replace(
            self._here("released", decision.item, entry, place),
            patient=task.identity.patient,
            epsilon=None if self._unprotected else entry.micro_epsilon / 1e6,
            epsilon_of_noised_part=entry.micro_epsilon / 1e6 if self._unprotected else None,
            bits_per_dimension=round(written.bits, 4),
            odd=written.odd,
        )
        self._add(decision, row)

    def _here(self, status: str, item: Input, entry: LedgerEntry, place: str) -> ReportRow:
        """The row of an input whose output is here, its own or that of an equal input."""
        self._tally.count_label(item.label)
        if self._mapping is not None:
            path = self._images / place
            self._mapping.add(item.path, path, duplicate=status == "duplicate")
        return ReportRow(
            file=item.name, status=status, output=place, id=entry.output, subject=entry.subject
        )

    def _add(self, decision: Decision, row: ReportRow) -> None:
        if decision.read is not None:
            self._report.claims(row.file, decision.read.instance, decision.item.key)
        self._report.add(row)
        if self._progress is not None:
            self._progress(self._tally.accounted, self._tally.inputs)
