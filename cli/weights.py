"""``latentdp weights``."""

from __future__ import annotations

from typing import Annotated

import typer

from latentdp.checkpoints import load, shipped

from .directions import summary
from .options import JsonOption
from .render import print_json, short, table


def weights(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME|FILE]", help="Weights whose card is shown.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """List the shipped weights, or show the model card of one."""
    if name is None:
        listed = shipped()
        if json:
            print_json(listed)
        else:
            rows = [
                (key, f"{entry['summary']} ({entry['bytes'] / 1e6:.1f} MB)")
                for key, entry in listed.items()
            ]
            table("shipped weights", rows)
        return
    checkpoint = load(name)
    facts = {"name": checkpoint.name, "sha256": checkpoint.sha256} | checkpoint.card
    if json:
        print_json(facts)
        return
    shown = [
        (key.replace("_", " "), short(value))
        for key, value in facts.items()
        if key not in ("directions", "octaves")
    ]
    if "directions" in checkpoint.card:
        shown += summary(checkpoint.card["directions"])
    shown += [
        (f"detail to {size} pixels", f"{told['bits_per_detail']} bits per coefficient")
        for size, told in checkpoint.card.get("octaves", {}).items()
    ]
    table(f"model card of {checkpoint.name}", shown)
