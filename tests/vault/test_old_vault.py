"""A vault and releases of version 0.1 are gone on with just as that version went on with them."""

import json
import re

import pytest

from tests.support import old_vault
from tests.support.folders import tree


@pytest.fixture
def place(tmp_path, monkeypatch):
    old_vault.restore(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(command, capsys):
    """The command in this process: its exit code, and what it printed."""

    def call(*arguments: str) -> tuple[int, str]:
        if "--labels" in arguments:  # version 0.1 did so without being told
            arguments += ("--unlabelled", "random")
        code, told = command(*arguments), capsys.readouterr()
        assert told.out or code == 3, told.err
        return code, told.out

    return call


def test_it_goes_on_as_it_would_have(place, run):
    says = old_vault.carry_on(run, place)
    was = json.loads((old_vault.FOLDER / "then.json").read_text())
    assert says.keys() == was.keys()
    for part, what in was.items():
        assert without_claims(says[part]) == without_claims(what)


def without_claims(says):
    """What was said, but for epsilons and options that version 0.1 had not.

    It said less of patients, and more of mirrors.
    """
    if not isinstance(says, dict):
        return says
    claims = re.compile(
        "guarantee|patient_guarantee|warnings|private|epsilon_.*|patient_epsilon"
        "|unlabelled|all_chests|all_frontal"
    )
    return {k: without_claims(v) for k, v in says.items() if not claims.fullmatch(k)}


def test_a_preview_leaves_it_as_it_is(place, run):
    before = tree(place)
    assert [old_vault.release(run, layout, "--dry-run")[0] for layout in old_vault.RELEASES] == [
        1, 1, 1,
    ]  # fmt: skip
    assert tree(place) == before
