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
    from latentdp.vault.ledger import Ledger
    from latentdp.vault.spending import Limit, Spent

SHORT = 16  # digits of a pseudonym in a table


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
    from latentdp.data.patient_id import loose_form
    from latentdp.privacy.units import allowance, delta_allowance
    from latentdp.reports.release_card import CARD
    from latentdp.vault.default_vault import default_vault
    from latentdp.vault.spending import Limit, Spent
    from latentdp.vault.vault import Vault

    limit = Limit(
        micro_epsilon=None if cap is None else allowance(cap),
        pico_delta=None if cap_delta is None else delta_allowance(cap_delta),
    )
    if (vault / CARD).is_file():
        vault = default_vault(vault)
    if not limit.bounds and not (vault / "key").is_file():
        raise InputError("expected a vault, a folder with the key of releases; there is none")
    store = Vault(vault)
    # A cap waits for the end of a run, which has checked what it is about to release.
    lock = store.locked() if limit.bounds or database is not None else nullcontext()
    with lock, closing(store.ledger(database)) as book:
        if limit.bounds:
            book.verify()
            book.set_cap(limit.micro_epsilon, limit.pico_delta)
        facts, cap_now = _facts(book) | {"vault": store.tag}, book.cap()
        if patient is not None:
            subject = store.subject(loose_form(patient))
            book.join(store.subject(patient), subject)  # as version 0.1 charged this spelling
            spent = {subject: Spent()} | book.spent({subject})
        else:
            spent = book.spent()
    accounts = {}
    if patients or patient is not None:  # who spent most comes first, infinity before all
        order = sorted(sorted(spent), key=lambda who: _rank(spent[who]), reverse=True)
        accounts = {who: _account(spent[who], cap_now) for who in order}
    if json:
        print_json(facts | ({"by_patient": accounts} if accounts else {}))
    else:
        table(f"ledger of vault {store.tag}", _lines(facts) + _patients(accounts))
    return 0


def _facts(book: Ledger) -> dict[str, Any]:
    from latentdp.vault.spending import Spent

    rows, cap, spent = book.verify(), book.cap(), book.spent().values()
    return {
        "patients": len(spent),
        "releases": sum(s.releases for s in spent),
        **_spent("most_spent", max(spent, key=_rank, default=Spent())),
        "most_delta": max((s.delta for s in spent), default=0.0),
        "cap": None if cap.micro_epsilon is None else cap.micro_epsilon / 1e6,
        "cap_delta": None if cap.pico_delta is None else cap.pico_delta / 1e12,
        "rows": rows,
        "verified": True,  # or there is an error instead
    }


def _rank(spent: Spent) -> tuple[float, int, int]:
    """Orders by what was spent; infinity is most."""
    return spent.epsilon, spent.micro_epsilon, spent.pico_delta


def _account(spent: Spent, cap: Limit) -> dict[str, Any]:
    return {
        "releases": spent.releases,
        **_spent("spent", spent),
        "delta": spent.delta,
        "left": _left(spent.epsilon, cap.micro_epsilon, 6),
        "delta_left": _left(spent.delta, cap.pico_delta, 12),
    }


def _spent(name: str, spent: Spent) -> dict[str, float | None]:
    """Epsilon under a name; None for infinity, and then that of the noised part too."""
    if not spent.unprotected:
        return {name: spent.epsilon}
    return {name: None, f"{name}_on_noised_part": spent.noised_epsilon}


def _left(spent: float, cap: int | None, digits: int) -> float | None:
    return None if cap is None else max(0.0, round(cap / 10**digits - spent, digits))


def _lines(facts: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("patients", str(facts["patients"])),
        ("releases", str(facts["releases"])),
        ("most spent", _amount(facts, "most_spent", facts["most_delta"]) + " on one patient"),
        ("cap", _cap(facts["cap"], facts["cap_delta"])),
        ("chain", f"verified, {facts['rows']} rows"),
    ]


def _cap(epsilon: float | None, delta: float | None) -> str:
    parts = [f"epsilon {printed(epsilon, IN_FULL)}"] if epsilon is not None else []
    parts += [f"delta {printed(delta, IN_FULL)}"] if delta is not None else []
    return " and ".join(parts) + " per patient" if parts else "none"


def _patients(accounts: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    rows = []
    for who, account in accounts.items():
        spent = f"{_amount(account, 'spent', account['delta'])} for {account['releases']} releases"
        left = "" if account["left"] is None else f", {printed(account['left'], IN_FULL)} left"
        if account["delta_left"] is not None:
            left += f", delta {printed(account['delta_left'], IN_FULL)} left"
        rows.append((who[:SHORT], spent + left))
    return rows


def _amount(facts: dict[str, Any], name: str, delta: float) -> str:
    also = f", delta {printed(delta, 3)}" if delta else ""
    if facts[name] is not None:
        return f"epsilon {printed(facts[name], IN_FULL)}{also}"
    noised = printed(facts[f"{name}_on_noised_part"], IN_FULL)
    return f"epsilon infinity (something was released exactly; noised part {noised}{also})"


command = ledger
