"""Folders: `privatize_folder` and its preview. The work itself is in `latentdp.run`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from latentdp.errors import Aborted, BudgetExceeded, InputError
from latentdp.folders import check_release, find_files
from latentdp.inputs import chunks, name_below
from latentdp.labels import read_labels
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
        budget: Largest epsilon per patient, earlier releases from this vault included.
        again: Release, and charge, what was released before but cannot be found.
        progress: Called with the number of files done and of all.

    Raises:
        InputError: Something is wrong before anything was written.
        BudgetExceeded: A patient would go over ``budget``; nothing was written or charged.
        Aborted: Writing failed in the middle; what is finished is safe.
    """
    limit = _limit(budget, privatizer)
    found = find_files(source)
    given = _labels(labels, source, found, privatizer)
    check_release(source, out, vault, privatizer)
    store = Vault(vault)
    store.check(out)
    with store.locked(), pool(privatizer, workers) as processes:
        run = Run(
            source,
            out,
            privatizer,
            vault=store,
            labels=given,
            workers=processes,
            again=again,
            progress=progress,
        )
        try:
            if limit is not None:
                run.check_budget(found, limit)
            run.run(found, limit)
        except OSError as error:
            raise Aborted(
                f"a file could not be written or moved ({error.strerror}); running the same "
                "command again goes on from here"
            ) from error
        finally:
            run.ledger.close()
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
        summary.patient_epsilon = guarantee.for_patient(summary.most_images).epsilon
    summary.spent = guarantee.epsilon * summary.released
    if limit is not None and summary.patient_epsilon * 1e6 > limit:
        raise BudgetExceeded("a patient would go over the budget even with a new vault")
    return summary, refused


def _limit(budget: float | None, privatizer: Privatizer) -> int | None:
    """The budget in micro-epsilons, rounded down."""
    if budget is None:
        return None
    if not (math.isfinite(budget) and budget > 0):
        raise InputError(f"expected a finite positive budget of epsilon, got {budget}")
    if privatizer.plan.keeps:
        raise InputError("a budget cannot bound a release that keeps latent dimensions")
    return math.floor(budget * 1_000_000)


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
