"""An Orthanc server of the tests' own, from the distribution's package, on loopback."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any


def binary() -> str | None:
    """Orthanc's program, None where it is not installed."""
    return shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")


WEB_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Orthanc:
    """A server in a temporary folder; by default without plug-ins and without a DICOM port.

    Args:
        program: Its path.
        settings: Of the server, beside those here or instead of them.
    """

    def __init__(self, program: str, **settings: Any) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="latentdp-orthanc-"))
        self.port = free_port()
        self.settings = settings
        settings = {
            "StorageDirectory": str(self.home),
            "IndexDirectory": str(self.home),
            "TemporaryDirectory": str(self.home),
            "Plugins": [],
            "HttpPort": self.port,
            "HttpBindAddresses": ["127.0.0.1"],
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "DicomServerEnabled": False,
            "OverwriteInstances": False,
        } | self.settings
        (self.home / "orthanc.json").write_text(json.dumps(settings))
        with (self.home / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [program, self.home / "orthanc.json"], stdout=log, stderr=log, cwd=self.home
            )
        for _ in range(600):
            try:
                self.json("/system")
            except urllib.error.URLError:
                assert self.process.poll() is None, (self.home / "log").read_text()
                time.sleep(0.05)
            else:
                return
        raise AssertionError("Orthanc did not start")

    def call(self, path: str, body: bytes | None = None, **headers: str) -> bytes:
        """GET, or POST of a body. A refusal is a `urllib.error.HTTPError`."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data=body, headers=headers
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()

    def json(self, path: str, body: bytes | None = None) -> Any:
        return json.loads(self.call(path, body))

    def delete(self, path: str) -> None:
        """DELETE."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method="DELETE")
        urllib.request.urlopen(request, timeout=60).close()

    def end(self) -> int:
        """Stops it; returns its exit code."""
        self.process.terminate()
        code = self.process.wait(60)
        shutil.rmtree(self.home)
        return code
