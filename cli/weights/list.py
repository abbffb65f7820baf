"""``latentdp weights list``."""

from __future__ import annotations

from latentdp.models.checkpoints import shipped

from .._options import JsonOption
from .._render import print_json, table


def list_weights(json: JsonOption = False) -> None:
    """List the shipped weights."""
    entries = shipped()
    if json:
        print_json(entries)
        return
    rows = [
        (key, f"{entry.summary} ({entry.bytes / 1e6:.1f} MB)") for key, entry in entries.items()
    ]
    table("shipped weights", rows)


command = list_weights
