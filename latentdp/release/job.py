"""A release job: inputs, networks, vault, ledger, outputs and workers, checked and open.

A run and its preview are prepared here, in the same way; a preview's vault is read-only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from latentdp.errors import BudgetExceeded, InputError
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.randomized_response import LabelRelease, Unlabelled
from latentdp.privacy.units import allowance
from latentdp.privatizer import Privatizer
from latentdp.release.dask_executor import cluster
from latentdp.release.decide import Decider
from latentdp.release.executor import Pool, pool
from latentdp.release.folders import check_lengths, check_recipe, check_vault
from latentdp.release.inputs import SourceFile, find_files
from latentdp.release.labelling import labelled
from latentdp.release.outputs import Outputs
from latentdp.release.request import ReleaseRequest
from latentdp.release.summary import Tally
from latentdp.vault.drafts import Drafts
from latentdp.vault.duplicates import DuplicateIndex
from latentdp.vault.index_file import IndexFile
from latentdp.vault.ledger import Ledger, LedgerEntry
from latentdp.vault.spending import UNLIMITED, Limit
from latentdp.vault.vault import NOWHERE, UnmadeVault, Vault

__all__ = ["Job", "check_request", "find_inputs", "opened"]


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a release works with, while it is open.

    Attributes:
        request: What is asked for.
        privatizer: What is done to each image.
        files: All inputs.
        out: The release folder, or a place where none can be, for a preview of inputs alone.
        vault: Open, and for a run locked.
        index: Of the vault: which inputs are one picture, and which output lies where.
        ledger: That of the vault, verified.
        outputs: Of the release folder.
        workers: Who reads, privatizes and writes.
    """

    request: ReleaseRequest
    privatizer: Privatizer
    files: Sequence[SourceFile]
    out: Path
    vault: Vault
    index: IndexFile
    ledger: Ledger
    outputs: Outputs
    workers: Pool

    @property
    def guarantee(self) -> Guarantee:
        """Of each output, with what the layout passes on."""
        return self.privatizer.guarantee.beside(*self.request.layout.unprotected)

    @property
    def labelled(self) -> bool:
        """Whether labels are given and used."""
        return self.request.labelled and self.privatizer.plan.label is not LabelRelease.NONE

    def tally(self) -> Tally:
        """Of a run that begins."""
        return Tally(inputs=len(self.files), unlabelled=0 if self.labelled else None)

    @property
    def limit(self) -> Limit:
        """Most that each patient may have spent: what is over it refuses the run."""
        return self.request.limit.within(self.patient_limit)

    @property
    def patient_limit(self) -> Limit:
        """Likewise by the recipe, which leaves images out rather than go over it."""
        return _patient_limit(self.request, self.privatizer)

    def decider(
        self,
        recovered: Mapping[str, LedgerEntry] | None = None,
        selected: Collection[str] | None = None,
    ) -> Decider:
        """Decides what becomes of inputs; it knows nothing of any other decider.

        Args:
            recovered: Entries that the next run will find recorded, by output.
            selected: The images that may be charged, by `Decision.order`; None for all.
        """
        return Decider(
            self.privatizer,
            keys=self.vault,
            ledger=self.ledger,
            recovered=recovered or {},
            outputs=self.outputs,
            duplicates=DuplicateIndex(self.index),
            workers=self.workers,
            again=self.request.again,
            selected=selected,
        )


def check_request(request: ReleaseRequest, privatizer: Privatizer) -> None:
    """Refuses, before any input is looked at, what the recipe cannot do.

    Raises:
        InputError: The output folder holds a release of another recipe.
        BudgetExceeded: A budget where something is released exactly.
    """
    _check_bounded(request, privatizer, UNLIMITED)
    if request.out is not None:
        check_recipe(request.out, privatizer)


