"""How much the patients of a cohort have spent at most."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from latentdp.vault.ledger import Ledger, LedgerEntry, Spent

__all__ = ["most_spent"]


def most_spent(ledger: Ledger, subjects: Iterable[str], more: Sequence[LedgerEntry] = ()) -> Spent:
    """Most that some subjects have spent in the vault, each figure for itself.

    Args:
        ledger: Of the vault, verified.
        subjects: Pseudonyms in it.
        more: What would be reserved beside.
    """
    spent = ledger.spent({ledger.subject(subject) for subject in subjects})
    for entry in more:
        account = ledger.subject(entry.subject)
        before = spent.get(account, Spent())
        spent[account] = before.plus(entry.micro_epsilon, entry.pico_delta)
    people = spent.values()
    return Spent(
        micro_epsilon=max((one.micro_epsilon for one in people), default=0),
        pico_delta=max((one.pico_delta for one in people), default=0),
        releases=max((one.releases for one in people), default=0),
        unprotected=any(one.unprotected for one in people),
    )
