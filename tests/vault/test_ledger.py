"""The ledger on both databases: what is reserved, refused, found again and followed."""

import shutil
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from latentdp import Aborted, BudgetExceeded, InputError
from latentdp.vault.ledger import Limit, Spent, allowance, micro, pico
from latentdp.vault.vault import Vault
from tests.support.ledger_rows import CLOSE, COPY, CUT, SET, entry


@pytest.mark.promise("Charges are rounded up, and what is allowed is rounded down.")
@given(st.floats(0, 1e9))
def test_charges_are_rounded_up_and_allowances_down(epsilon):
    exact = Fraction(repr(epsilon)) * 10**6
    assert 0 <= micro(epsilon) - exact < 1
    assert 0 <= exact - allowance(epsilon) < 1


@given(st.integers(0, 10**15))
def test_whole_amounts_are_charged_as_they_are_written(millionths):
    assert micro(millionths / 10**6) == allowance(millionths / 10**6) == millionths


@given(st.floats(0, 1, exclude_max=True))
def test_delta_is_rounded_up(delta):
    assert 0 <= pico(delta) - Fraction(repr(delta)) * 10**12 < 1


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf"), 1e300])
@pytest.mark.parametrize("unit", [micro, pico, allowance])
def test_only_finite_amounts_can_be_charged(bad, unit):
    with pytest.raises(InputError):
        unit(bad)


def test_reservations_are_spent_at_once_and_found_again(ledger, vault):
    last = replace(entry("c", subject="t"), pico_delta=9)
    ledger.reserve([entry("a"), entry("b", cost=7), last])
    again = vault.ledger()
    assert again.spent() == {"s": Spent(12, 0, 2), "t": Spent(5, 9, 1)}
    assert again.spent({"t"}) == {"t": Spent(5, 9, 1)}
    assert again.find(["a", "none"]) == {"a": [entry("a")]}
    assert again.verify() == 3
    again.close()


def test_finishing_records_digest_and_label(ledger):
    ledger.reserve([entry("a")])
    done = replace(entry("a"), sha256="ff", label=2)
    ledger.finish([done])
    assert ledger.find(["a"])["a"] == [done]
    moved = done.written("ff", 2, "/elsewhere")
    ledger.move(moved)
    assert ledger.outputs(["a.png", "b.png"]) == {"a.png": moved}
    assert ledger.spent() == {"s": Spent(5, 0, 1)}
    assert ledger.verify() == 3, "nothing was overwritten"


def test_going_over_the_limit_records_nothing(ledger):
    ledger.reserve([entry("a", cost=6)], limit=Limit(10))
    with pytest.raises(BudgetExceeded, match="1 of 2 patients") as caught:
        ledger.reserve([entry("b", cost=5), entry("c", subject="t")], limit=Limit(10))
    assert caught.value.exit_code == 3
    assert ledger.spent() == {"s": Spent(6, 0, 1)}
    with pytest.raises(BudgetExceeded):
        ledger.check([entry("d", cost=3), entry("e", cost=3)], Limit(10))
    ledger.check([entry("d", cost=4)], Limit(10))


def test_the_newest_cap_holds_beside_any_limit(ledger):
    assert ledger.cap() == Limit()
    ledger.set_cap(10)
    ledger.reserve([entry("a", cost=6)])
    for limit in (Limit(), Limit(100)):
        with pytest.raises(BudgetExceeded, match="the vault's cap of epsilon 1e-05"):
            ledger.reserve([entry("b")], limit)
    with pytest.raises(BudgetExceeded, match="their budget"):
        ledger.reserve([entry("b", cost=1)], Limit(6))
    ledger.set_cap(11)
    ledger.reserve([entry("b")])
    ledger.set_cap(1)
    assert ledger.cap() == Limit(1), "less than what is spent: only further releases stop"
    with pytest.raises(BudgetExceeded):
        ledger.check([entry("c", cost=1)])
    assert ledger.spent() == {"s": Spent(11, 0, 2)}
    assert ledger.verify() == 5


def test_a_failure_in_the_middle_reserves_nothing(ledger):
    ledger.reserve([entry("a", output="same.png")])
    with pytest.raises(Aborted, match="could not be"):
        ledger.reserve([entry("b"), entry("c", output="same.png")])
    assert ledger.spent() == {"s": Spent(5, 0, 1)}
    assert ledger.verify() == 1


def test_all_entries_of_a_key_are_found_in_order(ledger):
    ledger.reserve([entry("a", output="1.png")])
    ledger.reserve([entry("a", output="2.png")])
    assert [e.output for e in ledger.find(["a"])["a"]] == ["1.png", "2.png"]


def test_many_keys_are_found_in_parts(ledger):
    ledger.reserve([entry(f"k{i}") for i in range(1200)])
    assert len(ledger.find(f"k{i}" for i in range(1200))) == 1200
    assert ledger.verify() == 1200


def test_several_vaults_share_a_database(tmp_path, database):
    """Each has its own chain, sums and cap; equal subjects and outputs are not mixed up."""
    ledgers = [Vault(tmp_path / name).ledger(database) for name in "ab"]
    ledgers[1].set_cap(7)
    for number, ledger in enumerate(ledgers, 1):
        ledger.reserve([entry("k", cost=number)])
        ledger.finish([entry("k").written("ff", number, f"/{number}")])
    for number, ledger in enumerate(ledgers, 1):
        assert ledger.spent() == {"s": Spent(number, 0, 1)}
        assert ledger.find(["k"])["k"][0].folder == f"/{number}"
        assert ledger.verify() == number + 1
        assert ledger.cap() == Limit((None, 7)[number - 1])
        ledger.close()


