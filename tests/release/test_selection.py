"""No sequence of runs charges a patient above the budget, and what was chosen stays chosen."""

from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentdp import BudgetExceeded
from latentdp.release.selection import Candidate, select
from latentdp.vault.ledger import Ledger
from latentdp.vault.spending import Limit, Spent
from tests.support.ledger_rows import entry

images = st.tuples(st.sampled_from("PQR"), st.integers(0, 9))
runs = st.lists(
    st.tuples(st.sets(images, max_size=12), st.integers(0, 12), st.integers(1, 9)),
    min_size=1,
    max_size=6,
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("ledgers")


@settings(max_examples=40)
@given(runs, st.integers(1, 4), st.integers(1, 20))
def test_no_sequence_of_runs_charges_a_patient_above_the_budget(place, runs, most, whole):
    """Each run finds some images, at some cost, and dies after having charged some of them."""
    limit = Limit(micro_epsilon=whole, releases=most)
    head = place / "head"
    head.unlink(missing_ok=True)
    with closing(Ledger(None, vault="v", key=b"k" * 32, head=head)) as ledger:
        charged: set[tuple[str, int]] = set()
        for found, dies_after, cost in runs:
            new = sorted(found - charged)
            spent = ledger.spent()
            orders = {f"{n}{who}": (who, n) for who, n in new}
            chosen = select(
                [
                    Candidate(order=order, subject=who, micro_epsilon=cost, pico_delta=0)
                    for order, (who, _) in orders.items()
                ],
                lambda who, spent=spent: spent.get(who, Spent()),
                limit,
            )
            for order in sorted(chosen, reverse=True)[:dies_after]:  # runs take any order
                who, n = orders[order]
                one = entry(f"{who}{n}", subject=who, cost=cost)
                ledger.reserve([one], limit)
                charged.add((who, n))
            for spent_on in ledger.spent().values():
                assert spent_on.micro_epsilon <= whole
                assert spent_on.releases <= most
            if dies_after >= len(chosen):  # it ran to its end: nothing that fits was left out
                after = ledger.spent()
                for who, _ in set(new) - charged:
                    assert not limit.allows(after.get(who, Spent()).plus(cost, 0))


def candidates(count: int) -> list[Candidate]:
    return [
        Candidate(order=f"{i:03}", subject="P", micro_epsilon=1, pico_delta=0)
        for i in range(count)
    ]


def test_an_interruption_changes_nothing_of_the_choice():
    limit = Limit(releases=3)
    whole = select(candidates(9), lambda _: Spent(), limit)
    first, *rest = sorted(whole, reverse=True)
    left = [one for one in candidates(9) if one.order != first]
    assert select(left, lambda _: Spent(1, 0, 1), limit) == set(rest)


def test_a_patient_of_whom_something_was_exact_has_no_budget_left():
    exact = Spent(unprotected=True)
    assert not select(candidates(1), lambda _: exact, Limit(micro_epsilon=10))
    assert select(candidates(1), lambda _: exact, Limit(releases=1))
    accepted = Limit(micro_epsilon=10, accept_unprotected=True)
    assert select(candidates(1), lambda _: exact, accepted)


def test_the_ledger_refuses_what_no_selection_let_through(tmp_path):
    """As by another process, with a copy of the vault, in the meantime."""
    with closing(Ledger(None, vault="v", key=b"k" * 32, head=tmp_path / "head")) as ledger:
        ledger.reserve([entry("a", subject="P")], Limit(releases=1))
        with pytest.raises(BudgetExceeded, match="more than 1 images"):
            ledger.reserve([entry("b", subject="P")], Limit(releases=1))


def test_of_two_limits_the_lower_holds():
    both = Limit(micro_epsilon=5, releases=2).within(Limit(micro_epsilon=3, pico_delta=1))
    assert both == Limit(micro_epsilon=3, pico_delta=1, releases=2)
