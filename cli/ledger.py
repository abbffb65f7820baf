"""``latentdp ledger``."""

from __future__ import annotations

from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentdp import InputError
from latentdp.privacy.rounding import IN_FULL, printed

from ._options import JsonOption, LedgerOption
from ._render import print_json, table

if TYPE_CHECKING:
    from latentdp.vault.ledger import Ledger, Spent

SHORT = 16  # digits of a pseudonym in a table


def ledger(
    vault: Annotated[Path, typer.Argument(metavar="VAULT", help="Private folder of releases.")],
    cap: Annotated[
        float | None,
        typer.Option(
            "--cap",
            metavar="EPSILON",
            help="From now on refuse (exit 3) every release that would take a patient over this; "
            "makes the vault where there is none. The newest cap holds.",
        ),
    ] = None,
    patients: Annotated[
        bool, typer.Option("--patients", help="Show what was spent on each patient pseudonym.")
    ] = False,
    patient: Annotated[
        str | None,
        typer.Option(
            "--patient",
            metavar="ID",
            help="Show one patient, by the Patient ID of the sources (with its issuer, if they "
            "state one: 'ID\\ISSUER'). The ID is neither stored nor printed.",
        ),
    ] = None,
    database: LedgerOption = None,
    json: JsonOption = False,
) -> int:
    """Show what a vault has spent on its patients, check its ledger, set a cap.

    Exit codes: 0 all well, 2 wrong usage or a ledger that was tampered with.
    """
    from latentdp.vault.ledger import Spent, allowance
    from latentdp.vault.vault import Vault

    limit = None if cap is None else allowance(cap)
    if limit is None and not (vault / "key").is_file():
        raise InputError("expected a vault, a folder with the key of releases; there is none")
    store = Vault(vault)
    # A cap waits for the end of a run, which has checked what it is about to release.
    lock = nullcontext() if limit is None and database is None else store.locked()
    with lock, closing(store.ledger(database)) as book:
        if limit is not None:
            book.verify()
            book.set_cap(limit)
        facts = _facts(book) | {"vault": store.tag}
        spent = book.spent()
    if patient is not None:
        subject = store.subject(patient)
        spent = {subject: spent.get(subject, Spent())}
    accounts = {}
    if patients or patient is not None:
        accounts = {who: _account(spent[who], facts["cap"]) for who in sorted(spent)}
    if json:
        print_json(facts | ({"by_patient": accounts} if accounts else {}))
    else:
        table(f"ledger of vault {store.tag}", _lines(facts) + _patients(accounts))
    return 0


def _facts(book: Ledger) -> dict[str, Any]:
    rows, cap, spent = book.verify(), book.cap(), book.spent().values()
    return {
        "patients": len(spent),
        "releases": sum(s.releases for s in spent),
        "most_spent": max((s.micro_epsilon for s in spent), default=0) / 1e6,
        "most_delta": max((s.pico_delta for s in spent), default=0) / 1e12,
        "cap": None if cap is None else cap / 1e6,
        "rows": rows,
        "verified": True,  # or there is an error instead
    }


def _account(spent: Spent, cap: float | None) -> dict[str, Any]:
    epsilon = spent.micro_epsilon / 1e6
    return {
        "releases": spent.releases,
        "spent": epsilon,
        "delta": spent.pico_delta / 1e12,
        "left": None if cap is None else max(0.0, round(cap - epsilon, 6)),
    }


def _lines(facts: dict[str, Any]) -> list[tuple[str, str]]:
    cap, delta = facts["cap"], facts["most_delta"]
    return [
        ("patients", str(facts["patients"])),
        ("releases", str(facts["releases"])),
        ("most spent", _amount(facts["most_spent"], delta) + " on one patient"),
        ("cap", "none" if cap is None else f"epsilon {printed(cap, IN_FULL)} per patient"),
        ("chain", f"verified, {facts['rows']} rows"),
    ]


def _patients(accounts: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    return [
        (
            who[:SHORT],
            f"{_amount(account['spent'], account['delta'])} for {account['releases']} releases"
            + ("" if account["left"] is None else f", {printed(account['left'], IN_FULL)} left"),
        )
        for who, account in accounts.items()
    ]


def _amount(epsilon: float, delta: float) -> str:
    amount = f"epsilon {printed(epsilon, IN_FULL)}"
    return f"{amount}, delta {printed(delta, 3)}" if delta else amount


command = ledger
