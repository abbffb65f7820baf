"""Options that several commands share, and what they add up to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from latentdp import InputError
from latentdp.data.dicom.profile import MAX_SIZE, SYNTAXES
from latentdp.privacy.randomized_response import Unlabelled
from latentdp.recipe import PRESETS
from latentdp.release.recipe_options import USUAL_SIZE, RecipeOptions

PresetOption = Annotated[
    str, typer.Option("--preset", metavar="NAME", help=f"One of: {', '.join(PRESETS)}.")
]
EpsilonOption = Annotated[
    float | None,
    typer.Option("--epsilon", help="Budget of the whole image in nats; the preset has a default."),
]
PerElementOption = Annotated[
    float | None,
    typer.Option(
        "--epsilon-per-element",
        help="Budget of each latent element that is noised, to compare with DP-GLOW. The whole "
        "image costs as many times that; no label can be released by response beside it.",
    ),
]
MechanismOption = Annotated[
    str | None, typer.Option("--mechanism", metavar="NAME", help="Mechanism on the latent.")
]
WeightsOption = Annotated[
    str,
    typer.Option(
        "--weights", metavar="NAME|FILE", help="Shipped weights by name, or your own file."
    ),
]
LabelsOption = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        metavar="CSV",
        help="Findings of the inputs: a column file (below IN), SOPInstanceUID, "
        "SeriesInstanceUID, StudyInstanceUID, AccessionNumber or PatientID (with StudyDate), and "
        "label, or a column of 1 and 0 for each finding. Without it no label is used or released.",
    ),
]
LabelMapOption = Annotated[
    Path | None,
    typer.Option(
        "--label-map",
        metavar="CSV",
        help="With --labels: columns from (your name of a finding) and to (that of the weights; "
        "empty to leave it out).",
    ),
]
UnlabelledOption = Annotated[
    Unlabelled,
    typer.Option(
        "--unlabelled",
        metavar="HOW",
        help="With --labels, what becomes of a radiograph without one: refuse (nothing is done), "
        "unknown (released without, UNPROTECTED that it had none) or random (a class by chance).",
    ),
]
LabelReleaseOption = Annotated[
    str | None,
    typer.Option(
        "--label-release",
        metavar="HOW",
        help="With --labels: none, public (released exactly, unprotected) or response "
        "(randomised, at a share of epsilon).",
    ),
]
KeepOption = Annotated[
    int | None,
    typer.Option(
        "--keep-label-dims",
        metavar="N",
        help="Pass on, UNPROTECTED, the coordinates along the first N public directions. Default: "
        "the preset's.",
    ),
]
IdentityOption = Annotated[
    int | None,
    typer.Option(
        "--resample-identity",
        metavar="N",
        help="With the preset 'empirical': resample at most N directions of identity; all else is "
        "passed on, UNPROTECTED.",
    ),
]
ShiftDatesOption = Annotated[
    bool,
    typer.Option(
        "--shift-dates",
        help="Keep dates of DICOM headers, UNPROTECTED, moved back by a secret number of days, "
        "the same for all of a patient.",
    ),
]
CharacteristicsOption = Annotated[
    bool,
    typer.Option(
        "--retain-characteristics",
        help="Keep the patient's sex, and age up to 90, in DICOM headers, UNPROTECTED.",
    ),
]
DeviceOption = Annotated[
    bool,
    typer.Option(
        "--retain-device",
        help="Keep known makers and product lines of devices in DICOM headers, UNPROTECTED.",
    ),
]
UidsOption = Annotated[
    bool,
    typer.Option("--retain-uids", help="Refused: an old UID names its source in the archive."),
]
BurnedInOption = Annotated[
    bool,
    typer.Option(
        "--accept-burned-in",
        help="A person has looked at the pixels of all inputs and found no text that identifies: "
        "take DICOM files marked as holding text, and mark outputs as free of it.",
    ),
]
AllChestsOption = Annotated[
    bool,
    typer.Option(
        "--all-chests",
        help="A person says that every input shows a chest: take those whose body part is named "
        "by a term that is not known.",
    ),
]
AllFrontalOption = Annotated[
    bool,
    typer.Option(
        "--all-frontal",
        help="A person says that every input is a frontal view: take those whose view is named by "
        "a term that is not known.",
    ),
]
SizeOption = Annotated[
    int | None,
    typer.Option(
        "--size",
        metavar="N",
        help=f"Pixels on a side of an output, up to {MAX_SIZE}. Default: {USUAL_SIZE}, if the "
        "weights have detail for that, else what they make.",
    ),
]
CandidatesOption = Annotated[
    int | None,
    typer.Option(
        "--candidates",
        metavar="N",
        help="Images drawn for each release, of which a public critic chooses one; 1 is fastest.",
    ),
]
NoDetailOption = Annotated[
    bool,
    typer.Option(
        "--no-detail",
        help="Enlarge smoothly what is larger than the weights make, instead of drawing detail "
        "that fits, from the private image alone, as far as the weights can.",
    ),
]
SyntaxOption = Annotated[
    str,
    typer.Option(
        "--transfer-syntax",
        metavar="NAME",
        help=f"Of DICOM outputs, all lossless; one of: {', '.join(SYNTAXES)}.",
    ),
]
LedgerOption = Annotated[
    str | None,
    typer.Option(
        "--ledger",
        metavar="URL",
        help="Database of the ledger, postgresql://USER@HOST/NAME or sqlite:///FILE; the vault "
        "remembers it. Default: a file in the vault.",
    ),
]
EvidenceOption = Annotated[
    Path | None,
    typer.Option(
        "--evidence",
        metavar="JSON",
        help="evaluation.json of a release with this recipe: outputs then claim 113102 and "
        "RecognizableVisualFeatures NO, if the evaluation supports it.",
    ),
]
QuickOption = Annotated[
    bool, typer.Option("--quick", help="A first look in minutes; it supports no claim.")
]
RestartsOption = Annotated[
    int | None,
    typer.Option("--restarts", help="Of the adaptive verifier; mean and maximum are reported."),
]
StepsOption = Annotated[int | None, typer.Option("--steps", help="Of the optimiser, per restart.")]
SeedOption = Annotated[
    int, typer.Option("--seed", help="Of the attackers; the same seed gives the same report.")
]
VerifierOption = Annotated[
    str,
    typer.Option(
        "--verifier",
        metavar="NAME|FILE",
        help="Weights of the verifier to start from; by default the shipped one that fits.",
    ),
]
ClaimAucOption = Annotated[
    float,
    typer.Option(
        "--auc-at-most", help="Claim removed features only up to this AUC (upper end, maximum)."
    ),
]
ClaimFirstOption = Annotated[
    float,
    typer.Option(
        "--first-at-most", help="And only up to this share of originals named first (upper end)."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def make_recipe(*, retain_uids: bool, no_detail: bool, **options: Any) -> RecipeOptions:
    """What the options of a recipe describe.

    Raises:
        InputError: UIDs shall be retained.
    """
    if retain_uids:
        raise InputError(
            "UIDs are not retained: an old UID leads straight to its source in the archive, "
            "whatever the pixels hide; new ones are consistent over all runs with one vault"
        )
    return RecipeOptions(detail=not no_detail, **options)
