"""What an application entity may answer, and what is said of it."""

import gc
import socket
from contextlib import contextmanager

import pydicom
import pytest
from cryptography.hazmat.primitives import serialization as form
from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.sop_class import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    StudyRootQueryRetrieveInformationModelFind,
)

from latentdp.archives.address import parse_address
from latentdp.archives.connection import Connection, connect
from latentdp.archives.storage_scp import Listener, StorageScp
from latentdp.archives.study_filter import StudyQuery
from latentdp.archives.tls import Tls
from latentdp.errors import ArchiveError, InputError
from tests.support.archives import certificates, study
from tests.support.orthanc import free_port

# pynetdicom leaves a socket that never connected to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture(autouse=True)
def _tidy(monkeypatch):
    """Who is silent at the end is not waited for, and no socket is left for another test."""
    monkeypatch.setattr("latentdp.archives.storage_scp._PATIENCE", 0.2)
    yield
    gc.collect()


@contextmanager
def entity(handlers=(), storage=AllStoragePresentationContexts, **settings):
    """An application entity, and its address."""
    ours = AE("THEIRS")
    for context in storage:
        ours.add_supported_context(getattr(context, "abstract_syntax", context))
    ours.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
    for name, value in settings.items():
        setattr(ours, name, value)
    server = ours.start_server(("127.0.0.1", 0), block=False, evt_handlers=list(handlers))
    try:
        yield parse_address(f"THEIRS@127.0.0.1:{server.server_address[1]}")
    finally:
        ours.shutdown()


def send(address, files, **connection):
    with connect(address, Connection(**({"timeout": 5} | connection))) as archive:
        return list(archive.send(files))


def test_each_status_of_a_store_has_its_words(tmp_path):
    files = study(tmp_path, 1, images=3)
    statuses = iter([0x0000, 0xB000, 0xA700])
    with entity([(evt.EVT_C_STORE, lambda event: next(statuses))]) as address:
        outcomes = send(address, files)
    assert [outcome.file for outcome in outcomes] == files
    assert [outcome.stored for outcome in outcomes] == [True, True, False]
    said = [outcome.said for outcome in outcomes]
    assert said[0] == ""
    assert said[1].startswith("C-STORE status 0xB000: ")
    assert said[2].startswith("C-STORE status 0xA700: ")


def test_a_class_that_is_not_taken_is_named_and_the_others_are_sent(tmp_path):
    files = study(tmp_path, 1)
    dataset = pydicom.dcmread(files[0])
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.save_as(files[0])
    took = [(evt.EVT_C_STORE, lambda event: 0)]
    with entity(took, storage=[ComputedRadiographyImageStorage]) as address:
        refused, taken = send(address, files)
    assert taken.stored
    assert not refused.stored
    assert "takes no Digital X-Ray Image Storage - For Presentation as Explicit VR" in refused.said


@pytest.mark.parametrize(("lost", "stored"), [(1, True), (9, False)])
def test_an_association_that_is_lost_is_opened_again_a_few_times(lost, stored, tmp_path):
    calls = []

    def drop(event):
        calls.append(event)
        if len(calls) <= lost:
            event.assoc.abort()
        return 0

    with entity([(evt.EVT_C_STORE, drop)]) as address:
        if stored:
            assert [one.stored for one in send(address, study(tmp_path, 1))] == [True, True]
        else:
            with pytest.raises(ArchiveError, match="lost 3 times"):
                send(address, study(tmp_path, 1))


def test_a_refused_association_tells_both_titles(tmp_path):
    with (
        entity(require_calling_aet=["SOMEBODY"]) as address,
        pytest.raises(ArchiveError, match=r"refused .*know us as ME, and be called THEIRS"),
    ):
        send(address, study(tmp_path, 1), title="ME")


def test_nobody_there_and_no_answer_are_one_line_each(tmp_path):
    files = study(tmp_path, 1, images=1)
    nobody = parse_address(f"THEIRS@127.0.0.1:{free_port()}")
    with pytest.raises(ArchiveError, match="no connection"):
        send(nobody, files)

    def refuse(event):
        yield 0xA700, None

    query = StudyQuery(keys={}, modality="CR")
    with (
        entity([(evt.EVT_C_FIND, refuse)]) as address,
        connect(address, Connection(timeout=5)) as archive,
        pytest.raises(ArchiveError, match="C-FIND status 0xA700"),
    ):
        list(archive.studies(query))


def test_tls_lets_in_whom_the_authority_has_signed(tmp_path):
    """Ours and theirs show certificates; a stranger's, and none, are refused."""
    theirs, ours = certificates(tmp_path, "theirs"), certificates(tmp_path, "ours")
    both = tmp_path / "both.pem"
    both.write_bytes(theirs.authority.read_bytes() + ours.authority.read_bytes())
    stranger = certificates(tmp_path, "stranger")
    files, kept = study(tmp_path / "in", 1), {}
    listener = Listener(
        title="THEIRS",
        port=0,
        tls=Tls(authority=ours.authority, certificate=theirs.certificate, key=theirs.key),
        timeout=5,
    )
    with StorageScp(listener, kept.__setitem__) as scp:
        address = parse_address(f"THEIRS@127.0.0.1:{scp.port}")
        known = Tls(authority=both, certificate=ours.certificate, key=ours.key)
        assert [one.stored for one in send(address, files, tls=known)] == [True, True]
        assert sorted(kept) == ["1.2.3.1.1.1", "1.2.3.1.1.2"]
        for tls in (
            None,
            Tls(authority=theirs.authority),
            Tls(authority=stranger.authority, certificate=ours.certificate, key=ours.key),
            Tls(authority=both, certificate=stranger.certificate, key=stranger.key),
        ):
            with pytest.raises(ArchiveError):
                send(address, files, tls=tls, timeout=3)
        assert len(kept) == 2


def test_a_client_that_says_nothing_keeps_nobody_out(tmp_path):
    ours = certificates(tmp_path)
    tls = Tls(authority=ours.authority, certificate=ours.certificate, key=ours.key)
    kept = {}
    with (
        StorageScp(Listener(title="THEIRS", port=0, tls=tls), kept.__setitem__) as scp,
        socket.create_connection(("127.0.0.1", scp.port)),
    ):
        address = parse_address(f"THEIRS@127.0.0.1:{scp.port}")
        assert all(one.stored for one in send(address, study(tmp_path / "in", 1), tls=tls))
    assert len(kept) == 2


@pytest.mark.parametrize("which", ["missing", "swapped", "password", "no-certificate"])
def test_certificates_that_cannot_be_used_are_refused_before_anything(which, tmp_path):
    ours = certificates(tmp_path)
    options = {
        "missing": {"authority": tmp_path / "none"},
        "swapped": {"certificate": ours.key, "key": ours.certificate},
        "no-certificate": {"key": ours.key},
        "password": {"certificate": ours.certificate, "key": tmp_path / "locked"},
    }
    key = form.load_pem_private_key(ours.key.read_bytes(), None)
    (tmp_path / "locked").write_bytes(
        key.private_bytes(
            form.Encoding.PEM, form.PrivateFormat.PKCS8, form.BestAvailableEncryption(b"x")
        )
    )
    with pytest.raises(InputError, match="--tls"):
        Tls(**options[which])
