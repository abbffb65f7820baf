"""Input folder, release folder and vault: where they may lie, and never mixed up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from latentdp.core.filesystem import can_be_made
from latentdp.errors import InputError
from latentdp.privatizer import Privatizer
from latentdp.reports.layout import Layout
from latentdp.reports.release_card import ReleaseCard
from latentdp.vault.vault import Vault

__all__ = ["check_apart", "check_folders", "check_recipe", "check_source", "check_vault"]


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
    check_apart(source, out, vault)
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


def check_apart(source: Path, out: Path, vault: Path) -> None:
    """Refuses folders that lie inside each other, or that cannot be made. Writes nothing.

    Raises:
        InputError: They would mix inputs, outputs and secrets.
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
            if not folder.exists() and not can_be_made(folder):
                raise InputError(f"the {name} cannot be made there")


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
