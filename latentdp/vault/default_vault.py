"""Where the vault of a release is if none is named."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from platformdirs import user_state_path

from latentdp.core.system import can_be_made
from latentdp.errors import InputError

__all__ = ["beside", "default_vault"]


def default_vault(out: Path) -> Path:
    """Where the vault of a release is if none is named.

    It lies where no release does: who hands over the folder that OUT lies in must not hand over
    the key. So it is a folder of this user's state, named for OUT and told from others by a
    digest of OUT's path. A vault that version 0.1 made beside OUT is gone on with.

    Args:
        out: The release folder, which need not exist.

    Raises:
        InputError: This user has no folder for state that can be written to.
    """
    place = out.resolve()
    name = os.fsencode(place.name)[:100].decode("utf-8", "ignore") or "release"
    mark = hashlib.sha256(os.fsencode(place)).hexdigest()[:12]
    vault = user_state_path("latentdp", appauthor=False) / "vaults" / f"{name}-{mark}"
    if not _is_vault(vault) and _is_vault(beside(out)):
        return beside(out)
    apart = place not in vault.parents and place.parent not in vault.parents[:2]
    try:
        usable = vault.is_absolute() and apart and (_is_vault(vault) or can_be_made(vault))
    except PermissionError:
        usable = False
    if not usable:
        raise InputError(
            "the vault cannot be made in this user's folder for state; name a private folder "
            "with --vault, outside of what will be handed over"
        )
    return vault


def beside(out: Path) -> Path:
    """Where version 0.1 made the vault of a release."""
    place = out.resolve()
    return place.with_name(place.name + ".vault") if place.name else place / "vault"


def _is_vault(folder: Path) -> bool:
    try:
        return (folder / "key").is_file()
    except OSError:  # not to be entered, or a name that no folder can have
        return False
