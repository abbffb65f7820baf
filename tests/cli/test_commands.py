"""The command as users run it."""

import io
import json
import re
import shutil
import sys
from pathlib import Path

import pytest
from latentdp._cli import main
from latentdp._cli._app import OLD_NAMES

from latentdp.core.version import __version__
from latentdp.vault.default_vault import default_vault
from latentdp.vault.vault import Vault
from tests.support.installed import installed
from tests.support.places import SAMPLES
from tests.support.printed import errors_of
from tests.support.sweeps import slow, some

SIZES = {"train-detail": ["--size", "128"], "train-verifier": ["--size", "64"]}


COMMANDS = ("privatize", "explain", "ledger", "weights")


@pytest.mark.parametrize("workers", ["1", slow("2")])
def test_the_installed_command_works_in_a_fresh_folder(
    tmp_path, workers, command, capsys, monkeypatch
):
    """A smoke test of the shipped weights, as nearly all tests take tiny ones."""
    run = installed("privatize", SAMPLES, "out", "--workers", workers, "--json", cwd=tmp_path)
    assert run.returncode == 1, run.stderr
    told = json.loads(run.stdout)
    assert told["counts"]["outputs"] == 7
    assert len(list((tmp_path / "out" / "images").iterdir())) == 7
    assert told["vault"] == str(default_vault(tmp_path / "out"))
    assert Vault.exists(Path(told["vault"]))
    assert {path.name for path in tmp_path.iterdir()} == {"out"}, "the key is not beside it"
    monkeypatch.chdir(tmp_path)
    assert command("privatize", SAMPLES, "out") == 1
    again = capsys.readouterr()
    assert "7 (not charged again)" in again.out
    assert "Traceback" not in again.err


@pytest.mark.parametrize("name", COMMANDS)
def test_help_names_the_command_and_its_options(name, command, capsys):
    assert command(name, "--help") == 0
    told = capsys.readouterr().out
    assert re.match(rf"Usage: .*latentdp {name} ", told)
    assert "--json" in told


@pytest.mark.parametrize(
    ("group", "names"),
    [
        (
            (),
            "privatize synthesize explain verify report evaluate compare pull push watch ledger "
            "audit federate vote weights",
        ),
        (
            ("weights",),
            "list show check train sharpen predict train-verifier train-detail train-refiner "
            "add-directions add-critic add-detail",
        ),
    ],
)
def test_help_shows_commands_in_the_order_of_a_users_work(group, names, command, capsys):
    assert command(*group, "--help") == 0
    _, shown = capsys.readouterr().out.split("Commands:")
    assert re.findall(r"(?m)^  ([a-z-]+)  ", shown) == names.split()


def test_help_of_the_installed_command(tmp_path):
    run = installed("privatize", "--help", cwd=tmp_path)
    assert run.returncode == 0
    assert run.stdout.startswith("Usage: latentdp privatize ")


