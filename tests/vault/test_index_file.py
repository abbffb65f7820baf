"""The vault's tables of links and places, and the journals of version 0.1 that they take over."""

import json
import stat

import pytest

from latentdp import InputError
from latentdp.vault import index_file
from latentdp.vault.index_file import IndexFile
from tests.support.folders import go, images, look, radiograph_at, tree
from tests.support.ledger_jobs import into

LINKS = {"d1": "k1", "d2": "k1"}
PLACES = [("1.dcm", "a/b.dcm"), ("2.dcm", "Jané/c.dcm"), ("1.dcm", "a/d.dcm")]


def journal(path, rows, torn=""):
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write("".join(json.dumps(row) + "\n" for row in rows) + torn)


@pytest.fixture
def old(tmp_path):
    """A vault with the journals of version 0.1, a line of each torn."""
    journal(
        tmp_path / "twins.jsonl",
        [{"digest": "d1", "key": "k0"}, *({"digest": d, "key": k} for d, k in LINKS.items())],
        '{"digest": "d3',
    )
    rows = [{"output": output, "path": path} for output, path in PLACES]
    journal(tmp_path / "places" / "r.jsonl", rows, '{"outp')
    journal(tmp_path / "places" / "s.jsonl", rows[:1])
    return tmp_path


def content(index):
    return index.duplicates(), index.places("r"), index.places("s"), index.places("none")


WAS = (LINKS, PLACES, PLACES[:1], [])


def test_what_is_added_is_there_for_the_next(tmp_path):
    index = IndexFile(tmp_path)
    assert content(index) == ({}, [], [], [])
    index.add_duplicates({"d1": "k0"})
    index.add_duplicates(LINKS)
    index.add_places("r", PLACES[:2])
    index.add_places("s", PLACES[:1])
    index.add_places("r", PLACES[2:])
    for read_only in (False, True):
        assert content(IndexFile(tmp_path, read_only=read_only)) == WAS
    assert [path.name for path in tmp_path.iterdir()] == ["index.sqlite"]
    assert stat.S_IMODE((tmp_path / "index.sqlite").stat().st_mode) == 0o600


def test_nothing_is_made_to_read_what_is_not_there(tmp_path):
    assert content(IndexFile(tmp_path / "none", read_only=True)) == ({}, [], [], [])
    (tmp_path / "index.sqlite").touch()  # a run died before it had made the tables
    assert content(IndexFile(tmp_path, read_only=True)) == ({}, [], [], [])
    assert (tmp_path / "index.sqlite").read_bytes() == b""


def test_old_journals_are_read_without_a_change(old):
    before = tree(old)
    assert content(IndexFile(old, read_only=True)) == WAS
    assert tree(old) == before


def test_old_journals_are_taken_over_once_and_kept(old):
    before = tree(old)
    assert content(IndexFile(old)) == WAS
    IndexFile(old).add_duplicates({"d1": "k9"})
    for read_only in (False, True):
        assert content(IndexFile(old, read_only=read_only)) == (LINKS | {"d1": "k9"}, *WAS[1:])
    assert before.items() < tree(old).items()


def test_what_the_old_version_adds_later_is_taken_over_too(old):
    IndexFile(old)
    for file, row in (
        ("twins.jsonl", {"digest": "d4", "key": "k4"}),
        ("places/r.jsonl", {"output": "4.dcm", "path": "e"}),
        ("places/t.jsonl", {"output": "5.dcm", "path": "f"}),
    ):
        path = old / file
        if path.exists():  # as that version does, over the torn line
            path.write_text(path.read_text().rpartition("\n")[0] + "\n")
        journal(path, [row])
    for read_only in (True, False, True):
        index = IndexFile(old, read_only=read_only)
        assert index.duplicates() == LINKS | {"d4": "k4"}
        assert index.places("r") == [*PLACES, ("4.dcm", "e")]
        assert index.places("t") == [("5.dcm", "f")]


@pytest.mark.parametrize("table", ["duplicates", "outputs", "journals"])
def test_a_run_that_dies_as_it_takes_over_has_taken_nothing(old, monkeypatch, table):
    class Died(BaseException):
        pass

    real = index_file._insert

    def dying(*arguments):
        real(*arguments)
        if into(table)(*arguments):
            raise Died

    with monkeypatch.context() as patch:
        patch.setattr(index_file, "_insert", dying)
        with pytest.raises(Died):
            IndexFile(old)
    assert content(IndexFile(old, read_only=True)) == WAS
    assert content(IndexFile(old)) == WAS


@pytest.mark.parametrize("file", ["twins.jsonl", "places/r.jsonl"])
@pytest.mark.parametrize("line", ["nonsense", "[1]", '"x"', '{"digest": "d"}', "\udcff", "null"])
def test_a_damaged_line_is_told_and_nothing_is_taken_over(old, file, line):
    path = old / file
    path.write_bytes(line.encode("utf-8", "surrogateescape") + b"\n" + path.read_bytes())
    for read_only in (False, True):
        with pytest.raises(InputError, match=f"vault's {path.name} is damaged; restore it"):
            content(IndexFile(old, read_only=read_only))
    path.write_bytes(path.read_bytes().partition(b"\n")[2])
    assert content(IndexFile(old)) == WAS


def test_a_damaged_file_of_tables_is_told(tmp_path):
    (tmp_path / "index.sqlite").write_bytes(b"no database at all" * 99)
    for read_only in (False, True):
        with pytest.raises(InputError, match=r"vault's index\.sqlite cannot be opened: it is dam"):
            IndexFile(tmp_path, read_only=read_only)


@pytest.mark.parametrize("layout", ["flat", "study", "mirror"])
def test_copies_for_another_layout_get_their_places_in_one_transaction(
    tmp_path, monkeypatch, layout
):
    for number in range(5):
        radiograph_at(tmp_path / "in" / f"{number}.dcm", number)
    go(tmp_path, "first", layout="mirror")
    added = []
    real = IndexFile.add_places

    def counted(self, release, places):
        added.append(len(list(places)))
        real(self, release, places)

    with monkeypatch.context() as patch:
        patch.setattr(IndexFile, "add_places", counted)
        assert go(tmp_path, layout=layout).already == 5
    assert [count for count in added if count] == ([] if layout == "flat" else [5])
    assert look(tmp_path, layout=layout)[0].already == 5 == len(images(tmp_path))