RESERVATION = st.lists(st.tuples(st.sampled_from("stu"), st.integers(0, 9)), max_size=4)


LIMIT = st.none() | st.integers(0, 40)


@given(st.lists(st.tuples(RESERVATION, LIMIT, LIMIT), max_size=6))
def test_totals_are_the_sums_of_what_was_granted(tmp_path_factory, database, steps):
    ledger = Vault(tmp_path_factory.mktemp("v") / "vault").ledger(database)
    totals, counts, cap = dict.fromkeys("stu", 0), dict.fromkeys("stu", 0), None
    for number, (asked, limit, new_cap) in enumerate(steps):
        if new_cap is not None:
            ledger.set_cap(new_cap)
            cap = new_cap
        batch = [entry(f"{number}.{i}", who, cost) for i, (who, cost) in enumerate(asked)]
        after = {who: totals[who] + sum(c for w, c in asked if w == who) for who in totals}
        bounds = [b for b in (limit, cap) if b is not None]
        fits = all(after[who] <= min(bounds, default=999) for who, _ in asked)
        try:
            ledger.reserve(batch, Limit(limit))
        except BudgetExceeded:
            assert not fits
        else:
            assert fits
            totals = after
            for who, _ in asked:
                counts[who] += 1
    assert ledger.spent() == {w: Spent(totals[w], 0, counts[w]) for w in "stu" if counts[w]}
    assert ledger.verify() >= sum(counts.values())
    ledger.close()


TAMPERED = {
    **{
        f"altered {column}": [SET.format(f"{column} = {value}", 2)]
        for column, value in {
            "kind": "'written'", "key": "'x'", "subject": "'x'", "micro_epsilon": "0",
            "pico_delta": "1", "output": "'x'", "folder": "'/x'", "sha256": "'ff'", "label": "7",
            "chain": "'é'",
        }.items()
    },
    "altered the last": [SET.format("micro_epsilon = 0", 6)],
    "removed": [CUT.format("= 3")],
    "removed and closed": [CUT.format("= 3"), *(CLOSE.format(n) for n in (4, 5, 6))],
    "removed the first": [CUT.format("= 1")],
    "cut off": [CUT.format("> 5")],
    "emptied": [CUT.format("> 0")],
    "appended a copy": [COPY.format(7, "'new'", 2)],
    "inserted": [
        *(SET.format(f"seq = {n + 1}", n) for n in (6, 5, 4, 3)), COPY.format(3, "'new'", 2),
    ],
    "swapped": [
        SET.format("seq = 9", 2), SET.format("seq = 2", 3), SET.format("seq = 3", 9),
    ],
    "given to another vault": ["update latentdp_ledger set vault = 'x' where vault = :vault"],
}  # fmt: skip


@pytest.mark.promise(
    "A ledger that somebody altered is found out before anything is charged to it."
)
@pytest.mark.parametrize("how", TAMPERED)
def test_whatever_is_done_to_the_rows_is_found(ledger, vault, how):
    ledger.reserve([entry(f"k{i}", cost=i) for i in range(4)])
    ledger.finish([entry("k1").written("ff", 1, "/out")])
    ledger.set_cap(50)
    assert ledger.verify() == 6
    with ledger._engine.begin() as connection:
        for statement in TAMPERED[how]:
            connection.execute(text(statement), {"vault": vault.tag})
    with pytest.raises(InputError, match="the ledger was tampered with") as caught:
        ledger.verify()
    assert "\n" not in str(caught.value)


def test_a_row_of_another_chain_is_found(tmp_path, database):
    ledgers = [Vault(tmp_path / name) for name in "ab"]
    for vault in ledgers:
        book = vault.ledger(database)
        book.reserve([entry("k")])
        book.close()
    book = ledgers[0].ledger()
    with book._engine.begin() as connection:
        for statement in (
            "delete from latentdp_ledger where vault = :a",
            "update latentdp_ledger set vault = :a where vault = :b",
        ):
            connection.execute(text(statement), {"a": ledgers[0].tag, "b": ledgers[1].tag})
    with pytest.raises(InputError, match="row 1"):
        book.verify()
    book.close()


def test_a_ledger_that_grew_from_an_older_copy_is_found(tmp_path):
    """The database was set back, and a copy of the vault went on with it."""
    here, there = tmp_path / "here", tmp_path / "there"
    ledger = Vault(here).ledger()
    ledger.reserve([entry("a")])
    shutil.copytree(here, there)
    ledger.reserve([entry("b")])
    ledger.close()
    other = Vault(there).ledger()
    other.reserve([entry("c"), entry("d")])
    other.close()
    shutil.copy(there / "ledger.sqlite", here / "ledger.sqlite")
    again = Vault(here).ledger()
    with pytest.raises(InputError, match="lacks the row 2 that the vault knows"):
        again.verify()
    again.close()


def test_the_head_may_lag_behind_or_be_lost_but_not_be_damaged(ledger, vault):
    head = vault.path / "ledger.head"
    ledger.reserve([entry("a")])
    early = head.read_text()
    ledger.reserve([entry("b")])
    late = head.read_text()
    head.write_text(early)
    assert ledger.verify() == 2
    assert head.read_text() == late, "it catches up"
    head.unlink()
    assert ledger.verify() == 2
    head.write_text("x")
    with pytest.raises(InputError, match=r"ledger\.head is damaged"):
        ledger.verify()


def test_the_ledger_of_the_first_version_is_refused_and_not_ignored(vault, database):
    book = vault.ledger(database)
    with book._engine.begin() as connection:
        connection.execute(text("create table entries (id integer, micro_epsilon integer)"))
    book.close()
    with pytest.raises(InputError, match=r"latentdp 0\.1\.0"):
        vault.ledger()
