"""What is done to each image: options that privatize, explain and watch take as one."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentdp import InputError
from latentdp.data.dicom.profile import SYNTAXES
from latentdp.privacy.randomized_response import Unlabelled
from latentdp.release.recipe_options import RecipeOptions

from ._options import (
    AllChestsOption,
    AllFrontalOption,
    BurnedInOption,
    CandidatesOption,
    CharacteristicsOption,
    DeviceOption,
    EpsilonOption,
    EpsilonPerPatientOption,
    IdentityOption,
    ImagesPerPatientOption,
    KeepOption,
    LabelMapOption,
    LabelReleaseOption,
    LabelsOption,
    LayoutDirectionsOption,
    MechanismOption,
    NoDetailOption,
    PerElementOption,
    PresetOption,
    RefuseOddOption,
    ReleaseFindingsOption,
    ShiftDatesOption,
    SizeOption,
    SyntaxOption,
    UidsOption,
    UnlabelledOption,
    WeightsOption,
)

__all__ = ["GivenRecipe", "takes_recipe"]


@dataclass(frozen=True, kw_only=True)
class GivenRecipe:
    """What these options describe.

    Attributes:
        recipe: As `RecipeOptions`.
        labels: List of findings; None for none.
        label_map: From its words to those of the weights.
        unlabelled: What becomes of an input without a label.
    """

    recipe: RecipeOptions
    labels: Path | None
    label_map: Path | None
    unlabelled: Unlabelled


def takes_recipe(function: Callable[..., int]) -> Callable[..., int]:
    """The same command with the options of a recipe in place of its parameter ``given``."""
    options = inspect.signature(_given, eval_str=True).parameters
    own = inspect.signature(function, eval_str=True)

    @functools.wraps(function)
    def command(**arguments: Any) -> int:
        given = _given(**{name: arguments.pop(name) for name in options})
        return function(given=given, **arguments)

    spliced: list[inspect.Parameter] = []
    for name, parameter in own.parameters.items():
        spliced += options.values() if name == "given" else [parameter]
    command.__signature__ = own.replace(parameters=spliced)  # type: ignore[attr-defined]
    return command


def _given(
    preset: PresetOption = "balanced",
    epsilon: EpsilonOption = None,
    epsilon_per_patient: EpsilonPerPatientOption = None,
    images_per_patient: ImagesPerPatientOption = None,
    epsilon_per_element: PerElementOption = None,
    mechanism: MechanismOption = None,
    weights: WeightsOption = "cxr-adult",
    labels: LabelsOption = None,
    label_map: LabelMapOption = None,
    unlabelled: UnlabelledOption = Unlabelled.REFUSE,
    label_release: LabelReleaseOption = None,
    release_findings: ReleaseFindingsOption = "",
    keep_label_dims: KeepOption = None,
    resample_identity: IdentityOption = None,
    keep_layout: LayoutDirectionsOption = None,
    shift_dates: ShiftDatesOption = False,
    retain_characteristics: CharacteristicsOption = False,
    retain_device: DeviceOption = False,
    retain_uids: UidsOption = False,
    accept_burned_in: BurnedInOption = False,
    all_chests: AllChestsOption = False,
    all_frontal: AllFrontalOption = False,
    refuse_odd: RefuseOddOption = False,
    size: SizeOption = None,
    no_detail: NoDetailOption = False,
    candidates: CandidatesOption = None,
    transfer_syntax: SyntaxOption = SYNTAXES[0],
) -> GivenRecipe:
    """What the options of a recipe describe.

    Raises:
        InputError: UIDs shall be retained.
    """
    if retain_uids:
        raise InputError(
            "UIDs are not retained: an old UID leads straight to its source in the archive, "
            "whatever the pixels hide; new ones are consistent over all runs with one vault"
        )
    return GivenRecipe(
        recipe=RecipeOptions(
            preset=preset,
            epsilon=epsilon,
            epsilon_per_patient=epsilon_per_patient,
            images_per_patient=images_per_patient,
            epsilon_per_element=epsilon_per_element,
            mechanism=mechanism,
            weights=weights,
            label_release=label_release,
            release_findings=release_findings,
            keep_label_dims=keep_label_dims,
            resample_identity=resample_identity,
            keep_layout=keep_layout,
            shift_dates=shift_dates,
            retain_characteristics=retain_characteristics,
            retain_device=retain_device,
            accept_burned_in=accept_burned_in,
            all_chests=all_chests,
            all_frontal=all_frontal,
            refuse_odd=refuse_odd,
            size=size,
            candidates=candidates,
            transfer_syntax=transfer_syntax,
            detail=not no_detail,
        ),
        labels=labels,
        label_map=label_map,
        unlabelled=unlabelled,
    )
