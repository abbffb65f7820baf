"""The vault: private, with one key, one run at a time, and one ledger."""

import stat
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from latentdp import InputError
from latentdp.vault.vault import Vault
from tests.support.ledger_rows import entry


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


def test_processes_that_start_at_once_agree_on_a_key(tmp_path):
    (tmp_path / "v").mkdir(mode=0o700)
    # A first writer that got as far as its temporary file does not block a second one.
    (tmp_path / "v" / ".key.tmp").write_bytes(b"half a k")
    with ThreadPoolExecutor(8) as threads:
        keys = list(threads.map(lambda _: Vault(tmp_path / "v").key, range(32)))
    assert len(set(keys)) == 1
    assert keys[0] == (tmp_path / "v" / "key").read_bytes()


def test_the_ledger_is_a_file_in_the_vault_by_default(tmp_path):
    vault = Vault(tmp_path / "v")
    vault.ledger().close()
    assert (vault.path / "ledger.sqlite").exists()
    assert not (vault.path / "ledger.url").exists()


def test_the_vault_remembers_its_ledger(tmp_path, database):
    vault = Vault(tmp_path / "v")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        first = vault.ledger(database.replace(f"sqlite:///{tmp_path}/", "sqlite:///"))
    first.reserve([entry("a")])
    first.close()
    file = vault.path / "ledger.url"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = Vault(tmp_path / "v").ledger()
    assert again.spent()["s"].releases == 1
    again.close()
    vault.ledger(database).close()
    with pytest.raises(InputError, match="in another database"):
        vault.ledger(f"sqlite:///{tmp_path}/new.sqlite")
    assert not (tmp_path / "new.sqlite").exists()
    assert not (vault.path / "ledger.sqlite").exists()


def test_a_ledger_that_was_begun_in_the_vault_stays_there(tmp_path, database):
    vault = Vault(tmp_path / "v")
    begun = vault.ledger()
    begun.reserve([entry("a")])
    begun.close()
    with pytest.raises(InputError, match="in another database"):
        vault.ledger(database)
    vault.ledger(f"sqlite:///{vault.path}/ledger.sqlite").close()


def test_an_empty_ledger_in_the_vault_does_not_bind(tmp_path, database):
    vault = Vault(tmp_path / "v")
    vault.ledger().close()
    vault.ledger(database).close()
    assert (vault.path / "ledger.url").exists()


def test_a_ledger_that_was_deleted_is_missed(tmp_path):
    vault = Vault(tmp_path / "v")
    begun = vault.ledger()
    begun.reserve([entry("a")])
    begun.close()
    (vault.path / "ledger.sqlite").unlink()
    new = vault.ledger()
    with pytest.raises(InputError, match="lacks the row 1"):
        new.verify()
    new.close()


@pytest.mark.promise("The ledger knows a patient by another pseudonym than a release does.")
def test_a_patient_has_another_pseudonym_in_the_ledger_than_in_releases(tmp_path):
    vault = Vault(tmp_path / "v")
    assert vault.subject("A-1") == vault.subject("A-1") != vault.subject("A-2")
    assert len(vault.subject("A-1")) == 64


@pytest.mark.parametrize("name", ["a b?c#d%20é&mode=rw", "v"])
def test_a_ledger_is_read_under_any_path(tmp_path, name):
    vault = Vault(tmp_path / name)
    begun = vault.ledger()
    begun.reserve([entry("a")])
    begun.close()
    again = Vault(tmp_path / name, read_only=True).ledger()
    assert again.verify() == 1
    again.close()
    assert {path.name for path in (tmp_path / name).iterdir()} == {
        "digest", "key", "key.lock", "ledger.head", "ledger.lock", "ledger.sqlite", "reports",
    }  # fmt: skip
