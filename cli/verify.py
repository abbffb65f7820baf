"""``latentdp verify``."""

from __future__ import annotations

import json as format
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from latentdp import InputError
from latentdp.folders import CARD
from latentdp.verify import verify_card

from .options import JsonOption
from .render import print_json, table


def verify(
    card: Annotated[
        Path, typer.Argument(metavar="CARD", help="release.json, or the folder it lies in.")
    ],
    json: JsonOption = False,
) -> int:
    """Recompute every number of a release card from the card alone.

    Exit codes: 0 all claims hold, 1 a claim does not hold, 2 not a release card.
    """
    path = card / CARD if card.is_dir() else card
    try:
        told = format.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError("expected a release card; there is none that can be read") from error
    checks = verify_card(told)
    ok = all(check.ok for check in checks)
    if json:
        print_json({"verified": ok, "checks": [asdict(check) for check in checks]})
        return 0 if ok else 1
    rows = [
        (
            "holds" if check.ok else "DOES NOT HOLD",
            f"{check.claim}: {_text(check.claimed)}"
            + ("" if check.ok else f", but it follows {_text(check.found)}"),
        )
        for check in checks
    ]
    rows += [("warning", line) for line in told.get("warnings", [])]
    table("verified" if ok else "NOT verified: the card claims what does not follow from it", rows)
    return 0 if ok else 1


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.9g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "nothing"
    return "none stated" if value is None else str(value)
