"""Octaves in weights files: one in a file of its own, or several beside the flow they enlarge."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from latentdp.errors import InputError, WeightsError
from latentdp.models.checkpoints import Checkpoint
from latentdp.models.super_resolution.cascade import DetailFlow, SuperResolutionCascade
from latentdp.models.super_resolution.wavelet_flow import OctaveConfig, OctaveNet

__all__ = ["PREFIX", "ladder_of", "octave_of", "with_octaves"]

KIND, CARD, PREFIX = "octave", "octaves", "octave."  # of weights, cards and tensors
TOLD = ("bits_per_detail", "decibels_by_octave", "temperature", "training", "training_data")


def octave_of(checkpoint: Checkpoint) -> DetailFlow:
    """The octave of a checkpoint of its own.

    Raises:
        WeightsError: Unknown kind, or tensors that do not fit the configuration.
    """
    if checkpoint.kind != KIND:
        raise WeightsError(f"expected weights of kind {KIND!r}, got {checkpoint.kind!r}")
    try:
        net = OctaveNet(OctaveConfig.from_json(checkpoint.config))
        net.load_state_dict(
            {k: torch.from_numpy(np.asarray(v)).float() for k, v in checkpoint.tensors.items()}
        )
        return DetailFlow(net, checkpoint.card.get("temperature", 1.0))
    except (
        AttributeError,
        KeyError,
        OverflowError,
        RecursionError,
        RuntimeError,
        TypeError,
        ValueError,
        InputError,
    ) as error:
        raise WeightsError(
            f"weights {checkpoint.name!r} do not fit their configuration"
        ) from error


def with_octaves(checkpoint: Checkpoint, octaves: Sequence[Checkpoint]) -> Checkpoint:
    """A flow's weights with the detail of octaves, instead of any that they had.

    All other tensors are as they were. If an octave was trained on private images, so the whole
    is said to have been.

    Raises:
        InputError: They do not follow one another from the flow's size.
        WeightsError: One is of another kind, damaged, or was not measured.
    """
    if checkpoint.kind != "glow":
        raise WeightsError(f"expected weights of kind 'glow', got {checkpoint.kind!r}")
    sizes = [octave_of(octave).size for octave in octaves]
    side = json.loads(checkpoint.config)["size"]
    wanted = [side * 2 ** (i + 1) for i in range(len(octaves))]
    if sorted(sizes) != wanted:
        told = ", ".join(map(str, wanted))
        raise InputError(f"expected octaves for {told} pixels, got {sorted(sizes)}")
    tensors = {k: v for k, v in checkpoint.tensors.items() if not k.startswith(PREFIX)}
    cards: dict[str, Any] = {}
    for size, octave in zip(sizes, octaves, strict=True):
        lacking = [key for key in TOLD if key not in octave.card]
        if lacking:
            raise WeightsError(f"weights {octave.name!r}: the card lacks {lacking[0]!r}")
        tensors |= {f"{PREFIX}{size}.{key}": tensor for key, tensor in octave.tensors.items()}
        cards[str(size)] = octave.card | {"config": octave.config}
    card = {k: v for k, v in checkpoint.card.items() if k != CARD}
    if cards:
        card[CARD] = cards
    if any(octave.card.get("private_training") for octave in octaves):
        card["private_training"] = True
    return replace(checkpoint, tensors=tensors, card=card)


def ladder_of(checkpoint: Checkpoint) -> SuperResolutionCascade:
    """The octaves in a flow's weights file, where `with_octaves` put them.

    Raises:
        WeightsError: They are damaged.
    """
    cards = checkpoint.card.get(CARD, {})
    if not (isinstance(cards, dict) and all(isinstance(told, dict) for told in cards.values())):
        raise WeightsError(f"weights {checkpoint.name!r}: their octaves are not described")
    found = []
    for size, told in cards.items():
        start = f"{PREFIX}{size}."
        tensors = {
            key.removeprefix(start): tensor
            for key, tensor in checkpoint.tensors.items()
            if key.startswith(start)
        }
        config, name = str(told.get("config", "")), f"{checkpoint.name}, {size} pixels"
        part = Checkpoint(name=name, kind=KIND, config=config, card=told, tensors=tensors)
        octave = octave_of(part)
        if str(octave.size) != size:
            raise WeightsError(f"weights {name!r} are those of an octave to {octave.size} pixels")
        found.append(octave)
    return SuperResolutionCascade(found)
