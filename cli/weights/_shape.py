"""Shapes of networks as options say them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from latentdp import InputError

if TYPE_CHECKING:
    from latentdp.models.checkpoints import Checkpoint
    from latentdp.models.flow.glow import GlowConfig

__all__ = ["flow_shape", "numbers"]


def flow_shape(
    start: Checkpoint | None, size: int | None, blocks: str | None, hidden: str | None
) -> GlowConfig:
    """Of the weights to start from, else of new ones, but for what is given; without classes."""
    from latentdp.models.flow.flow import load_flow
    from latentdp.models.flow.glow import GlowConfig

    if start is None:
        shape = GlowConfig(size=64, classes=(), steps=(12, 12, 8), hidden=(192, 160, 128))
    else:
        load_flow(start)  # refuses what is damaged, or no flow
        shape = replace(GlowConfig.from_json(start.config), classes=(), attributes=())
    return replace(
        shape,
        size=shape.size if size is None else size,
        steps=shape.steps if blocks is None else numbers(blocks, "--blocks"),
        hidden=shape.hidden if hidden is None else numbers(hidden, "--hidden"),
    )


def numbers(text: str, option: str) -> tuple[int, ...]:
    """Positive numbers separated by commas."""
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 1:
        raise InputError(f"expected {option} to be positive numbers separated by commas")
    return numbers
