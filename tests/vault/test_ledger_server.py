"""What only a server can do: refuse, go away, come back, and keep a user from changing rows."""

import pytest
from sqlalchemy import text

from latentdp import Aborted, InputError
from latentdp.vault.database import begin
from latentdp.vault.ledger import Ledger, Spent
from tests.support.ledger_rows import entry


@pytest.mark.parametrize(
    ("database", "password", "message"),
    [
        ("postgres", "TOPSECRET", "refused the user or the password"),
        ("nowhere", None, "does not know the database"),
    ],
)
def test_a_server_that_refuses_says_why(vault, postgres, database, password, message):
    url = postgres.url(database, password) if password else postgres.url(database)
    with pytest.raises(InputError, match=message) as caught:
        vault.ledger(url)
    assert "SECRET" not in str(caught.value)


def test_losing_the_server_stops_the_run_and_the_next_one_goes_on(vault, postgres):
    ledger = vault.ledger(postgres.fresh())
    ledger.reserve([entry("a")])
    postgres.stop()
    for use in (
        lambda: ledger.reserve([entry("b")]),
        lambda: ledger.finish([entry("a").written("ff", 1, "/out")]),
        lambda: ledger.find(["a"]),
        ledger.spent,
        ledger.cap,
        ledger.verify,
    ):
        with pytest.raises(Aborted, match="could not be read or written") as caught:
            use()
        assert caught.value.exit_code == 5
    with pytest.raises(InputError, match="no server answers"):
        vault.ledger()
    postgres.start()
    ledger.reserve([entry("b")])
    assert ledger.spent() == {"s": Spent(10, 0, 2)}
    assert ledger.verify() == 2
    ledger.close()


def test_a_connection_cut_in_a_transaction_reserves_nothing(vault, postgres, monkeypatch):
    ledger = vault.ledger(postgres.fresh())
    real = Ledger._append

    def cut(self, connection, *rest):
        made = real(self, connection, *rest)
        (number,) = connection.execute(text("select pg_backend_pid()")).one()
        with postgres.connect() as other:
            other.execute("select pg_terminate_backend(%s, 5000)", (number,))
        return made

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "_append", cut)
        with pytest.raises(Aborted):
            ledger.reserve([entry("a")])
    assert ledger.spent() == {}
    ledger.reserve([entry("a")])
    assert ledger.verify() == 1
    ledger.close()


def test_commits_wait_for_the_disk_whatever_the_server_is_set_to(vault, postgres):
    url = postgres.fresh()
    name = url.rsplit("/", 1)[1]
    with postgres.connect() as other:
        other.execute(f"alter database {name} set synchronous_commit = off")
        other.execute(f"alter database {name} set default_transaction_isolation = 'serializable'")
    ledger = vault.ledger(url)
    with begin(ledger._engine, vault.tag) as connection:
        assert connection.scalar(text("show synchronous_commit")) == "on"
        assert connection.scalar(text("show transaction_isolation")) == "read committed"
    ledger.close()


def test_a_user_who_may_only_read_and_add_is_enough(vault, postgres):
    url = postgres.fresh()
    name = url.rsplit("/", 1)[1]
    vault.ledger(url).close()
    with postgres.connect(name) as other:
        other.execute(f"create role {name} login password 'x'")
        other.execute(f"grant select, insert on latentdp_ledger to {name}")
    ledger = vault.ledger(f"postgresql://{name}:x@127.0.0.1:{postgres.port}/{name}")
    ledger.set_cap(9)
    ledger.reserve([entry("a")])
    ledger.finish([entry("a").written("ff", 1, "/out")])
    assert ledger.verify() == 3
    with pytest.raises(Exception, match="permission denied"), ledger._engine.begin() as own:
        own.execute(text("delete from latentdp_ledger"))
    ledger.close()
    assert f"//{name}:x@" in (vault.path / "ledger.url").read_text(), "the newest user is kept"


def test_a_url_without_a_driver_is_mapped_to_ours(vault, postgres):
    url = postgres.fresh()
    vault.ledger(url.replace("postgresql:", "postgres:")).close()
    vault.ledger(url.replace("postgresql:", "postgresql+psycopg:")).close()
    vault.ledger(url).close()
