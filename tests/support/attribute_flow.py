"""A flow of 16 by 16 pixels with random weights that knows attributes."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch

from latentdp.core.attributes import Attribute, finding
from latentdp.models.checkpoints import Checkpoint
from latentdp.models.flow.checkpoint import DIRECTIONS, IDENTITY
from latentdp.models.flow.flow import Flow, load_flow
from latentdp.models.flow.glow import Glow, GlowConfig
from tests.support.tiny_flow import directions, identity, tiny_checkpoint

KNOWN = (
    finding("Edema"),
    finding("Effusion"),
    finding("Mass"),
    finding("Pleural_Thickening"),
    Attribute("view", ("AP", "PA")),
    Attribute("sex", ("F", "M")),
    Attribute("age", ("18-34", "35-49", "50+")),
)
PRESENT_IN_TRAINING = {"Edema": 10, "Effusion": 40, "Mass": 20, "Pleural_Thickening": 5}


def attribute_checkpoint() -> Checkpoint:
    """The weights, with directions and identity, as a file holds them."""
    torch.manual_seed(4)
    config = GlowConfig(size=16, classes=(), steps=(2, 2), hidden=(8, 8), attributes=KNOWN)
    net = Glow(config)
    with torch.no_grad():
        net(torch.rand(32, 1, 16, 16) - 0.5, torch.full((32, len(KNOWN)), -1))
        for parameter in net.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    made = tiny_checkpoint(net, name="told", present_in_training=PRESENT_IN_TRAINING)
    rows = {DIRECTIONS: directions(), IDENTITY: identity()}
    made.tensors.update({key: value.astype(np.float16) for key, value in rows.items()})
    return made


@cache
def attribute_flow() -> Flow:
    """The flow in memory, one for all tests of a process; not to be changed."""
    return load_flow(attribute_checkpoint())
