"""What a call asks for, checked before anything is written: by a run and by its preview alike."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from latentdp.data.labels import read_labels
from latentdp.errors import InputError
from latentdp.privatizer import Privatizer
from latentdp.release.inputs import name_below
from latentdp.vault.database import address, file_of
from latentdp.vault.ledger import allowance

__all__ = ["check_bounded", "check_ledger", "given_labels", "most"]


def most(budget: float | None, privatizer: Privatizer) -> int | None:
    """The budget in micro-epsilons, rounded down.

    Raises:
        InputError: It is not positive and finite, or bounds nothing.
    """
    if budget is None:
        return None
    if not budget > 0:
        raise InputError(f"expected a finite positive budget of epsilon, got {budget}")
    check_bounded(privatizer)
    return allowance(budget)


def check_bounded(privatizer: Privatizer) -> None:
    """Refuses a budget where something is kept: no sum of epsilons says anything about that."""
    if privatizer.plan.keeps:
        raise InputError(
            "a budget cannot bound a release that keeps latent dimensions, nor can a vault's cap"
        )


def check_ledger(url: str | None, source: Path, out: Path) -> None:
    """Refuses a URL that is none, or a file that would be released or lie among the inputs."""
    file = None if url is None else file_of(address(url))
    if file is not None and {source.resolve(), out.resolve()} & {file, *file.parents}:
        raise InputError("the ledger must not lie inside the input or the output")


def given_labels(
    labels: Path | None, source: Path, found: Sequence[Path], privatizer: Privatizer
) -> dict[str, int]:
    """Class index by name below ``source``.

    Raises:
        InputError: The file cannot be read, or names inputs that are not there.
    """
    if labels is None:
        return {}
    given = read_labels(labels, privatizer.flow.classes)
    missing = set(given) - {name_below(source, path) for path in found}
    if missing:
        raise InputError(f"{len(missing)} labels name files that are not in the input folder")
    return given
