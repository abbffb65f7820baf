"""``latentdp vote combine``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentdp.reports.answers_card import ANSWERS, CARD, STUDENT

from .._options import JsonOption
from .._panels import FIRST
from .._render import print_json, table


def combine(
    sites: Annotated[
        list[Path],
        typer.Argument(
            metavar="ANSWERS...", help="Folders of latentdp vote answer --site, two or more."
        ),
    ],
    *,
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="DIR", help="New folder for the answers.", rich_help_panel=FIRST
        ),
    ],
    trust: Annotated[
        list[str] | None,
        typer.Option(
            "--trust",
            metavar="KEY",
            help="Public key of a site, once for each; what others signed is refused.",
            rich_help_panel=FIRST,
        ),
    ] = None,
    json: JsonOption = False,
) -> int:
    """Decide each question by what most sites answered, and average their students. Costs nothing.

    Exit codes: 0 done, 2 wrong usage or answers that do not fit together, 4 a student is damaged,
    5 stopped in the middle.
    """
    from latentdp.synthesis.voting.combine import combine_answers, read_sites_answers

    card = combine_answers(read_sites_answers(sites, trust or ()), out)
    if json:
        print_json({
            "card": str(out / CARD),
            "answers": str(out / ANSWERS),
            "student": str(out / STUDENT),
            "questions": card.recipe.questions,
            "sites": [{"name": site.name, "key": site.key} for site in card.sites],
            "epsilon_charged_now": 0.0,
            "guarantee": card.guarantee,
            "warnings": list(card.warnings),
        })  # fmt: skip
        return 0
    rows = [("site", f"{site.name}, key {site.key}") for site in card.sites]
    rows += [("WARNING", line) for line in card.warnings]
    rows += [("guarantee", line) for line in card.guarantee.statement]
    rows += [
        ("answers", f"{out / ANSWERS} (public)"),
        ("student", f"{out / STUDENT} (public)"),
        ("card", f"{out / CARD} (public)"),
    ]
    table("answers of several sites", rows)
    return 0


command = combine
