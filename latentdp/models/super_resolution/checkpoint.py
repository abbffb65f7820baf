"""Detail flows in weights files: one in a file of its own, or several beside a flow.

In files they are called octaves: each doubles the side of an image.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from msgspec import structs

from latentdp.errors import InputError, WeightsError
from latentdp.models.checkpoints import Checkpoint
from latentdp.models.model_card.card import ModelCard
from latentdp.models.super_resolution.cascade import DetailFlow, SuperResolutionCascade
from latentdp.models.super_resolution.equalizer import Equalizer
from latentdp.models.super_resolution.wavelet_flow import WaveletFlow, WaveletFlowConfig

__all__ = ["PREFIX", "cascade_of", "detail_flow_of", "details_in", "with_detail_flows"]

KIND, PREFIX = "octave", "octave."  # of weights and tensors
MEASURED = ("bits_per_detail", "decibels_by_octave", "temperature", "training", "training_data")


def detail_flow_of(checkpoint: Checkpoint, *, exact: bool = True) -> DetailFlow:
    """The detail flow of a checkpoint of its own.

    Args:
        checkpoint: Of kind ``octave``.
        exact: As `DetailFlow` has it.

    Raises:
        WeightsError: Unknown kind, or tensors that do not fit the configuration.
    """
    if checkpoint.kind != KIND:
        raise WeightsError(f"expected weights of kind {KIND!r}, got {checkpoint.kind!r}")
    try:
        net = WaveletFlow(WaveletFlowConfig.from_json(checkpoint.config))
        net.load_state_dict(
            {k: torch.from_numpy(np.asarray(v)).float() for k, v in checkpoint.tensors.items()}
        )
        card = checkpoint.card
        return DetailFlow(
            net,
            temperature=1.0 if card.temperature is None else card.temperature,
            shifts=card.shifts or (0,),
            exact=exact,
            equalizer=None if card.gains is None else Equalizer(card.gains),
        )
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


def with_detail_flows(checkpoint: Checkpoint, details: Sequence[Checkpoint]) -> Checkpoint:
    """A flow's weights with detail flows, instead of any that they had.

    All other tensors are as they were. If a detail flow was trained on private images, so the
    whole is said to have been.

    Args:
        checkpoint: A flow's weights, of kind ``glow``.
        details: Weights of kind ``octave``, one for each doubling from the flow's size.

    Raises:
        InputError: They do not follow one another from the flow's size.
        WeightsError: One is of another kind, damaged, or was not measured.
    """
    if checkpoint.kind != "glow":
        raise WeightsError(f"expected weights of kind 'glow', got {checkpoint.kind!r}")
    sizes = [detail_flow_of(detail).size for detail in details]
    side = json.loads(checkpoint.config)["size"]
    wanted = [side * 2 ** (i + 1) for i in range(len(details))]
    if sorted(sizes) != wanted:
        expected = ", ".join(map(str, wanted))
        raise InputError(f"expected octaves for {expected} pixels, got {sorted(sizes)}")
    tensors = {k: v for k, v in checkpoint.tensors.items() if not k.startswith(PREFIX)}
    cards: dict[str, ModelCard] = {}
    for size, detail in zip(sizes, details, strict=True):
        lacking = detail.card.lacking(*MEASURED)
        if lacking:
            raise WeightsError(f"weights {detail.name!r}: the card lacks {lacking[0]!r}")
        tensors |= {f"{PREFIX}{size}.{key}": tensor for key, tensor in detail.tensors.items()}
        cards[str(size)] = structs.replace(detail.card, config=detail.config)
    card = structs.replace(checkpoint.card, octaves=cards or None)
    if any(detail.card.private_training for detail in details):
        card = structs.replace(card, private_training=True)
    return replace(checkpoint, tensors=tensors, card=card)


def details_in(checkpoint: Checkpoint) -> dict[str, Checkpoint]:
    """The detail flows in a flow's weights file, as weights of their own, by size in pixels."""
    parts = {}
    for size, card in (checkpoint.card.octaves or {}).items():
        start = f"{PREFIX}{size}."
        tensors = {
            key.removeprefix(start): tensor
            for key, tensor in checkpoint.tensors.items()
            if key.startswith(start)
        }
        config, name = card.config or "", f"{checkpoint.name}, {size} pixels"
        parts[size] = Checkpoint(name=name, kind=KIND, config=config, card=card, tensors=tensors)
    return parts


def cascade_of(checkpoint: Checkpoint, *, exact: bool = True) -> SuperResolutionCascade:
    """The detail flows in a flow's weights file, where `with_detail_flows` put them.

    Args:
        checkpoint: Of kind ``glow``.
        exact: As `DetailFlow` has it.

    Raises:
        WeightsError: They are damaged.
    """
    flows = []
    for size, part in details_in(checkpoint).items():
        flow = detail_flow_of(part, exact=exact)
        if str(flow.size) != size:
            raise WeightsError(
                f"weights {part.name!r} are those of an octave to {flow.size} pixels"
            )
        flows.append(flow)
    return SuperResolutionCascade(flows)
