"""What is to become of each input: the decisions of a run, without any of its effects.

A run and its preview both decide here, so that a preview tells what a run would do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from latentdp.core.arrays import UNKNOWN
from latentdp.data.radiograph import Radiograph
from latentdp.privacy.noise import SystemNoise
from latentdp.privacy.randomized_response import LabelRelease
from latentdp.privatizer import Privatizer
from latentdp.release.executor import Pool
from latentdp.release.inputs import Input, name_below
from latentdp.release.outputs import Outputs
from latentdp.release.tasks import LOST, NON_FINITE, Refusal
from latentdp.vault.duplicates import DuplicateIndex
from latentdp.vault.keys import Keys
from latentdp.vault.ledger import NOTHING, LedgerEntry, micro, pico

__all__ = ["PendingReads", "Decision", "Status", "Decider"]


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
        status: The decision. Whether the twin of a duplicate is refused shows later.
        entry: What the ledger knows of the key.
        new: Whether a release is a new one, to be charged, and not one that is owed.
        read: What was read of it, if it had to be.
        refusal: Why it is quarantined.
    """

    item: Input
    status: Status
    entry: LedgerEntry | None = None
    new: bool = False
    read: Radiograph | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, kw_only=True)
class PendingReads:
    """Inputs that are being read.

    Attributes:
        fates: Of those that need not be.
        unread: The others, with what the ledger knew of their keys.
        read: What they hold, in their order, when it is asked for.
    """

    fates: list[Decision]
    unread: list[tuple[Input, LedgerEntry | None]]
    read: Iterator[Radiograph | Refusal]


class Decider:
    """Decides chunk by chunk.

    Args:
        source: Input folder or file.
        privatizer: What will be done to each image.
        keys: Of the vault.
        find: Entries of keys in the ledger, in the order in which they were made.
        outputs: Of the release folder.
        twins: Of the vault; what is found out is added, and not kept.
        labels: Class index by name below ``source``.
        workers: Who reads.
        again: Whether to release once more what cannot be found.
    """

    def __init__(
        self,
        source: Path,
        privatizer: Privatizer,
        *,
        keys: Keys,
        find: Callable[[Iterable[str]], dict[str, list[LedgerEntry]]],
        outputs: Outputs,
        twins: DuplicateIndex,
        labels: dict[str, int],
        workers: Pool,
        again: bool,
    ) -> None:
        self._source, self._labels, self._again = source, labels, again
        self._keys, self._find, self._outputs, self._twins = keys, find, outputs, twins
        self._workers = workers
        guarantee = privatizer.plan.guarantee
        self._cost, self._delta = micro(guarantee.epsilon), pico(guarantee.delta)
        self._label = privatizer.plan.label
        noise = "" if privatizer.guarantee.secure else "seeded"
        self._release = (privatizer.recipe.digest, noise)
        self._seen: set[str] = set()
        self._refused: dict[str, Refusal] = {}

    def sort(self, paths: Sequence[Path]) -> list[Decision]:
        """The fates of some inputs; duplicates come last, after those that they equal."""
        return self.end(self.begin(paths, self._workers.digests(paths)))

    def begin(self, paths: Sequence[Path], digests: Iterable[str]) -> PendingReads:
        """Decides what needs no pixels, and has the rest read.

        Args:
            paths: The inputs.
            digests: Of each, as the workers give them.
        """
        items = list(self._inputs(paths, digests))
        entries = self._entries(i.key for i in items)
        decided = [self._known(item, entries.get(item.key)) for item in items]
        unread = [item for item, fate in zip(items, decided, strict=True) if fate is None]
        return PendingReads(
            fates=[fate for fate in decided if fate is not None],
            unread=[(item, entries.get(item.key)) for item in unread],
            read=self._workers.read([item.path for item in unread]),
        )

    def end(self, begun: PendingReads) -> list[Decision]:
        """All fates of what was begun; as `sort`. In the order in which it was begun."""
        fates = list(begun.fates)
        for (item, entry), read in zip(begun.unread, begun.read, strict=True):
            if isinstance(read, Refusal):
                fates.append(self.refuse(item, read))
            else:
                fates.append(self._read(item, read, entry))
        return sorted(map(self._settled, fates), key=lambda f: f.status is Status.DUPLICATE)

    def _settled(self, fate: Decision) -> Decision:
        """Under the key that counts now: what a duplicate equals may itself equal another."""
        return replace(fate, item=replace(fate.item, key=self._twins.key(fate.item.key)))

    def refuse(self, item: Input, refusal: Refusal) -> Decision:
        """Quarantines an input, and with it all that equal it."""
        self._refused[item.key] = refusal
        return Decision(item=item, status=Status.QUARANTINED, refusal=refusal)

    def refusal(self, fate: Decision) -> Refusal | None:
        """Why an input is quarantined, be it because of what it equals."""
        return self._refused.get(fate.item.key)

    def reservation(self, fate: Decision) -> LedgerEntry:
        """What is to be reserved for an input that was read, under a new random name."""
        assert fate.read is not None
        return LedgerEntry(
            key=fate.item.key,
            subject=self._keys.subject(fate.read.patient or fate.item.alone),
            micro_epsilon=self._cost,
            pico_delta=self._delta,
            output=SystemNoise().words(2).tobytes().hex() + fate.read.suffix,
            folder=self._outputs.owner,
        )

    def _inputs(self, paths: Sequence[Path], digests: Iterable[str]) -> Iterable[Input]:
        for path, digest in zip(paths, digests, strict=True):
            name = name_below(self._source, path)
            label = UNKNOWN
            if self._label is not LabelRelease.NONE:
                label = self._labels.get(name, UNKNOWN)
            content = digest or name
            recipe, noise = self._release
            key = self._twins.key(self._keys.token("release", content, recipe, str(label), noise))
            yield Input(path=path, name=name, content=content, key=key, label=label)

    def _entries(self, keys: Iterable[str]) -> dict[str, LedgerEntry]:
        """The entry of each key that has one: that whose output is here, or the newest."""
        return {
            key: next((e for e in entries if self._outputs.here(e)), entries[-1])
            for key, entries in self._find(keys).items()
        }

    def _known(self, item: Input, entry: LedgerEntry | None) -> Decision | None:
        """The fate of what need not be read; None otherwise."""
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
        key = self._twins.join(item.key, picture)
        if key != item.key:
            item = replace(item, key=key)
            entry = self._entries([key]).get(key)
            fate = self._known(item, entry)
            if fate is not None:
                return replace(fate, read=read)
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
    """An iterator over the fates of chunks.

    Args:
        triage: Decides.
        workers: Who reads.
        parts: The chunks.
    """

    def __init__(self, triage: Decider, workers: Pool, parts: Iterable[Sequence[Path]]) -> None:
        self._triage, self._workers, self._parts = triage, workers, iter(parts)
        self._begun: PendingReads | None = None
        self._digests = self._ask()

    def look(self) -> None:
        """Has the next chunk read, if there is one; to be called when this one is reserved."""
        if self._begun is None and self._digests is not None:
            (part, digests), self._digests = self._digests, self._ask()
            self._begun = self._triage.begin(part, digests)

    def __iter__(self) -> Iterator[list[Decision]]:
        while True:
            self.look()
            begun, self._begun = self._begun, None
            if begun is None:
                return
            yield self._triage.end(begun)

    def _ask(self) -> tuple[Sequence[Path], Iterator[str]] | None:
        part = next(self._parts, None)
        return None if part is None else (part, self._workers.digests(part))