def test_version_and_bare_call(command, capsys):
    assert command("--version") == 0
    assert __version__ in capsys.readouterr().out
    assert command() == 2
    assert "privatize" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["privatize", "IN", "OUT", "--epsilon", "-1"], 2, "epsilon"),
        (["privatize", "IN", "OUT", "--epsilon", "nan"], 2, "epsilon"),
        (["privatize", "IN", "OUT", "--epsilon", "many"], 2, "epsilon"),
        (["privatize", "IN", "OUT", "--preset", "none"], 2, "there are: strict"),
        (["privatize", "IN", "OUT", "--mechanism", "none"], 2, "there are: codebook, gaussian"),
        (["explain", "IN", "--preset", "strict", "--mechanism", "vmf"], 2, "noises no latent"),
        (["explain", "IN", "--preset", "cadp", "--epsilon", "1e-300"], 2, "from 1e-06 to 1e+09"),
        (["explain", "IN", "--preset", "tight", "--epsilon", "4096"], 2, "at most 352"),
        (["audit", "--mechanism", "vmf", "--epsilon", "1e18"], 2, "from 1e-06 to 1e+09"),
        (["audit", "--dimensions", "4"], 2, "--dimensions needs --epsilon"),
        (["privatize", "IN", "OUT", "--weights", "none"], 4, "cxr-adult"),
        (["privatize", "IN", "OUT", "--workers", "0"], 2, "worker"),
        (["privatize", "IN", "OUT", "--workers", "0", "--dry-run"], 2, "worker"),
        (["privatize", "IN", "OUT", "--keep-label-dims", "9999"], 2, "40 public directions"),
        (["privatize", "IN", "OUT", "--keep-label-dims", "-1"], 2, "kept"),
        (["privatize", "IN", "OUT", "--keep-layout", "3"], 2, "where identity is resampled"),
        (["privatize", "IN", "OUT", "--label-release", "public"], 2, "needs --labels"),
        (["privatize", "IN", "OUT", "--labels", "none.csv"], 2, "readable CSV"),
        (["privatize", "IN", "OUT", "--budget", "1"], 3, "patients would go over"),
        (["privatize", "IN", "OUT", "--budget", "nan"], 2, "epsilon"),
        (["privatize", "IN", "OUT", "--budget", "1", "--dry-run"], 3, "patients would go over"),
        (["privatize", "IN", "OUT", "--epsilon", "1e-320"], 2, "from 1e-06"),
        (["privatize", "IN", "OUT", "--vault", "IN/clinic-b/IM0001/v"], 2, "inside"),
        (["privatize", "IN", "IN.txt/out"], 2, "cannot be made"),
        (["privatize", "IN/clinic-a", "."], 2, "inside"),
        (["privatize", "nowhere", "OUT"], 2, "there is none"),
        (["privatize", "IN", "IN/out"], 2, "inside"),
        (["privatize", "IN", "OUT", "--layout", "tree"], 2, "mirror"),
        (["privatize", "IN", "OUT", "--mapping-out", "IN/map.csv"], 2, "mapping must not lie"),
        (["privatize", "IN", "OUT", "--mapping-out", "OUT/map.csv"], 2, "mapping must not lie"),
        (["privatize", "IN", "OUT", "--mapping-out", "IN.txt"], 2, "earlier mapping"),
        (["privatize", "IN", "OUT", "--mapping-out", "no/map.csv", "--dry-run"], 2, "to exist"),
        (["privatize", "IN", "IN/out", "--dry-run"], 2, "inside"),
        (["privatize", "IN"], 2, "OUT"),
        (
            ["privatize", "IN", "OUT", "--epsilon-per-element", "1", "--epsilon", "2"],
            2,
            "not both",
        ),
        (
            ["privatize", "IN", "OUT", "--epsilon-per-element", "1", "--preset", "strict"],
            2,
            "noises latent elements",
        ),
        (["explain", "nowhere"], 2, "there is none"),
        (["weights", "show", "nothing"], 4, "shipped are"),
        (["weights", "train", "nowhere", "--out", "x.safetensors", "--steps", "1"], 2, "manifest"),
        (["weights", "train", "IN", "--out", "x.bin", "--steps", "1"], 2, "safetensors"),
        (["nonsense"], 2, "nonsense"),
    ],
)
def test_errors_are_one_line_with_their_exit_code(
    command, capsys, tmp_path, monkeypatch, tiny_weights, arguments, code, message
):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(SAMPLES, tmp_path / "IN")
    (tmp_path / "IN.txt").write_text("a file, not a folder")
    if arguments[0] in ("privatize", "explain") and "--weights" not in arguments:
        arguments = [*arguments, "--weights", tiny_weights]
    assert command(*arguments) == code
    told = capsys.readouterr()
    assert message in told.err
    (line,) = errors_of(told.err)
    assert line.startswith("latentdp: ")
    assert not (tmp_path / "OUT").exists(), "a refused run writes nothing"


def test_an_unexpected_error_shows_no_traceback_and_no_value(
    command, capsys, monkeypatch, tmp_path, tiny_weights
):
    def broken(*_):
        raise KeyError("Doe^Jane")

    monkeypatch.setattr("latentdp.release.job.find_files", broken)
    assert command("privatize", SAMPLES, tmp_path / "out", "--weights", tiny_weights) == 70
    told = capsys.readouterr().err
    assert "KeyError at test_commands.py" in told
    assert "Doe" not in told
    assert len(errors_of(told)) == 1


@pytest.mark.parametrize("encoding", some(["cp1252", "ascii", "latin-1", "cp437"], ["cp1252"]))
def test_a_console_that_cannot_show_a_letter_shows_a_stand_in(
    command, tmp_path, tiny_weights, monkeypatch, encoding
):
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    call = ["--weights", tiny_weights, "--size", "16"]
    place = tmp_path / "out-\u0436\u00e9"
    assert command("privatize", SAMPLES / "clinic-a", place, *call) == 0
    assert command("explain", tmp_path / "\u0436") == 2
    out.flush()
    told = out.buffer.getvalue().decode(encoding)
    assert "written" in told
    assert "out-?" in told.replace("\n", "").replace(" ", "")
    assert (place / "release.json").exists()


