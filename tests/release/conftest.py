"""What tests of releases share."""

import shutil
from pathlib import Path

import pytest

from tests.support.places import SAMPLES


@pytest.fixture
def place(tmp_path) -> Path:
    """A folder with a copy of the samples as ``in``."""
    shutil.copytree(SAMPLES, tmp_path / "in")
    return tmp_path
