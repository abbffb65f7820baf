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
        if "mirror" in arguments and arguments[0] == "privatize":
            arguments += ("--accept-unprotected",)  # or the vault's cap refuses it, as of now
        if arguments[0] == "privatize":  # it marked nothing
            arguments += ("--no-mark",)
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
    # Who is charged has another pseudonym than that version gave it, joined to it by one row; and
    # that the mirror names all three of them is remembered by as many.
    was["ledger"]["rows"] += 1 + 3
    was["ledger"]["charges"] = was["ledger"].pop("releases")  # as they are called now
    was["ledger"] |= {
        "cap_delta": None, "most_spent": None, "most_spent_on_noised_part": 5111.4376,
    }  # fmt: skip
    expected = [
        {"charges": 4, "spent_on_noised_part": 5111.4376}, *[
            {"charges": 3, "spent_on_noised_part": 2556.7188}
        ] * 2,
    ]  # fmt: skip
    nothing_left = {"spent": None, "delta": 0.0, "left": 0.0, "delta_left": None}
    said = sorted(says["ledger"].pop("by_patient").values(), key=lambda a: -a["charges"])
    assert all(len(account.pop("pseudonyms")) == 1 for account in said)  # told by its reports
    assert said == [account | nothing_left for account in expected]
    del was["ledger"]["by_patient"]
    for part, what in was.items():
        assert without_claims(says[part]) == without_claims(what), part


def without_claims(says):
    """What was said, but for epsilons and options that version 0.1 had not.

    It said less of patients, and more of mirrors. It also counted on
    the card what became of the inputs, and bound no files to it.
    """
    if not isinstance(says, dict):
        return says
    claims = re.compile(
        "guarantee|patient_guarantee|warnings|private|epsilon_.*|patient_epsilon"
        "|unlabelled|all_chests|all_frontal|(beyond_)?images_per_patient"
        "|keep_layout|contents_sha256|last_run|compliance|caveats|vault_warnings|splits|use|fit|file_format|mark"
        "|CodingSchemeIdentificationSequence|SeriesDescription|SyntheticData"
    )
    return {k: without_claims(v) for k, v in says.items() if not claims.fullmatch(k)}


@pytest.mark.slow
def test_a_preview_leaves_it_as_it_is(place, run):
    before = tree(place)
    assert [old_vault.release(run, layout, "--dry-run")[0] for layout in old_vault.RELEASES] == [
        1, 1, 1,
    ]  # fmt: skip
    assert tree(place) == before