def test_per_element_epsilon_is_never_printed_alone(command, capsys, tiny_weights):
    call = ("explain", SAMPLES, "--weights", tiny_weights)
    call += ("--preset", "dp-glow", "--epsilon-per-element", "1")
    assert command(*call, "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["guarantee"]["epsilon"] == pytest.approx(256, rel=1e-3)
    command(*call)
    text = capsys.readouterr().out
    assert text.index("epsilon 25") < text.index("256 x")


def test_kept_dimensions_print_two_lines(command, capsys, tiny_weights):
    command("explain", SAMPLES, "--keep-label-dims", "3", "--weights", tiny_weights)
    text = " ".join(capsys.readouterr().out.split())
    assert "agree in what is unprotected" in text
    assert "epsilon infinity, unprotected: 3 of 256 latent dimensions" in text


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ((), 18),
        (("--keep-label-dims", "0"), 2),
        (("--keep-layout", "0"), 16),
        (("--keep-layout", "0", "--keep-label-dims", "0"), 0),
    ],
)
def test_no_direction_is_kept_where_none_is_asked_for(
    command, capsys, tiny_weights, options, kept
):
    source = SAMPLES / "clinic-b" / "IM0001"
    command(
        "explain", source, "--preset", "empirical", "--resample-identity", "16", "--json",
        "--weights", tiny_weights, *options,
    )  # fmt: skip
    blocks = json.loads(capsys.readouterr().out)["plan"]["blocks"]
    before = next(i for i, block in enumerate(blocks) if block["action"] == "resample")
    assert sum(block["dimensions"] for block in blocks[:before]) == kept


def test_explain_a_file_names_tags_and_no_values(command, capsys, tiny_weights):
    weights = ("--weights", tiny_weights)
    assert command("explain", SAMPLES / "clinic-b" / "IM0001", "--json", *weights) == 0
    text = capsys.readouterr().out
    told = json.loads(text)
    actions = {e["tag"]: e["action"] for e in told["elements"]}
    assert actions["(0010,0010)"] == "pseudonym"
    assert actions["(0008,0080)"] == "removed"
    assert told["usable"]
    for value in ("Muster", "B-77", "Invented", "20211224"):
        assert value not in text
    assert command("explain", SAMPLES / "clinic-b" / "broken.dcm", *weights) == 1
    assert "quarantined" in capsys.readouterr().out


def test_weights_are_listed_with_their_cards(command, capsys):
    assert command("weights", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert {"cxr-adult", "cxr-paediatric"} <= set(listed)
    for name in listed:
        assert command("weights", "show", name) == 0
        told = " ".join(capsys.readouterr().out.split())
        kind = listed[name]["kind"]
        assert {"glow": "bits per dimension", "embedding": "verification"}[kind] in told
        assert listed[name]["sha256"] in told.replace(" ", "")


def test_dry_run_writes_nothing(command, capsys, tmp_path, monkeypatch, tiny_weights):
    monkeypatch.chdir(tmp_path)
    call = ("privatize", SAMPLES, "out", "--weights", tiny_weights)
    assert command(*call, "--dry-run", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["counts"]["outputs"] == 7
    assert told["refused"] == [{"file": "clinic-b/broken.dcm", "reason": "unreadable"}]
    assert command(*call, "--dry-run") == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "would be quarantined clinic-b/broken.dcm: unreadable" in shown, "as explain has it"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", sorted(OLD_NAMES))
def test_a_command_of_the_version_before_is_understood_and_not_shown(name, capsys):
    arguments = {"detail": ["x", "y"], "directions": ["x", "y"], "critic": ["x", "y"]}
    assert main([name, *arguments.get(name, ["x"]), *SIZES.get(name, ()), "--out", "x.bin"]) == 2
    told = capsys.readouterr().err
    assert "is deprecated" in told
    assert "expected --out to end in .safetensors" in told
    assert main(["--help"]) == 0
    shown = re.findall(r"(?m)^  ([a-z-]+)  ", capsys.readouterr().out)
    assert "weights" in shown
    assert name not in shown


@pytest.mark.parametrize("day", ["2024-13-01", "yesterday", "31.05.2024"])
def test_a_day_that_is_none_is_told_how_days_are_written(command, capsys, day):
    call = ("pull", "https://archive.example/dicom-web", "originals", "--from", day)
    assert command(*call) == 2
    assert capsys.readouterr().err.endswith("'--from': expected a date as 2024-05-31\n")
