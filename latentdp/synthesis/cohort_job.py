"""A job that learns once from a whole cohort: vault and ledger are open, its files are known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

from latentdp.core.progress import ProgressCallback, silent
from latentdp.errors import BudgetExceeded, InputError
from latentdp.privacy.noise import Noise
from latentdp.privacy.units import micro, pico
from latentdp.release.inputs import alone
from latentdp.reports.synthesis_card import CentralGuarantee
from latentdp.synthesis.cohort import PrivateCohort, ReadImages, find_cohort
from latentdp.synthesis.request import CohortRequest, CohortSource
from latentdp.synthesis.summary import reasons
from latentdp.vault.ledger import Ledger, LedgerEntry, Spent
from latentdp.vault.most_spent import most_spent
from latentdp.vault.vault import UnmadeVault, Vault

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = [
    "CohortJob",
    "Learning",
    "OpenCohort",
    "Stated",
    "opened_cohort",
]

FOUND, READ = 0.1, 0.5  # shares of the work that finding and reading take


class Stated(Protocol):
    """What is said of what was learnt."""

    @property
    def guarantee(self) -> CentralGuarantee:
        """Of each patient."""

    @property
    def findings(self) -> tuple[str, ...]:
        """Names that are told."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must not overlook."""


class Learning(Protocol):
    """Sees each patient once, and learns once."""

    def add(self, part: ReadImages) -> None:
        """Takes in all images of some patients, who have no others."""

    def learn(self, run: str, noise: Noise, file: Path) -> None:
        """Draws all noise, and writes what was learnt; it has been paid for.

        Args:
            run: Random identifier of what is learnt.
            noise: Of the releases.
            file: New one.
        """


@dataclass(frozen=True, kw_only=True)
class CohortJob(ABC):
    """What a job works with, while it is open.

    Attributes:
        request: What is asked for.
        flow: The public flow.
        vault: Open, and for a run locked.
        ledger: That of the vault, verified.
        cohort: Whose files these are; no pixel is read yet.
    """

    folder: ClassVar[str]  # of the vault, where what was learnt is kept

    request: CohortRequest
    flow: Flow
    vault: Vault
    ledger: Ledger
    cohort: PrivateCohort

    @property
    @abstractmethod
    def key(self) -> str:
        """What makes a job the same one: files, findings, patients, recipe and weights."""

    @property
    @abstractmethod
    def guarantee(self) -> CentralGuarantee:
        """What every patient is charged."""

    @property
    @abstractmethod
    def delta(self) -> float:
        """Of it, in (0, 1)."""

    @property
    def shape(self) -> tuple[int, int]:
        """Of the images as they are read: that of the flow's."""
        return self.flow.shape

    @abstractmethod
    def learning(self) -> Learning:
        """What sees the cohort, new."""

    @abstractmethod
    def stated(self, file: Path) -> Stated:
        """What a file of `kept` says of itself."""

    def entries(self) -> list[LedgerEntry]:
        """What the ledger knows of this job: an entry of each patient, or none."""
        return self.ledger.find([self.key]).get(self.key, [])

    def paid_run(self) -> str:
        """Identifier of the run that has paid for this job; empty for none."""
        entries = self.entries()
        return entries[0].output.partition(".")[0] if entries else ""

    def kept(self, run: str) -> Path:
        """Where the vault keeps what a run learnt."""
        return self.vault.path / self.folder / f"{run}.safetensors"

    def charge(self, patients: Iterable[str], run: str, *, after: int = 0) -> list[LedgerEntry]:
        """What is to be reserved for some patients.

        Args:
            patients: Their identifiers.
            run: Random identifier of what will be learnt.
            after: Entries of this run that there are already.
        """
        charged = self.guarantee.charged
        patients = list(patients)
        for who in patients:  # what was charged to another spelling counts, too
            for file in self.cohort.patients[who]:
                self.ledger.join(self.vault.subject(file.spelled), self.vault.subject(who))
        return [
            LedgerEntry(
                key=self.key,
                subject=self.vault.subject(patient),
                micro_epsilon=micro(charged),
                pico_delta=pico(self.delta),
                output=f"{run}.{i}",
                folder=self.vault.tag,
            )
            for i, patient in enumerate(patients, after)
        ]

    def join(self, part: ReadImages) -> None:
        """Has patients stand for whoever is on those of their pictures that name nobody.

        A release of such a picture charges that account, be it earlier or later. The next
        reservation records it.
        """
        for file, picture in part.unnamed:
            patient = self.vault.subject(file.patient)
            self.ledger.join(self.vault.subject(alone(file.content)), patient)
            self.ledger.join(self.vault.pictured(picture), patient, uncharged=True)

    def owing(self, patients: Iterable[str], entries: Sequence[LedgerEntry]) -> list[str]:
        """Those of some patients for whom none of these entries has paid."""
        paid = Counter(self.ledger.subject(entry.subject) for entry in entries)
        owing = []
        for who in patients:
            account = self.ledger.subject(self.vault.subject(who))
            if paid[account]:  # two that share a picture share an account, and pay twice
                paid[account] -= 1
            else:
                owing.append(who)
        return owing

    def standing(self, more: Sequence[LedgerEntry] = ()) -> Spent:
        """Most that patients of the cohort have spent in the vault, each figure for itself.

        Args:
            more: What would be reserved beside.
        """
        return most_spent(self.ledger, map(self.vault.subject, self.cohort.patients), more)

    def check_budget(self) -> None:
        """Refuses what the budget or the vault's cap does not allow, as far as is known by now.

        Before any pixel is read that is all but what was spent on pictures of nobody.

        Raises:
            BudgetExceeded: A patient would go over.
        """
        self.ledger.check(self.charge(self.cohort.patients, "check"), self.request.limit)


