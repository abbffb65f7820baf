"""What a privatizer does, in a line: by its own plan, whatever preset its recipe began with."""

from __future__ import annotations

from latentdp.privacy.plan import Action, Block
from latentdp.privacy.randomized_response import LabelRelease
from latentdp.privacy.rounding import printed
from latentdp.privatizer import Privatizer

__all__ = ["described"]


def described(privatizer: Privatizer) -> str:
    """Its parts with what each costs: ``label by randomised response, epsilon 6; ...``."""
    plan = privatizer.plan
    parts = [*_label(privatizer), *(_block(block) for block in plan.blocks)]
    if privatizer.candidates > 1:
        parts.append(f"the best of {privatizer.candidates} that are drawn")
    if privatizer.octaves:
        parts.append(f"detail up to {privatizer.detail_size} pixels drawn at random")
    return "; ".join(parts)


def _label(privatizer: Privatizer) -> list[str]:
    plan = privatizer.plan
    if plan.response is not None:
        return [f"label by randomised response, {_cost(plan.response.guarantee.epsilon)}"]
    return ["label released exactly"] if plan.label is LabelRelease.PUBLIC else ["no label"]


def _block(block: Block) -> str:
    size = f"{block.size:,} latent dimension{'' if block.size == 1 else 's'}"
    if block.mechanism is not None:
        return f"{block.mechanism.name} on {size}, {_cost(block.mechanism.guarantee.epsilon)}"
    return f"{size} passed on" if block.action is Action.KEEP else f"{size} drawn anew"


def _cost(epsilon: float) -> str:
    return f"epsilon {printed(epsilon)}"
