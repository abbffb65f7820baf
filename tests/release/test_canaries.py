"""No byte of a source's header, name or text comes out: canaries everywhere, then a search."""

import json
import shutil
import traceback
import warnings
from dataclasses import dataclass

import pydicom
import pytest

from latentdp.data.radiograph import elements, read
from latentdp.errors import UnsupportedInstance
from tests.support.canaries import NAME, TEXT, Canaries, dictionary_tags, profile_tags
from tests.support.planter import Planter, plant
from tests.support.releases import Release, release
from tests.support.sweeps import slow

pytestmark = pytest.mark.xdist_group("canaries")


@dataclass(frozen=True)
class Planted:
    """A release whose inputs are full of canaries."""

    release: Release
    canaries: Canaries
    whole: int  # inputs in which everything is planted


@pytest.fixture(scope="module", params=[pytest.param(False, id="some"), slow(True, id="all")])
def planted(request, tmp_path_factory, tiny_weights) -> Planted:
    place = tmp_path_factory.mktemp("canaries")
    planter = Planter(place / f"{NAME}in")
    with warnings.catch_warnings():  # of pydicom, about what is odd in these files
        warnings.simplefilter("ignore")
        whole = plant(planter, nested=request.param)
    weights = ("--weights", tiny_weights, "--size", "64")
    made = release(planter.folder, place, *weights, codes=(1,))
    return Planted(made, planter.canaries, whole)


def test_the_oracle_is_the_whole_table():
    assert len(profile_tags()) > 600
    assert len(dictionary_tags()) > 5000


def test_canaries_of_every_sort_are_found(planted, tmp_path):
    """A control of the search itself: in the inputs it finds what was planted."""
    canaries = planted.canaries
    inputs = sorted(p for p in planted.release.source.rglob("*") if p.is_file())
    for path in inputs:
        assert canaries.found(path.read_bytes()), path
    shutil.copy(inputs[0], tmp_path / "copy")
    told = canaries.found_in(tmp_path / "copy")
    for piece in ("UID", "W", "101112.7", "73450.9", "17345"):
        assert [one for one in told if piece in one], piece
    assert len(told) > 1000
    for text in (f"{TEXT}000000007", f"{NAME}0007"):
        for code in ("utf-8", "utf-16", "utf-32-be"):
            assert canaries.found(f"some {text.lower()}".encode(code))
        assert canaries.found(text.encode().hex().encode())


def test_everything_planted_was_read_and_released(planted):
    rows = planted.release.rows()
    order = {row["file"].rpartition(NAME)[2][:4]: row for row in rows}
    for number in range(1, planted.whole + 1):
        row = order[f"{number:04}"]
        assert row["status"] == "released", row
    assert len(rows) == len([p for p in planted.release.source.rglob("*") if p.is_file()])
    assert len({row.get("reason") for row in rows}) > 6


@pytest.mark.promise(
    "No value of a source's header is in a release but those that its card lists."
)
def test_nothing_is_in_the_release(planted):
    for path in [planted.release.out, *planted.release.out.rglob("*")]:
        assert planted.canaries.found_in(path) == set(), path


@pytest.mark.promise("No message and no error tells a value of a patient's file.")
def test_nothing_is_printed(planted):
    assert planted.canaries.found(planted.release.told.encode()) == set()


def test_the_vault_holds_names_of_files_and_nothing_else(planted):
    for path in planted.release.vault.rglob("*"):
        told = {one for one in planted.canaries.found_in(path) if NAME not in one}
        assert told == set(), path


def test_other_commands_print_nothing_of_a_file(planted, command, capfd, tiny_weights):
    """Neither in tables nor as JSON; of names only those of refused files, to their owner."""
    made = planted.release
    calls = [
        ("verify", made.out), ("ledger", made.vault, "--patients"),
        ("explain", made.source),
        ("privatize", made.source, made.out, "--vault", made.vault, "--size", 64, "--dry-run"),
    ]  # fmt: skip
    paths = sorted(path for path in made.source.rglob("*") if path.is_file())
    calls += [("explain", path) for path in (*paths[:2], paths[-1], paths[-5])]
    for number, call in enumerate(calls):
        weights = ("--weights", tiny_weights) if call[0] in ("explain", "privatize") else ()
        assert command(*call, *weights, *(("--json",) if number % 2 else ())) in (0, 1)
        told = planted.canaries.found("".join(capfd.readouterr()).encode())
        refused = call[0] == "privatize" or call[1] == made.source
        assert {one for one in told if not (refused and NAME in one)} == set(), call


@pytest.mark.promise("No message and no error tells a value of a patient's file.")
def test_errors_hold_nothing_either(planted):
    told = []
    for path in sorted(planted.release.source.rglob("*")):
        if not path.is_file():
            continue
        try:
            read(path, (64, 64))
        except UnsupportedInstance as error:
            told.append("".join(traceback.format_exception(error)) + repr(vars(error)))
    assert len(told) > 15
    assert "direct cause" not in "".join(told)
    assert planted.canaries.found("".join(told).encode()) == set()


def test_a_card_and_a_report_are_json(planted):
    card = json.loads((planted.release.out / "release.json").read_text())
    assert card["counts"]["images_in_release"] == len(planted.release.dicom()) + 3
    assert pydicom.dcmread(planted.release.dicom()[0]).PatientID.startswith("LDP-")


@pytest.mark.parametrize("name", ["npz", pytest.param("png", marks=pytest.mark.slow)])
def test_nothing_is_in_files_without_a_header(planted, tmp_path, command, tiny_weights, name):
    """Of the same inputs: in no byte, and in no text of what is compressed."""
    out = tmp_path / "out"
    words = ("--vault", tmp_path / "vault", "--weights", tiny_weights, "--size", 64)
    assert command("privatize", planted.release.source, out, *words, "--format", name) == 1
    outputs = sorted((out / "images").iterdir())
    assert {path.suffix for path in outputs} == {f".{name}"}
    assert len(outputs) == len(planted.release.dicom()) + 3
    for path in (out, *out.rglob("*")):
        assert planted.canaries.found_in(path) == set(), path
    for path in outputs:
        said = elements(path)
        assert len(said) == 6
        assert planted.canaries.found(str(said).encode()) == set(), path
