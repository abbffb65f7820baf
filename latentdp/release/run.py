"""One run: many files through one recipe, with workers, resume and quarantine.

For each chunk of files: decide what becomes of each; reserve the cost of what is new in one
durable transaction; only then draw noise, decode and write; record what was written. Files are
taken in random order and get random names, so that neither order nor time links them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import structs

from latentdp.core.arrays import UNKNOWN
from latentdp.core.filesystem import write_json
from latentdp.core.progress import CountCallback
from latentdp.core.version import __version__
from latentdp.data import radiograph
from latentdp.data.labels import write_labels
from latentdp.errors import InputError
from latentdp.privacy.noise import SystemNoise
from latentdp.privacy.samplers.uniform import permutation
from latentdp.privatizer import Privatizer
from latentdp.release.decide import Decider, Decision, Prefetcher, Status
from latentdp.release.describe import derivation, release_card
from latentdp.release.executor import GROUP, Pool
from latentdp.release.inputs import Input, chunks, name_below
from latentdp.release.naming import Naming
from latentdp.release.outputs import Outputs
from latentdp.release.summary import Summary
from latentdp.release.tasks import LOST, NON_FINITE, Task, Written
from latentdp.release.uid_mapping import Mapping
from latentdp.reports.layout import Layout
from latentdp.reports.release_card import CARD, release_id
from latentdp.reports.release_page import write_release_page
from latentdp.reports.review_page import write_review
from latentdp.vault.duplicates import DuplicateIndex
from latentdp.vault.ledger import NOTHING, Ledger, LedgerEntry
from latentdp.vault.run_report import ReportRow, RunReport
from latentdp.vault.vault import Vault

__all__ = ["Run"]


class Run:
    """One run over one folder.

    Args:
        source: Input folder or file.
        out: Release folder.
        privatizer: What to do to each image.
        vault: Open and locked.
        ledger: That of the vault, verified.
        labels: Class index by name below ``source``.
        workers: Who does it.
        again: Release, and charge, what was released before but cannot be found.
        layout: How the images lie in ``out``.
        mapping: Takes old and new identifiers.
        progress: Called with the number of files done and of all.
    """

    def __init__(
        self,
        source: Path,
        out: Path,
        privatizer: Privatizer,
        *,
        vault: Vault,
        ledger: Ledger,
        labels: dict[str, int],
        workers: Pool,
        again: bool,
        layout: Layout = Layout.FLAT,
        mapping: Mapping | None = None,
        progress: CountCallback | None,
    ) -> None:
        self.source, self.out, self.privatizer = source, out, privatizer
        self.vault, self.ledger = vault, ledger
        self.labels, self.workers = labels, workers
        self.again, self.layout, self.mapping = again, Layout(layout), mapping
        self.progress = progress
        self.release = release_id(out) or SystemNoise().words(1).tobytes().hex()
        self.index = vault.index()
        self.outputs = Outputs(out, self.index, self.release)
        self.naming = Naming(vault.key, privatizer.recipe.profile, layout)
        self.summary = Summary()
        self.twins = DuplicateIndex(self.index)
        self.triage = self._triage(self.twins)
        self.method = radiograph.Provenance(
            description=derivation(privatizer),
            version=__version__,
            size=privatizer.size,
            profile=privatizer.recipe.profile,
        )
        self.made: dict[str, LedgerEntry] = {}

    def check_budget(self, found: Sequence[Path], limit: int | None) -> None:
        """Reads everything once, so that a refusal comes before the first output."""
        triage = self._triage(DuplicateIndex(self.index))
        asked = [
            triage.reservation(fate)
            for part in chunks(found, self.workers.chunk)
            for fate in triage.sort(part)
            if fate.new
        ]
        self.ledger.check(asked, limit)

    def run(self, found: Sequence[Path], limit: int | None) -> None:
        """All files, chunk by chunk, in random order."""
        self.summary.inputs = len(found)
        self.naming.expect(name_below(self.source, path) for path in found)
        self.out.mkdir(parents=True, exist_ok=True)
        self._write_card("incomplete")
        self.outputs.recover(self.ledger)
        self.outputs.check(self.ledger)
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        self.summary.report = self.vault.reports / f"{stamp}.jsonl"
        recipe = self.privatizer.recipe.to_toml()
        self.summary.report.with_suffix(".toml").write_text(recipe, encoding="utf-8")
        order = permutation(SystemNoise(), len(found))
        with RunReport(self.summary.report) as report:
            ahead = Prefetcher(
                self.triage, self.workers, chunks([found[i] for i in order], self.workers.chunk)
            )
            for fates in ahead:
                for fate, row in self._chunk(fates, limit, ahead.look):
                    if fate.read is not None:
                        report.claims(fate.item.name, fate.read.instance, fate.item.key)
                    report.add(row)
                    if self.progress:
                        self.progress(self.summary.accounted, self.summary.inputs)
                report.flush()
            report.finish()
        if self.mapping is not None:
            self.mapping.write()
        self._write_card("complete")
        write_review(
            self.vault.path,
            report=self.summary.report,
            source=self.source,
            out=self.out,
            usual=self.privatizer.flow.likelihood_range,
            read=self.workers.read,
        )

    def _triage(self, twins: DuplicateIndex) -> Decider:
        return Decider(
            self.source,
            self.privatizer,
            keys=self.vault,
            find=self.ledger.find,
            outputs=self.outputs,
            twins=twins,
            labels=self.labels,
            workers=self.workers,
            again=self.again,
        )

    def _chunk(
        self, fates: Sequence[Decision], limit: int | None, reserved: Callable[[], None]
    ) -> Iterator[tuple[Decision, ReportRow]]:
        """Releases one chunk; yields a row of the private report for each input."""
        self.twins.keep()  # before the reservation: what is found equal stays one release
        batch: list[tuple[Decision, LedgerEntry]] = []
        earlier = self._find_earlier(fates)
        for fate in fates:
            if fate.status is Status.QUARANTINED:
                yield fate, self._quarantine(fate)
            elif fate.status is Status.ALREADY:
                yield fate, self._already(fate, earlier)
            elif fate.status is Status.RELEASE and fate.new:
                if fate.entry is not None:
                    self.outputs.withdraw(fate.entry, self.vault.path / "withdrawn")
                batch.append((fate, self.triage.reservation(fate)))
            elif fate.status is Status.RELEASE and fate.entry is not None:
                batch.append((fate, fate.entry))
        new = [entry for fate, entry in batch if fate.new]
        self.ledger.reserve(new, limit)
        self.summary.spent += sum(entry.micro_epsilon for entry in new) / 1e6
        reserved()
        yield from self._release(batch)
        for fate in fates:
            if fate.status is Status.DUPLICATE:
                yield fate, self._duplicate(fate)

    def _release(
        self, batch: Sequence[tuple[Decision, LedgerEntry]]
    ) -> Iterator[tuple[Decision, ReportRow]]:
        """Noise, decode, write; then record; then give the files their names."""
        known = self.ledger.find(fate.item.key for fate, _ in batch)
        ordinals = {e.output: i for same in known.values() for i, e in enumerate(same)}
        tasks = [self._task(fate, entry, ordinals[entry.output]) for fate, entry in batch]
        self.outputs.assign(
            {
                entry.output: self.naming.place(fate.item, entry.output, task.identity)
                for (fate, entry), task in zip(batch, tasks, strict=True)
            }
        )
        parts = [slice(i, i + GROUP) for i in range(0, len(batch), GROUP)]
        written = self.workers.release([tasks[part] for part in parts])
        for part, results in zip(parts, written, strict=True):
            done = [
                entry.written(result.sha256 or NOTHING, result.label, self.outputs.folder)
                for (_, entry), result in zip(batch[part], results, strict=True)
            ]
            late = self.ledger.finish(done)
            for (fate, _), task, entry, result in zip(
                batch[part], tasks[part], done, results, strict=True
            ):
                if entry.output in late:
                    self.outputs.discard(entry)
                    yield fate, self._quarantine(self.triage.refuse(fate.item, LOST))
                    continue
                if entry.sha256 == NOTHING:
                    yield fate, self._quarantine(self.triage.refuse(fate.item, NON_FINITE))
                    continue
                self.outputs.publish(entry)
                self.summary.released += 1
                row = self._here(fate, "released", entry)
                yield fate, _with_private_facts(row, task, entry, result)

    def _find_earlier(self, fates: Sequence[Decision]) -> dict[str, Path]:
        """The outputs of earlier runs, by name; those that lie elsewhere get their places here."""
        earlier: dict[str, Path] = {}
        places: dict[str, str] = {}
        for fate in fates:
            if fate.status is not Status.ALREADY or fate.entry is None:
                continue
            path = self.outputs.find(fate.entry)
            if path is None:  # removed since it was decided
                raise InputError("an output was removed while the run was going on; run it again")
            earlier[fate.entry.output] = path
            output = fate.entry.output
            if path != self.outputs.path(output):
                places[output] = self.naming.place(fate.item, output, self._told(fate.item, path))
        if places:
            self.outputs.assign(places)
        return earlier

    def _already(self, fate: Decision, earlier: dict[str, Path]) -> ReportRow:
        """Has the output of an earlier run here, copied if need be."""
        entry = fate.entry
        assert entry is not None
        path = earlier[entry.output]
        if path != self.outputs.path(entry.output):
            self.outputs.serve(entry, path)
        if not Path(entry.folder).exists():  # moved: from now on it is known to be here
            here = self.outputs.folder
            self.ledger.move(entry.written(entry.sha256, entry.label, here))
        self.summary.already += 1
        return self._here(fate, "already", entry)

    def _here(self, fate: Decision, status: str, entry: LedgerEntry) -> ReportRow:
        """The row of an input whose output is here, its own or that of an equal input."""
        self.made[fate.item.key] = entry
        if self.mapping is not None:
            path, duplicate = self.outputs.path(entry.output), status == "duplicate"
            self.mapping.add(fate.item.path, path, duplicate=duplicate)
        place = self.outputs.place(entry.output)
        return ReportRow(file=fate.item.name, status=status, output=place, id=entry.output)

    def _duplicate(self, fate: Decision) -> ReportRow:
        refusal = self.triage.refusal(fate)
        if refusal is not None:
            return self._quarantine(self.triage.refuse(fate.item, refusal))
        self.summary.duplicates += 1
        return self._here(fate, "duplicate", self.made[fate.item.key])

    def _quarantine(self, fate: Decision) -> ReportRow:
        assert fate.refusal is not None
        self.summary.quarantined[fate.refusal.reason] += 1
        return ReportRow(
            file=fate.item.name,
            status="quarantined",
            reason=fate.refusal.reason,
            message=fate.refusal.message,
        )

    def _told(self, item: Input, output: Path) -> radiograph.Identity:
        """The pseudonyms of an output, which a picture does not state."""
        if output.suffix == ".dcm":
            return radiograph.identity(output)
        said = radiograph.Identity(patient="", study="", series="", instance="")
        return self.naming.identity(item, said, 0)

    def _task(self, fate: Decision, entry: LedgerEntry, ordinal: int) -> Task:
        assert fate.read is not None
        return Task(
            path=self.outputs.draft(entry.output),
            image=fate.read.image,
            source=fate.read.source,
            label=fate.item.label,
            identity=self.naming.identity(fate.item, fate.read.said, ordinal),
            method=self.method,
        )

    def _write_card(self, status: str) -> None:
        """The card, and the labels, of everything that lies in the folder."""
        entries = self.outputs.entries(self.ledger).values()
        spent = self.ledger.spent({entry.subject for entry in entries})
        summary, classes = self.summary, self.privatizer.flow.classes
        summary.outputs = len(entries)
        summary.count_patients(spent.values())
        here = Counter(entry.subject for entry in entries)
        summary.most_images_here = max(here.values(), default=0)
        labels = {
            self.outputs.place(e.output): classes[e.label] for e in entries if e.label != UNKNOWN
        }
        if labels:
            write_labels(self.out / "labels.csv", labels)
        card = release_card(
            self.privatizer,
            summary,
            status=status,
            vault=self.vault.tag,
            release=self.release,
            layout=self.layout,
        )
        write_json(self.out / CARD, card.to_json())
        write_release_page(self.out)


def _with_private_facts(
    row: ReportRow, task: Task, entry: LedgerEntry, result: Written
) -> ReportRow:
    """What the report tells of a released image besides; for the vault only."""
    return structs.replace(
        row,
        patient=task.identity.patient,
        epsilon=entry.micro_epsilon / 1e6,
        bits_per_dimension=round(result.bits, 4),
        odd=result.odd,
    )
