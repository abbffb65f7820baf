"""Input and output folders: found, checked, and never mixed up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from latentdp.errors import InputError
from latentdp.reports.layout import Layout
from latentdp.reports.release_card import ReleaseCard

if TYPE_CHECKING:
    from latentdp.privatizer import Privatizer
    from latentdp.vault.vault import Vault

__all__ = ["check_release", "check_vault", "find_files"]


def find_files(source: Path) -> list[Path]:
    """Everything below ``source`` (or ``source`` itself) that is no folder, sorted.

    Linked folders are not entered. They, broken links and folders that cannot be read are
    returned too, so that they are accounted for.

    Raises:
        InputError: No such folder, or nothing in it.
    """
    with _enterable("input"):
        if source.is_file():
            return [source]
        if not source.is_dir():
            raise InputError("expected the input to be a folder or a file; there is none")
    found: list[Path] = []

    def unreadable(error: OSError) -> None:
        found.append(Path(error.filename))

    for base, folders, names in os.walk(source, followlinks=False, onerror=unreadable):
        linked = [name for name in folders if _is_link(Path(base) / name)]
        found += [Path(base) / name for name in (*names, *linked)]
    if not found:
        raise InputError("the input folder holds no files")
    return sorted(found)


def check_release(
    source: Path, out: Path, vault: Path, privatizer: Privatizer, layout: Layout
) -> None:
    """Refuses folders that would mix inputs, outputs and secrets. Writes nothing.

    Raises:
        InputError: One folder lies inside another that it must not, or ``out`` holds something
            else than an earlier part of the same release.
    """
    if layout not in list(Layout):
        raise InputError(f"expected the layout to be one of {', '.join(Layout)}, got another")
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
    if (card.recipe.digest, card.private) != (
        privatizer.recipe.digest,
        privatizer.guarantee.secure,
    ):
        raise InputError(
            "the output folder holds a release with another recipe; "
            "give the same options, or name a new folder"
        )
    if card.layout != layout:
        raise InputError(
            f"the output folder holds a release with the layout {str(card.layout)!r}; give that "
            "one, or name a new folder"
        )
    if not vault.exists():
        raise InputError("the output folder belongs to a vault that is not there; name it")


def check_vault(vault: Vault, out: Path) -> None:
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


def _can_be_made(folder: Path) -> bool:
    above = next(parent for parent in folder.absolute().parents if parent.exists())
    ours = os.access in os.supports_effective_ids
    return above.is_dir() and os.access(above, os.W_OK | os.X_OK, effective_ids=ours)


def _is_link(path: Path) -> bool:
    try:
        return path.is_symlink()
    except OSError:  # its folder can be listed and not entered; the walk comes to that
        return False
