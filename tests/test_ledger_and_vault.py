import os
import stat
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentdp import Aborted, BudgetExceeded, InputError
from latentdp.ledger import Entry, Ledger, micro
from latentdp.vault import Vault


def entry(key: str, subject: str = "s", cost: int = 5, output: str | None = None) -> Entry:
    return Entry(
        key=key, subject=subject, micro_epsilon=cost, output=output or f"{key}.png", folder="/out"
    )


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    yield made
    made.close()


@given(st.floats(0, 1e9))
def test_micro_epsilon_is_rounded_up(epsilon):
    assert micro(epsilon) >= epsilon * 1e6 * (1 - 1e-15)
    assert micro(epsilon) - epsilon * 1e6 <= 1


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
def test_only_finite_amounts_can_be_charged(bad):
    with pytest.raises(InputError):
        micro(bad)


def test_reservations_are_spent_at_once_and_found_again(ledger, tmp_path):
    ledger.reserve([entry("a"), entry("b", cost=7), entry("c", subject="t")])
    again = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    assert again.spent() == {"s": (12, 2), "t": (5, 1)}
    assert again.spent({"t"}) == {"t": (5, 1)}
    assert again.find(["a", "none"]) == {"a": [entry("a")]}
    again.close()


def test_finishing_records_digest_and_label(ledger):
    from dataclasses import replace

    ledger.reserve([entry("a")])
    done = replace(entry("a"), sha256="ff", label=2)
    ledger.finish([done])
    assert ledger.find(["a"])["a"] == [done]


def test_going_over_the_limit_records_nothing(ledger):
    ledger.reserve([entry("a", cost=6)], limit=10)
    with pytest.raises(BudgetExceeded, match="1 of 2 patients") as caught:
        ledger.reserve([entry("b", cost=5), entry("c", subject="t")], limit=10)
    assert caught.value.exit_code == 3
    assert ledger.spent() == {"s": (6, 1)}
    with pytest.raises(BudgetExceeded):
        ledger.check([entry("d", cost=3), entry("e", cost=3)], 10)
    ledger.check([entry("d", cost=4)], 10)


def test_a_failure_in_the_middle_reserves_nothing(ledger):
    ledger.reserve([entry("a", output="same.png")])
    with pytest.raises(Aborted, match="could not be"):
        ledger.reserve([entry("b"), entry("c", output="same.png")])
    assert ledger.spent() == {"s": (5, 1)}


def test_racing_reservations_cannot_overspend(tmp_path):
    """Twenty threads with a connection each; the limit has room for seven."""
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    Ledger(url).close()
    refused = []

    def spend(i: int) -> None:
        ledger = Ledger(url)
        try:
            ledger.reserve([entry(f"k{i}", cost=10)], limit=79)
        except BudgetExceeded:
            refused.append(i)
        ledger.close()

    threads = [threading.Thread(target=spend, args=(i,)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger = Ledger(url)
    assert ledger.spent() == {"s": (70, 7)}
    assert len(refused) == 13
    ledger.close()


def test_all_entries_of_a_key_are_found_in_order(ledger):
    ledger.reserve([entry("a", output="1.png")])
    ledger.reserve([entry("a", output="2.png")])
    assert [e.output for e in ledger.find(["a"])["a"]] == ["1.png", "2.png"]


def test_many_keys_are_found_in_parts(ledger):
    ledger.reserve([entry(f"k{i}") for i in range(1200)])
    assert len(ledger.find(f"k{i}" for i in range(1200))) == 1200


def test_a_database_that_cannot_be_opened_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="cannot be opened"):
        Ledger(f"sqlite:///{tmp_path / 'no' / 'folder' / 'x.sqlite'}")


def test_a_vault_is_private_and_keeps_its_key(tmp_path):
    vault = Vault(tmp_path / "v")
    assert stat.S_IMODE(vault.path.stat().st_mode) == 0o700
    assert stat.S_IMODE((vault.path / "key").stat().st_mode) == 0o600
    assert Vault(tmp_path / "v").key == vault.key
    assert Vault(tmp_path / "w").key != vault.key
    assert len(vault.key) == 32


def test_a_vault_that_others_can_enter_is_refused(tmp_path):
    (tmp_path / "v").mkdir(mode=0o755)
    with pytest.raises(InputError, match="0700"):
        Vault(tmp_path / "v")


def test_a_damaged_key_is_refused_and_not_replaced(tmp_path):
    Vault(tmp_path / "v")
    (tmp_path / "v" / "key").write_bytes(b"short")
    with pytest.raises(InputError, match="damaged"):
        Vault(tmp_path / "v")
    assert (tmp_path / "v" / "key").read_bytes() == b"short"


def test_tokens_are_keyed_and_unambiguous(tmp_path):
    a, b = Vault(tmp_path / "a"), Vault(tmp_path / "b")
    assert a.token("patient", "x") == a.token("patient", "x") != b.token("patient", "x")
    tokens = {a.token("p", "xy", "z"), a.token("p", "x", "yz"), a.token("px", "y", "z")}
    assert len(tokens) == 3


def test_only_one_run_at_a_time(tmp_path):
    vault = Vault(tmp_path / "v")
    with vault.locked():
        errors = []

        def second() -> None:
            try:
                with Vault(tmp_path / "v").locked():
                    errors.append(None)
            except InputError as error:
                errors.append(error)

        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
        assert "another run" in str(errors[0])
    with vault.locked():
        pass


def test_two_processes_that_start_at_once_agree_on_a_key(tmp_path):
    keys = []
    (tmp_path / "v").mkdir(mode=0o700)
    threads = [
        threading.Thread(target=lambda: keys.append(Vault(tmp_path / "v").key)) for _ in range(1)
    ]
    # A first writer that got as far as its temporary file does not block a second one.
    handle = os.open(tmp_path / "v" / ".key.0", os.O_CREAT | os.O_WRONLY, 0o600)
    os.close(handle)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1
