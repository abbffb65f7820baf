"""Fixtures that many tests share."""

import importlib.metadata
import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from latentdp.models.device import use_threads
from latentdp.models.flow.flow import Flow
from latentdp.models.flow.glow import Glow, GlowConfig
from tests.support.postgres import Server, binaries
from tests.support.releases import Release, every_kind, release

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"
SAMPLES = ROOT / "samples" / "cxr"

use_threads(1)


def script(name: str) -> ModuleType:
    """A benchmark as a module; one may import another, as when it is run."""
    if str(ROOT / "benchmarks") not in sys.path:
        sys.path.append(str(ROOT / "benchmarks"))
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


def make_net(classes: tuple[str, ...] = ("a", "b", "c"), size: int = 16) -> Glow:
    """A small network with random, not trivial, weights and initialised normalisation."""
    torch.manual_seed(3)
    net = Glow(GlowConfig(size=size, classes=classes, steps=(2, 2), hidden=(8, 8)))
    with torch.no_grad():
        net(torch.rand(32, 1, size, size) - 0.5, torch.zeros(32, dtype=torch.long))
        for parameter in net.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return net


@pytest.fixture(scope="session")
def tiny_flow() -> Flow:
    directions, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(256, 40)))
    identity, _ = np.linalg.qr(np.random.default_rng(6).normal(size=(64, 24)))
    return Flow(make_net(), {}, "tiny", "00" * 32, directions=directions.T, identity=identity.T)


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).random((5, 16, 16)).astype(np.float32)


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


@pytest.fixture(scope="session")
def released(tmp_path_factory) -> Release:
    """A release by the installed command of radiographs of every kind, not to be changed.

    Of the samples and, where they are present, of the real ones, too.
    """
    place = tmp_path_factory.mktemp("released")
    every_kind(place / "in" / "kinds")
    shutil.copytree(SAMPLES, place / "in" / "samples")
    if SHARED.is_dir():
        shutil.copytree(SHARED / "dicom" / "radiograph", place / "in" / "real")
    return release(place / "in", place)
