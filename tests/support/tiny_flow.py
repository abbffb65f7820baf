"""A flow of 16 by 16 pixels with random weights: a hundredth of the shipped one's time."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch

from latentdp.core.documents import from_json
from latentdp.models.checkpoints import Checkpoint
from latentdp.models.flow.add_ons import AddOns
from latentdp.models.flow.checkpoint import DIRECTIONS, IDENTITY
from latentdp.models.flow.flow import Flow
from latentdp.models.flow.glow import Glow, GlowConfig
from latentdp.models.model_card.card import ModelCard

CLASSES = ("a", "b", "c")


def make_net(classes: tuple[str, ...] = CLASSES, size: int = 16) -> Glow:
    """A small network with random, not trivial, weights and initialised normalisation."""
    torch.manual_seed(3)
    net = Glow(GlowConfig(size=size, classes=classes, steps=(2, 2), hidden=(8, 8)))
    with torch.no_grad():
        net(torch.rand(32, 1, size, size) - 0.5, torch.zeros(32, dtype=torch.long))
        for parameter in net.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return net


def directions() -> np.ndarray:
    """40 orthonormal rows of 256 dimensions, random: they carry nothing."""
    return np.linalg.qr(np.random.default_rng(5).normal(size=(256, 40)))[0].T


def identity() -> np.ndarray:
    """24 orthonormal rows of the coarsest 64 dimensions."""
    return np.linalg.qr(np.random.default_rng(6).normal(size=(64, 24)))[0].T


@cache
def shared_flow() -> Flow:
    """The network with its directions in memory, one for all tests of a process."""
    add_ons = AddOns(directions=directions(), identity=identity())
    return Flow(make_net(), ModelCard(), "tiny", "00" * 32, add_ons)


def tiny_checkpoint(
    net: torch.nn.Module | None = None, kind: str = "glow", name: str = "x", **card: Any
) -> Checkpoint:
    """A network, by default `make_net`, as its weights file holds it; ``card`` is its card."""
    net = make_net() if net is None else net
    return Checkpoint(
        name=name,
        kind=kind,
        config=net.config.to_json(),
        card=from_json(card, ModelCard, "the card"),
        tensors={key: tensor.detach().numpy() for key, tensor in net.state_dict().items()},
    )


def whole_checkpoint() -> Checkpoint:
    """What `shared_flow` is, to be saved: with directions and identity."""
    made = tiny_checkpoint(name="tiny")
    rows = {DIRECTIONS: directions(), IDENTITY: identity()}
    made.tensors.update({key: value.astype(np.float16) for key, value in rows.items()})
    return made
