"""Rows of a ledger: entries to be reserved, and statements that tamper with what is there."""

from latentdp.vault.ledger import LedgerEntry

SET = "update latentdp_ledger set {} where vault = :vault and seq = {}"
COPY = (
    "insert into latentdp_ledger select vault, {}, kind, key, subject, micro_epsilon, pico_delta,"
    " {}, folder, sha256, label, chain from latentdp_ledger where vault = :vault and seq = {}"
)
CUT = "delete from latentdp_ledger where vault = :vault and seq {}"
CLOSE = "update latentdp_ledger set seq = seq - 1 where vault = :vault and seq = {}"


def entry(key: str, subject: str = "s", cost: int = 5, output: str | None = None) -> LedgerEntry:
    return LedgerEntry(
        key=key, subject=subject, micro_epsilon=cost, output=output or f"{key}.png", folder="/out"
    )
