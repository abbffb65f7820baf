"""A synthesis, checked and open: vault, ledger, cohort and plan, for a run and its preview."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from latentdp.core.documents import to_json
from latentdp.core.progress import ProgressCallback, silent
from latentdp.errors import BudgetExceeded, InputError
from latentdp.privacy.units import micro, pico
from latentdp.release.inputs import alone
from latentdp.reports.synthesis_card import SynthesisRecipe
from latentdp.synthesis.cohort import PrivateCohort, ReadImages, find_cohort
from latentdp.synthesis.describe import guarantee_of
from latentdp.synthesis.plan import SynthesisPlan
from latentdp.synthesis.request import SynthesisRequest
from latentdp.synthesis.summary import reasons
from latentdp.synthesis.write import Destination
from latentdp.vault.ledger import Ledger, LedgerEntry, Spent
from latentdp.vault.vault import UnmadeVault, Vault

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["FOUND", "SynthesisJob", "opened"]

KEPT = "synthesis"  # folder of the vault
FOUND = 0.1  # share of the work that finding takes


@dataclass(frozen=True, kw_only=True)
class SynthesisJob:
    """What a synthesis works with, while it is open.

    Attributes:
        request: What is asked for.
        flow: The public flow.
        vault: Open, and for a run locked.
        ledger: That of the vault, verified.
        cohort: Whose files these are; no pixel is read yet.
        recipe: What determines all releases.
        plan: Their noise.
        destination: Of the images.
    """

    request: SynthesisRequest
    flow: Flow
    vault: Vault
    ledger: Ledger
    cohort: PrivateCohort
    recipe: SynthesisRecipe
    plan: SynthesisPlan
    destination: Destination

    @cached_property
    def key(self) -> str:
        """What makes a synthesis the same one: files, findings, patients, recipe and weights."""
        files = [
            f"{subject}\0{file.content}\0{';'.join(file.annotation.findings)}"
            for subject, own in self.cohort.patients.items()
            for file in own
        ]
        return self.vault.token(
            "synthesis", str(to_json(self.recipe)), self.flow.sha256, *sorted(files)
        )

    def entries(self) -> list[LedgerEntry]:
        """What the ledger knows of this synthesis: an entry of each patient, or none."""
        return self.ledger.find([self.key]).get(self.key, [])

    def kept(self, run: str) -> Path:
        """Where the vault keeps what a run learnt."""
        return self.vault.path / KEPT / f"{run}.safetensors"

    def charge(self, patients: Iterable[str], run: str, *, after: int = 0) -> list[LedgerEntry]:
        """What is to be reserved for some patients.

        Args:
            patients: Their identifiers.
            run: Random identifier of what will be learnt.
            after: Entries of this run that there are already.
        """
        guarantee = guarantee_of(self.plan, secure=True)
        patients = list(patients)
        for who in patients:  # what was charged to another spelling counts, too
            for file in self.cohort.patients[who]:
                self.ledger.join(self.vault.subject(file.spelled), self.vault.subject(who))
        return [
            LedgerEntry(
                key=self.key,
                subject=self.vault.subject(patient),
                micro_epsilon=micro(guarantee.charged),
                pico_delta=pico(self.recipe.delta),
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
        accounts = {self.ledger.subject(self.vault.subject(who)) for who in self.cohort.patients}
        spent = self.ledger.spent(accounts)
        for entry in more:
            account = self.ledger.subject(entry.subject)
            before = spent.get(account, Spent())
            spent[account] = before.plus(entry.micro_epsilon, entry.pico_delta)
        people = spent.values()
        return Spent(
            micro_epsilon=max((one.micro_epsilon for one in people), default=0),
            pico_delta=max((one.pico_delta for one in people), default=0),
            releases=max((one.releases for one in people), default=0),
            unprotected=any(one.unprotected for one in people),
        )

    def check_budget(self) -> None:
        """Refuses what the budget or the vault's cap does not allow, as far as is known by now.

        Before any pixel is read that is all but what was spent on pictures of nobody.

        Raises:
            BudgetExceeded: A patient would go over.
        """
        self.ledger.check(self.charge(self.cohort.patients, "check"), self.request.limit)


@contextmanager
def opened(
    request: SynthesisRequest,
    flow: Flow,
    *,
    read_only: bool,
    progress: ProgressCallback = silent,
) -> Iterator[SynthesisJob]:
    """The job, open until the block ends.

    A vault that was made for it is removed again where nothing was charged.

    Args:
        request: What is asked for.
        flow: The public flow.
        read_only: For a preview: nothing is made or written, nor locked.
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
            yield _prepared(request, flow, vault, ledger, progress)
        except (InputError, BudgetExceeded):
            if not ledger.spent():
                vault.undo()
            raise


def _prepared(
    request: SynthesisRequest,
    flow: Flow,
    vault: Vault,
    ledger: Ledger,
    progress: ProgressCallback,
) -> SynthesisJob:
    tag = "" if isinstance(vault, UnmadeVault) else vault.tag
    destination = Destination.of(request.out, flow, request.images, request.size, tag)
    destination.check()
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
    recipe = request.recipe(len(cohort.patients))
    plan = SynthesisPlan.calibrate(recipe.epsilon, recipe.delta, declared=bool(recipe.declared))
    return SynthesisJob(
        request=request,
        flow=flow,
        vault=vault,
        ledger=ledger,
        cohort=cohort,
        recipe=recipe,
        plan=plan,
        destination=destination,
    )
