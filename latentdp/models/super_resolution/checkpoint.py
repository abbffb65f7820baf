"""What draws detail, in weights files: one in a file of its own, or several beside a flow.

In files all are called octaves, since detail flows, of which each doubles the side of an image,
were there before refiners.
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
from latentdp.models.super_resolution.cascade import SuperResolutionCascade
from latentdp.models.super_resolution.deblocking import DeblockingFilter
from latentdp.models.super_resolution.detail_flow import DetailFlow
from latentdp.models.super_resolution.enlarger import Enlarger
from latentdp.models.super_resolution.equalizer import Equalizer
from latentdp.models.super_resolution.refiner import Refiner
from latentdp.models.super_resolution.refiner_net import RefinerConfig, RefinerNet
from latentdp.models.super_resolution.wavelet_flow import WaveletFlow, WaveletFlowConfig

__all__ = [
    "KINDS",
    "PREFIX",
    "cascade_of",
    "detail_flow_of",
    "details_in",
    "enlarger_of",
    "with_detail_flows",
]

KINDS = ("octave", "refiner")  # of weights of their own: detail flows and refiners
MOST_DIGITS = 6  # of a size in pixels
PREFIX = "octave."  # of tensors beside those of a flow
MEASURED = {
    "octave": (
        "bits_per_detail", "decibels_by_octave", "temperature", "training", "training_data",
    ),
    "refiner": ("decibels_by_octave", "training", "training_data"),
}  # fmt: skip


def enlarger_of(checkpoint: Checkpoint, *, exact: bool = True) -> Enlarger:
    """The detail flow or refiner of a checkpoint of its own.

    Args:
        checkpoint: Of one of `KINDS`.
        exact: As `DetailFlow` and `Refiner` have it.

    Raises:
        WeightsError: Unknown kind, or tensors that do not fit the configuration.
    """
    if checkpoint.kind not in KINDS:
        raise WeightsError(
            f"expected weights of kind {' or '.join(map(repr, KINDS))}, got {checkpoint.kind!r}"
        )
    try:
        if checkpoint.kind == "refiner":
            return _refiner(checkpoint, exact)
        return _detail_flow(checkpoint, exact)
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


def detail_flow_of(checkpoint: Checkpoint) -> DetailFlow:
    """The detail flow of a checkpoint of its own.

    Raises:
        WeightsError: As for `enlarger_of`, or it is of a refiner.
    """
    step = enlarger_of(checkpoint)
    if not isinstance(step, DetailFlow):
        raise WeightsError(f"expected weights of kind 'octave', got {checkpoint.kind!r}")
    return step


def _detail_flow(checkpoint: Checkpoint, exact: bool) -> DetailFlow:
    net = WaveletFlow(WaveletFlowConfig.from_json(checkpoint.config))
    net.load_state_dict(_tensors(checkpoint))
    card = checkpoint.card
    return DetailFlow(
        net,
        temperature=1.0 if card.temperature is None else card.temperature,
        shifts=card.shifts or (0,),
        exact=exact,
        equalizer=_equalizer(card),
    )


def _refiner(checkpoint: Checkpoint, exact: bool) -> Refiner:
    with torch.device("meta"):  # which holds nothing, whatever a configuration asks for
        net = RefinerNet(RefinerConfig.from_json(checkpoint.config))
    net.load_state_dict(_tensors(checkpoint), assign=True)
    return Refiner(net, exact=exact, equalizer=_equalizer(checkpoint.card))


def _tensors(checkpoint: Checkpoint) -> dict[str, torch.Tensor]:
    return {k: torch.from_numpy(np.asarray(v)).float() for k, v in checkpoint.tensors.items()}


def _equalizer(card: ModelCard) -> Equalizer | None:
    return None if card.gains is None else Equalizer(card.gains)


def with_detail_flows(checkpoint: Checkpoint, details: Sequence[Checkpoint]) -> Checkpoint:
    """A flow's weights with detail flows, instead of any that they had.

    All other tensors are as they were, and what deblocked other images is left out. If a detail
    flow was trained on private images, so the whole is said to have been.

    Args:
        checkpoint: A flow's weights, of kind ``glow``.
        details: Weights of `KINDS`, of which the first begins with images of the flow's size and
            each other with those of the one before it, in any order.

    Raises:
        InputError: They do not follow one another from the flow's size.
        WeightsError: One is of another kind, damaged, or was not measured.
    """
    if checkpoint.kind != "glow":
        raise WeightsError(f"expected weights of kind 'glow', got {checkpoint.kind!r}")
    steps = [enlarger_of(detail) for detail in details]
    have, climbed = (
        json.loads(checkpoint.config)["size"],
        sorted(steps, key=lambda step: step.size),
    )
    if [step.side for step in climbed] != [have, *(step.size for step in climbed)][: len(steps)]:
        got = ", ".join(f"{step.side} to {step.size}" for step in climbed)
        raise InputError(
            f"expected octaves that lead on from {have} pixels, one after the other, got {got}"
        )
    tensors = {k: v for k, v in checkpoint.tensors.items() if not k.startswith(PREFIX)}
    cards: dict[str, ModelCard] = {}
    for step, detail in zip(steps, details, strict=True):
        lacking = detail.card.lacking(*MEASURED[detail.kind])
        if lacking:
            raise WeightsError(f"weights {detail.name!r}: the card lacks {lacking[0]!r}")
        tensors |= {f"{PREFIX}{step.size}.{key}": x for key, x in detail.tensors.items()}
        cards[str(step.size)] = structs.replace(detail.card, config=detail.config)
    card = structs.replace(checkpoint.card, octaves=cards or None, deblocking=None)
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
        parts[size] = Checkpoint(
            name=name, kind=_kind(config), config=config, card=card, tensors=tensors
        )
    return parts


def cascade_of(checkpoint: Checkpoint, *, exact: bool = True) -> SuperResolutionCascade:
    """The detail flows in a flow's weights file, where `with_detail_flows` put them.

    Args:
        checkpoint: Of kind ``glow``.
        exact: As `DetailFlow` has it.

    Raises:
        WeightsError: They are damaged.
    """
    steps = []
    for size, part in details_in(checkpoint).items():
        step = enlarger_of(part, exact=exact)
        if str(step.size) != size:
            raise WeightsError(
                f"weights {part.name!r} are those of an octave to {step.size} pixels"
            )
        steps.append(step)
    return SuperResolutionCascade(steps, _deblocking(checkpoint))


def _deblocking(checkpoint: Checkpoint) -> dict[int, DeblockingFilter]:
    filters = {}
    for size, found in (checkpoint.card.deblocking or {}).items():
        if not (size.isascii() and size.isdecimal() and len(size) <= MOST_DIGITS):
            raise WeightsError(
                f"weights {checkpoint.name!r}: expected sizes of deblocking in pixels"
            )
        filters[int(size)] = DeblockingFilter(across=found.across, down=found.down)
    return filters


def _kind(config: str) -> str:
    """Of what is beside a flow: configurations of refiners have widths of their fine layers."""
    return KINDS["fine_widths" in config]
