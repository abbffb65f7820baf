"""Detail is drawn by an engine that agrees with the network that was trained."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from latentdp.models.super_resolution.fused_wavelet_flow import FrozenWaveletFlow
from latentdp.models.super_resolution.wavelet_flow import WaveletFlow, WaveletFlowConfig
from latentdp.privacy.noise import SeededNoise

EXACT = 2e-5  # of an image in [-0.5, 0.5]: another order of float32 operations
LOW = 0.05  # networks in bfloat16: 8 bits of mantissa


@pytest.fixture(scope="module")
def net() -> WaveletFlow:
    torch.manual_seed(5)
    net = WaveletFlow(WaveletFlowConfig(size=16, steps=3, hidden=6, features=5, blocks=2))
    with torch.no_grad():
        net(torch.rand(9, 3, 8, 8) - 0.5, torch.rand(9, 1, 8, 8) - 0.5)
        for parameter in net.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return net.eval()


@pytest.mark.parametrize(("dtype", "close"), [(torch.float32, EXACT), (torch.bfloat16, LOW)])
def test_it_agrees_with_the_network(net, dtype, close):
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(4, 3, 12, 20, generator=generator)
    halves = torch.rand(4, 1, 12, 20, generator=generator) - 0.5
    with torch.inference_mode():
        plain, fast = net.decode(z, halves), FrozenWaveletFlow(net, dtype).decode(z, halves)
    assert fast.dtype == torch.float32
    assert (plain - fast).abs().max() < close


def test_detail_flows_are_exact_unless_they_are_told_otherwise(octave, monkeypatch):
    """In bfloat16 detail differs by a grey level or so, and is as valid."""
    monkeypatch.setattr(
        "latentdp.models.super_resolution.detail_flow.computes_bfloat16", lambda: True
    )
    halves = np.random.default_rng(1).random((2, 16, 16), dtype=np.float32)
    drawn, low = (
        replace(octave, exact=exact).enlarge(halves, SeededNoise(2)) for exact in (True, False)
    )
    assert np.array_equal(drawn, octave.enlarge(halves, SeededNoise(2)))
    assert 0 < np.abs(drawn - low).max() < LOW