class OpenCohort(NamedTuple):
    """What every job of a cohort begins with.

    Attributes:
        vault: Open, and for a run locked.
        ledger: That of the vault, verified.
        cohort: With at least one patient, and findings.
    """

    vault: Vault
    ledger: Ledger
    cohort: PrivateCohort


@contextmanager
def opened_cohort(
    request: CohortSource,
    *,
    read_only: bool,
    check: Callable[[Vault], None] | None = None,
    progress: ProgressCallback = silent,
) -> Iterator[OpenCohort]:
    """Vault, ledger and cohort, open until the block ends.

    A vault that was made for it is removed again where nothing was charged.

    Args:
        request: What is asked for.
        read_only: For a preview: nothing is made or written, nor locked.
        check: Refuses an output that cannot be used, before any file is looked at.
        progress: Told how many files were found.

    Raises:
        InputError: The cohort, the output or the vault cannot be used.
    """
    place = request.place
    with ExitStack() as held:
        vault = (
            UnmadeVault()
            if read_only and not Vault.exists(place)
            else Vault(place, read_only=read_only)
        )
        if not read_only:
            held.enter_context(vault.locked())
        ledger = held.enter_context(closing(vault.ledger(request.ledger)))
        try:
            ledger.verify()
            if check is not None:
                check(vault)
            yield OpenCohort(vault, ledger, _found(request, vault, progress))
        except (InputError, BudgetExceeded):
            if not ledger.spent():
                vault.undo()
            raise


def _found(request: CohortSource, vault: Vault, progress: ProgressCallback) -> PrivateCohort:
    cohort = find_cohort(
        request.source,
        request.labels,
        vault,
        most=request.images_per_patient,
        profile=request.profile,
        declared=request.declared,
        progress=lambda done, total: progress(FOUND * done / total, "finding patients"),
    )
    if cohort.patients and not cohort.findings:
        raise InputError("no row of the table of findings fits a file of the cohort")
    if not cohort.patients:
        counted = ", ".join(f"{n} {reason}" for reason, n in reasons(cohort.refused).items())
        raise InputError(f"no file of the cohort can be used: {counted}")
    return cohort
