"""What takes a while to learn, and several tests use."""

import pytest

from latentdp.models.super_resolution.detail_flow import DetailFlow
from tests.support.detail_flows import trainer


@pytest.fixture(scope="session")
def octave(tmp_path_factory) -> DetailFlow:
    """One that was trained for a few steps."""
    state = tmp_path_factory.mktemp("octave") / "x.state"
    made = trainer(state, steps=60)
    made.run(lambda _: None)
    return DetailFlow(made.average, 0.8)
