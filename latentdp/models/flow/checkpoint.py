"""A flow in a weights file: its network, and the add-ons beside it."""

from __future__ import annotations

import numpy as np
import torch

from latentdp.errors import WeightsError
from latentdp.models.checkpoints import Checkpoint
from latentdp.models.flow.add_ons import AddOns
from latentdp.models.flow.critic import CRITIC, critic_of
from latentdp.models.flow.glow import Glow, GlowConfig
from latentdp.models.flow.population import POPULATION, population_of
from latentdp.models.super_resolution.checkpoint import PREFIX, cascade_of

__all__ = ["DIRECTIONS", "IDENTITY", "add_ons_of", "glow_of"]

DIRECTIONS, IDENTITY = "directions", "identity"  # tensors that are no part of the network


def glow_of(checkpoint: Checkpoint) -> Glow:
    """The network of a checkpoint, in float32 on the CPU.

    Raises:
        WeightsError: Unknown kind, or tensors that do not fit the configuration.
    """
    if checkpoint.kind != "glow":
        raise WeightsError(f"expected weights of kind 'glow', got {checkpoint.kind!r}")
    try:
        net = Glow(GlowConfig.from_json(checkpoint.config))
        net.load_state_dict(
            {
                name: torch.from_numpy(np.asarray(tensor)).float()
                for name, tensor in checkpoint.tensors.items()
                if not _beside(name)
            }
        )
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f"weights {checkpoint.name!r} do not fit their configuration"
        ) from error
    return net


def add_ons_of(checkpoint: Checkpoint, config: GlowConfig, *, exact: bool = True) -> AddOns:
    """What a checkpoint has beside its network.

    Args:
        checkpoint: A weights file of kind ``glow``, in memory.
        config: Of the flow, which says what it is conditioned on.
        exact: All of it in float32 even where bfloat16 is faster.

    Raises:
        WeightsError: One of them is damaged, or of other classes or attributes.
    """
    return AddOns(
        directions=checkpoint.tensors.get(DIRECTIONS),
        identity=checkpoint.tensors.get(IDENTITY),
        critic=critic_of(checkpoint, len(config.classes), exact=exact),
        population=population_of(checkpoint.tensors, config.attributes, checkpoint.name),
        cascade=cascade_of(checkpoint, exact=exact),
    )


def _beside(name: str) -> bool:
    """Whether a tensor is no part of the network."""
    return name in (DIRECTIONS, IDENTITY, POPULATION) or name.startswith((PREFIX, f"{CRITIC}."))
