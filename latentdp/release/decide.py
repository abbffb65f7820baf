"""What is to become of each input: the decisions of a run, without any of its effects.

A run and its preview both decide here, so that a preview tells what a run would do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from latentdp.core.arrays import UNKNOWN
from latentdp.data.patient_id import loose_form
from latentdp.data.radiograph import Radiograph
from latentdp.privacy.noise import SystemNoise
from latentdp.privacy.randomized_response import LabelRelease
from latentdp.privatizer import Privatizer
from latentdp.release.executor import Pool
from latentdp.release.inputs import Input, SourceFile
from latentdp.release.outputs import Outputs
from latentdp.release.tasks import LOST, NON_FINITE, Refusal
from latentdp.vault.duplicates import DuplicateIndex
from latentdp.vault.keys import Keys
from latentdp.vault.ledger import NOTHING, Ledger, LedgerEntry, micro, pico

__all__ = ["Decider", "Decision", "PendingReads", "Prefetcher", "Status"]


class Status(StrEnum):
    """What becomes of an input."""

    RELEASE = "release"
    ALREADY = "already"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What is to become of one input.

    Attributes:
        item: The input, with the key under which it is released.
        status: The decision. Whether what a duplicate equals is refused shows later.
        entry: Of a release, the reservation that pays for it: the ledger's, or one that is still
            to be made. Of what is already there, the ledger's. None for all others.
        new: Whether that reservation is still to be made.
        replaced: The ledger's entry of a lost or altered output that a new one stands for.
        read: What was read of it, if it had to be.
        refusal: Why it is quarantined.
    """

    item: Input
    status: Status
    entry: LedgerEntry | None = None
    new: bool = False
    replaced: LedgerEntry | None = None
    read: Radiograph | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, kw_only=True)
class PendingReads:
    """Inputs that are being read.

    Attributes:
        decided: The decisions on those that need not be.
        unread: The others, with what the ledger knew of their keys.
        read: What they hold, in their order, when it is asked for.
    """

    decided: list[Decision]
    unread: list[tuple[Input, LedgerEntry | None]]
    read: Iterator[Radiograph | Refusal]


