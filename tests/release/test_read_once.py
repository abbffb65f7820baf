"""A file is read once, for its digest and its pixels, and gives what two readings gave."""

import dataclasses
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from latentdp import InputError
from latentdp.core.content_digest import ContentDigest
from latentdp.data.dicom.profile import BASIC
from latentdp.data.radiograph import Radiograph
from latentdp.release import executor, tasks
from latentdp.release.tasks import Taken, digest_input, read_input, take_input
from latentdp.vault.vault import Vault
from tests.support.dicom_files import gradient, radiograph, save
from tests.support.folders import go, picture_at, privatizer, radiograph_at

SHAPE = (16, 16)
LARGE = (1024, 800)  # its pixels are handed on without a copy


def large(path: Path, syntax=None, **elements) -> Path:
    dataset = radiograph(gradient(*LARGE), **elements)
    if syntax is not None:
        dataset.compress(syntax)
    return save(dataset, path)


def encoded(path: Path, syntax) -> Path:
    dataset = radiograph(gradient(*LARGE))
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
    dataset.save_as(
        path, implicit_vr=syntax == ImplicitVRLittleEndian, enforce_file_format=True,
        little_endian=syntax != ExplicitVRBigEndian,
    )  # fmt: skip
    return path


def damaged(path: Path) -> Path:
    large(path)
    path.write_bytes(path.read_bytes()[:-4_000])
    return path


def overlong(path: Path) -> Path:
    """A compressed frame of defined length, which no valid file has."""
    dataset = radiograph(gradient(*LARGE))
    dataset.compress(RLELossless)
    dataset.PixelData = encapsulate([b"\0" * 2**20 + b"\1"])
    return save(dataset, path)


def written(content: bytes):
    def write(path: Path) -> Path:
        path.write_bytes(content)
        return path

    return write


FILES = {
    "large": large,
    "padded": lambda path: large(path, PixelPaddingValue=0),
    "nobody": lambda path: large(path, PatientID=None),
    "JPEG 2000": lambda path: large(path, JPEG2000Lossless),
    "JPEG-LS": lambda path: large(path, JPEGLSLossless),
    "RLE": lambda path: large(path, RLELossless),
    "implicit": lambda path: encoded(path, ImplicitVRLittleEndian),
    "deflated": lambda path: encoded(path, DeflatedExplicitVRLittleEndian),
    "big endian": lambda path: encoded(path, ExplicitVRBigEndian),
    "small": lambda path: radiograph_at(path, 1),
    "truncated": damaged,
    "overlong": overlong,
    "picture.png": lambda path: picture_at(path, 1),
    "DICOM.png": large,
    "broken.png": written(b"no picture"),
    "nonsense": written(b"DICM"),
    "empty": written(b""),
    ".DS_Store": written(b"\0\0\0\1Bud1"),
    "folder": lambda path: path.mkdir() or path,
    "missing": lambda path: path,
}


@pytest.mark.parametrize("digest", ContentDigest)
@pytest.mark.parametrize("name", FILES)
def test_it_is_what_two_readings_give(tmp_path, name, digest):
    path = FILES[name](tmp_path / name)
    once = take_input((path, digest, SHAPE, BASIC))
    assert once.content == digest_input(path, digest)
    assert same(once.read, read_input((path, SHAPE, BASIC)))
    assert take_input((path, digest, None, BASIC)) == Taken(content=once.content)


def same(one, other) -> bool:
    if not isinstance(one, Radiograph):
        return one == other
    bare = [dataclasses.replace(each, image=None) for each in (one, other)]
    return bare[0] == bare[1] and np.array_equal(one.image, other.image)


def test_what_is_too_large_is_digested_and_refused_without_being_held(tmp_path, monkeypatch):
    path = large(tmp_path / "a")
    monkeypatch.setattr(tasks, "MAX_BYTES", 1_000)
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail("held in memory"))
    once = take_input((path, ContentDigest.BLAKE3, SHAPE, BASIC))
    assert once.content == digest_input(path, ContentDigest.BLAKE3)


@pytest.mark.parametrize("digest", ContentDigest)
def test_a_vault_knows_inputs_by_the_digest_that_it_began_with(tmp_path, monkeypatch, digest):
    """Or every file would be new to it, and charged again."""
    Vault(tmp_path / "vault")
    if digest is ContentDigest.SHA256:
        (tmp_path / "vault" / "digest").unlink()  # as version 0.1 made it
    path = radiograph_at(tmp_path / "in" / "0", 0)
    go(tmp_path)
    assert Vault(tmp_path / "vault", read_only=True).digest is digest
    content = f"dicom {digest.of(path.read_bytes())}"
    with closing(Vault(tmp_path / "vault", read_only=True).ledger()) as ledger:
        recipe = privatizer().recipe.digest
        key = Vault(tmp_path / "vault").token("release", content, recipe, "-1", "")
        assert list(ledger.find([key])) == [key]
    monkeypatch.setattr(executor, "read_input", lambda item: pytest.fail("read again"))
    monkeypatch.setattr("latentdp.release.run.write_review", lambda *_, **__: None)
    assert go(tmp_path, "two").already == 1


def test_a_vault_of_a_later_version_is_refused(tmp_path):
    Vault(tmp_path / "vault")
    (tmp_path / "vault" / "digest").write_text("blake4\n")
    with pytest.raises(InputError, match="the version that made it"):
        Vault(tmp_path / "vault")


def test_a_file_is_opened_once_where_all_are_new_and_only_digested_where_all_are_known(
    tmp_path, monkeypatch
):
    for number in range(4):
        radiograph_at(tmp_path / "in" / f"{number}", number)
    pixels = []

    def counted(item):
        pixels.append(item[2] is not None)
        return take_input(item)

    monkeypatch.setattr(executor, "take_input", counted)
    monkeypatch.setattr(
        executor, "read_input", lambda item: pixels.append("again") or read_input(item)
    )
    monkeypatch.setattr("latentdp.release.run.write_review", lambda *_, **__: None)
    assert go(tmp_path).released == 4
    assert pixels == [True] * 4
    pixels.clear()
    assert go(tmp_path).already == 4
    assert pixels == [False] * 4
    pixels.clear()
    radiograph_at(tmp_path / "in" / "4", 4)
    assert go(tmp_path).released == 1
    assert pixels == [False] * 5 + ["again"]
