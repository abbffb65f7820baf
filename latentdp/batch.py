"""Folders: `privatize_folder` and its preview. The work itself is in `latentdp.run`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from latentdp.database import address, file_of
from latentdp.errors import Aborted, BudgetExceeded, InputError
from latentdp.folders import check_release, find_files
from latentdp.inputs import chunks, name_below
from latentdp.labels import read_labels
from latentdp.ledger import allowance
from latentdp.privatizer import Privatizer
from latentdp.run import Progress, Run
from latentdp.summary import Summary
from latentdp.vault import Vault
from latentdp.workers import Refusal, pool

__all__ = ["Progress", "preview", "privatize_folder"]


def privatize_folder(
    source: Path,
    out: Path,
    privatizer: Privatizer,
    *,
    vault: Path,
    labels: Path | None = None,
    workers: int = 1,
    budget: float | None = None,
    ledger: str | None = None,
    again: bool = False,
    progress: Progress | None = None,
) -> Summary:
    """Privatizes every file below ``source`` into ``out / "images"``.

    Args:
        source: Folder or file; never written to.
        out: New or empty folder, or one with an earlier part of the same release.
        privatizer: What to do to each image.
        vault: Folder of the key, the ledger and private reports; made if absent.
        labels: CSV with ``file`` and ``label``.
        workers: Processes; 1 works in this one.
        budget: Largest epsilon per patient, earlier releases from this vault included. A cap of
            the vault holds too.
        ledger: URL of the ledger's database, which the vault remembers; by default the
            remembered one, or a file in the vault.
        again: Release, and charge, what was released before but cannot be found.
        progress: Called with the number of files done and of all.

    Raises:
        InputError: Something is wrong before anything was written.
        BudgetExceeded: A patient would go over ``budget`` or the vault's cap; nothing was
            written or charged.
        Aborted: Writing failed in the middle; what is finished is safe.
    """
    limit = _limit(budget, privatizer)
    found = find_files(source)
    given = _labels(labels, source, found, privatizer)
    check_release(source, out, vault, privatizer)
    _check_ledger(ledger, source, out)
    store = Vault(vault)
    store.check(out)
    try:
        with store.locked(), closing(store.ledger(ledger)) as book:
            book.verify()
            capped = book.cap() is not None
            if capped:
                _bounded(privatizer)
            with pool(privatizer, workers) as processes:
                run = Run(
                    source,
                    out,
                    privatizer,
                    vault=store,
                    ledger=book,
                    labels=given,
                    workers=processes,
                    again=again,
                    progress=progress,
                )
                if capped or limit is not None:
                    try:
                        run.check_budget(found, limit)
                    except BudgetExceeded:
                        store.undo()
                        raise
                with run.outputs.alone():
                    run.run(found, limit)
    except OSError as error:
        raise Aborted(
            f"a file could not be written or moved ({error.strerror}); running the same "
            "command again goes on from here"
        ) from error
    return run.summary


def preview(
    source: Path,
    privatizer: Privatizer,
    *,
    labels: Path | None = None,
    workers: int = 1,
    budget: float | None = None,
    progress: Progress | None = None,
) -> tuple[Summary, list[tuple[str, str]]]:
    """What `privatize_folder` would do with a new vault, without writing anything.

    Returns:
        The summary, and for each refused file its path below ``source`` and the reason.

    Raises:
        InputError: As `privatize_folder`.
        BudgetExceeded: The images of one patient alone cost more than ``budget``.
    """
    limit = _limit(budget, privatizer)
    found = find_files(source)
    _labels(labels, source, found, privatizer)
    summary = Summary(inputs=len(found))
    guarantee = privatizer.guarantee
    images: Counter[str] = Counter()
    refused = []
    seen: set[str] = set()
    with pool(privatizer, workers) as processes:
        for part in chunks(found):
            digests, reads = processes.digests(part), processes.read(part)
            for path, digest, read in zip(part, digests, reads, strict=True):
                if isinstance(read, Refusal):
                    summary.quarantined[read.reason] += 1
                    refused.append((name_below(source, path), read.reason))
                elif digest in seen:
                    summary.duplicates += 1
                else:
                    summary.released += 1
                    images[read.patient or f"unknown {digest}"] += 1
                seen.add(digest)
                if progress:
                    progress(summary.accounted, len(found))
    summary.outputs, summary.patients = summary.released, len(images)
    if images:
        summary.most_images = max(images.values())
        whole = guarantee.for_patient(summary.most_images)
        summary.patient_epsilon, summary.patient_delta = whole.epsilon, whole.delta
    summary.spent = guarantee.epsilon * summary.released
    if limit is not None and summary.patient_epsilon * 1e6 > limit:
        raise BudgetExceeded("a patient would go over the budget even with a new vault")
    return summary, refused


def _limit(budget: float | None, privatizer: Privatizer) -> int | None:
    """The budget in micro-epsilons, rounded down."""
    if budget is None:
        return None
    if not budget > 0:
        raise InputError(f"expected a finite positive budget of epsilon, got {budget}")
    _bounded(privatizer)
    return allowance(budget)


def _bounded(privatizer: Privatizer) -> None:
    """No sum of epsilons says anything about what is kept."""
    if privatizer.plan.keeps:
        raise InputError(
            "a budget cannot bound a release that keeps latent dimensions, nor can a vault's cap"
        )


def _check_ledger(url: str | None, source: Path, out: Path) -> None:
    """Refuses a URL that is none, or a file that would be released or lie among the inputs."""
    file = None if url is None else file_of(address(url))
    if file is not None and {source.resolve(), out.resolve()} & {file, *file.parents}:
        raise InputError("the ledger must not lie inside the input or the output")


def _labels(
    labels: Path | None, source: Path, found: Sequence[Path], privatizer: Privatizer
) -> dict[str, int]:
    if labels is None:
        return {}
    given = read_labels(labels, privatizer.flow.classes)
    missing = set(given) - {name_below(source, path) for path in found}
    if missing:
        raise InputError(f"{len(missing)} labels name files that are not in the input folder")
    return given