class Decider:
    """Decides chunk by chunk.

    Args:
        privatizer: What will be done to each image.
        keys: Of the vault.
        ledger: Of the vault.
        recovered: Entries that stand for those of the ledger, by output.
        outputs: Of the release folder.
        duplicates: Of the vault; what is found out is added, and kept by `remember` only.
        workers: Who reads.
        again: Whether to release once more what cannot be found.
    """

    def __init__(
        self,
        privatizer: Privatizer,
        *,
        keys: Keys,
        ledger: Ledger,
        recovered: Mapping[str, LedgerEntry],
        outputs: Outputs,
        duplicates: DuplicateIndex,
        workers: Pool,
        again: bool,
    ) -> None:
        self._again = again
        self._keys, self._ledger, self._recovered = keys, ledger, recovered
        self._outputs, self._duplicates, self._workers = outputs, duplicates, workers
        guarantee = privatizer.plan.guarantee.noised_part
        self._cost, self._delta = micro(guarantee.epsilon), pico(guarantee.delta)
        self._label = privatizer.plan.label
        noise = "" if privatizer.guarantee.secure else "seeded"
        self._release = (privatizer.recipe.digest, noise)
        self._seen: set[str] = set()
        self._refused: dict[str, Refusal] = {}

    def decide(self, files: Sequence[SourceFile]) -> list[Decision]:
        """What becomes of some inputs; duplicates come last, after those that they equal."""
        return self.end(self.begin(files, self._workers.digests([file.path for file in files])))

    def begin(self, files: Sequence[SourceFile], digests: Iterable[str]) -> PendingReads:
        """Decides what needs no pixels, and has the rest read.

        Args:
            files: The inputs.
            digests: Of each, as the workers give them.
        """
        items = [self._input(*both) for both in zip(files, digests, strict=True)]
        entries = self._entries(item.key for item in items)
        known = [self._known(item, entries.get(item.key)) for item in items]
        unread = [item for item, decision in zip(items, known, strict=True) if decision is None]
        return PendingReads(
            decided=[decision for decision in known if decision is not None],
            unread=[(item, entries.get(item.key)) for item in unread],
            read=self._workers.read([item.path for item in unread]),
        )

    def end(self, begun: PendingReads) -> list[Decision]:
        """All decisions on what was begun; as `decide`. In the order in which it was begun."""
        decisions = list(begun.decided)
        for (item, entry), read in zip(begun.unread, begun.read, strict=True):
            if isinstance(read, Refusal):
                decisions.append(self.refuse(item, read))
            else:
                decisions.append(self._read(item, read, entry))
        return sorted(map(self._settled, decisions), key=lambda d: d.status is Status.DUPLICATE)

    def remember(self) -> None:
        """Has the vault remember, durably, which inputs were found equal."""
        self._duplicates.keep()

    def refuse(self, item: Input, refusal: Refusal) -> Decision:
        """Quarantines an input, and with it all that equal it."""
        self._refused[item.key] = refusal
        return Decision(item=item, status=Status.QUARANTINED, refusal=refusal)

    def refusal(self, decision: Decision) -> Refusal | None:
        """Why an input is quarantined, be it because of what it equals."""
        return self._refused.get(decision.item.key)

    def _input(self, file: SourceFile, digest: str) -> Input:
        label = UNKNOWN if self._label is LabelRelease.NONE else file.label
        content = digest or file.name
        recipe, noise = self._release
        key = self._keys.token("release", content, recipe, str(label), noise)
        return Input(
            path=file.path,
            name=file.name,
            label=label,
            content=content,
            key=self._duplicates.key(key),
        )

    def _settled(self, decision: Decision) -> Decision:
        """Under the key that counts now: what a duplicate equals may itself equal another."""
        item = replace(decision.item, key=self._duplicates.key(decision.item.key))
        if not decision.new or decision.read is None:
            return replace(decision, item=item)
        entry = self._reservation(item, decision.read)
        return replace(decision, item=item, entry=entry, replaced=decision.entry)

    def _reservation(self, item: Input, read: Radiograph) -> LedgerEntry:
        """What is to be reserved, under a new random name."""
        return LedgerEntry(
            key=item.key,
            subject=self._subject(item, read),
            micro_epsilon=self._cost,
            pico_delta=self._delta,
            output=SystemNoise().words(2).tobytes().hex() + read.suffix,
            folder=self._outputs.owner,
        )

    def _subject(self, item: Input, read: Radiograph) -> str:
        """Who is charged: a patient, however spelled, or whoever is on a picture of nobody.

        Version 0.1 charged a spelling, and the bytes of a file that names nobody. What it did
        is added, as soon as that spelling or that file is read, to what is spent from now on:
        nothing leads from a keyed digest to what it was made of.
        """
        if read.patient:
            before, now = read.spelled, self._keys.subject(loose_form(read.patient))
        else:
            before, now = item.alone, self._keys.pictured(read.whole)
        self._ledger.join(self._keys.subject(before), now)
        return now

    def _entries(self, keys: Iterable[str]) -> dict[str, LedgerEntry]:
        """The entry of each key that has one: that whose output is here, or the newest."""
        chosen = {}
        for key, entries in self._ledger.find(keys).items():
            now = [self._recovered.get(entry.output, entry) for entry in entries]
            chosen[key] = next((entry for entry in now if self._outputs.here(entry)), now[-1])
        return chosen

    def _known(self, item: Input, entry: LedgerEntry | None) -> Decision | None:
        """The decision on what need not be read; None otherwise."""
        if item.key in self._seen:
            return Decision(item=item, status=Status.DUPLICATE)
        self._seen.add(item.key)
        if entry is None or not entry.sha256:
            return None
        if entry.sha256 == NOTHING:
            return self.refuse(item, NON_FINITE)
        if self._outputs.find(entry) is not None:
            return Decision(item=item, status=Status.ALREADY, entry=entry)
        return None if self._again else self.refuse(item, LOST)

    def _read(self, item: Input, read: Radiograph, entry: LedgerEntry | None) -> Decision:
        recipe, noise = self._release
        # An unknown patient's picture is not another's, if it is the same to the last bit.
        picture = self._keys.token(
            "picture", read.picture, read.patient, recipe, str(item.label), noise
        )
        key = self._duplicates.join(item.key, picture)
        if key != item.key:
            item = replace(item, key=key)
            entry = self._entries([key]).get(key)
            decision = self._known(item, entry)
            if decision is not None:
                return replace(decision, read=read)
        return Decision(
            item=item,
            status=Status.RELEASE,
            entry=entry,
            new=entry is None or self._is_new(entry),
            read=read,
        )

    def _is_new(self, entry: LedgerEntry) -> bool:
        """Of an entry without an output that can be found."""
        if entry.sha256:  # lost
            return True
        # An open reservation of another folder may yet be finished there.
        return entry.folder != self._outputs.owner


class Prefetcher:
    """An iterator over the decisions on chunks, which reads one chunk ahead.

    Args:
        decider: Decides.
        workers: Who reads.
        files: All inputs, in the order in which they are taken.
    """

    def __init__(self, decider: Decider, workers: Pool, files: Sequence[SourceFile]) -> None:
        self._decider, self._workers, self._parts = decider, workers, workers.chunks(files)
        self._begun: PendingReads | None = None
        self._digests = self._ask()

    def look(self) -> None:
        """Has the next chunk read, if there is one; to be called when this one is reserved."""
        if self._begun is None and self._digests is not None:
            (part, digests), self._digests = self._digests, self._ask()
            self._begun = self._decider.begin(part, digests)

    def __iter__(self) -> Iterator[list[Decision]]:
        while True:
            self.look()
            begun, self._begun = self._begun, None
            if begun is None:
                return
            yield self._decider.end(begun)

    def _ask(self) -> tuple[Sequence[SourceFile], Iterator[str]] | None:
        part = next(self._parts, None)
        if part is None:
            return None
        return part, self._workers.digests([file.path for file in part])
