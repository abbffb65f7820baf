"""``latentdp verify``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentdp.privacy.rounding import FEW, printed

from ._options import JsonOption
from ._render import print_json, table

if TYPE_CHECKING:
    from latentdp.release.verification.check import Check

APART = 9  # digits, by which two numbers differ that should be equal
UNFINISHED = (
    "NOT verified: the release is unfinished; the command that makes it goes on when given again"
)


def verify(
    card: Annotated[
        Path,
        typer.Argument(
            metavar="CARD",
            help="release.json or answers.json, the folder it lies in, or a classifier "
            "(weights train --private).",
        ),
    ],
    json: JsonOption = False,
) -> int:
    """Recompute what a release card claims, and compare it with the files beside it.

    Exit codes: 0 all claims hold, 1 a claim does not hold, 2 not a release card, 4 no classifier,
    or a damaged one.
    """
    from latentdp.private_training.verify import verify as verify_card

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
    rows = [("holds" if check.ok else "DOES NOT HOLD", _words(check)) for check in checks]
    rows += [("warning", line) for line in verification.warnings]
    rows += [("not checked", line) for line in verification.not_checked]
    wrong = {check.claim for check in checks if not check.ok}
    title = UNFINISHED if wrong == {"status"} else "NOT verified: the card claims what is not so"
    table("verified" if ok else title, rows)
    return 0 if ok else 1


def _words(check: Check) -> str:
    if check.ok:
        return f"{check.claim}: {_text(check.claimed)}"
    claimed = f"{check.claim}: {_text(check.claimed, APART)}"
    if check.claim == "status":  # which states a fact, and the card is right about it
        return claimed
    return f"{claimed}, but it is {_text(check.found, APART)}"


def _text(value: object, digits: int = FEW) -> str:
    if isinstance(value, float):
        return printed(value, digits)
    if isinstance(value, dict) and len(value) > 6:
        return f"{len(value)} entries"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(part, digits)}" for key, part in value.items())
    if isinstance(value, (list, tuple)):
        parts = [_text(part, digits) for part in value if part is not None]
        sentences = any(part.endswith(".") for part in parts)
        return (" " if sentences else ", ").join(parts) or "nothing"
    return "none stated" if value is None else str(value)


command = verify
