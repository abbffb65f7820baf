"""``latentdp weights add-detail``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import structs

if TYPE_CHECKING:
    from latentdp.models.checkpoints import Checkpoint
    from latentdp.models.model_card.equalizer import PowerReference

from .._options import JsonOption
from .._render import print_json, table
from .._training_options import PrivateDataOption, SourceOption, marked, weights_file
from ._private_images import private_images


def add_detail(
    weights: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="Weights that are to draw larger images.")
    ],
    octaves: Annotated[
        list[str],
        typer.Argument(
            metavar="OCTAVE...",
            help="Files of train-detail, one for each doubling, or of train-refiner, or weights "
            "that have detail, of which a refiner among these leaves what goes beyond it.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Weights file to write, with them.")
    ],
    equalize: Annotated[
        Path | None,
        typer.Option(
            metavar="DATA",
            help="Manifest, or its folder: give enlarged images the power at each frequency that "
            "the training images have which detail and flow learnt from, or those of --source, "
            "and take away the grid that enlarging leaves.",
        ),
    ] = None,
    source: SourceOption = None,
    private_data: PrivateDataOption = False,
    json: JsonOption = False,
) -> None:
    """Write weights with the detail of octaves, so that a larger --size has detail."""
    from latentdp.models.checkpoints import load, save
    from latentdp.models.flow.flow import load_flow
    from latentdp.models.model_card.deblocking import filtered
    from latentdp.models.super_resolution.checkpoint import (
        details_in,
        enlarger_of,
        with_detail_flows,
    )

    weights_file(out)
    given = [load(name) for name in octaves]
    whole = load(weights)
    for one in (whole, *given):
        if one.kind == "glow":
            load_flow(one)  # refuses what is damaged
    refined = max((enlarger_of(one).size for one in given if one.kind == "refiner"), default=0)
    details = [
        _as_it_follows(part, refined)
        for one in given
        for size, part in (details_in(one) or {"": one}).items()
        if not size or int(size) > refined
    ]
    enlarged = with_detail_flows(whole, details)
    load_flow(enlarged)  # refuses what could not be read again
    if equalize is not None:
        originals = _originals(enlarged, equalize, source)
        enlarged = filtered(enlarged, originals)
    enlarged = marked(enlarged, private_data)
    out.parent.mkdir(parents=True, exist_ok=True)
    save(enlarged, out)
    sizes = sorted(map(int, enlarged.card.octaves or ()))
    if json:
        print_json({"weights": str(out), "octaves": sizes})
        return
    table("weights with detail", [("weights", str(out)), ("sizes", ", ".join(map(str, sizes)))])


def _originals(
    weights: Checkpoint, data: Path, sources: list[str] | None
) -> dict[int, PowerReference]:
    """By the size that detail leads to: of ``sources``, or of those that it learnt from."""
    from latentdp.core.arrays import evenly
    from latentdp.data.dataset import read_dataset
    from latentdp.data.preprocess import shrink, unit
    from latentdp.models.flow.flow import load_flow
    from latentdp.models.model_card.equalizer import LOOKED_AT, PowerReference

    def read(of: tuple[str, ...], size: int) -> PowerReference:
        pixels = read_dataset(data, "train", size=size, sources=of, enlarge=False).pixels
        known = bool(of) and set(of) <= set(weights.card.sources or ())
        if not known:
            return PowerReference(pixels)
        flow, some = load_flow(weights), pixels[evenly(len(pixels), LOOKED_AT)]
        return PowerReference(pixels, private_images(flow, shrink(unit(some), flow.shape[0]), 0))

    by_size = {
        int(size): tuple(sources or _shared(octave.sources or (), weights.card.sources or ()))
        for size, octave in (weights.card.octaves or {}).items()
    }
    largest = {of: size for size, of in sorted(by_size.items())}  # serves for all sizes
    originals = {of: read(of, size) for of, size in largest.items()}
    return {size: originals[of] for size, of in by_size.items()}


def _shared(of_detail: tuple[str, ...], of_flow: tuple[str, ...]) -> tuple[str, ...]:
    """Sources that both learnt from, where there are any: private images can be made of these."""
    return tuple(source for source in of_detail if source in of_flow) or of_detail


def _as_it_follows(part: Checkpoint, refined: int) -> Checkpoint:
    """Behind a refiner a detail flow has other images before it: its gains are not theirs."""
    if not refined or part.kind == "refiner":
        return part
    return replace(part, card=structs.replace(part.card, gains=None))


command = add_detail
