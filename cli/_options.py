"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentdp.data.dicom.profile import FORMATS, MAX_SIZE, SYNTAXES
from latentdp.privacy.randomized_response import Unlabelled
from latentdp.recipe import PRESETS
from latentdp.release.recipe_options import USUAL_SIZE

from . import _complete
from ._panels import FILES, FIRST, GUARANTEE, HEADERS, IMAGES, LABELS

PresetOption = Annotated[
    str,
    typer.Option(
        "--preset",
        metavar="NAME",
        help=f"One of: {', '.join(PRESETS)}.",
        rich_help_panel=FIRST,
        autocompletion=_complete.presets,
    ),
]
EpsilonOption = Annotated[
    float | None,
    typer.Option(
        "--epsilon",
        help="Budget of the whole image in nats; the preset has a default.",
        rich_help_panel=FIRST,
    ),
]
EpsilonPerPatientOption = Annotated[
    float | None,
    typer.Option(
        "--epsilon-per-patient",
        metavar="EPSILON",
        help="Budget of a patient in nats, for all their images, those released earlier from the "
        "same vault included. Each image gets an equal share of it, whoever it is of; without "
        "--images-per-patient, as many as fit at the preset's epsilon.",
        rich_help_panel=FIRST,
    ),
]
ImagesPerPatientOption = Annotated[
    int | None,
    typer.Option(
        "--images-per-patient",
        metavar="K",
        help="Release at most so many images of a patient, earlier releases from the same vault "
        "included; the others are left out, and listed in the vault.",
        rich_help_panel=FIRST,
    ),
]
PerElementOption = Annotated[
    float | None,
    typer.Option(
        "--epsilon-per-element",
        help="Budget of each latent element that is noised, to compare with DP-GLOW. The whole "
        "image costs as many times that; no label can be released by response beside it.",
        rich_help_panel=GUARANTEE,
    ),
]
MechanismOption = Annotated[
    str | None,
    typer.Option(
        "--mechanism",
        metavar="NAME",
        help="Mechanism on the latent.",
        rich_help_panel=GUARANTEE,
        autocompletion=_complete.mechanisms,
    ),
]
WeightsOption = Annotated[
    str,
    typer.Option(
        "--weights",
        metavar="NAME|FILE",
        help="Shipped weights by name, or your own file.",
        rich_help_panel=FIRST,
        autocompletion=_complete.flows,
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
        rich_help_panel=FIRST,
    ),
]
LabelMapOption = Annotated[
    Path | None,
    typer.Option(
        "--label-map",
        metavar="CSV",
        help="With --labels: columns from (your name of a finding) and to (that of the weights; "
        "empty to leave it out).",
        rich_help_panel=LABELS,
    ),
]
UnlabelledOption = Annotated[
    Unlabelled,
    typer.Option(
        "--unlabelled",
        metavar="HOW",
        help="With --labels, what becomes of a radiograph without one: refuse (nothing is done), "
        "unknown (released without, UNPROTECTED that it had none) or random (a class by chance).",
        rich_help_panel=LABELS,
    ),
]
LabelReleaseOption = Annotated[
    str | None,
    typer.Option(
        "--label-release",
        metavar="HOW",
        help="With --labels: none, public (released exactly, unprotected) or response "
        "(randomised, at a share of epsilon).",
        rich_help_panel=LABELS,
        autocompletion=_complete.label_releases,
    ),
]
ReleaseFindingsOption = Annotated[
    str,
    typer.Option(
        "--release-findings",
        metavar="A,B",
        help="With --labels, on weights that know several findings of an image: those that are "
        "released, and view, sex or age, in equal shares of the label's epsilon. Default: the "
        "commonest in training, as many as get 2 nats each; with --label-release public, all.",
        rich_help_panel=LABELS,
    ),
]
KeepOption = Annotated[
    int | None,
    typer.Option(
        "--keep-label-dims",
        metavar="N",
        help="Pass on, UNPROTECTED, the coordinates along the first N public directions. Default: "
        "the preset's.",
        rich_help_panel=GUARANTEE,
    ),
]
IdentityOption = Annotated[
    int | None,
    typer.Option(
        "--resample-identity",
        metavar="N",
        help="With the preset 'empirical': N directions of identity, at most, that no direction "
        "of layout which is passed on lies in.",
        rich_help_panel=GUARANTEE,
    ),
]
LayoutDirectionsOption = Annotated[
    int | None,
    typer.Option(
        "--keep-layout",
        metavar="N",
        help="With the preset 'empirical': pass on, UNPROTECTED, N directions in which the "
        "picture's layout moves most, apart from identity and findings; all else is redrawn.",
        rich_help_panel=GUARANTEE,
    ),
]
ShiftDatesOption = Annotated[
    bool,
    typer.Option(
        "--shift-dates",
        help="Keep dates of DICOM headers, UNPROTECTED, moved back by a secret number of days, "
        "the same for all of a patient.",
        rich_help_panel=HEADERS,
    ),
]
CharacteristicsOption = Annotated[
    bool,
    typer.Option(
        "--retain-characteristics",
        help="Keep the patient's sex, and age up to 90, in DICOM headers, UNPROTECTED.",
        rich_help_panel=HEADERS,
    ),
]
DeviceOption = Annotated[
    bool,
    typer.Option(
        "--retain-device",
        help="Keep known makers and product lines of devices in DICOM headers, UNPROTECTED.",
        rich_help_panel=HEADERS,
    ),
]
UidsOption = Annotated[
    bool,
    typer.Option(
        "--retain-uids",
        help="Refused: an old UID names its source in the archive.",
        rich_help_panel=HEADERS,
    ),
]
BurnedInOption = Annotated[
    bool,
    typer.Option(
        "--accept-burned-in",
        help="A person has looked at the pixels of all inputs and found no text that identifies: "
        "take DICOM files marked as holding text, and mark outputs as free of it.",
        rich_help_panel=FILES,
    ),
]
AllChestsOption = Annotated[
    bool,
    typer.Option(
        "--all-chests",
        help="A person says that every input shows a chest: take those whose body part is named "
        "by a term that is not known.",
        rich_help_panel=FILES,
    ),
]
AllFrontalOption = Annotated[
    bool,
    typer.Option(
        "--all-frontal",
        help="A person says that every input is a frontal view: take those whose view is named by "
        "a term that is not known.",
        rich_help_panel=FILES,
    ),
]
RefuseOddOption = Annotated[
    bool,
    typer.Option(
        "--refuse-odd",
        help="Keep back pictures that are unlike those that the weights learnt from, before they "
        "are charged; they are quarantined as odd.",
        rich_help_panel=FILES,
    ),
]
SizeOption = Annotated[
    int | None,
    typer.Option(
        "--size",
        metavar="N",
        help=f"Pixels on a side of an output, up to {MAX_SIZE}. Default: {USUAL_SIZE}, if the "
        "weights have detail for that, else what they make.",
        rich_help_panel=FIRST,
    ),
]
CandidatesOption = Annotated[
    int | None,
    typer.Option(
        "--candidates",
        metavar="N",
        help="Images drawn for each release, of which a public critic chooses one; 1 is fastest.",
        rich_help_panel=IMAGES,
    ),
]
NoDetailOption = Annotated[
    bool,
    typer.Option(
        "--no-detail",
        help="Enlarge smoothly what is larger than the weights make, instead of drawing detail "
        "that fits, from the private image alone, as far as the weights can.",
        rich_help_panel=IMAGES,
    ),
]
SyntaxOption = Annotated[
    str,
    typer.Option(
        "--transfer-syntax",
        metavar="NAME",
        help=f"Of DICOM outputs, all lossless; one of: {', '.join(SYNTAXES)}.",
        rich_help_panel=IMAGES,
        autocompletion=_complete.syntaxes,
    ),
]
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help=f"Of outputs, one of: {', '.join(FORMATS)}. Default: as the input, DICOM or PNG.",
        rich_help_panel=IMAGES,
    ),
]
NoMarkOption = Annotated[
    bool,
    typer.Option(
        "--no-mark",
        help="Leave out the word SYNTHETIC in the upper left corner of every image; headers say "
        "it all the same.",
        rich_help_panel=IMAGES,
    ),
]
EvidenceOption = Annotated[
    Path | None,
    typer.Option(
        "--evidence",
        metavar="JSON",
        help="evaluation.json of a release with this recipe: outputs then claim 113102 and "
        "RecognizableVisualFeatures NO, if the evaluation supports it.",
        rich_help_panel=HEADERS,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
