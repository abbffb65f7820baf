"""Pseudonyms of one subject: what was spent on one counts for the other."""

import pytest
from sqlalchemy import text

from latentdp import BudgetExceeded, InputError
from latentdp.vault.ledger import Limit, Spent
from tests.support.ledger_rows import entry


def test_pseudonyms_of_one_subject_are_joined_by_the_next_reservation(ledger, vault):
    ledger.reserve([entry("a", "old", 6), entry("b", "older", 3), entry("c", "other", 1)])
    ledger.finish([entry("a", "old", 6).written("ff", 1, "/out")])
    ledger.join("old", "new")
    ledger.join("older", "new")
    ledger.join("nobody", "new")
    assert ledger.spent({"new", "old"}) == {"new": Spent(9, 0, 2), "old": Spent(9, 0, 2)}
    assert ledger.verify() == 4, "only a reservation records it"
    with pytest.raises(BudgetExceeded, match="1 of 1"):
        ledger.reserve([entry("d", "new", 2)], Limit(10))
    assert ledger.verify() == 4
    ledger.reserve([entry("d", "new", 1)], Limit(10))
    ledger.reserve([entry("e", "new", 1)])
    assert ledger.verify() == 8
    again = vault.ledger()
    assert again.spent() == {"new": Spent(11, 0, 4), "other": Spent(1, 0, 1)}
    assert again.subject("old") == again.subject("older") == "new"
    assert [e.subject for e in again.find(["a"])["a"]] == ["new"]
    with pytest.raises(BudgetExceeded):
        again.check([entry("f", "old", 1)], Limit(11))
    again.close()


def test_what_is_charged_to_a_joined_pseudonym_later_counts_too(ledger, vault):
    ledger.join("picture", "a", uncharged=True)
    ledger.reserve([entry("1", "a", 2)])
    ledger.join("picture", "b", uncharged=True)  # of both: they are one
    ledger.reserve([entry("2", "b", 3), entry("3", "picture", 5)])
    again = vault.ledger()
    again.verify()
    assert again.spent() == ledger.spent() == {"b": Spent(10, 0, 3)}
    again.close()


def test_a_join_that_was_removed_is_found(ledger):
    ledger.reserve([entry("a", "old")])
    ledger.join("old", "new")
    ledger.reserve([entry("b", "new")])
    with ledger._engine.begin() as connection:
        connection.execute(text("update latentdp_ledger set subject = 'x' where kind = 'same'"))
    with pytest.raises(InputError, match="row 2 was altered"):
        ledger.verify()
