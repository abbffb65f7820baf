"""One run: many files through one recipe, with workers, resume and quarantine.

For each chunk of files: look up what the ledger already knows; read the rest; reserve their cost
in one durable transaction; only then draw noise, decode and write; record what was written. Files
are taken in random order and get random names, so that neither order nor time links them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentdp import __version__, files
from latentdp.arrays import UNKNOWN
from latentdp.card import release_card, statement, write_json
from latentdp.contact_sheet import contact_sheet
from latentdp.dicom.pseudonyms import Pseudonyms
from latentdp.folders import CARD, IMAGES
from latentdp.labels import write_labels
from latentdp.ledger import Entry, Ledger, micro
from latentdp.noise import SystemNoise
from latentdp.privatizer import Privatizer
from latentdp.samplers import permutation
from latentdp.summary import Summary
from latentdp.vault import Vault
from latentdp.workers import Pool, Refusal, Task

__all__ = ["Progress", "Run", "chunks", "name_below"]

CHUNK = 128
SHEET = 12  # pairs on the before/after sheet
NON_FINITE = Refusal("non-finite", "the private latent decoded to no finite image")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class _Input:
    """One file on its way; ``name`` is its path below the input folder, for the vault only."""

    path: Path
    name: str
    key: str
    label: int


class Run:
    """One run over one folder."""

    def __init__(
        self,
        source: Path,
        out: Path,
        privatizer: Privatizer,
        vault: Vault,
        labels: dict[str, int],
        workers: Pool,
        total: int,
        progress: Progress | None,
    ) -> None:
        self.source, self.out, self.privatizer = source, out, privatizer
        self.vault, self.labels, self.workers, self.progress = vault, labels, workers, progress
        self.ledger: Ledger = vault.ledger()
        self.pseudonyms = Pseudonyms(vault.key)
        self.summary = Summary(inputs=total)
        self.cost = micro(privatizer.plan.guarantee.epsilon)
        self.method = files.Method(
            description=_description(privatizer),
            version=__version__,
            size=privatizer.flow.shape[0],
        )
        self.done = 0
        self.seen: set[str] = set()
        self.refused: dict[str, Refusal] = {}
        self.subjects: set[str] = set()
        self.released_labels: dict[str, str] = {}
        self.pairs: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []

    def check_budget(self, found: Sequence[Path], limit: int) -> None:
        """Reads everything once, so that a refusal comes before the first output."""
        asked: dict[str, Entry] = {}
        for part in chunks(found):
            inputs = self._inputs(part)
            known = self.ledger.find(i.key for i in inputs)
            todo = [i for i in inputs if i.key not in known]
            for item, read in zip(todo, self.workers.read([i.path for i in todo]), strict=True):
                if not isinstance(read, Refusal):
                    asked[item.key] = self._entry(item, read)
        self.ledger.check(list(asked.values()), limit)

    def run(self, found: Sequence[Path], limit: int | None) -> None:
        """All files, chunk by chunk, in random order."""
        (self.out / IMAGES).mkdir(parents=True, exist_ok=True)
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        self.summary.report = self.vault.reports / f"{stamp}.jsonl"
        self._write_card("incomplete")
        order = permutation(SystemNoise(), len(found))
        with self.summary.report.open("w", encoding="utf-8") as report:
            for part in chunks([found[i] for i in order]):
                for row in self._chunk(self._inputs(part), limit):
                    report.write(json.dumps(row) + "\n")
                report.flush()
        for left_over in (self.out / IMAGES).glob(".*.part"):
            left_over.unlink()
        if self.released_labels:
            write_labels(self.out / "labels.csv", self.released_labels)
        if self.pairs:
            sides = [np.stack(side) for side in zip(*self.pairs, strict=True)]
            contact_sheet(self.vault.path / "before-after.png", sides)
        self._write_card("complete")

    def _inputs(self, paths: Sequence[Path]) -> list[_Input]:
        inputs = []
        for path, digest in zip(paths, self.workers.digests(paths), strict=True):
            name = name_below(self.source, path)
            label = self.labels.get(name, UNKNOWN)
            recipe = self.privatizer.recipe.digest
            # A file that cannot be opened has no digest; its name keeps it apart from others.
            key = self.vault.token("release", digest or name, recipe, str(label))
            inputs.append(_Input(path=path, name=name, key=key, label=label))
        return inputs

    def _chunk(self, inputs: Sequence[_Input], limit: int | None) -> Iterator[dict[str, str]]:
        """Releases one chunk; yields a row of the private report for each input."""
        known = self.ledger.find(i.key for i in inputs)
        todo: list[_Input] = []
        copies: list[_Input] = []
        for item in inputs:
            entry = known.get(item.key)
            if item.key in self.seen:
                copies.append(item)
            elif entry is not None and self._serve(entry):
                self.summary.already += 1
                yield self._row(item, "already", entry)
            else:
                todo.append(item)
            self.seen.add(item.key)
        batch: list[tuple[_Input, files.Radiograph, Entry]] = []
        for item, read in zip(todo, self.workers.read([i.path for i in todo]), strict=True):
            if isinstance(read, Refusal):
                yield self._quarantine(item, read)
                continue
            entry = known.get(item.key)
            if entry is None or entry.sha256:  # new, or its output is lost: a release of its own
                entry = self._entry(item, read)
            batch.append((item, read, entry))
        new = [entry for item, _, entry in batch if entry is not known.get(item.key)]
        self.ledger.reserve(new, limit)
        self.summary.spent += sum(entry.micro_epsilon for entry in new) / 1e6
        yield from self._release(batch)
        for item in copies:
            if item.key in self.refused:
                yield self._quarantine(item, self.refused[item.key])
            else:
                self.summary.duplicates += 1
                yield self._row(item, "duplicate")

    def _release(
        self, batch: Sequence[tuple[_Input, files.Radiograph, Entry]]
    ) -> Iterator[dict[str, str]]:
        """Noise, decode, write; then record; then give the files their names.

        A file has its final name only after the ledger knows its digest and label, so a run that
        dies at any point leaves either a finished file or a reservation that is still open.
        """
        tasks = [self._task(item, read, entry) for item, read, entry in batch]
        results = list(zip(batch, self.workers.release(tasks), strict=True))
        finished = [
            replace(entry, sha256=result.sha256, label=result.label)
            for (_, _, entry), result in results
        ]
        self.ledger.finish([entry for entry in finished if entry.sha256])
        for ((item, read, _), result), entry in zip(results, finished, strict=True):
            if not entry.sha256:
                yield self._quarantine(item, NON_FINITE)
                continue
            self._part(entry).replace(self.out / IMAGES / entry.output)
            self.summary.released += 1
            if len(self.pairs) < SHEET:
                self.pairs.append((read.image, result.image))
            yield self._row(item, "released", entry)

    def _quarantine(self, item: _Input, refusal: Refusal) -> dict[str, str]:
        self.refused[item.key] = refusal
        self.summary.quarantined[refusal.reason] += 1
        row = self._row(item, "quarantined")
        return row | {"reason": refusal.reason, "message": refusal.message}

    def _serve(self, entry: Entry) -> bool:
        """Whether the output is there, or can be brought from where an earlier run left it."""
        if not entry.sha256:
            return False
        here = self.out / IMAGES / entry.output
        if _is(here, entry.sha256):
            return True
        if _is(self._part(entry), entry.sha256):
            self._part(entry).replace(here)
            return True
        first = Path(entry.folder) / IMAGES / entry.output
        if _is(first, entry.sha256):
            shutil.copy2(first, self._part(entry))
            self._part(entry).replace(here)
            return True
        return False

    def _part(self, entry: Entry) -> Path:
        return self.out / IMAGES / f".{entry.output}.part"

    def _entry(self, item: _Input, read: files.Radiograph) -> Entry:
        name = SystemNoise().words(2).tobytes().hex()
        return Entry(
            key=item.key,
            subject=self.vault.token("patient", read.patient or _alone(item)),
            micro_epsilon=self.cost,
            output=name + read.suffix,
            folder=str(self.out.resolve()),
        )

    def _task(self, item: _Input, read: files.Radiograph, entry: Entry) -> Task:
        names, recipe = self.pseudonyms, self.privatizer.recipe.digest
        identity = files.Identity(
            patient=names.patient(read.patient or _alone(item)),
            study=names.uid("study", read.study or _alone(item)),
            series=names.uid("series", read.series or _alone(item), recipe),
            # The output's random name makes two files that claim one UID two instances.
            instance=names.uid("instance", read.instance or _alone(item), recipe, entry.output),
        )
        return Task(
            path=self._part(entry),
            radiograph=read,
            label=item.label,
            identity=identity,
            method=self.method,
        )

    def _row(self, item: _Input, status: str, entry: Entry | None = None) -> dict[str, str]:
        self.done += 1
        if self.progress:
            self.progress(self.done, self.summary.inputs)
        row = {"file": item.name, "status": status}
        if entry is not None:
            row["output"] = entry.output
            self.subjects.add(entry.subject)
            if entry.label != UNKNOWN:
                self.released_labels[entry.output] = self.privatizer.flow.classes[entry.label]
        return row

    def _write_card(self, status: str) -> None:
        spent = self.ledger.spent(self.subjects)
        self.summary.patients = len(spent)
        self.summary.most_images = max((count for _, count in spent.values()), default=0)
        self.summary.patient_epsilon = max((total for total, _ in spent.values()), default=0) / 1e6
        card = release_card(
            self.privatizer,
            status=status,
            counts=self.summary.counts(),
            most_images=self.summary.most_images,
            patient_epsilon=self.summary.patient_epsilon,
        )
        write_json(self.out / CARD, card)


def chunks(paths: Sequence[Path]) -> Iterator[Sequence[Path]]:
    """The files that are looked up, reserved and recorded together."""
    for start in range(0, len(paths), CHUNK):
        yield paths[start : start + CHUNK]


def name_below(source: Path, path: Path) -> str:
    """Path below the input folder. It may hold a patient's name: for the vault only."""
    return path.relative_to(source if source.is_dir() else source.parent).as_posix()


def _alone(item: _Input) -> str:
    """Stands in for an identifier that the source lacks: such files are never merged."""
    return f"unknown {item.key}"


def _is(path: Path, sha256: str) -> bool:
    return path.is_file() and files.digest(path) == sha256


def _description(privatizer: Privatizer) -> str:
    """How an output was made, for its header: public facts of the recipe only."""
    recipe, flow = privatizer.recipe, privatizer.flow
    return (
        f"latentdp {__version__}: preset {recipe.preset}, mechanism {recipe.mechanism}, "
        f"{flow.shape[0]}x{flow.shape[1]} pixels, weights sha256 {flow.sha256[:16]}, "
        f"recipe {recipe.digest[:16]}. " + " ".join(statement(privatizer))
    )
