"""Options of ``weights train --private``: the cohort, its budget and the method."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from latentdp.core import plugins
from latentdp.errors import InputError

from . import _complete
from ._panels import PRIVATE

__all__ = [
    "AllChestsOption",
    "AllFrontalOption",
    "BudgetOption",
    "BurnedInOption",
    "DeltaOption",
    "DryRunOption",
    "EpsilonOption",
    "FindingsOption",
    "ImagesPerPatientOption",
    "LabelsOption",
    "LedgerOption",
    "MethodOption",
    "PrivateOption",
    "ScheduleOption",
    "VaultOption",
    "refuse_with_private",
    "refuse_without_private",
]

KIND = "training methods"

PrivateOption = Annotated[
    bool,
    typer.Option(
        "--private",
        help="DATA is a private cohort, a folder with --labels or a table (CSV): learn a "
        "classifier of --findings under --epsilon of each patient, from shipped weights "
        "(--start), instead of a flow.",
        rich_help_panel=PRIVATE,
    ),
]
EpsilonOption = Annotated[
    float | None,
    typer.Option(
        "--epsilon",
        help="Budget of each patient, replace-one, in nats. Default: 2.",
        show_default=False,
        rich_help_panel=PRIVATE,
    ),
]
LabelsOption = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        metavar="CSV",
        help="Findings by file, examination or patient, as for synthesize.",
        rich_help_panel=PRIVATE,
    ),
]
FindingsOption = Annotated[
    str | None,
    typer.Option(
        "--findings",
        metavar="NAMES",
        help="What the classifier shall tell, separated by ;. The names are public.",
        rich_help_panel=PRIVATE,
    ),
]
MethodOption = Annotated[
    str | None,
    typer.Option(
        "--method",
        metavar="NAME",
        help=f"One of: {', '.join(plugins.names(KIND))}. Default: head.",
        show_default=False,
        autocompletion=_complete.training_methods,
        rich_help_panel=PRIVATE,
    ),
]
ScheduleOption = Annotated[
    str | None,
    typer.Option(
        "--schedule",
        metavar="NAME",
        help="Of the noise over rounds: constant or falling. Default: constant.",
        show_default=False,
        rich_help_panel=PRIVATE,
    ),
]
DeltaOption = Annotated[
    float | None,
    typer.Option(
        "--delta",
        help="Default: 1e-5, or n^-1.1 for more than 10,000 patients.",
        show_default=False,
        rich_help_panel=PRIVATE,
    ),
]
ImagesPerPatientOption = Annotated[
    int | None,
    typer.Option(
        "--images-per-patient",
        help="Images of a patient that are looked at. Default: 4.",
        show_default=False,
        rich_help_panel=PRIVATE,
    ),
]
BurnedInOption = Annotated[
    bool,
    typer.Option(
        "--accept-burned-in",
        help="A person looked at the pixels of all inputs and found no text.",
        rich_help_panel=PRIVATE,
    ),
]
AllChestsOption = Annotated[
    bool,
    typer.Option(
        "--all-chests",
        help="A person says that every input shows a chest.",
        rich_help_panel=PRIVATE,
    ),
]
AllFrontalOption = Annotated[
    bool,
    typer.Option(
        "--all-frontal",
        help="A person says that every input is a frontal view.",
        rich_help_panel=PRIVATE,
    ),
]
VaultOption = Annotated[
    Path | None,
    typer.Option(
        "--vault",
        metavar="DIR",
        help="Private folder for key, ledger and reports; use that of your releases, so that "
        "costs add up.",
        rich_help_panel=PRIVATE,
    ),
]
BudgetOption = Annotated[
    float | None,
    typer.Option(
        "--budget",
        metavar="EPSILON",
        help="Refuse (exit 3) if a patient would have spent more than this in the vault.",
        rich_help_panel=PRIVATE,
    ),
]
LedgerOption = Annotated[
    str | None,
    typer.Option(
        "--ledger",
        metavar="URL",
        help="Database of the ledger, which the vault remembers.",
        rich_help_panel=PRIVATE,
    ),
]
DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Read everything, write nothing, show what it would cost.",
        rich_help_panel=PRIVATE,
    ),
]


def refuse_without_private(**given: object) -> None:
    """Refuses options that mean nothing without ``--private``.

    Raises:
        InputError: One was given.
    """
    for name, value in given.items():
        if value not in (None, False):
            raise InputError(f"--{name.replace('_', '-')} goes with --private")


def refuse_with_private(given: Mapping[str, tuple[object, object]]) -> None:
    """Refuses options of a flow's training, which mean nothing with ``--private``.

    Args:
        given: Value and default of each, by its name.

    Raises:
        InputError: One was given.
    """
    for name, (value, default) in given.items():
        if (value or None) != (default or None):
            raise InputError(f"--{name.replace('_', '-')} does not go with --private")
