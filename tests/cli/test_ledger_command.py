"""``latentdp ledger`` and ``latentdp privatize --ledger``, as users run them."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pydicom
import pytest

from latentdp.vault.default_vault import default_vault
from latentdp.vault.vault import Vault
from tests.support.ledger_rows import entry
from tests.support.places import SAMPLES
from tests.support.printed import errors_of

PATIENT = "A-1001"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def told(command, capsys, tiny_weights):
    """Runs the command; returns its exit code and what it printed, JSON where it was asked."""

    def run(*arguments):
        tiny = ("--weights", tiny_weights) if arguments[0] == "privatize" else ()
        code = command(*arguments, *tiny)
        printed = capsys.readouterr()
        errors = errors_of(printed.err)
        if code and errors:
            assert len(errors) == 1
            return code, printed.err
        return code, json.loads(printed.out) if "--json" in arguments else printed.out

    return run


def spend(vault, *entries):
    ledger = Vault(Path(vault)).ledger()
    ledger.reserve(list(entries))
    ledger.close()


def test_what_was_spent_is_shown_after_a_release(place, told):
    code, _ = told("privatize", SAMPLES, "out", "--json")
    assert code == 1
    code, shown = told("ledger", "out", "--patients", "--json")
    assert code == 0
    assert (shown["patients"], shown["charges"], shown["cap"]) == (6, 7, None)
    assert shown["verified"]
    assert shown["rows"] == 14
    card = json.loads((place / "out" / "release.json").read_text())
    assert shown["most_spent"] == card["guarantee"]["patient"]["epsilon"]
    assert shown["vault"] == card["vault"]
    spent = [account["spent"] for account in shown["by_patient"].values()]
    assert max(spent) == shown["most_spent"]
    assert len(spent) == 6


def test_a_patient_is_found_by_the_id_of_the_sources(place, told):
    vault = Vault(place / "v")
    spend("v", entry("a", subject=vault.subject(PATIENT), cost=1_500_000))
    spend("v", entry("b", subject="somebody", cost=4_000_000))
    told("ledger", "v", "--cap", "2")
    for arguments in (["--json"], []):
        code, shown = told("ledger", "v", "--patient", PATIENT, *arguments)
        assert code == 0
        assert PATIENT not in str(shown)
        assert "somebody" not in str(shown)
    assert "epsilon 1.5 for 1 charge, 0.5 left" in shown
    assert vault.subject("a1001")[:16] in shown, "the spelling, as 0.1 charged it, is joined"
    assert "ISSUER" not in shown
    unknown = " ".join(told("ledger", "v", "--patient", "Z-9")[1].split())
    assert "nobody of that name was charged here" in unknown
    assert r"if the files state an issuer, give 'ID\ISSUER'" in unknown
    _, nobody = told("ledger", "v", "--patient", "Z-9", "--json")
    assert nobody["by_patient"] == {
        vault.subject("z9"): {
            "pseudonyms": [],
            "charges": 0,
            "spent": 0.0,
            "delta": 0.0,
            "left": 2.0,
            "delta_left": None,
        }
    }
    for file in vault.path.rglob("*"):
        assert file.is_dir() or PATIENT.encode() not in file.read_bytes()


def test_patients_are_shown_by_the_pseudonyms_of_the_release_and_found_by_them(place, told):
    told("privatize", SAMPLES, "out", "--vault", "v")
    headers = [pydicom.dcmread(path) for path in (place / "out").rglob("*.dcm")]
    released = {str(header.PatientID) for header in headers}
    _, shown = told("ledger", "v", "--patients", "--json")
    known = {who: account["pseudonyms"] for who, account in shown["by_patient"].items()}
    assert released <= {name for names in known.values() for name in names}
    _, table = told("ledger", "v", "--patients")
    assert all(name in table for name in released)
    source = next(SAMPLES.rglob("*.dcm"))
    identifier = str(pydicom.dcmread(source).PatientID)
    _, by_id = told("ledger", "v", "--patient", identifier, "--json")
    (account,) = by_id["by_patient"].values()
    (pseudonym,) = account["pseudonyms"]
    assert pseudonym in released
    _, by_pseudonym = told("ledger", "v", "--patient", pseudonym.lower(), "--json")
    assert by_pseudonym == by_id
    assert identifier not in str(by_id)
    assert Vault(place / "v").index().patients().keys() >= released


def test_pseudonyms_of_a_vault_that_did_not_keep_them_are_read_in_its_reports(place, told):
    told("privatize", SAMPLES, "out", "--vault", "v")
    _, before = told("ledger", "v", "--patients", "--json")
    with closing(sqlite3.connect(place / "v" / "index.sqlite")) as database, database:
        database.execute("drop table patients")
    assert told("ledger", "v", "--patients", "--json")[1] == before
    shutil.rmtree(place / "v" / "reports")
    _, after = told("ledger", "v", "--patients", "--json")
    assert {who: a["spent"] for who, a in after["by_patient"].items()} == {
        who: a["spent"] for who, a in before["by_patient"].items()
    }


def test_what_is_neither_a_vault_nor_a_release_is_told_apart(place, told):
    told("privatize", SAMPLES / "clinic-a", "out", "--vault", "v")
    for folder, words in ((SAMPLES, "such as a folder of inputs"), ("out", "given to latentdp")):
        for more in ([], ["--cap", "3"]):
            code, message = told("ledger", folder, *more)
            assert (code, words in message) == (2, True), message
    assert not (SAMPLES / "key").exists()


def test_a_cap_refuses_before_anything_is_written(place, told):
    assert told("ledger", "v", "--cap", "15")[0] == 0
    code, message = told("privatize", SAMPLES, "out", "--vault", "v")
    assert (code, "1 of 6 patients would go over the vault's cap of epsilon 15;" in message) == (
        3, True,
    )  # fmt: skip
    code, message = told("privatize", SAMPLES, "out", "--vault", "v", "--budget", "14")
    assert (code, "their budget of epsilon 14;" in message) == (3, True)
    code, message = told("privatize", SAMPLES, "out", "--vault", "v", "--keep-label-dims", "3")
    assert (code, "epsilon of this release is infinite" in message) == (3, True)
    assert not (place / "out").exists()
    _, shown = told("ledger", "v", "--json")
    assert (shown["cap"], shown["charges"], shown["rows"]) == (15, 0, 1)
    assert told("ledger", "v", "--cap", "16")[0] == 0
    assert told("privatize", SAMPLES, "out", "--vault", "v", "--json")[0] == 1
    assert told("ledger", "v", "--cap", "1")[0] == 0
    code, again = told("privatize", SAMPLES, "out", "--vault", "v", "--json")
    assert (code, again["epsilon_charged_now"]) == (1, 0), "what is paid for is served"
    _, table = told("ledger", "v", "--patients")
    assert "epsilon 1 per patient" in table
    assert ", 0 left" in table


@pytest.mark.parametrize("json_asked", [True, False])
def test_a_ledger_that_was_tampered_with_is_shown_as_such_and_stops_runs(place, told, json_asked):
    spend("v", entry("a"), entry("b"))
    with sqlite3.connect(place / "v" / "ledger.sqlite") as database:
        database.execute("update latentdp_ledger set micro_epsilon = 0 where seq = 1")
    database.close()
    code, shown = told("ledger", "v", *["--json"] * json_asked)
    assert code == 2
    text = " ".join(str(shown).split())
    assert "row 1 was altered" in text
    code, message = told("privatize", SAMPLES, "out", "--vault", "v")
    assert (code, "row 1 was altered" in message) == (2, True)
    assert not (place / "out").exists()
    assert told("ledger", "v", "--cap", "3")[0] == 2


def test_a_run_on_a_server_is_continued_without_naming_it(place, told, postgres):
    url = postgres.fresh()
    code, first = told("privatize", SAMPLES, "out", "--ledger", url, "--json")
    assert code == 1
    code, again = told("privatize", SAMPLES, "out", "--json")
    assert (code, again["counts"], again["epsilon_charged_now"]) == (1, first["counts"], 0)
    assert not (default_vault(place / "out") / "ledger.sqlite").exists()
    code, message = told("privatize", SAMPLES, "out", "--ledger", "sqlite:///other.sqlite")
    assert (code, "another database" in message) == (2, True)
    assert told("ledger", "out", "--json")[1]["charges"] == 7
    released = b"".join(p.read_bytes() for p in (place / "out").rglob("*") if p.is_file())
    assert b"tester" not in released


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ledger", "nowhere"], "there is none"),
        (["ledger", "v", "--cap", "-1"], "epsilon"),
        (["ledger", "v", "--cap", "nan"], "epsilon"),
        (["ledger", "v", "--cap", "1", "--ledger", "redis://u:SECRET@h"], "begin with"),
        (["privatize", SAMPLES, "OUT", "--ledger", "redis://u:SECRET@h/"], "begin with"),
        (["privatize", SAMPLES, "OUT", "--ledger", "sqlite://"], "path of a file"),
        (["privatize", SAMPLES, "OUT", "--ledger", "sqlite:///OUT/l.sqlite"], "inside"),
        (["privatize", SAMPLES, "OUT", "--ledger", f"sqlite:///{SAMPLES}/l.sqlite"], "inside"),
        (
            ["privatize", SAMPLES, "OUT", "--ledger", "postgresql://u:SECRET@127.0.0.1:1/x"],
            "no server answers",
        ),
        (["privatize", SAMPLES, "OUT\udcff"], "UTF-8"),
    ],
)
def test_errors_are_one_line_and_write_nothing(place, told, arguments, message):
    code, error = told(*arguments)
    assert (code, message in error, "SECRET" in error) == (2, True, False)
    assert not list(place.glob("OUT*/release.json"))
    assert not list(place.glob("OUT*/images"))


def test_a_cap_waits_for_the_end_of_a_run(place, told):
    with Vault(place / "v").locked():
        code, message = told("ledger", "v", "--cap", "3")
        assert (code, "another run" in message) == (2, True)
        assert told("ledger", "v")[0] == 0, "looking is possible at any time"
