"""A ledger that is changed through another connection while a run adds to it."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from latentdp import BudgetExceeded, InputError
from latentdp.vault.database import address, begin, connect
from latentdp.vault.ledger import Spent
from latentdp.vault.vault import Vault
from tests.support.ledger_rows import COPY, CUT, SET, entry

PAID = [entry(f"k{i}", subject=f"p{i}", cost=8) for i in range(5)]


@pytest.fixture
def tamper(vault, database):
    """Executes statements through a connection that the ledger knows nothing of."""
    engine = connect(address(database))

    def execute(*statements):
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement), {"vault": vault.tag})

    yield execute
    engine.dispose()


@pytest.fixture
def ledger(vault, database):
    """Of a run that has verified six rows: a cap of 8, and 8 spent on each of five patients."""
    made = vault.ledger(database)
    made.set_cap(8)
    made.reserve(PAID)
    assert made.verify() == 6
    yield made
    made.close()


USES = {
    "reserve": lambda ledger: ledger.reserve([entry("new", subject="q", cost=1)]),
    "expose": lambda ledger: ledger.expose([PAID[0]]),
    "finish": lambda ledger: ledger.finish([PAID[0].written("ff", 1, "/out")]),
    "move": lambda ledger: ledger.move(PAID[0].written("ff", 1, "/out")),
    "set_cap": lambda ledger: ledger.set_cap(99),
    "check": lambda ledger: ledger.check([entry("new", subject="q", cost=1)]),
    "spent": lambda ledger: ledger.spent(),
    "cap": lambda ledger: ledger.cap(),
    "verify": lambda ledger: ledger.verify(),
}
CHANGES = {
    "emptied": [CUT.format("> 0")],
    "cut off": [CUT.format("= 6")],
    "the last row of another chain": [SET.format("chain = 'ff'", 6)],
    "set back, and grown by a forger": [
        CUT.format("> 4"), *(COPY.format(n, f"'{n}'", 2) for n in (5, 6, 7)),
    ],
    "a row added by a forger": [COPY.format(7, "'new'", 2)],
    "a row added after a gap": [COPY.format(8, "'new'", 2)],
}  # fmt: skip


@pytest.mark.promise(
    "A ledger that somebody altered is found out before anything is charged to it."
)
@pytest.mark.parametrize("how", CHANGES)
def test_nothing_is_added_to_a_ledger_that_was_changed_meanwhile(ledger, vault, tamper, how):
    head = (vault.path / "ledger.head").read_text()
    tamper("create table copy as select * from latentdp_ledger", *CHANGES[how])
    for use in USES.values():
        with pytest.raises(InputError, match="the ledger was tampered with"):
            use(ledger)
    assert (vault.path / "ledger.head").read_text() == head
    tamper("delete from latentdp_ledger", "insert into latentdp_ledger select * from copy")
    USES["reserve"](ledger)
    assert ledger.spent()["q"] == Spent(1, 0, 1)
    assert (ledger.cap().micro_epsilon, ledger.verify()) == (8, 7)


HIDDEN = {
    "the cost was lowered": [SET.format("micro_epsilon = 0", 2)],
    "the patient was renamed": [SET.format("subject = 'x'", 2)],
    "the reservation was removed": [CUT.format("= 2")],
    "the cap was raised": [SET.format("micro_epsilon = 99", 1)],
    "the cap was removed": [CUT.format("= 1")],
    "all but the last row": [CUT.format("< 6")],
}


@pytest.mark.parametrize("how", HIDDEN)
def test_what_a_run_has_verified_holds_whatever_the_rows_say_now(ledger, tamper, how):
    """The change is out of the running process's sight; it could be undone before the next."""
    tamper("create table copy as select * from latentdp_ledger", *HIDDEN[how])
    for ask in (ledger.check, ledger.reserve):
        with pytest.raises(BudgetExceeded, match="the vault's cap"):
            ask([entry("again", subject="p0", cost=1)])
    assert ledger.spent({"p0"}) == {"p0": Spent(8, 0, 1)}
    assert ledger.cap().micro_epsilon == 8
    tamper("delete from latentdp_ledger", "insert into latentdp_ledger select * from copy")
    assert ledger.verify() == 6