def find_inputs(
    request: ReleaseRequest, privatizer: Privatizer, *, count_unlabelled: bool = False
) -> Sequence[SourceFile]:
    """Finds the inputs and their labels, and refuses what the recipe cannot do to them.

    Args:
        request: What is asked for.
        privatizer: What is done to each image.
        count_unlabelled: Let pass inputs without a label, whatever is to become of them.

    Raises:
        InputError: There are none, labels that do not fit, or a release of another recipe.
        BudgetExceeded: A budget where something is released exactly.
    """
    check_request(request, privatizer)
    files: Sequence[SourceFile] = find_files(request.source)
    if request.labels is not None:
        unlabelled = _unlabelled(request, privatizer)
        if count_unlabelled and unlabelled is Unlabelled.REFUSE:
            unlabelled = Unlabelled.UNKNOWN
        files = labelled(
            files,
            request.labels,
            request.label_map,
            privatizer.label_space,
            privatizer.recipe.profile,
            unlabelled,
            privatizer.recipe.release_findings,
        )
    if request.out is not None:
        check_lengths(request.out, request.layout, (file.name for file in files))
    return files


def _unlabelled(request: ReleaseRequest, privatizer: Privatizer) -> Unlabelled | None:
    """What becomes of inputs without a label; None where labels are not used."""
    label, wanted = privatizer.plan.label, request.unlabelled
    if label is LabelRelease.NONE:
        return None
    if label is LabelRelease.PUBLIC and wanted is Unlabelled.RANDOM:
        raise InputError(
            "--unlabelled random needs --label-release response: where labels are released "
            "exactly, one by chance would be taken for the truth"
        )
    does = privatizer.recipe.unlabelled
    if label is LabelRelease.RESPONSE and wanted not in (Unlabelled.REFUSE, does):
        raise InputError(f"the recipe releases what has no label as {does}, not as {wanted}")
    return wanted


@contextmanager
def opened(
    request: ReleaseRequest,
    privatizer: Privatizer,
    files: Sequence[SourceFile],
    *,
    read_only: bool = False,
) -> Iterator[Job]:
    """Opens vault and ledger, and has workers ready.

    Args:
        request: What is asked for.
        privatizer: What to do to each image.
        files: What `find_inputs` found.
        read_only: Make and write nothing, as for a preview.

    Raises:
        InputError: A vault, ledger or cluster that cannot be used, or another run that uses them.
        BudgetExceeded: The vault has a cap, and something is released exactly.
    """
    if request.out is None and not read_only:
        raise InputError("expected an output folder; only a preview needs none")
    out = request.out or NOWHERE
    with ExitStack() as held:
        vault = _vault(request.vault, read_only=read_only)
        check_vault(out, vault)
        if not read_only:
            held.enter_context(vault.locked())
        ledger = held.enter_context(closing(vault.ledger(request.ledger)))
        ledger.verify()
        _check_bounded(request, privatizer, ledger.cap())
        workers = held.enter_context(_workers(request, privatizer))
        index = vault.index()
        yield Job(
            request=request,
            privatizer=privatizer,
            files=files,
            out=out,
            vault=vault,
            index=index,
            ledger=ledger,
            outputs=Outputs(out, index, Drafts(vault.path), new=not read_only),
            workers=workers,
        )


def _workers(request: ReleaseRequest, privatizer: Privatizer) -> AbstractContextManager[Pool]:
    """Processes of this machine, or the workers of a cluster."""
    if request.cluster is None:
        return pool(privatizer, request.workers)
    return cluster(privatizer, request.cluster, source=request.source)


def _vault(place: Path | None, *, read_only: bool) -> Vault:
    if place is None or (read_only and not Vault.exists(place)):
        return UnmadeVault()
    return Vault(place, read_only=read_only)


def _patient_limit(request: ReleaseRequest, privatizer: Privatizer) -> Limit:
    budget = privatizer.recipe.patient_budget
    return Limit(
        micro_epsilon=None if budget.epsilon is None else allowance(budget.epsilon),
        releases=budget.images,
        accept_unprotected=request.accept_unprotected,
    )


def _check_bounded(request: ReleaseRequest, privatizer: Privatizer, cap: Limit) -> None:
    """Refuses a bound on what has none, before anything is read.

    Raises:
        BudgetExceeded: Something is released exactly: epsilon is infinity for every patient.
    """
    limit = request.limit.within(_patient_limit(request, privatizer))
    exactly = privatizer.guarantee.beside(*request.layout.unprotected).unprotected
    if exactly and (limit.bounds or cap.bounds) and not limit.accept_unprotected:
        raise BudgetExceeded(
            f"epsilon of this release is infinite, over any budget and cap, since it leaves "
            f"something unprotected: {'; '.join(exactly)}; --accept-unprotected bounds the noised "
            "part alone"
        )
