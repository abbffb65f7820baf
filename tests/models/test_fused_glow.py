"""The inference engine agrees with the network that was trained, and changes no guarantee."""

import numpy as np
import pytest
import torch

from latentdp.models.checkpoints import load, shipped
from latentdp.models.device import micro_batch
from latentdp.models.flow.add_ons import AddOns
from latentdp.models.flow.flow import Flow, load_flow
from latentdp.models.flow.fused_glow import FrozenGlow
from latentdp.models.flow.glow import Glow, GlowConfig
from latentdp.models.model_card.card import ModelCard
from latentdp.privacy.noise import SeededNoise
from latentdp.privatizer import Privatizer
from latentdp.recipe import PRESETS, Recipe
from tests.support.tiny_flow import make_net

EXACT = 2e-5  # of a latent or an image in [-0.5, 0.5]: another order of float32 operations
LOW = 0.05  # of an image, coupling networks in bfloat16: 8 bits of mantissa


def random_net(steps: tuple[int, ...], hidden: tuple[int, ...], classes: tuple[str, ...]) -> Glow:
    torch.manual_seed(4)
    size = 8 * 2 ** len(steps)
    net = Glow(GlowConfig(size=size, classes=classes, steps=steps, hidden=hidden))
    with torch.no_grad():
        net(torch.rand(16, 1, size, size) - 0.5, torch.zeros(16, dtype=torch.long))
        for parameter in net.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return net


NETS = {
    "one level": lambda: random_net((2,), (6,), ()),
    "three levels": lambda: random_net((1, 2, 3), (4, 6, 8), ("a", "b")),
    **{name: lambda name=name: load_flow(load(name))._net for name in shipped("glow")},
}


@pytest.fixture(scope="module", params=NETS)
def net(request) -> Glow:
    return NETS[request.param]()


def inputs(net: Glow, n: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    size = net.config.size
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(n, size * size, generator=generator)
    sizes = torch.tensor([len(one.values) + 1 for one in net.config.conditioning])
    labels = torch.arange(n)[:, None] % sizes
    return z, labels if net.config.attributes else labels[:, 0]


def test_it_agrees_with_the_network(net):
    frozen = FrozenGlow(net)
    z, labels = inputs(net)
    with torch.inference_mode():
        x = net.decode(z, labels)
        assert torch.allclose(frozen.decode(z, labels), x, atol=EXACT)
        again, log_det = frozen.encode(x, labels)
        wanted, wanted_log_det = net.encode(x, labels)
    assert torch.allclose(again, wanted, atol=1e-3)
    assert torch.allclose(again, z, atol=1e-2)
    assert torch.allclose(log_det, wanted_log_det, rtol=1e-5, atol=1e-2)


def test_the_network_is_not_changed(net):
    before = {k: v.clone() for k, v in net.state_dict().items()}
    grads = [p.requires_grad for p in net.parameters()]
    frozen = FrozenGlow(net, torch.bfloat16)
    frozen.decode(*inputs(net))
    after = net.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before)
    assert [p.requires_grad for p in net.parameters()] == grads


def test_bfloat16_in_the_coupling_networks_is_close(net):
    z, labels = inputs(net)
    with torch.inference_mode():
        x = net.decode(z, labels)
        low = FrozenGlow(net, torch.bfloat16).decode(z, labels)
    assert not torch.equal(low, x)
    assert (low - x).abs().max() < LOW
    assert (low - x).abs().mean() < 2 / 255


def test_what_differs_from_a_glow_is_used_as_it_is():
    class Other(Glow):
        def decode(self, z, label):
            return super().decode(z, label) * 0

    net = make_net()
    net.__class__ = Other
    flow = Flow(net, ModelCard())
    assert np.allclose(flow.decode(np.ones((1, flow.d))), (0.5 * 256 - 0.5) / 255)


@pytest.mark.promise("Which machine computes the networks changes no guarantee.")
@pytest.mark.parametrize("preset", PRESETS)
def test_an_engine_changes_no_guarantee(tiny_flow, preset, monkeypatch):
    """The plan and what it spends are those of the recipe, and the noise is the same."""
    monkeypatch.setattr("latentdp.models.flow.engine.computes_bfloat16", lambda: True)
    add_ons = AddOns(directions=tiny_flow.directions, identity=tiny_flow.identity[:, :64])
    changes = {"resample_identity": 8, "keep_label_dims": 4} if preset == "empirical" else {}
    made = {}
    for exact in (True, False):
        flow = Flow(make_net(), ModelCard(), "tiny", "00" * 32, add_ons, exact=exact)
        recipe = Recipe.from_preset(preset, **changes)
        made[exact] = Privatizer(flow, recipe, SeededNoise(1))
    assert made[True].recipe.digest == made[False].recipe.digest
    assert made[True].guarantee == made[False].guarantee
    assert made[True].plan.describe() == made[False].plan.describe()
    images = np.random.default_rng(0).random((3, 16, 16)).astype(np.float32)
    one, other = (made[exact](images, labels=[0, 1, 2]) for exact in (True, False))
    assert not np.array_equal(one.images, other.images), "the engines are two"
    assert (one.labels == other.labels).all()


def test_a_batch_fits_in_memory_whatever_the_size():
    small = GlowConfig(size=64, classes=(), steps=(1, 1), hidden=(8, 8))
    large = GlowConfig(size=512, classes=(), steps=(1, 1), hidden=(512, 512))
    assert micro_batch(small) == 256
    assert micro_batch(large) == 1