@pytest.mark.parametrize(
    "column", ["key", "subject", "output", "folder", "sha256", "label", "chain"]
)
def test_a_row_that_is_looked_up_is_checked(ledger, tamper, column):
    """A path or digest that somebody else wrote there would lead to another file."""
    tamper(SET.format(f"{column} = '7'", 4))
    with pytest.raises(InputError, match=r"row [45] was altered"):
        ledger.find(["k0", "k1", "k2", "k3", "7"])
    with pytest.raises(InputError, match=r"row [45] was altered"):
        ledger.outputs(["k0.png", "k1.png", "k2.png", "k3.png", "7"])


def test_a_record_that_is_hidden_does_not_allow_a_second_output(ledger, tamper):
    done = PAID[0].written("ff", 1, "/out")
    assert ledger.finish([done]) == set()
    ledger.reserve([entry("later", subject="q", cost=1)])
    tamper("create table copy as select * from latentdp_ledger", CUT.format("= 7"))
    assert ledger.find(["k0"])["k0"] == [PAID[0]], "it seems to be owed still"
    again = PAID[0].written("ee", 1, "/out")
    assert ledger.finish([again, PAID[1].written("dd", 1, "/out")]) == {"k0.png"}
    tamper(CUT.format("< 9"), "insert into latentdp_ledger select * from copy")
    assert ledger.find(["k0", "k1"]) == {"k0": [done], "k1": [PAID[1].written("dd", 1, "/out")]}
    assert ledger.verify() == 9


def test_others_may_add_rows_meanwhile(ledger, vault, database):
    other = vault.ledger(database)
    other.set_cap(9)
    other.reserve([entry("other", subject="p0", cost=1)])
    assert other.finish([PAID[0].written("ff", 1, "/there")]) == set()
    with pytest.raises(BudgetExceeded):
        ledger.reserve([entry("mine", subject="p0", cost=1)])
    assert ledger.finish([PAID[0].written("ee", 1, "/here")]) == {"k0.png"}, "it came second"
    ledger.reserve([entry("mine", subject="p1", cost=1)])
    assert other.spent() == ledger.spent()
    assert other.verify() == ledger.verify() == 10
    other.close()


def test_the_head_does_not_go_over_to_another_branch(tmp_path, database):
    """Two copies of a vault; the database is set back between them; either head stays its own."""
    here, there = tmp_path / "here", tmp_path / "there"
    ledgers = [Vault(here).ledger(database)]
    ledgers[0].reserve([entry("a")])
    shutil.copytree(here, there)
    ledgers.append(Vault(there).ledger())
    assert [ledger.verify() for ledger in ledgers] == [1, 1]
    ledgers[0].reserve([entry("b"), entry("c")])
    kept = (here / "ledger.head").read_text()
    with begin(ledgers[0]._engine, "") as connection:
        connection.execute(text("delete from latentdp_ledger where seq > 1"))
    ledgers[1].reserve([entry(name) for name in "defg"])
    fresh = Vault(here).ledger()
    for ledger in (ledgers[0], fresh):
        for use in USES.values():
            with pytest.raises(InputError, match="the ledger was tampered with"):
                use(ledger)
    assert (here / "ledger.head").read_text() == kept
    for ledger in (*ledgers, fresh):
        ledger.close()


def test_a_process_with_a_lost_head_file_still_knows_its_own_rows(ledger, vault, tamper):
    Path(vault.path / "ledger.head").unlink()
    tamper(CUT.format("> 4"))
    with pytest.raises(InputError, match="lacks the row 6"):
        ledger.verify()
