"""Archives that are running, and a release to send."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from latentdp import Privatizer, Recipe
from latentdp.archives.address import Address, parse_address
from latentdp.archives.connection import Connection
from latentdp.release.privatize import privatize_folder
from tests.support.archives import ARCHIVE, study
from tests.support.once import once
from tests.support.orthanc import WEB_PLUGIN, Orthanc, binary, free_port
from tests.support.tiny_flow import shared_flow

RECIPE = Recipe.from_preset("balanced", label="none")


@dataclass
class Place:
    """A running Orthanc, spoken to in each way."""

    server: Orthanc
    web: Address
    node: Address
    ours: int

    def way(self, name: str) -> tuple[Address, Connection]:
        """Address and connection for ``web``, ``get`` or ``move``."""
        address = self.web if name == "web" else self.node
        port = self.ours if name == "move" else None
        return address, Connection(timeout=30, port=port, host="127.0.0.1")

    def arguments(self, name: str) -> tuple[str, ...]:
        """The same for the command."""
        address, connection = self.way(name)
        more = ("--port", connection.port, "--host", "127.0.0.1") if connection.port else ()
        return (str(address), *map(str, more))

    def empty(self) -> None:
        """Removes all patients."""
        for name in self.server.json("/patients"):
            self.server.delete(f"/patients/{name}")


@pytest.fixture(scope="session")
def running() -> Iterator[Place]:
    """One for all tests of this process."""
    program = binary()
    if program is None:
        pytest.skip("Orthanc is not installed (apt-get install orthanc)")
    if not WEB_PLUGIN.exists():
        pytest.skip("Orthanc's DICOMweb is not installed (apt-get install orthanc-dicomweb)")
    port, ours = free_port(), free_port()
    server = Orthanc(
        program,
        Plugins=[str(WEB_PLUGIN)],
        DicomServerEnabled=True,
        DicomPort=port,
        DicomAet=ARCHIVE,
        DicomCheckCalledAet=True,
        DicomAlwaysAllowFind=True,
        DicomAlwaysAllowGet=True,
        DicomAlwaysAllowStore=True,
        DicomModalities={"us": ["LATENTDP", "127.0.0.1", ours]},
    )
    web = parse_address(f"http://127.0.0.1:{server.port}/dicom-web")
    yield Place(server, web, parse_address(f"{ARCHIVE}@127.0.0.1:{port}"), ours)
    assert server.end() == 0


@pytest.fixture
def archive(running) -> Place:
    """An empty one."""
    running.empty()
    return running


@pytest.fixture(scope="session")
def released(tmp_path_factory) -> Path:
    """A small release; not to be changed."""

    def make(place: Path) -> Path:
        for number in (1, 2):
            study(place / "in", number)
        privatizer = Privatizer(shared_flow(), RECIPE)
        summary = privatize_folder(
            place / "in", place / "out", privatizer=privatizer, vault=place / "vault"
        )
        assert summary.released == 4
        return place / "out"

    return once(tmp_path_factory, "released-to-send", make)
