"""How help is divided: the names of its panels, and which options stand in which."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = [
    "CENTRAL",
    "FILES",
    "FIRST",
    "GUARANTEE",
    "HEADERS",
    "IMAGES",
    "LABELS",
    "LEDGER",
    "OUTPUT",
    "PRIVATE",
    "RUN",
    "panels",
]

FIRST = "Options"
GUARANTEE = "What is noised and what is kept"
LABELS = "Labels"
FILES = "What a person says of the inputs"
HEADERS = "DICOM headers"
IMAGES = "Images"
LEDGER = "Vault, budget and ledger"
OUTPUT = "Folders and names"
RUN = "The run"
CENTRAL = "With --central, or --private"
PRIVATE = "With --private"
REST = "More options"
ORDER = (
    FIRST,
    GUARANTEE,
    LABELS,
    FILES,
    HEADERS,
    IMAGES,
    OUTPUT,
    LEDGER,
    RUN,
    CENTRAL,
    PRIVATE,
    REST,
)

FEW = 10  # as many options need no panels


def panels(options: Iterable[Any]) -> dict[str, list[Any]]:
    """Options by the panel that they are shown in, in the order of `ORDER`.

    Few options, or options of which none names another panel than the first, share one; else
    those that name none come last.
    """
    shown = [option for option in options if not option.hidden]
    named = {option.rich_help_panel for option in shown} - {None, FIRST}
    if len(shown) <= FEW or not named:
        return {FIRST: shown} if shown else {}
    by_panel: dict[str, list[Any]] = {title: [] for title in ORDER}
    for option in shown:
        by_panel[option.rich_help_panel or REST].append(option)
    return {title: part for title, part in by_panel.items() if part}
