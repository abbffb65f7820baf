"""`latentdp weights check`: the laws of a flow, and a card for users' own weights."""

import json

import numpy as np
import pytest

from latentdp import WeightsError
from latentdp.checkpoints import load
from latentdp.flows.base import Flow, load_flow
from latentdp.flows.contract import check, laws
from tests.conftest import make_net
from tests.world import World, make


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    return make(tmp_path_factory.mktemp("world"))


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


@pytest.mark.parametrize(
    ("broken", "law"),
    [
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

        def decode_valid(self, latents, labels=None):
            return super().decode_valid(np.nan_to_num(latents), labels)

    found = laws(Lost(make_net(), {}), images, np.zeros(5, dtype=np.int64))
    assert not next(law for law in found if law.name == "latents are finite").holds


def test_a_users_own_weights_get_a_card(world, command, capsys):
    before = load(str(world.weights))
    code = command("weights", "check", world.weights, world.data, "--quick", "--json")
    told = capsys.readouterr()
    assert code == 0, told.err
    found = json.loads(told.out)
    after = load(str(world.weights))
    assert after.card["laws"] == found["laws"]
    assert {row["metric"] for row in found["samples"]} >= {"auc", "nearest", "bits"}
    for key, tensor in before.tensors.items():
        if key != "directions":
            assert np.array_equal(tensor, after.tensors[key]), "weights stay as they are"
    card = world.weights.with_suffix(".md").read_text(encoding="utf-8")
    assert after.sha256 in card
    assert "an image comes back" in card
    assert "Fresh samples" in card
    assert load_flow(after).d == before.card.get("d", load_flow(before).d)
    assert command("weights", "show", world.weights) == 0
    assert "an image comes back" in " ".join(capsys.readouterr().out.split())


def test_shipped_weights_are_not_checked_in_place(command, world, capsys):
    assert command("weights", "check", "cxr-adult", world.data) == 2
    assert "a weights file of your own" in capsys.readouterr().err
