"""What is to become of each input: the decisions of a run, without any of its effects.

A run and its preview both decide here, so that a preview tells what a run would do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from latentdp.core.arrays import UNKNOWN
from latentdp.data.patient_id import loose_form
from latentdp.data.radiograph import Radiograph, suffix
from latentdp.privacy.noise import SystemNoise
from latentdp.privacy.randomized_response import LabelRelease
from latentdp.privatizer import Privatizer, Rating
from latentdp.release.executor import Pool
from latentdp.release.inputs import Input, SourceFile
from latentdp.release.outputs import Outputs
from latentdp.release.tasks import BEYOND, LOST, NON_FINITE, ODD, Refusal, Taken
from latentdp.vault.duplicates import DuplicateIndex
from latentdp.vault.keys import Keys
from latentdp.vault.ledger import NOTHING, Ledger, LedgerEntry, micro, pico

__all__ = ["Decider", "Decision", "PendingReads", "Status"]


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
        rated: What the flow says of it, as a batch of one, if that decided.
        order: Keyed digest of picture and patient, of what is new: its place among the images of
            the patient.
        refusal: Why it is quarantined, or beyond what is released of its patient.
    """

    item: Input
    status: Status
    entry: LedgerEntry | None = None
    new: bool = False
    replaced: LedgerEntry | None = None
    read: Radiograph | None = None
    rated: Rating | None = None
    order: str = ""
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
        selected: The images that may be charged, by `Decision.order`; None for all.
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
        selected: Collection[str] | None = None,
    ) -> None:
        self._again, self._selected, self._privatizer = again, selected, privatizer
        self._keys, self._ledger, self._recovered = keys, ledger, recovered
        self._outputs, self._duplicates, self._workers = outputs, duplicates, workers
        guarantee = privatizer.plan.guarantee.noised_part
        self._cost, self._delta = micro(guarantee.epsilon), pico(guarantee.delta)
        self._label = privatizer.plan.label
        self._profile = privatizer.recipe.profile
        noise = "" if privatizer.guarantee.secure else "seeded"
        self._release = (privatizer.recipe.digest, noise)
        self._mostly_new = not ledger.spent()  # of a vault that has released nothing
        self._seen: set[str] = set()
        self._refused: dict[str, Refusal] = {}

    def decide(self, files: Sequence[SourceFile]) -> list[Decision]:
        """What becomes of some inputs; duplicates come last, after those that they equal."""
        return self.end(self.begin(files, self.take(files)))

    def take(self, files: Sequence[SourceFile]) -> Iterator[Taken]:
        """Has the workers look at inputs: at their pixels, too, where most are likely to be new.

        So a file is read once. Of those that the ledger knows only the digest is needed: a run
        that goes on from another one asks for pixels when it knows whose.
        """
        paths = [file.path for file in files]
        return self._workers.take(paths, self._keys.digest, pixels=self._mostly_new)

    def begin(self, files: Sequence[SourceFile], taken: Iterable[Taken]) -> PendingReads:
        """Decides what needs no pixels, and has the rest read, if it was not yet.

        Args:
            files: The inputs.
            taken: Of each, as `take` gave them.
        """
        all_taken = list(taken)
        pairs = zip(files, all_taken, strict=True)
        items = [self._input(file, one.content) for file, one in pairs]
        entries = self._entries(item.key for item in items)
        known = [self._known(item, entries.get(item.key)) for item in items]
        unread = [i for i, decision in enumerate(known) if decision is None]
        self._mostly_new = 2 * len(unread) >= len(items)
        early = [all_taken[i].read for i in unread]
        late = self._workers.read([items[i].path for i in unread if all_taken[i].read is None])
        return PendingReads(
            decided=[decision for decision in known if decision is not None],
            unread=[(items[i], entries.get(items[i].key)) for i in unread],
            read=(next(late) if read is None else read for read in early),
        )

    def end(self, begun: PendingReads) -> list[Decision]:
        """All decisions on what was begun; as `decide`. In the order in which it was begun."""
        decisions = list(begun.decided)
        for (item, entry), read in zip(begun.unread, begun.read, strict=True):
            if isinstance(read, Refusal):
                decisions.append(self.refuse(item, read))
            else:
                decisions.append(self._read(item, read, entry))
        usual = self._usual(decisions)
        settled = [self._within(self._settled(decision)) for decision in usual]
        return sorted(settled, key=lambda decision: decision.status is Status.DUPLICATE)

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

    def _usual(self, decisions: Sequence[Decision]) -> Sequence[Decision]:
        """Refuses what is new and unlike what the weights learnt from, if that is asked for."""
        read = [
            (i, one.item.label, one.read.image)
            for i, one in enumerate(decisions)
            if one.status is Status.RELEASE and one.read is not None
        ]
        if not read or not self._privatizer.recipe.refuse_odd:
            return decisions
        rows, labels, images = zip(*read, strict=True)
        rating = self._privatizer.rate(np.stack(images), labels=np.array(labels))
        rated = {i: rating.one(row) for row, i in enumerate(rows)}
        odd = {decisions[i].item.key for i in rows if decisions[i].new and rated[i].odd.any()}
        return [
            replace(self.refuse(one.item, ODD), read=one.read)
            if one.new and one.item.key in odd
            else replace(one, rated=rated.get(i))
            for i, one in enumerate(decisions)
        ]

    def _settled(self, decision: Decision) -> Decision:
        """Under the key that counts now: what a duplicate equals may itself equal another."""
        item = replace(decision.item, key=self._duplicates.key(decision.item.key))
        if not decision.new or decision.read is None:
            return replace(decision, item=item)
        entry = self._reservation(item, decision.read)
        return replace(decision, item=item, entry=entry, replaced=decision.entry)

    def _within(self, decision: Decision) -> Decision:
        """Refuses what is not selected of the images of a patient."""
        if self._selected is None or not decision.new or decision.order in self._selected:
            return decision
        return replace(self.refuse(decision.item, BEYOND), read=decision.read)

    def _reservation(self, item: Input, read: Radiograph) -> LedgerEntry:
        """What is to be reserved, under a new random name."""
        return LedgerEntry(
            key=item.key,
            subject=self._subject(item, read),
            micro_epsilon=self._cost,
            pico_delta=self._delta,
            output=SystemNoise().words(2).tobytes().hex() + suffix(read.source, self._profile),
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
            # One picture may be released with several labels: the second part tells them apart.
            order=self._keys.token("order", read.picture, read.patient) + picture,
        )

    def _is_new(self, entry: LedgerEntry) -> bool:
        """Of an entry without an output that can be found."""
        if entry.sha256:  # lost
            return True
        # An open reservation of another folder may yet be finished there.
        return entry.folder != self._outputs.owner
