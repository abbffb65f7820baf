"""`latentdp weights check`: the laws of a flow, and a card for users' own weights."""

import json
from dataclasses import replace

import numpy as np
import pytest
from normflows.flows import ActNorm

from latentdp import WeightsError
from latentdp.core.documents import to_json
from latentdp.models.checkpoints import load, save
from latentdp.models.flow.flow import Flow
from latentdp.models.flow.invariants import check, laws
from tests.support.tiny_flow import make_net


def test_a_flow_keeps_all_laws(tiny_flow, images):
    found = check(tiny_flow, images, np.array([0, 1, 2, -1, 0]))
    assert len({law.name for law in found}) == len(found) == 7
    assert all(law.holds for law in found)


class Forgetful(Flow):
    """Loses the finest detail."""

    def decode_valid(self, latents, labels=None):
        images, valid = super().decode_valid(latents, labels)
        return np.round(images * 16) / 16, valid


class Gossip(Flow):
    """Lets an image depend on the others of its batch."""

    def encode_and_rate(self, images, labels=None):
        z, bits = super().encode_and_rate(images, labels)
        return z + 0.1 * z[-1], bits


class Moody(Flow):
    """Never encodes an image twice alike."""

    calls = 0

    def encode_and_rate(self, images, labels=None):
        self.calls += 1
        z, bits = super().encode_and_rate(images, labels)
        return z + 1e-6 * self.calls, bits


class Brittle(Flow):
    """Has no image for a latent that noise made large."""

    def decode_valid(self, latents, labels=None):
        images, valid = super().decode_valid(latents, labels)
        return images, valid & (np.abs(latents).max(axis=1) < 20)


def squeezed(net, add_ons):
    """Makes so little of one channel that float32 has nothing left of it."""
    for norm in (module for module in net.modules() if isinstance(module, ActNorm)):
        norm.s.data[:, 0] -= 30
        norm.t.data[:, 0] += 1
    return Flow(net, add_ons)


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        (squeezed, "a sample has the latent it was made of"),
        (Forgetful, "an image comes back"),
        (Gossip, "an image is encoded on its own"),
        (Moody, "the same image gives the same latent"),
        (Brittle, "loud latents decode"),
    ],
)
def test_a_broken_law_is_found(broken, law, images):
    flow, labels = broken(make_net(), {}), np.zeros(5, dtype=np.int64)
    assert not next(
        found for found in laws(flow, images, labels) if found.name.startswith(law)
    ).holds
    with pytest.raises(WeightsError, match="break a law"):
        check(flow, images, labels)


def test_what_is_not_a_number_keeps_no_law(images):
    class Lost(Flow):
        def encode_and_rate(self, images, labels=None):
            z, bits = super().encode_and_rate(images, labels)
            return z * np.nan, bits

    flow, labels = Lost(make_net(), {}), np.zeros(5, dtype=np.int64)
    assert not next(
        law for law in laws(flow, images, labels) if law.name == "latents are finite"
    ).holds
    with pytest.raises(WeightsError, match="latents are finite"):
        check(flow, images, labels)


@pytest.mark.slow
@pytest.mark.usefixtures("least_effort")
def test_a_users_own_weights_get_a_card(world, tmp_path, command, capsys):
    given, out = world.weights.read_bytes(), tmp_path / "checked.safetensors"
    options = ("--out", out, "--quick", "--json")
    code = command("weights", "check", world.weights, world.data, *options)
    told = capsys.readouterr()
    assert code == 0, told.err
    assert world.weights.read_bytes() == given, "releases may be bound to it"
    found = json.loads(told.out)
    before, after = load(str(world.weights)), load(str(out))
    assert list(to_json(after.card.laws)) == found["laws"]
    assert after.card.checked == "a quick look"
    assert {row["metric"] for row in found["samples"]} >= {"told apart", "nearest", "bits"}
    for key, tensor in before.tensors.items():
        if key != "directions":
            assert np.array_equal(tensor, after.tensors[key]), "weights stay as they are"
    card = out.with_suffix(".md").read_text(encoding="utf-8")
    assert after.sha256 in card
    assert "an image comes back" in card
    assert "Fresh samples" in card
    assert command("weights", "show", out) == 0
    assert "an image comes back" in " ".join(capsys.readouterr().out.split())
    assert command("weights", "check", world.weights, world.data, *options) == 2
    assert "checked.md is there already" in capsys.readouterr().err


def test_weights_that_break_a_law_are_refused_and_nothing_is_written(
    world, tmp_path, command, capsys
):
    checkpoint = load(str(world.weights))
    name = next(k for k in checkpoint.tensors if k.endswith("norm.s"))
    broken = checkpoint.tensors | {name: checkpoint.tensors[name] + np.float32(80)}
    save(replace(checkpoint, tensors=broken), tmp_path / "broken.safetensors")
    out = tmp_path / "out" / "checked.safetensors"
    code = command(
        "weights", "check", tmp_path / "broken.safetensors", world.data, "--out", out, "--quick"
    )
    assert code == 4
    assert "the weights break a law" in capsys.readouterr().err
    assert not out.parent.exists()
