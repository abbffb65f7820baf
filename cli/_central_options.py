"""Options of ``compare --central`` and ``--private``: weights, images, what is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentdp.errors import InputError

from ._panels import CENTRAL

if TYPE_CHECKING:
    from latentdp.private_training.comparison.measure import PrivateGrid
    from latentdp.synthesis.comparison.measure import Grid

__all__ = [
    "CentralOption",
    "CnnOption",
    "CohortOption",
    "FindingOption",
    "PrivateOption",
    "EpsilonOption",
    "ImagesOption",
    "SeedsOption",
    "SourceOption",
    "WeightsOption",
    "grid",
    "private_grid",
    "refuse_without_central",
]

CentralOption = Annotated[
    bool,
    typer.Option(
        "--central",
        help="Compare syntheses of a whole cohort, at equal budgets of each patient, instead of "
        "releases of images.",
        rich_help_panel=CENTRAL,
    ),
]
PrivateOption = Annotated[
    bool,
    typer.Option(
        "--private",
        help="Compare where the noise of weights train --private may go in: input, objective, "
        "gradient, output, prediction, sums.",
        rich_help_panel=CENTRAL,
    ),
]
FindingOption = Annotated[
    str | None,
    typer.Option(
        "--finding",
        help="With --private: what is told from all else. Default: normal.",
        show_default=False,
        rich_help_panel=CENTRAL,
    ),
]
WeightsOption = Annotated[
    str | None,
    typer.Option(
        "--weights",
        help="Public weights that never saw the source. Default: cxr-adult.",
        show_default=False,
        rich_help_panel=CENTRAL,
    ),
]
SourceOption = Annotated[
    str | None,
    typer.Option(
        "--source",
        help="Of the manifest's images; 'all' for every one. Default: kermany.",
        show_default=False,
        rich_help_panel=CENTRAL,
    ),
]
CohortOption = Annotated[
    list[int] | None,
    typer.Option(
        "--cohort",
        help="Patients in the cohort, 0 for all. Repeatable. Default: 300, 1000, 3000 and all; "
        "with --private 500 and 2000.",
        show_default=False,
        rich_help_panel=CENTRAL,
    ),
]
EpsilonOption = Annotated[
    list[float] | None,
    typer.Option(
        "--epsilon",
        help="Of a patient, replace-one. Repeatable. Default: 0.5, 1, 2, 4 and 8; with --private "
        "1, 2 and 8.",
        show_default=False,
        rich_help_panel=CENTRAL,
    ),
]
ImagesOption = Annotated[
    int | None,
    typer.Option(
        "--images",
        help="To draw for each set, with --central. Default: 1000.",
        show_default=False,
        rich_help_panel=CENTRAL,
    ),
]
SeedsOption = Annotated[
    int | None,
    typer.Option(
        "--seeds",
        help="Of patients and noise. Default: 1; with --private 5.",
        show_default=False,
        rich_help_panel=CENTRAL,
    ),
]
CnnOption = Annotated[
    bool,
    typer.Option(
        "--cnn",
        help="With --central: a small network reads too, which takes long.",
        rich_help_panel=CENTRAL,
    ),
]


def grid(
    cohorts: list[int] | None,
    epsilons: list[float] | None,
    images: int | None,
    seeds: int | None,
    *,
    cnn: bool,
) -> Grid:
    """What is measured, with the usual values for what was not given."""
    from latentdp.synthesis.comparison.measure import Grid

    asked: dict[str, Any] = {
        "patients": cohorts,
        "epsilons": epsilons,
        "images": images,
        "seeds": seeds,
    }
    return Grid(
        readers=("linear", "cnn") if cnn else ("linear",),
        **{name: value for name, value in asked.items() if value is not None},
    )


def private_grid(
    cohorts: list[int] | None, epsilons: list[float] | None, seeds: int | None
) -> PrivateGrid:
    """What is measured with ``--private``, with the usual values for what was not given."""
    from latentdp.private_training.comparison.measure import PrivateGrid

    asked: dict[str, Any] = {"patients": cohorts, "epsilons": epsilons, "seeds": seeds}
    return PrivateGrid(**{name: value for name, value in asked.items() if value is not None})


def refuse_without_central(goes: str = "--central", **given: object) -> None:
    """Refuses options that mean nothing here.

    Args:
        goes: What they go with.
        given: Their values by name.

    Raises:
        InputError: One was given.
    """
    for name, value in given.items():
        if value not in (None, False):
            raise InputError(f"--{name} goes with {goes}")
