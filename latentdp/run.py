"""One run: many files through one recipe, with workers, resume and quarantine.

For each chunk of files: look up what the ledger already knows; read the rest; reserve their cost
in one durable transaction; only then draw noise, decode and write; record what was written. Files
are taken in random order and get random names, so that neither order nor time links them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentdp import __version__, files
from latentdp.arrays import UNKNOWN
from latentdp.card import derivation, release_card, write_json
from latentdp.contact_sheet import contact_sheet
from latentdp.dicom.pseudonyms import Pseudonyms
from latentdp.errors import InputError
from latentdp.folders import CARD, IMAGES
from latentdp.inputs import Input, chunks, name_below
from latentdp.labels import LabelRelease, write_labels
from latentdp.ledger import NOTHING, Entry, Ledger, micro, pico
from latentdp.noise import SystemNoise
from latentdp.outputs import Outputs
from latentdp.privatizer import Privatizer
from latentdp.samplers import permutation
from latentdp.summary import Summary
from latentdp.vault import Vault
from latentdp.workers import GROUP, LOST, NON_FINITE, Pool, Refusal, Task

__all__ = ["Progress", "Run"]

SHEET = 12  # pairs on the before/after sheet

Progress = Callable[[int, int], None]


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
        progress: Progress | None,
    ) -> None:
        self.source, self.out, self.privatizer = source, out, privatizer
        self.vault, self.ledger = vault, ledger
        self.labels, self.workers = labels, workers
        self.again, self.progress = again, progress
        self.outputs = Outputs(out)
        self.pseudonyms = Pseudonyms(vault.key)
        self.summary = Summary()
        guarantee = privatizer.plan.guarantee
        self.cost, self.delta = micro(guarantee.epsilon), pico(guarantee.delta)
        self.method = files.Method(
            description=derivation(privatizer),
            version=__version__,
            size=privatizer.flow.shape[0],
        )
        self.seen: set[str] = set()
        self.refused: dict[str, Refusal] = {}
        self.pairs: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []

    def check_budget(self, found: Sequence[Path], limit: int | None) -> None:
        """Reads everything once, so that a refusal comes before the first output."""
        asked: dict[str, Entry] = {}
        for part in chunks(found):
            inputs = self._inputs(part)
            known = self._known(inputs)
            todo = [i for i in inputs if self._is_new(known.get(i.key))]
            for item, read in zip(todo, self.workers.read([i.path for i in todo]), strict=True):
                if not isinstance(read, Refusal):
                    asked[item.key] = self._entry(item, read)
        self.ledger.check(list(asked.values()), limit)

    def run(self, found: Sequence[Path], limit: int | None) -> None:
        """All files, chunk by chunk, in random order."""
        self.summary.inputs = len(found)
        self.out.mkdir(parents=True, exist_ok=True)
        self._write_card("incomplete")
        self.outputs.recover(self.ledger)
        names = self.outputs.names()
        strange = len(names) - len(self.ledger.outputs(names))
        if strange:
            raise InputError(f"{strange} files in {IMAGES} are not of this release; remove them")
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        self.summary.report = self.vault.reports / f"{stamp}.jsonl"
        recipe = self.privatizer.recipe.to_toml()
        self.summary.report.with_suffix(".toml").write_text(recipe, encoding="utf-8")
        order = permutation(SystemNoise(), len(found))
        with self.summary.report.open("w", encoding="utf-8") as report:
            for part in chunks([found[i] for i in order]):
                for row in self._chunk(self._inputs(part), limit):
                    report.write(json.dumps(row) + "\n")
                    if self.progress:
                        self.progress(self.summary.accounted, self.summary.inputs)
                report.flush()
        if self.pairs:
            sides = [np.stack(side) for side in zip(*self.pairs, strict=True)]
            contact_sheet(self.vault.path / "before-after.png", sides)
        self._write_card("complete")

    def _inputs(self, paths: Sequence[Path]) -> list[Input]:
        inputs = []
        noise = "" if self.privatizer.guarantee.secure else "seeded"
        for path, digest in zip(paths, self.workers.digests(paths), strict=True):
            name = name_below(self.source, path)
            label = UNKNOWN
            if self.privatizer.plan.label is not LabelRelease.NONE:
                label = self.labels.get(name, UNKNOWN)
            content = digest or name
            key = self.vault.token(
                "release", content, self.privatizer.recipe.digest, str(label), noise
            )
            inputs.append(Input(path=path, name=name, content=content, key=key, label=label))
        return inputs

    def _chunk(self, inputs: Sequence[Input], limit: int | None) -> Iterator[dict[str, str]]:
        """Releases one chunk; yields a row of the private report for each input."""
        known = self._known(inputs)
        todo: list[Input] = []
        copies: list[Input] = []
        for item in inputs:
            entry = known.get(item.key)
            if item.key in self.seen:
                copies.append(item)
            elif entry is None or not entry.sha256:
                todo.append(item)
            elif entry.sha256 == NOTHING:
                yield self._quarantine(item, NON_FINITE)
            elif self.outputs.serve(entry):
                if not Path(entry.folder).exists():  # moved: from now on it is known to be here
                    here = self.outputs.folder
                    self.ledger.finish([entry.written(entry.sha256, entry.label, here)])
                self.summary.already += 1
                yield _row(item, "already", entry)
            elif self.again:
                todo.append(item)
            else:
                yield self._quarantine(item, LOST)
            self.seen.add(item.key)
        batch: list[tuple[Input, files.Radiograph, Entry]] = []
        new: list[Entry] = []
        for item, read in zip(todo, self.workers.read([i.path for i in todo]), strict=True):
            if isinstance(read, Refusal):
                yield self._quarantine(item, read)
                continue
            entry = known.get(item.key)
            if entry is None or self._is_new(entry):
                if entry is not None:
                    self.outputs.withdraw(entry, self.vault.path / "withdrawn")
                entry = self._entry(item, read)
                new.append(entry)
            batch.append((item, read, entry))
        self.ledger.reserve(new, limit)
        self.summary.spent += sum(entry.micro_epsilon for entry in new) / 1e6
        yield from self._release(batch)
        for item in copies:
            if item.key in self.refused:
                yield self._quarantine(item, self.refused[item.key])
            else:
                self.summary.duplicates += 1
                yield _row(item, "duplicate")

    def _release(
        self, batch: Sequence[tuple[Input, files.Radiograph, Entry]]
    ) -> Iterator[dict[str, str]]:
        """Noise, decode, write; then record; then give the files their names."""
        groups = [batch[i : i + GROUP] for i in range(0, len(batch), GROUP)]
        tasks = [[self._task(*one) for one in group] for group in groups]
        for group, results in zip(groups, self.workers.release(tasks), strict=True):
            done = [
                entry.written(result.sha256 or NOTHING, result.label, self.outputs.folder)
                for (_, _, entry), result in zip(group, results, strict=True)
            ]
            self.ledger.finish(done)
            for (item, read, _), entry, result in zip(group, done, results, strict=True):
                if entry.sha256 == NOTHING:
                    yield self._quarantine(item, NON_FINITE)
                    continue
                self.outputs.publish(entry)
                self.summary.released += 1
                if len(self.pairs) < SHEET:
                    self.pairs.append((read.image, result.image))
                yield _row(item, "released", entry)

    def _known(self, inputs: Sequence[Input]) -> dict[str, Entry]:
        """The entry of each input that has one: that whose output is here, or the newest."""
        found = self.ledger.find(i.key for i in inputs)
        return {
            key: next((e for e in entries if self.outputs.path(e.output).is_file()), entries[-1])
            for key, entries in found.items()
        }

    def _is_new(self, entry: Entry | None) -> bool:
        """Whether a release would be a new one, to be charged, and not one that is owed."""
        if entry is None:
            return True
        if not entry.sha256:  # an open reservation; one of another folder may yet be finished
            return entry.folder != self.outputs.folder
        return entry.sha256 != NOTHING and self.again and self.outputs.find(entry) is None

    def _quarantine(self, item: Input, refusal: Refusal) -> dict[str, str]:
        self.refused[item.key] = refusal
        self.summary.quarantined[refusal.reason] += 1
        return _row(item, "quarantined") | {
            "reason": refusal.reason,
            "message": refusal.message,
        }

    def _entry(self, item: Input, read: files.Radiograph) -> Entry:
        name = SystemNoise().words(2).tobytes().hex()
        return Entry(
            key=item.key,
            subject=self.vault.subject(read.patient or item.alone),
            micro_epsilon=self.cost,
            pico_delta=self.delta,
            output=name + read.suffix,
            folder=self.outputs.folder,
        )

    def _task(self, item: Input, read: files.Radiograph, entry: Entry) -> Task:
        names, recipe = self.pseudonyms, self.privatizer.recipe.digest
        # A study of nobody is not joined: it would be one study of several patients.
        study, series = (read.study, read.series) if read.patient else ("", "")
        identity = files.Identity(
            patient=names.patient(read.patient or item.alone),
            study=names.uid("study", study or item.alone),
            series=names.uid("series", series or item.alone, recipe),
            # The output's random name makes two files that claim one UID two instances.
            instance=names.uid("instance", read.instance or item.alone, recipe, entry.output),
        )
        return Task(
            path=self.outputs.path(entry.output),
            radiograph=read,
            label=item.label,
            identity=identity,
            method=self.method,
        )

    def _write_card(self, status: str) -> None:
        """The card, and the labels, of everything that lies in the folder."""
        names = self.outputs.names()
        entries = self.ledger.outputs(names).values()
        spent = self.ledger.spent({entry.subject for entry in entries})
        summary, classes = self.summary, self.privatizer.flow.classes
        summary.outputs, summary.patients = len(names), len(spent)
        summary.most_images = max((s.releases for s in spent.values()), default=0)
        summary.patient_epsilon = max((s.micro_epsilon for s in spent.values()), default=0) / 1e6
        summary.patient_delta = max((s.pico_delta for s in spent.values()), default=0) / 1e12
        labels = {e.output: classes[e.label] for e in entries if e.label != UNKNOWN}
        if labels:
            write_labels(self.out / "labels.csv", labels)
        card = release_card(self.privatizer, summary, status=status, vault=self.vault.tag)
        write_json(self.out / CARD, card)


def _row(item: Input, status: str, entry: Entry | None = None) -> dict[str, str]:
    row = {"file": item.name, "status": status}
    return row if entry is None else row | {"output": entry.output}
