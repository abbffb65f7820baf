"""What is refused: over a budget or a cap, of epsilon or delta, and what was released exactly."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentdp import BudgetExceeded, InputError
from latentdp.privacy.units import delta_allowance, pico
from latentdp.vault.ledger import LedgerEntry
from latentdp.vault.spending import CERTAIN, Limit, Spent, check
from tests.support.ledger_rows import entry

AMOUNT = st.integers(0, 5)
SPENT = st.builds(Spent, AMOUNT, AMOUNT, AMOUNT, st.booleans())
LIMIT = st.builds(Limit, st.none() | AMOUNT, st.none() | AMOUNT, st.booleans())


def delta(key: str, pico_delta: int, subject: str = "s") -> LedgerEntry:
    return replace(entry(key, subject, 0), pico_delta=pico_delta)


def passes(after, budget, cap) -> bool:
    try:
        check(after, budget, cap)
    except BudgetExceeded:
        return False
    return True


@given(st.lists(SPENT, max_size=3), LIMIT, LIMIT)
def test_it_passes_where_everybody_stays_within_both(after, budget, cap):
    def within(spent: Spent, limit: Limit) -> bool:
        return (limit.micro_epsilon is None or spent.micro_epsilon <= limit.micro_epsilon) and (
            limit.pico_delta is None or spent.pico_delta <= limit.pico_delta
        )

    bounded = budget.bounds or cap.bounds
    assert passes(after, budget, cap) == all(
        within(spent, budget)
        and within(spent, cap)
        and not (spent.unprotected and bounded and not budget.accept_unprotected)
        for spent in after
    )


@given(st.lists(SPENT, max_size=3), LIMIT, LIMIT)
def test_to_have_spent_more_never_passes_more(after, budget, cap):
    more = [spent._replace(unprotected=True) for spent in after]
    assert passes(after, budget, cap) >= passes(more, budget, cap)
    assert all(math.isinf(spent.epsilon) for spent in more)


@given(st.floats(0, 1, exclude_max=True))
def test_a_charge_of_exactly_the_budget_of_delta_passes(amount):
    assert 0 <= pico(amount) - delta_allowance(amount) <= 1


@pytest.mark.parametrize("bad", [-0.1, 1.0, float("nan"), float("inf")])
def test_a_budget_of_delta_is_below_one(bad):
    with pytest.raises(InputError, match="budget of delta"):
        delta_allowance(bad)


def test_deltas_add_up_to_a_bound(ledger):
    ledger.reserve([delta("a", 6)], Limit(pico_delta=10))
    with pytest.raises(BudgetExceeded, match=r"1 of 2 patients .* budget of delta"):
        ledger.reserve([delta("b", 5), delta("c", 5, "t")], Limit(pico_delta=10))
    assert ledger.spent() == {"s": Spent(0, 6, 1)}
    ledger.reserve([delta("b", 4)], Limit(pico_delta=10))


def test_a_delta_of_one_never_passes(ledger):
    ledger.reserve([delta("a", CERTAIN - 1)])
    for limit in (Limit(), Limit(accept_unprotected=True)):
        with pytest.raises(BudgetExceeded, match="a delta of 1"):
            ledger.reserve([delta("b", 1)], limit)
    ledger.reserve([entry("c")])


def test_caps_of_epsilon_and_delta_are_set_each_for_itself(ledger, vault):
    ledger.set_cap(10)
    ledger.set_cap(pico_delta=0)
    assert ledger.cap() == Limit(10, 0)
    with pytest.raises(BudgetExceeded, match="the vault's cap of delta 0"):
        ledger.reserve([delta("a", 1)], Limit(pico_delta=5))
    with pytest.raises(BudgetExceeded, match="the vault's cap of epsilon"):
        ledger.reserve([entry("a", cost=11)])
    ledger.set_cap(11, 1)
    ledger.reserve([replace(entry("a", cost=11), pico_delta=1)])
    again = vault.ledger()
    assert (again.cap(), again.verify()) == (Limit(11, 1), 5)
    again.close()


def test_what_was_released_exactly_is_remembered(ledger, vault):
    ledger.reserve([entry("a", cost=6), entry("b", cost=1)], unprotected=True)
    ledger.reserve([entry("c", "t")])
    assert ledger.spent() == {"s": Spent(7, 0, 2, unprotected=True), "t": Spent(5, 0, 1)}
    assert ledger.verify() == 4, "one row for a subject"
    again = vault.ledger()
    assert math.isinf(again.spent()["s"].epsilon)
    assert again.spent()["s"].noised_epsilon == 7e-6
    for bound in (Limit(1000), Limit(pico_delta=5)):
        with pytest.raises(BudgetExceeded, match="1 of 2 patients would have an infinite epsilon"):
            again.reserve([entry("d"), entry("e", "t")], bound)
        again.check([entry("d"), entry("e", "t")], bound._replace(accept_unprotected=True))
    again.reserve([entry("d")])
    again.set_cap(100)
    with pytest.raises(BudgetExceeded, match="infinite epsilon"):
        again.reserve([entry("e")])
    with pytest.raises(BudgetExceeded, match="cap of epsilon"):
        again.reserve([entry("e", cost=99)], Limit(accept_unprotected=True))
    with pytest.raises(BudgetExceeded, match="infinite epsilon"):
        again.reserve([entry("e", "u")], unprotected=True)
    assert "u" not in again.spent()
    again.close()


def test_what_is_released_exactly_later_is_remembered_too(ledger):
    paid = [entry("a"), entry("b", "t")]
    ledger.reserve(paid)
    ledger.expose(paid[:1])
    ledger.expose(paid[:1])
    assert ledger.verify() == 3, "once"
    assert {who: spent.unprotected for who, spent in ledger.spent().items()} == {
        "s": True, "t": False,
    }  # fmt: skip


def test_a_subject_that_is_joined_stays_exposed(ledger, vault):
    ledger.reserve([entry("a", "old")], unprotected=True)
    ledger.join("old", "new")
    with pytest.raises(BudgetExceeded, match="infinite epsilon"):
        ledger.check([entry("b", "new")], Limit(100))
    ledger.reserve([entry("b", "new")], unprotected=True)
    again = vault.ledger()
    assert again.spent() == {"new": Spent(10, 0, 2, unprotected=True)}
    assert again.verify() == 4
    again.close()
