"""Fixtures that many tests share."""

import importlib.metadata
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from latentdp.evaluation import threat_model
from latentdp.models.checkpoints import save
from latentdp.models.device import use_threads
from latentdp.models.flow.flow import Flow
from latentdp.synthesis.evaluation.effort import SyntheticEffort
from tests.support import examples
from tests.support.once import once
from tests.support.places import SAMPLES, SHARED
from tests.support.postgres import Server, binaries
from tests.support.releases import Release, every_kind, release
from tests.support.scenes import LeastEffort
from tests.support.tiny_flow import shared_flow, whole_checkpoint
from tests.support.world import World, make_world

# Several test processes share the processors, where threads of one would wait for each other.
use_threads(1)
threadpool_limits(1)
os.environ["OMP_NUM_THREADS"] = "1"  # of commands that tests start

examples.register()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Groups first: a long one that begins last would leave the other processes idle."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


@pytest.fixture(scope="session", autouse=True)
def state_folder(tmp_path_factory) -> Path:
    """Where vaults are made by default, also by commands in other processes."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # one for all test processes
    os.environ["XDG_STATE_HOME"] = str(folder / "state")
    return folder / "state"


@pytest.fixture(scope="session")
def tiny_flow() -> Flow:
    """A flow of 16 by 16 pixels in memory, not to be changed."""
    return shared_flow()


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory) -> Path:
    """The same as a file, for the command and for other processes."""
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save(whole_checkpoint(), path)
    return path


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).random((5, 16, 16)).astype(np.float32)


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> World:
    """A made-up world, with a flow and a verifier of it; its files are not to be changed."""
    return once(tmp_path_factory, "world", make_world)


@pytest.fixture
def least_effort(monkeypatch) -> None:
    """Attackers and readers of commands work as little as they can; seconds become tenths."""
    monkeypatch.setattr(threat_model, "Effort", LeastEffort)
    least = SyntheticEffort(shadows=4, members=10, canaries=10, compared=20)
    monkeypatch.setattr("latentdp.synthesis.evaluation.measure.QUICK", least)


@pytest.fixture(scope="session")
def command() -> Callable[..., int]:
    """The installed console script's function: what a user runs, without a new process."""
    (entry,) = importlib.metadata.entry_points(group="console_scripts", name="latentdp")
    main = entry.load()
    return lambda *arguments: main([str(a) for a in arguments])


@pytest.fixture
def shared_data() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the shared real radiographs are not here")
    return SHARED


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server of this test process."""
    folder = binaries()
    if folder is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    server = Server(folder)
    yield server
    server.end()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path) -> str:
    """The URL of an empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'database.sqlite'}"
    return request.getfixturevalue("postgres").fresh()


@pytest.fixture(scope="session", params=["tiny", pytest.param("shipped", marks=pytest.mark.slow)])
def released(request, tmp_path_factory, tiny_weights) -> Release:
    """A release by the installed command of radiographs of every kind, not to be changed.

    Of the samples and, where they are present, of the real ones, too. By tiny weights, and in
    `make test-all` by those that are shipped.
    """
    weights = {"tiny": ("--weights", tiny_weights, "--size", "64"), "shipped": ()}

    def make(place: Path) -> Release:
        every_kind(place / "in" / "kinds")
        shutil.copytree(SAMPLES, place / "in" / "samples")
        if SHARED.is_dir():
            shutil.copytree(SHARED / "dicom" / "radiograph", place / "in" / "real")
        return release(place / "in", place, *weights[request.param])

    return once(tmp_path_factory, f"released-{request.param}", make)
