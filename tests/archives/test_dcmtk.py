"""dcmtk's own programs at the other end, over TLS with certificates of both sides."""

import shutil
import subprocess
import time
from contextlib import contextmanager

import pydicom
import pytest

from latentdp.archives.address import parse_address
from latentdp.archives.connection import Connection
from latentdp.archives.push import push
from latentdp.archives.storage_scp import Listener, StorageScp
from latentdp.archives.tls import Tls
from tests.support.archives import certificates, study
from tests.support.orthanc import free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("storescp") is None, reason="dcmtk is not installed (apt-get install dcmtk)"
    ),
    # pynetdicom leaves a socket that never connected to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


@contextmanager
def storescp(folder, theirs, trusted):
    """A Storage SCP that wants our certificate; yields its port."""
    folder.mkdir()
    port = free_port()
    process = subprocess.Popen(
        ["storescp", "--output-directory", folder, "+tls", theirs.key, theirs.certificate,
         "+cf", trusted.authority, "--require-peer-cert", str(port)]
    )  # fmt: skip
    try:
        time.sleep(0.5)
        assert process.poll() is None
        yield port
    finally:
        process.terminate()
        process.wait(60)


def test_a_release_is_sent_to_storescp(released, tmp_path):
    theirs, ours = certificates(tmp_path, "theirs"), certificates(tmp_path, "ours")
    tls = Tls(authority=theirs.authority, certificate=ours.certificate, key=ours.key)
    with storescp(tmp_path / "taken", theirs, ours) as port:
        address = parse_address(f"STORESCP@127.0.0.1:{port}")
        pushed = push(released, address, Connection(timeout=30, tls=tls))
    assert (pushed.sent, pushed.problems) == (4, ())
    taken = [pydicom.dcmread(path) for path in (tmp_path / "taken").iterdir()]
    sent = [pydicom.dcmread(path) for path in (released / "images").iterdir()]
    by_uid = {dataset.SOPInstanceUID: dataset for dataset in sent}
    assert len(taken) == 4
    assert all(dataset == by_uid[dataset.SOPInstanceUID] for dataset in taken)


def test_storescu_is_let_in_by_its_certificate(tmp_path):
    theirs, ours = certificates(tmp_path, "theirs"), certificates(tmp_path, "ours")
    stranger = certificates(tmp_path, "stranger")
    listener = Listener(
        title="OURS",
        port=0,
        tls=Tls(authority=theirs.authority, certificate=ours.certificate, key=ours.key),
        timeout=30,
    )
    kept = {}
    files = study(tmp_path / "in", 1)
    with StorageScp(listener, kept.__setitem__) as scp:
        for known, code in ((stranger, 1), (theirs, 0)):
            done = subprocess.run(
                ["storescu", "+tls", known.key, known.certificate, "+cf", ours.authority,
                 "-aec", "OURS", "127.0.0.1", str(scp.port), *files],
                capture_output=True, timeout=120, check=False,
            )  # fmt: skip
            assert (done.returncode != 0) == bool(code), done.stderr
            assert len(kept) == (0 if code else 2)
    assert sorted(kept) == ["1.2.3.1.1.1", "1.2.3.1.1.2"]
