"""Whatever a file holds, it gives an output or a refusal, in bounded time and space."""

import random
import resource
import signal
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydicom.datadict import DicomDictionary
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from latentdp.data.dicom.refusals import REASONS
from latentdp.data.radiograph import Radiograph, read
from latentdp.errors import UnsupportedInstance
from tests.support.corpus import CORPUS
from tests.support.examples import examples
from tests.support.mutations import (
    CANARY,
    GOOD,
    NATIVE,
    PICTURES,
    PIECES,
    damaged,
    good,
    with_elements,
)
from tests.support.releases import release

SECONDS = 30  # for one file, on a busy machine
MEMORY = 1 << 30  # how much the process may grow over all files, in bytes
LONG = ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV")
SHORT = ("AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "PN", "SH", "SL",
         "SS", "ST", "TM", "UI", "UL", "US", "QQ", "??", "\0\0")  # fmt: skip


class Hang(BaseException):
    """A file took too long. No `except Exception` on the way catches it."""


@contextmanager
def watched(capfd):
    """No hang, no memory without bounds, and nothing printed."""

    def late(*_):
        raise Hang

    before = signal.signal(signal.SIGALRM, late)
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - size) * 1024 < MEMORY
    assert capfd.readouterr() == ("", "")


def outcome(path: Path) -> str:
    """The reason of a refusal, or "" for what is taken. Anything else fails the test."""
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        found = read(path, (64, 64))
    except UnsupportedInstance as error:
        refusal = error
    else:
        assert isinstance(found, Radiograph)
        assert found.image.shape == (64, 64)
        assert np.isfinite(found.image).all()
        assert 0 <= found.image.min() <= found.image.max() <= 1
        return ""
    assert refusal.reason in REASONS
    assert CANARY not in str(refusal)
    assert str(refusal).isprintable()
    assert refusal.__cause__ is None
    return refusal.reason


pieces = st.one_of(st.sampled_from(PIECES), st.binary(min_size=1, max_size=12))
places = st.one_of(st.floats(0, 1), st.floats(0, 0.1))
damage = st.lists(
    st.tuples(
        st.sampled_from(["overwrite"] * 3 + ["insert", "delete", "truncate", "splice"]),
        places,
        pieces,
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.hypothesis
@pytest.mark.parametrize("which", GOOD, ids=lambda which: getattr(which, "name", which))
def test_damaged_files(tmp_path, capfd, which):
    path = tmp_path / f"f{which if which in PICTURES else ''}"
    seen = set()

    @examples(250)
    @given(damage)
    @example([])  # of a PNG, any damage at all may be one reason
    def check(damages):
        path.write_bytes(damaged(which, damages))
        seen.add(outcome(path))

    with watched(capfd):
        check()
    assert len(seen) > 1, "nothing was tried"


def length(value: bytes, claimed: int | None, size: int, order: str) -> bytes:
    most = 2 ** (8 * size) - 1
    return min(len(value) if claimed is None else claimed, most).to_bytes(size, order)


values = st.one_of(
    st.binary(max_size=20),
    st.text(max_size=8).map(str.encode),
    st.sampled_from([CANARY.encode(), b"", b"1e400", b"-0.0"]),
)
claims = st.one_of(st.none(), st.none(), st.sampled_from([0, 3, 2**16 - 1, 2**32 - 1]))


@st.composite
def elements(draw, syntax, depth=0):
    """Some data elements, of any tag, VR and value, honest about their length or not."""
    order = "big" if syntax == ExplicitVRBigEndian else "little"
    made = b""
    for _ in range(draw(st.integers(1, 4))):
        tag = draw(st.one_of(st.sampled_from(sorted(DicomDictionary)), st.integers(0, 2**32 - 1)))
        vr = draw(st.sampled_from((*LONG, *SHORT)))
        if vr == "SQ" and depth < 4:
            items = draw(st.lists(elements(syntax, depth + 1), max_size=2))
            value = b"".join(
                item((0xFFFE, 0xE000), order) + len(one).to_bytes(4, order) + one for one in items
            )
        else:
            value = draw(values)
        claimed = draw(claims)
        made += item((tag >> 16, tag & 0xFFFF), order)
        if syntax == ImplicitVRLittleEndian:
            made += length(value, claimed, 4, order)
        elif vr in LONG:
            made += vr.encode() + b"\0\0" + length(value, claimed, 4, order)
        else:
            made += vr.encode() + length(value, claimed, 2, order)
        made += value
    return made


def item(tag: tuple[int, int], order: str) -> bytes:
    return b"".join(part.to_bytes(2, order) for part in tag)


@pytest.mark.hypothesis
@pytest.mark.parametrize("syntax", NATIVE, ids=lambda uid: uid.name)
def test_odd_headers(tmp_path, capfd, syntax):
    path = tmp_path / "f"
    seen = set()

    @examples(300)
    @given(elements(syntax), st.floats(0, 1))
    def check(more, where):
        path.write_bytes(with_elements(syntax, more, where))
        seen.add(outcome(path))

    with watched(capfd):
        check()
    assert "" in seen
    assert len(seen) > 1


@pytest.mark.parametrize("name", CORPUS)
def test_what_once_did_harm_is_refused(tmp_path, capfd, name):
    make, reason = CORPUS[name]
    (tmp_path / name).write_bytes(make())
    with watched(capfd):
        assert outcome(tmp_path / name) == reason


def test_a_file_of_any_size_is_refused_before_it_is_read(tmp_path, capfd):
    with (tmp_path / "f").open("wb") as file:
        file.write(good(GOOD[0]))
        file.truncate(4 << 30)  # a hole
    with watched(capfd):
        assert outcome(tmp_path / "f") == "too-large"


@pytest.mark.slow
def test_the_command_on_a_folder_of_mutants(tmp_path, tiny_weights):
    """Every file is accounted for, and nothing is printed but the command's own table."""
    draw, folder = random.Random(5), tmp_path / "in"
    folder.mkdir()
    kinds = ["overwrite", "overwrite", "insert", "delete", "truncate", "splice"]
    for number in range(300):
        which = GOOD[number % len(GOOD)]
        damages = [
            (draw.choice(kinds), draw.random() ** 3, draw.choice((*PIECES, draw.randbytes(3))))
            for _ in range(number % 4)
        ]
        suffix = which if which in PICTURES else ""
        (folder / f"{number}{suffix}").write_bytes(damaged(which, damages))
    for name, (make, _) in CORPUS.items():
        (folder / name).write_bytes(make())
    made = release(folder, tmp_path, "--weights", tiny_weights, codes=(1,))
    rows = made.rows()
    assert sorted(row["file"] for row in rows) == sorted(path.name for path in folder.iterdir())
    assert {row["status"] for row in rows} == {"released", "duplicate", "quarantined"}
    assert {row["reason"] for row in rows if "reason" in row} <= set(REASONS)
    outputs = [path for path in made.out.rglob("*") if path.suffix in (".dcm", ".png")]
    assert len(outputs) == sum(row["status"] == "released" for row in rows) > 20
    for word in (CANARY, "Traceback", "Warning", "Error"):
        assert word not in made.told
    for path in made.out.rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes()
