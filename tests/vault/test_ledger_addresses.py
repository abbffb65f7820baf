"""Where a ledger may be, and what is said where there is none."""

import sys
from pathlib import Path

import pytest

from latentdp import InputError
from latentdp.vault.vault import Vault

URLS = [
    ("mysql://u:TOPSECRET@h/x", "begin with"),
    ("nonsense TOPSECRET", "cannot be read"),
    ("postgresql://u:TOPSECRET@h:port/x", "cannot be read"),
    ("sqlite://", "path of a file"),
    ("sqlite:///:memory:", "path of a file"),
    ("sqlite:////nowhere/at/all.sqlite", "cannot be opened"),
    ("postgresql://u:TOPSECRET@127.0.0.1:1/x", "no server answers"),
    ("postgresql://u:TOP@SECRET@127.0.0.1:1/x", "no server answers"),
]


@pytest.mark.parametrize(("url", "message"), URLS)
def test_urls_that_lead_nowhere_are_one_line_without_a_password(vault, url, message):
    with pytest.raises(InputError, match=message) as caught:
        vault.ledger(url)
    assert "SECRET" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (vault.path / "ledger.url").exists(), "what did not open is not remembered"


def test_a_file_that_is_no_database_is_an_input_error(vault):
    (vault.path / "ledger.sqlite").write_text("not a database, but long enough to look at" * 99)
    with pytest.raises(InputError, match="cannot be opened"):
        vault.ledger()


def test_a_missing_driver_says_what_to_install(vault, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InputError, match=r"pip install latentdp\[postgresql\]"):
        vault.ledger("postgresql://u@h/x")


def test_a_file_of_the_ledger_is_for_its_owner(tmp_path, vault):
    vault.ledger(f"sqlite:///{tmp_path}/new.sqlite").close()
    assert (tmp_path / "new.sqlite").stat().st_mode & 0o777 == 0o600
    Vault(Path(f"{vault.path}?%20#")).ledger().close()
    assert (tmp_path / "vault?%20#" / "ledger.sqlite").exists(), "an odd path is a path"
