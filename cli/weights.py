"""``latentdp weights``: list, show, check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentdp import InputError
from latentdp.checkpoints import load, shipped

from .directions import summary
from .options import JsonOption, QuickOption, make_effort
from .render import print_json, share_progress, short, table

weights = typer.Typer(help="List the shipped weights, show the model card of one, check a file.")


@weights.callback(invoke_without_command=True)
def listing(context: typer.Context, json: JsonOption = False) -> None:
    """List the shipped weights, show the model card of one, check a file."""
    if context.invoked_subcommand is not None:
        return
    listed = shipped()
    if json:
        print_json(listed)
        return
    rows = [
        (key, f"{entry['summary']} ({entry['bytes'] / 1e6:.1f} MB)")
        for key, entry in listed.items()
    ]
    table("shipped weights", rows)


@weights.command()
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
    shown = [
        (key.replace("_", " "), short(value))
        for key, value in facts.items()
        if key not in ("directions", "octaves", "laws", "samples")
    ]
    shown += [(law["name"], f"{law['measured']:.2g}") for law in checkpoint.card.get("laws", ())]
    shown += [
        (f"samples: {row['setting']}", f"{row['metric']} {row['value']}")
        for row in checkpoint.card.get("samples", ())
    ]
    shown += [
        (f"detail to {size} pixels", f"bits per coefficient {short(told['bits_per_detail'])}")
        for size, told in checkpoint.card.get("octaves", {}).items()
    ]
    if "directions" in checkpoint.card:
        shown += summary(checkpoint.card["directions"])
    table(f"model card of {checkpoint.name}", shown)


@weights.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Weights of your own.")],
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA", help="Public images that they were trained on: manifest or folder."
        ),
    ],
    quick: QuickOption = False,
    json: JsonOption = False,
) -> None:
    """Try the laws that every flow must keep, measure, compute directions; write FILE's card.

    The card in FILE is renewed, and written as Markdown beside it. Exit code 4 if a law is broken;
    then nothing is written.
    """
    from dataclasses import replace

    from latentdp._weights.flow_card import flow_card

    from latentdp.atomic import write_text
    from latentdp.checkpoints import save
    from latentdp.checkup import checkup
    from latentdp.flows.base import load_flow
    from latentdp.flows.carried import encode, public_directions, with_directions
    from latentdp.flows.dataset import SPLITS, as_trained, splits
    from latentdp.flows.directions import Settings

    if not file.is_file():
        raise InputError("expected FILE to be a weights file of your own, got none of that name")
    checkpoint = load(str(file))
    flow = load_flow(checkpoint)
    there = splits(data)
    sets = {split: as_trained(flow, data, split) for split in SPLITS if split in there}
    with share_progress("checking", shown=not json) as tell:
        found = checkup(
            flow,
            sets,
            effort=make_effort(quick=quick, restarts=None, steps=None),
            tell=lambda share, words: tell(0.8 * share, words),
        )
        tell(0.8, "computing directions")
        checked = replace(checkpoint, card=checkpoint.card | found)
        made = public_directions({s: encode(flow, d) for s, d in sets.items()}, Settings())
        checked = checked if made is None else with_directions(checked, *made)
    save(checked, file)
    written = load(str(file))
    page = file.with_suffix(".md")
    write_text(page, flow_card(file.stem, file.stat().st_size, written.sha256, written.card))
    if json:
        print_json({"weights": str(file), "card": str(page)} | found)
        return
    table(
        "checked",
        [
            ("weights", str(file)),
            ("card", str(page)),
            ("laws", f"all {len(found['laws'])} hold"),
            ("bits per dimension", short(found["bits_per_dimension"])),
            *((r["setting"], f"{r['metric']} {r['value']}") for r in found["samples"]),
        ],
    )
