"""``latentdp ledger``."""

from __future__ import annotations

from contextlib import closing, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from latentdp import InputError

from ._ledger_report import LedgerReport
from ._options import JsonOption
from ._render import print_json, table
from ._run_options import LedgerOption


def ledger(
    vault: Annotated[
        Path,
        typer.Argument(
            metavar="VAULT|OUT",
            help="Private folder of releases; or a release, for the vault that it has by default.",
        ),
    ],
    cap: Annotated[
        float | None,
        typer.Option(
            "--cap",
            metavar="EPSILON",
            help="From now on refuse (exit 3) every release that would take a patient over this; "
            "makes the vault where there is none. The newest cap holds.",
        ),
    ] = None,
    cap_delta: Annotated[
        float | None,
        typer.Option(
            "--cap-delta",
            metavar="DELTA",
            help="The same for the sum of a patient's deltas; one does not change the other.",
        ),
    ] = None,
    patients: Annotated[
        bool,
        typer.Option(
            "--patients", help="Show what was spent on each patient, by the pseudonym in releases."
        ),
    ] = False,
    patient: Annotated[
        str | None,
        typer.Option(
            "--patient",
            metavar="ID",
            help="Show one patient, by the pseudonym in releases (LDP-...) or the Patient ID of "
            "the sources (with its issuer, if they state one: 'ID\\ISSUER'). The ID is neither "
            "stored nor printed.",
        ),
    ] = None,
    database: LedgerOption = None,
    json: JsonOption = False,
) -> int:
    """Show what a vault has spent on its patients, check its ledger, set a cap.

    Exit codes: 0 all well, 2 wrong usage or a ledger that was tampered with.
    """
    from latentdp.data.patient_id import loose_form
    from latentdp.privacy.units import allowance, delta_allowance
    from latentdp.vault.patients import Patients
    from latentdp.vault.spending import Limit, Spent
    from latentdp.vault.vault import Vault

    limit = Limit(
        micro_epsilon=None if cap is None else allowance(cap),
        pico_delta=None if cap_delta is None else delta_allowance(cap_delta),
    )
    store = Vault(_vault_of(vault, may_be_made=limit.bounds))
    # A cap waits for the end of a run, which has checked what it is about to release.
    lock = store.locked() if limit.bounds or database is not None else nullcontext()
    with lock, closing(store.ledger(database)) as book:
        if limit.bounds:
            book.verify()
            book.set_cap(limit.micro_epsilon, limit.pico_delta)
        report, cap_now = LedgerReport.of(book, store.tag), book.cap()
        people = Patients(store, book)
        if patient is not None:
            subject = people.find(patient, loose_form(patient))
            spent = {subject: Spent()} | book.spent({subject})
        else:
            spent = book.spent() if patients else {}
        report = report.with_patients(spent, people.pseudonyms(), cap_now)
    if json:
        print_json(report)
    else:
        table(f"ledger of vault {store.tag}", report.table_rows)
    return 0


def _vault_of(folder: Path, *, may_be_made: bool) -> Path:
    """The vault that a folder is, or that a release in it has by default.

    Raises:
        InputError: It is neither.
    """
    from latentdp.reports.release_card import CARD
    from latentdp.vault.default_vault import default_vault

    if (folder / "key").is_file() or (may_be_made and not folder.exists()):
        return folder
    if (folder / CARD).is_file():
        vault = default_vault(folder)
        if (vault / "key").is_file():
            return vault
        raise InputError(
            "the release has no vault in this user's state; name the vault that was given to "
            "latentdp privatize as --vault"
        )
    if not folder.exists():
        raise InputError(
            "expected a vault (the private folder with the key of releases) or a release (a "
            f"folder with {CARD}); there is none"
        )
    if may_be_made and folder.is_dir() and not any(folder.iterdir()):
        return folder
    raise InputError(
        f"expected a vault (the private folder with the key of releases) or a release (a folder "
        f"with {CARD}), got something else, such as a folder of inputs; latentdp privatize says "
        "where the vault of a release is"
    )


command = ledger
