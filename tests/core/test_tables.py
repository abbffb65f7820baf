"""The one CSV reader: what it takes, and what it says of what it does not."""

import csv
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentdp import InputError
from latentdp.core.tables import Record, read_table, write_table
from latentdp.data.dataset import splits
from latentdp.data.label_space import LabelSpace
from latentdp.data.labels import read_labels
from latentdp.evaluation.pairing import from_csv
from latentdp.release.uid_mapping import check_mapping

# Without what the writer of Python 3.11 leaves bare.
CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=9)


def read(tmp_path, data: bytes):
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    return read_table(path, ("file", "label"))


@given(rows=st.lists(st.tuples(CELL, CELL, CELL)))
def test_it_reads_what_python_reads(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("t") / "t.csv"
    write_table(path, ("file", "label", "more"), rows)
    with path.open(newline="", encoding="utf-8") as file:
        assert [row.values for row in read_table(path, ("file",))] == list(csv.DictReader(file))


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_it_takes_any_line_ending_a_byte_order_mark_blank_lines_and_empty_fields(
    tmp_path, ending, mark
):
    data = mark + ending.join([b"file,label", b"a.dcm,normal,,", b"", b'"b, c","x ""y"""', b""])
    assert read(tmp_path, data) == [
        Record(2, {"file": "a.dcm", "label": "normal"}),
        Record(4, {"file": "b, c", "label": 'x "y"'}),
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "lacks the column 'file'"),
        (b"file,name\nJane,x\n", "lacks the column 'label'"),
        (b"file,label,file\nJane,x,y\n", "has the column 'file' twice"),
        (b"file,label\na,b\nJane\n", "line 3: expected 2 fields, as in the header, got 1"),
        (b"file,label\nDoe, Jane,x\n", "line 2: expected 2 fields, as in the header, got 3"),
        (b'file,label\na,b\n"Jane"x,y\n', "line 3: expected a row of CSV"),
        (b'file,label\n"Jane,y\n', "line 2: expected a row of CSV"),
        (b'file,label\na,b\n\n"Jane,y\nc,d\ne,f\n', "line 4: expected a row of CSV"),
        (b"file,label\na,b\n" + b"Jane" * 50_000, "line 3: expected a row of CSV"),
        ("file,label\n\nJané,x\n".encode("latin-1"), "line 3: expected text in UTF-8"),
        ("file,label\nJané,x\n".encode("utf-16"), "line 1: expected text in UTF-8"),
        (b"\xef\xbb\xbffile,label\nJane \xff,x\n", "line 2: expected text in UTF-8"),
    ],
)
def test_what_is_wrong_is_told_by_its_line_and_not_its_value(tmp_path, data, message):
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path, data)
    assert str(caught.value).startswith("t.csv")
    assert "Jan" not in str(caught.value)


@pytest.mark.parametrize("name", ["none.csv", "."])
def test_what_is_no_file_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="not a readable CSV file"):
        read_table(tmp_path / name, ())


READERS = {
    "labels": ("file,label", lambda path: read_labels(path, LabelSpace.of_classes("a"))),
    "manifest": ("file,split", splits),
    "pairs": ("original,private,patient", lambda path: from_csv(path, path.parent, path.parent)),
    "mapping": (
        "id_old,id_new",
        lambda path: check_mapping(path, source=path.parent / "in", out=path.parent / "out"),
    ),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("row", ['"Jane"x', "Jane", "Jan\u00e9,"])
def test_all_tables_are_read_by_it(tmp_path, reader, row):
    header, call = READERS[reader]
    path = tmp_path / "t.csv"
    path.write_bytes(f"{header}\n{row}\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"t\.csv line 2: expected") as caught:
        call(path)
    assert "Jan" not in str(caught.value)


def test_a_table_is_closed_to_others_where_that_is_asked_for(tmp_path):
    write_table(tmp_path / "t.csv", ("a",), [("x",), ("y, z",)], mode=0o600)
    assert (tmp_path / "t.csv").read_bytes() == b'a\nx\n"y, z"\n'
    assert stat.S_IMODE((tmp_path / "t.csv").stat().st_mode) == 0o600
