"""The next images are made while the last ones are published; what is paid for is never left."""

import pytest

from latentdp.errors import BudgetExceeded
from latentdp.release.executor import Pool
from latentdp.release.outputs import Outputs
from latentdp.vault.ledger import Ledger
from tests.support.folders import card, go, images, radiograph_at

FILES = 5


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Five files, two of them in a chunk."""
    for number in range(FILES):
        radiograph_at(tmp_path / "in" / f"{number}", number)
    monkeypatch.setattr(Pool, "chunk", lambda pool: 2)
    return tmp_path


def test_a_chunk_is_paid_for_before_the_last_one_is_published(place, monkeypatch):
    steps = []
    reserve, publish = Ledger.reserve, Outputs.publish
    monkeypatch.setattr(
        Ledger, "reserve", lambda *given, **more: steps.append("pay") or reserve(*given, **more)
    )
    monkeypatch.setattr(
        Outputs, "publish", lambda *given: steps.append("publish") or publish(*given)
    )
    assert go(place).released == FILES
    assert steps == ["pay", "pay", "publish", "publish", "pay", *["publish"] * 3]


def test_what_is_paid_for_is_published_before_a_refusal_is_raised(place, monkeypatch):
    """Another run, of another machine, may take what was left of a budget meanwhile."""
    calls, real = [], Ledger.reserve

    def reserve(*given, **more):
        calls.append(1)
        if len(calls) == 2:
            raise BudgetExceeded("meanwhile")
        return real(*given, **more)

    monkeypatch.setattr(Ledger, "reserve", reserve)
    with pytest.raises(BudgetExceeded, match="meanwhile"):
        go(place)
    first = images(place)
    assert len(first) == 2
    again = go(place)
    assert (again.already, again.released) == (2, 3)
    assert set(first) < set(images(place))
    assert card(place)["counts"]["images_in_release"] == FILES
