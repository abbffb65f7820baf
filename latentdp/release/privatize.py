"""Folders: `privatize_folder`. The work itself is in `latentdp.release.run`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from latentdp.core.progress import CountCallback
from latentdp.errors import Aborted, BudgetExceeded
from latentdp.privatizer import Privatizer
from latentdp.release.dask_executor import workplace
from latentdp.release.folders import check_release, check_vault, find_files
from latentdp.release.preview import preview
from latentdp.release.request import check_bounded, check_ledger, given_labels, most
from latentdp.release.run import Run
from latentdp.release.summary import Summary
from latentdp.release.uid_mapping import Mapping
from latentdp.reports.layout import Layout
from latentdp.vault.vault import Vault

__all__ = ["preview", "privatize_folder"]


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
    layout: Layout = Layout.FLAT,
    mapping: Path | None = None,
    cluster: str | None = None,
    progress: CountCallback | None = None,
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
        layout: How the images lie in ``out / "images"``.
        mapping: CSV to write, with the old and new UIDs of everything that is in the release;
            patient IDs come beside it. It is a secret, like the vault.
        cluster: Address of a Dask scheduler, or its scheduler file; its workers are used
            instead of processes here, and must reach ``source`` and ``out`` by the same paths.
        progress: Called with the number of files done and of all.

    Raises:
        InputError: Something is wrong before anything was written.
        BudgetExceeded: A patient would go over ``budget`` or the vault's cap; nothing was
            written or charged.
        Aborted: Writing failed in the middle; what is finished is safe.
    """
    if cluster is not None:  # workers have other working directories
        source, out = source.absolute(), out.absolute()
    limit = most(budget, privatizer)
    found = find_files(source)
    given = given_labels(labels, source, found, privatizer)
    check_release(source, out, vault, privatizer, layout)
    check_ledger(ledger, source, out)
    pairs = None if mapping is None else Mapping(mapping, source=source, out=out)
    store = Vault(vault)
    check_vault(store, out)
    try:
        with store.locked(), closing(store.ledger(ledger)) as book:
            book.verify()
            capped = book.cap() is not None
            if capped:
                check_bounded(privatizer)
            with workplace(privatizer, workers, cluster, source=source, out=out) as processes:
                run = Run(
                    source,
                    out,
                    privatizer,
                    vault=store,
                    ledger=book,
                    labels=given,
                    workers=processes,
                    again=again,
                    layout=layout,
                    mapping=pairs,
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
