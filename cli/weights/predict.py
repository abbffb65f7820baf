"""``latentdp weights predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentdp.errors import Aborted, InputError

from .._options import AllChestsOption, AllFrontalOption, BurnedInOption, JsonOption
from .._render import print_json, table

SHOWN = 20  # rows of a table without --out


def predict(
    classifier: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="What was learnt privately: a classifier (weights train --private), the "
            "student of vote, or the generator of synthesize or federate.",
        ),
    ],
    images: Annotated[
        Path, typer.Argument(metavar="IMAGES", help="Folder of radiographs, or one.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="CSV", help="New table: a row for each image."),
    ] = None,
    accept_burned_in: BurnedInOption = False,
    all_chests: AllChestsOption = False,
    all_frontal: AllFrontalOption = False,
    json: JsonOption = False,
) -> int:
    """Read images with a classifier: the probability of each of its findings.

    It costs nothing. What it says of an image is about the patient on it: as private as the image.
    Exit codes: 0 all read, 1 some files quarantined, 2 nothing usable, 4 no such classifier or a
    damaged one, 5 the table cannot be written.
    """
    from latentdp.core.tables import write_table
    from latentdp.data.load_images import load_images
    from latentdp.private_training.finding_reader import load_classifier

    if out is not None and out.exists():
        raise InputError("expected --out to be a new file; there is one")
    reader = load_classifier(classifier)
    loaded = load_images(
        images,
        reader.side,
        accept_burned_in=accept_burned_in,
        all_chests=all_chests,
        all_frontal=all_frontal,
    )
    if not loaded.files:
        reasons = ", ".join(sorted({refused.reason for refused in loaded.refused}))
        raise InputError(f"no file can be read: {reasons}")
    below = images if images.is_dir() else images.parent
    names = [file.relative_to(below).as_posix() for file in loaded.files]
    found = reader(loaded.images)
    rows = [
        (name, *(f"{value:.4f}" for value in row)) for name, row in zip(names, found, strict=True)
    ]
    if out is not None:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            write_table(out, ("file", *(f"probability of {f}" for f in reader.findings)), rows)
        except OSError as error:
            raise Aborted(f"the table of --out could not be written ({error.strerror})") from error
    refused = [
        (f.file.relative_to(below).as_posix(), f"{f.reason}: {f.message}") for f in loaded.refused
    ]
    if json:
        print_json(
            {
                "findings": list(reader.findings),
                "images": [
                    {"file": name, "probabilities": [float(value) for value in row]}
                    for name, row in zip(names, found, strict=True)
                ],
                "refused": [{"file": file, "reason": why} for file, why in refused],
                "out": None if out is None else str(out),
            }
        )
    else:
        shown = [] if out is not None else rows[:SHOWN]
        lines = [("images", str(len(rows)))]
        lines += [
            (name, "; ".join(f"{f} {v}" for f, v in zip(reader.findings, values, strict=True)))
            for name, *values in shown
        ]
        if len(shown) < len(rows):
            lines.append(("all", "give --out CSV" if out is None else str(out)))
        table("what a classifier reads", lines + refused)
    return 1 if refused else 0


command = predict
