"""``latentdp weights show``."""

from __future__ import annotations

from json import dumps, loads
from typing import Annotated

import typer

from latentdp.core.documents import to_json
from latentdp.models.checkpoints import load

from .._options import JsonOption
from .._render import print_json, short, table
from .add_critic import summary as critic_summary
from .add_directions import summary as directions_summary

TABLES = ("critic", "directions", "laws", "octaves", "samples")  # shown row by row


def show(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="Weights whose card is shown.")],
    json: JsonOption = False,
) -> None:
    """Show the model card of weights."""
    checkpoint = load(name)
    card = checkpoint.card
    entries = {**checkpoint.other_entries, **to_json(card)}
    facts = {"name": checkpoint.name, "sha256": checkpoint.sha256} | loads(
        dumps(entries, sort_keys=True)  # in the order of the file
    )
    if json:
        print_json(facts)
        return
    rows = [
        (key.replace("_", " "), short(value)) for key, value in facts.items() if key not in TABLES
    ]
    rows += [(law.name, f"{law.measured:.2g}") for law in card.laws or ()]
    rows += [(f"samples: {s.metric}", f"{s.value} ({s.setting})") for s in card.samples or ()]
    rows += [
        (f"detail to {size} pixels", short(octave.bits_per_detail or {}))
        for size, octave in sorted((card.octaves or {}).items())
    ]
    if card.critic is not None:
        rows += critic_summary(card.critic)
    if card.directions is not None:
        rows += directions_summary(card.directions)
    table(f"model card of {checkpoint.name}", rows)


command = show
