"""A vault and its ledger, which most tests of this room begin with."""

import pytest

from latentdp.vault.vault import Vault


@pytest.fixture
def vault(tmp_path) -> Vault:
    return Vault(tmp_path / "vault")


@pytest.fixture
def ledger(vault, database):
    """Empty, on each kind of database."""
    ledger = vault.ledger(database)
    yield ledger
    ledger.close()
