"""``latentdp verify``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from latentdp.privacy.rounding import printed

from ._options import JsonOption
from ._render import print_json, table


def verify(
    card: Annotated[
        Path, typer.Argument(metavar="CARD", help="release.json, or the folder it lies in.")
    ],
    json: JsonOption = False,
) -> int:
    """Recompute what a release card claims, and compare it with the files beside it.

    Exit codes: 0 all claims hold, 1 a claim does not hold, 2 not a release card.
    """
    from latentdp.synthesis.verify import verify as verify_card

    verification = verify_card(card)
    checks, ok = verification.checks, verification.ok
    if json:
        print_json(
            {
                "verified": ok,
                "checks": [asdict(check) for check in checks],
                "not_checked": verification.not_checked,
            }
        )
        return 0 if ok else 1
    rows = [
        (
            "holds" if check.ok else "DOES NOT HOLD",
            f"{check.claim}: {_text(check.claimed)}"
            + ("" if check.ok else f", but it is {_text(check.found)}"),
        )
        for check in checks
    ]
    rows += [("warning", line) for line in verification.warnings]
    rows += [("not checked", line) for line in verification.not_checked]
    table("verified" if ok else "NOT verified: the card claims what is not so", rows)
    return 0 if ok else 1


def _text(value: object) -> str:
    if isinstance(value, float):
        return printed(value, 9)
    if isinstance(value, dict) and len(value) > 6:
        return f"{len(value)} entries"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(part)}" for key, part in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(part) for part in value if part is not None) or "nothing"
    return "none stated" if value is None else str(value)


command = verify
