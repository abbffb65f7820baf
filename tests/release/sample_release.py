"""A release of the sample clinics by a tiny flow, and what of it tests look at."""

import json
from pathlib import Path

from latentdp import Privatizer, Recipe
from latentdp.release.preview import Preview
from latentdp.release.privatize import preview, privatize_folder
from latentdp.release.summary import Summary
from tests.support.tiny_flow import shared_flow

GOOD, BROKEN = 7, 1  # of the samples' files
SHAPE = (16, 16)
RECIPE = Recipe.from_preset("balanced", label="none")


def go(
    place: Path, recipe: Recipe = RECIPE, out: str = "out", noise=None, source="in", **options
) -> Summary:
    """Releases what is in a place."""
    options.setdefault("vault", place / "vault")
    privatizer = Privatizer(shared_flow(), recipe, noise)
    return privatize_folder(place / source, place / out, privatizer=privatizer, **options)


def look(place: Path) -> Preview:
    """What such a release would be."""
    return preview(place / "in", privatizer=Privatizer(shared_flow(), RECIPE))


def outputs(place: Path, out: str = "out") -> dict[str, bytes]:
    """Released files by name."""
    folder = place / out / "images"
    return {p.name: p.read_bytes() for p in folder.iterdir()} if folder.exists() else {}


def rows(summary: Summary) -> list[dict[str, object]]:
    """Of the private report."""
    return [json.loads(line) for line in summary.report.read_text().splitlines()]
