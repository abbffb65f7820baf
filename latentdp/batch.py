"""Folders: `privatize_folder` and its preview. The work itself is in `latentdp.run`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from latentdp.errors import InputError
from latentdp.folders import check_release, find_files
from latentdp.labels import read_labels
from latentdp.ledger import micro
from latentdp.noise import Noise
from latentdp.privatizer import Privatizer
from latentdp.recipe import Recipe
from latentdp.run import Progress, Run, chunks, name_below
from latentdp.summary import Summary
from latentdp.vault import Vault
from latentdp.workers import Refusal, pool

__all__ = ["Progress", "preview", "privatize_folder"]


def privatize_folder(
    source: Path,
    out: Path,
    recipe: Recipe,
    *,
    vault: Path,
    labels: Path | None = None,
    workers: int = 1,
    budget: float | None = None,
    progress: Progress | None = None,
    noise: Noise | None = None,
) -> Summary:
    """Privatizes every file below ``source`` into ``out / "images"``.

    Args:
        source: Folder or file; never written to.
        out: New or empty folder, or one with an earlier part of the same release.
        recipe: What to spend on what.
        vault: Folder of the key, the ledger and private reports; made if absent.
        labels: CSV with ``file`` and ``label``.
        workers: Processes; 1 works in this one.
        budget: Largest epsilon per patient, earlier releases from this vault included.
        progress: Called with the number of files done and of all.
        noise: Only tests give one.

    Raises:
        InputError: Something is wrong before anything was written.
        BudgetExceeded: A patient would go over ``budget``; nothing was written or charged.
        WeightsError: The weights are refused.
    """
    if workers < 1:
        raise InputError(f"expected at least 1 worker, got {workers}")
    privatizer = Privatizer.from_recipe(recipe, noise)
    recipe = privatizer.recipe
    found = find_files(source)
    check_release(source, out, vault, recipe.digest)
    given = _labels(labels, source, found, privatizer)
    store = Vault(vault)
    limit = None if budget is None else micro(budget)
    with store.locked(), pool(recipe, workers, noise, privatizer) as processes:
        run = Run(source, out, privatizer, store, given, processes, len(found), progress)
        try:
            if limit is not None:
                run.check_budget(found, limit)
            run.run(found, limit)
        finally:
            run.ledger.close()
    return run.summary


def preview(
    source: Path,
    recipe: Recipe,
    *,
    labels: Path | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> tuple[Summary, list[tuple[str, str]]]:
    """What `privatize_folder` would do with a new vault, without writing anything.

    Returns:
        The summary, and for each refused file its path below ``source`` and the reason.
    """
    privatizer = Privatizer.from_recipe(recipe)
    found = find_files(source)
    _labels(labels, source, found, privatizer)
    summary = Summary(inputs=len(found))
    guarantee = privatizer.guarantee
    images: Counter[str] = Counter()
    refused = []
    done = 0
    seen: set[str] = set()
    with pool(privatizer.recipe, workers, None, privatizer) as processes:
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
                    images[read.patient or digest] += 1
                seen.add(digest)
                done += 1
                if progress:
                    progress(done, len(found))
    summary.patients = len(images)
    if images:
        summary.most_images = max(images.values())
        summary.patient_epsilon = guarantee.for_patient(summary.most_images).epsilon
    summary.spent = guarantee.epsilon * summary.released
    return summary, refused


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
