"""Input folder, release folder and vault: where they may lie, and never mixed up."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from latentdp.core.system import can_be_made, lies_in, longest_path
from latentdp.errors import InputError
from latentdp.privatizer import Privatizer
from latentdp.reports.layout import Layout
from latentdp.reports.release_card import IMAGES, ReleaseCard
from latentdp.vault.vault import Vault

__all__ = [
    "check_apart",
    "check_folders",
    "check_lengths",
    "check_not_empty",
    "check_recipe",
    "check_source",
    "check_vault",
]


def check_source(source: Path) -> None:
    """Refuses an input that is not there.

    Raises:
        InputError: It is neither a folder nor a file.
    """
    with _enterable("input"):
        if not (source.is_file() or source.is_dir()):
            raise InputError("expected the input to be a folder or a file; there is none")


def check_not_empty(source: Path) -> None:
    """Refuses a folder that holds nothing, before weights are loaded for it.

    Raises:
        InputError: It holds nothing.
    """
    if source.is_dir() and os.access(source, os.R_OK) and not any(source.iterdir()):
        raise InputError("the input folder holds no files")


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
    places = {"input": source, "output": out, "vault": vault}
    for inner, outer in (
        ("output", "input"),
        ("input", "output"),
        ("vault", "input"),
        ("vault", "output"),
        ("output", "vault"),
        ("input", "vault"),
    ):
        if lies_in(places[inner], places[outer]):
            raise InputError(f"the {inner} must not lie inside the {outer}")
    for folder, name in ((out, "output folder"), (vault, "vault")):
        with _enterable(name):
            if not folder.exists() and not can_be_made(folder):
                raise InputError(
                    f"the {name} cannot be made there: what lies above it is no folder that may "
                    "be written to"
                )


def check_lengths(out: Path, layout: Layout, names: Iterable[str]) -> None:
    """Refuses a folder in which the release would make a path that is too long for the system.

    Args:
        out: The release folder.
        layout: Of the release.
        names: Of all inputs.

    Raises:
        InputError: There would be one.
    """
    place = str(out.absolute() / IMAGES) + os.sep
    length = len(place) if os.name == "nt" else len(os.fsencode(place))
    most, longest = longest_path(), length + layout.longest(names)
    if longest > most:
        raise InputError(
            f"expected paths of at most {most} characters, as this system takes them; the layout "
            f"{str(layout)!r} may make one of {longest} in the output folder: name one with a "
            "shorter path, or give --layout flat (Windows takes longer ones once its setting "
            "LongPathsEnabled is 1)"
        )


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
    if card.recipe.patient_budget != privatizer.recipe.patient_budget:
        raise InputError(
            "the output folder holds a release with another --epsilon-per-patient or "
            "--images-per-patient; give the same ones, or name a new folder: with the same vault "
            "no image is charged again"
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
