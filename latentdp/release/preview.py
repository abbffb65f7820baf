"""What a run would do, told without writing anything: no folder, key, database or file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from latentdp.core.progress import CountCallback
from latentdp.privatizer import Privatizer
from latentdp.release.dask_executor import workplace
from latentdp.release.decide import Decider, Decision, Status
from latentdp.release.folders import check_release, check_vault, find_files
from latentdp.release.inputs import chunks
from latentdp.release.outputs import Outputs
from latentdp.release.request import check_bounded, check_ledger, given_labels, most
from latentdp.release.summary import Summary
from latentdp.release.tasks import Refusal
from latentdp.release.uid_mapping import Mapping
from latentdp.reports.layout import Layout
from latentdp.vault.duplicates import DuplicateIndex
from latentdp.vault.index_file import IndexFile
from latentdp.vault.keys import Keys
from latentdp.vault.ledger import Ledger, LedgerEntry, Spent
from latentdp.vault.vault import Vault

__all__ = ["preview"]

NOWHERE = Path(os.devnull) / "none"  # nothing can lie below a device
NEW = Keys(bytes(32))  # stands for the key of a vault that is still to be made


def preview(
    source: Path,
    privatizer: Privatizer,
    *,
    out: Path | None = None,
    vault: Path | None = None,
    labels: Path | None = None,
    workers: int = 1,
    budget: float | None = None,
    ledger: str | None = None,
    again: bool = False,
    layout: Layout = Layout.FLAT,
    mapping: Path | None = None,
    cluster: str | None = None,
    progress: CountCallback | None = None,
) -> tuple[Summary, list[tuple[str, str]]]:
    """The numbers that `privatize_folder` would give, called in the same way.

    Without ``out`` and ``vault``, or where they are still to be made, those of a new vault. What
    a draw of noise decides, an image that decodes to nothing, is not foretold.

    Returns:
        The summary, and for each refused file its path below ``source`` and the reason.

    Raises:
        InputError: As `latentdp.release.privatize.privatize_folder`.
        BudgetExceeded: Likewise.
    """
    if cluster is not None:  # workers have other working directories
        source, out = source.absolute(), None if out is None else out.absolute()
    limit = most(budget, privatizer)
    found = find_files(source)
    given = given_labels(labels, source, found, privatizer)
    if out is not None and vault is not None:
        check_release(source, out, vault, privatizer, layout)
        check_ledger(ledger, source, out)
        if mapping is not None:
            Mapping(mapping, source=source, out=out)
    store = None
    if vault is not None and Vault.exists(vault):
        store = Vault(vault, read_only=True)
        check_vault(store, out or NOWHERE)
    with (
        closing(_ledger(store, ledger)) as book,
        workplace(privatizer, workers, cluster, source=source, out=None) as processes,
    ):
        book.verify()
        if book.cap() is not None:
            check_bounded(privatizer)
        index = store.index() if store else IndexFile(NOWHERE, read_only=True)
        outputs = Outputs(out or NOWHERE, index)
        outputs.check(book)
        recovered = {e.output: e for _, e in outputs.left_over(book) if e is not None}

        def find(wanted: Iterable[str]) -> dict[str, list[LedgerEntry]]:
            return {
                key: [recovered.get(e.output, e) for e in entries]
                for key, entries in book.find(wanted).items()
            }

        triage = Decider(
            source,
            privatizer,
            keys=store or NEW,
            find=find,
            outputs=outputs,
            twins=DuplicateIndex(index),
            labels=given,
            workers=processes,
            again=again,
        )
        told = _Told(Summary(inputs=len(found)), outputs.entries(book) | recovered)
        for part in chunks(found, processes.chunk):
            for fate in triage.sort(part):
                entry = fate.entry
                if fate.new:
                    entry = triage.reservation(fate)
                told.add(fate, entry, triage.refusal(fate))
                if progress:
                    progress(told.summary.accounted, len(found))
        book.check(told.asked, limit)
        told.sum_up(book)
    return told.summary, told.refused


@dataclass
class _Told:
    """Adds up what would become of the inputs.

    Attributes:
        summary: The numbers.
        here: What would lie in the release folder, by name.
        asked: What would be charged.
        refused: Name and reason of what would be quarantined.
    """

    summary: Summary
    here: dict[str, LedgerEntry]
    asked: list[LedgerEntry] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)

    def add(self, fate: Decision, entry: LedgerEntry | None, refusal: Refusal | None) -> None:
        """One input, with the entry of its output and why it has none."""
        if refusal is not None:
            self.summary.quarantined[refusal.reason] += 1
            self.refused.append((fate.item.name, refusal.reason))
        elif entry is None:
            self.summary.duplicates += 1
        else:
            if fate.new:
                self.asked.append(entry)
            if fate.new and fate.entry is not None:
                self.here.pop(fate.entry.output, None)  # it would be withdrawn
            self.here[entry.output] = entry
            self.summary.released += fate.status is Status.RELEASE
            self.summary.already += fate.status is Status.ALREADY

    def sum_up(self, ledger: Ledger) -> None:
        """The numbers of the folder and of its patients."""
        self.summary.outputs = len(self.here)
        self.summary.spent = sum(entry.micro_epsilon for entry in self.asked) / 1e6
        subjects = {entry.subject for entry in self.here.values()}
        spent = {subject: Spent() for subject in subjects} | ledger.spent(subjects)
        for entry in self.asked:
            spent[entry.subject] = spent[entry.subject].plus(entry.micro_epsilon, entry.pico_delta)
        self.summary.count_patients(spent.values())


def _ledger(store: Vault | None, url: str | None) -> Ledger:
    """That of the vault; a vault that is still to be made has an empty one."""
    if store is not None:
        return store.ledger(url)
    return Ledger(url, vault=NEW.tag, key=NEW.key, head=NOWHERE, read_only=True)
