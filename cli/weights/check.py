"""``latentdp weights check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentdp import InputError
from latentdp.core.documents import to_json
from latentdp.models.checkpoints import load

from .._evaluation_options import QuickOption
from .._options import JsonOption
from .._render import print_json, share_progress, short, table
from .._training_options import PrivateDataOption, marked, weights_file


def check(
    file: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="Weights, such as of your own training.")
    ],
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA", help="Public images that they were trained on: manifest or folder."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="OUT", help="Weights file to write, with its card; also OUT's .md."
        ),
    ],
    quick: QuickOption = False,
    private_data: PrivateDataOption = False,
    json: JsonOption = False,
) -> None:
    """Try the laws that every flow must keep, measure, compute directions; write the card.

    The same network with new directions, a new critic and a new card goes to OUT, the card as
    Markdown beside it; of public attributes also how often they occur together.
    Exit code 4 if a law is broken; then nothing is written.
    """
    from dataclasses import replace

    from latentdp._weights.flow_card import flow_card

    from latentdp.core.filesystem import write_text
    from latentdp.evaluation.threat_model import chosen_effort
    from latentdp.evaluation.validate_weights import checkup
    from latentdp.models.checkpoints import save
    from latentdp.models.flow.flow import load_flow
    from latentdp.models.model_card.card import ModelCard
    from latentdp.models.training.add_ons import with_add_ons
    from latentdp.models.training.training_data import splits_as_trained

    page = out.with_suffix(".md")
    weights_file(out)
    if page.exists():
        raise InputError(f"{page.name} is there already; name another --out or remove it")
    checkpoint = marked(load(file), private_data)
    flow = load_flow(checkpoint)
    sets = splits_as_trained(flow, data)
    with share_progress("checking", shown=not json) as tell:
        measured = checkup(
            flow,
            sets,
            effort=chosen_effort(quick=quick),
            tell=lambda share, words: tell(0.8 * share, words),
        )
        thorough = ModelCard(checked="a quick look" if quick else "in full")
        card = checkpoint.card.with_entries(measured).with_entries(thorough)
        checked = with_add_ons(
            replace(checkpoint, name=out.stem, card=card),
            flow,
            sets,
            tell=lambda share, words: tell(0.8 + 0.2 * share, words),
        )
    flow_card(out.stem, 0, "", checked.card)  # before anything is written: is it complete?
    out.parent.mkdir(parents=True, exist_ok=True)
    save(checked, out)
    size, sha256 = out.stat().st_size, load(str(out)).sha256
    write_text(page, flow_card(out.stem, size, sha256, checked.card))
    if json:
        print_json({"weights": str(out), "card": str(page)} | to_json(measured))
        return
    table(
        "checked",
        [
            ("weights", str(out)),
            ("card", str(page)),
            ("laws", f"all {len(measured.laws or ())} hold"),
            ("bits per dimension", short(measured.bits_per_dimension)),
            *((s.setting, f"{s.metric} {s.value}") for s in measured.samples or ()),
        ],
    )


command = check
