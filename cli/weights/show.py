"""``latentdp weights show``."""

from __future__ import annotations

from typing import Annotated

import typer

from latentdp.models.checkpoints import load

from .._options import JsonOption
from .._render import print_json, short, table
from .add_critic import summary as critic_summary
from .add_directions import summary as directions_summary


def show(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="Weights whose card is shown.")],
    json: JsonOption = False,
) -> None:
    """Show the model card of weights."""
    checkpoint = load(name)
    facts = {"name": checkpoint.name, "sha256": checkpoint.sha256} | checkpoint.card
    if json:
        print_json(facts)
        return
    rows = [
        (key.replace("_", " "), short(value))
        for key, value in facts.items()
        if key not in ("critic", "directions", "octaves", "laws", "samples")
    ]
    rows += [(law["name"], f"{law['measured']:.2g}") for law in checkpoint.card.get("laws", ())]
    rows += [
        (f"samples: {row['setting']}", f"{row['metric']} {row['value']}")
        for row in checkpoint.card.get("samples", ())
    ]
    rows += [
        (f"detail to {size} pixels", short(octave.get("bits_per_detail", {})))
        for size, octave in checkpoint.card.get("octaves", {}).items()
    ]
    if "critic" in checkpoint.card:
        rows += critic_summary(checkpoint.card["critic"])
    if "directions" in checkpoint.card:
        rows += directions_summary(checkpoint.card["directions"])
    table(f"model card of {checkpoint.name}", rows)


command = show
