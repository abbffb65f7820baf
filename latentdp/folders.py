"""Input and output folders: found, checked, and never mixed up."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from latentdp.errors import InputError

__all__ = ["CARD", "IMAGES", "check_release", "find_files", "read_card"]

CARD = "release.json"
IMAGES = "images"


def find_files(source: Path) -> list[Path]:
    """Every file below ``source`` (or ``source`` itself), sorted; linked folders are not entered.

    Raises:
        InputError: No such folder, or nothing in it.
    """
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise InputError("expected the input to be a folder or a file; there is none")
    found = [
        Path(base) / name
        for base, _, names in os.walk(source, followlinks=False)
        for name in names
        if (Path(base) / name).is_file()
    ]
    if not found:
        raise InputError("the input folder holds no files")
    return sorted(found)


def check_release(source: Path, out: Path, vault: Path, recipe_digest: str) -> None:
    """Refuses folders that would mix inputs, outputs and secrets, before anything is written.

    Raises:
        InputError: One folder lies inside another that it must not, or ``out`` holds something
            else than an earlier part of the same release.
    """
    places = {"input": source.resolve(), "output": out.resolve(), "vault": vault.resolve()}
    for inner, outer in (
        ("output", "input"),
        ("input", "output"),
        ("vault", "input"),
        ("vault", "output"),
        ("output", "vault"),
        ("input", "vault"),
    ):
        if places[inner] == places[outer] or places[outer] in places[inner].parents:
            raise InputError(f"the {inner} must not lie inside the {outer}")
    if not out.exists():
        return
    if not out.is_dir():
        raise InputError("expected the output to be a folder, got a file")
    if not any(out.iterdir()):
        return
    card = read_card(out)
    if card is None:
        raise InputError("the output folder holds other files; name a new or an empty one")
    if card.get("recipe", {}).get("digest") != recipe_digest:
        raise InputError(
            "the output folder holds a release with another recipe; "
            "give the same options, or name a new folder"
        )


def read_card(out: Path) -> dict[str, Any] | None:
    """The card of a release folder, or None if it has none that can be read."""
    try:
        card = json.loads((out / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return card if isinstance(card, dict) and card.get("tool") == "latentdp" else None
