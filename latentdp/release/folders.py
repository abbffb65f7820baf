"""Input folder, release folder and vault: where they may lie, and never mixed up."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_state_path

from latentdp.errors import InputError
from latentdp.privatizer import Privatizer
from latentdp.reports.layout import Layout
from latentdp.reports.release_card import ReleaseCard
from latentdp.vault.vault import Vault

__all__ = [
    "beside",
    "check_folders",
    "check_recipe",
    "check_source",
    "check_vault",
    "default_vault",
]


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
        usable = vault.is_absolute() and apart and (_is_vault(vault) or _can_be_made(vault))
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


def check_source(source: Path) -> None:
    """Refuses an input that is not there.

    Raises:
        InputError: It is neither a folder nor a file.
    """
    with _enterable("input"):
        if not (source.is_file() or source.is_dir()):
            raise InputError("expected the input to be a folder or a file; there is none")


def check_folders(source: Path, out: Path, vault: Path, layout: Layout) -> None:
    """Refuses folders that would mix inputs, outputs and secrets. Writes nothing.

    Raises:
        InputError: One folder lies inside another that it must not, or ``out`` holds something
            else than a release of this layout and vault.
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
    for folder, name in ((out, "output folder"), (vault, "vault")):
        with _enterable(name):
            if not folder.exists() and not _can_be_made(folder):
                raise InputError(f"the {name} cannot be made there")
    if not out.exists():
        return
    if not out.is_dir():
        raise InputError("expected the output to be a folder, got a file")
    if not any(out.glob("[!.]*")):
        return
    card = ReleaseCard.find(out)
    if card is None:
        raise InputError("the output folder holds other files; name a new or an empty one")
    if card.layout != layout:
        raise InputError(
            f"the output folder holds a release with the layout {str(card.layout)!r}; give that "
            "one, or name a new folder"
        )
    if not vault.exists():
        raise InputError("the output folder belongs to a vault that is not there; name it")


def check_recipe(out: Path, privatizer: Privatizer) -> None:
    """Refuses a release folder that was begun with another recipe.

    Raises:
        InputError: Images of two recipes would lie in one release.
    """
    card = ReleaseCard.find(out)
    if card is None:
        return
    asked = privatizer.recipe.digest, privatizer.guarantee.secure
    if (card.recipe.digest, card.guarantee.image.secure) != asked:
        raise InputError(
            "the output folder holds a release with another recipe; "
            "give the same options, or name a new folder"
        )


def check_vault(out: Path, vault: Vault) -> None:
    """Refuses a release folder that another vault has begun.

    Raises:
        InputError: A second vault would release, and charge, the same images once more.
    """
    card = ReleaseCard.find(out)
    if card is not None and card.vault != vault.tag:
        raise InputError("the output folder belongs to another vault; name that one")


@contextmanager
def _enterable(name: str) -> Iterator[None]:
    try:
        yield
    except PermissionError:
        raise InputError(f"expected to be let into the folders above the {name}") from None


def _is_vault(folder: Path) -> bool:
    try:
        return (folder / "key").is_file()
    except OSError:  # not to be entered, or a name that no folder can have
        return False


def _can_be_made(folder: Path) -> bool:
    above = next(parent for parent in folder.absolute().parents if parent.exists())
    ours = os.access in os.supports_effective_ids
    return above.is_dir() and os.access(above, os.W_OK | os.X_OK, effective_ids=ours)
