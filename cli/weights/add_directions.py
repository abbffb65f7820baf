"""``latentdp weights add-directions``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentdp import InputError
from latentdp.core.documents import to_json
from latentdp.core.progress import CountCallback

from .._options import JsonOption
from .._render import print_json, progress, table
from .._training_options import ThreadsOption, TrainedOnArgument, weights_file

if TYPE_CHECKING:
    from latentdp.models.model_card.directions_card import DirectionsCard, ProbeRow

SHOWN = (1, 2, 4, 8, 16, 64)


def add_directions(
    weights: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="Weights to compute them for.")
    ],
    data: TrainedOnArgument,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Weights file to write, with them.")
    ],
    count: Annotated[int, typer.Option(help="Most directions.")] = 64,
    alpha: Annotated[
        float | None,
        typer.Option(help="Shrinkage of the scatter within findings, 0 to 1. Default: measured."),
    ] = None,
    gamma: Annotated[
        float | None,
        typer.Option(help="Weight of what a patient's images share, 0 to below 1."),
    ] = None,
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Compute public directions that separate findings, not patients, and write weights with them.

    From the training split; what they carry is measured on the test split, or on val.
    """
    from latentdp.models.checkpoints import load, save
    from latentdp.models.device import use_threads
    from latentdp.models.directions.encode import encode, with_directions
    from latentdp.models.directions.finding import ALPHA, GAMMA, DirectionConfig
    from latentdp.models.directions.probe_table import public_directions
    from latentdp.models.flow.flow import load_flow
    from latentdp.models.training.training_data import splits_as_trained

    weights_file(out)
    settings = DirectionConfig(
        count=count,
        alpha=ALPHA if alpha is None else alpha,
        gamma=GAMMA if gamma is None else gamma,
    )
    use_threads(threads)
    checkpoint = load(weights)
    flow = load_flow(checkpoint)
    sets = splits_as_trained(flow, data)
    out.parent.mkdir(parents=True, exist_ok=True)
    total, before, encoded = sum(map(len, sets.values())), 0, {}
    with progress("encoding", shown=not json) as advance:
        for split, images in sets.items():
            encoded[split] = encode(flow, images, partial(_advance, advance, before, total))
            before += len(images)
    computed = public_directions(encoded, settings, flow.levels[0])
    if computed is None:
        raise InputError("the training images know fewer than two findings: nothing to separate")
    directions, card = computed
    save(with_directions(checkpoint, directions, card), out)
    if json:
        print_json({"weights": str(out)} | to_json(card))
        return
    table("public directions", [("weights", str(out)), *summary(card)])


def summary(card: DirectionsCard) -> list[tuple[str, str]]:
    """A card's entry ``directions`` as a short table."""
    probes = card.probes
    by_size = [
        (f"k = {k}", _estimates(row))
        for k, row in zip(probes.sizes, probes.directions, strict=True)
        if k in SHOWN
    ]
    return [
        ("directions", f"{card.count}, of which {card.discriminants} separate findings"),
        ("alpha, gamma", f"{card.alpha}, {card.gamma}"),
        (
            "computed from",
            f"{card.images:,} images, {card.images_compared:,} compared, "
            f"{card.patients_with_pairs:,} patients with several",
        ),
        ("AUC without noise", f"{probes.images:,} images of {probes.split}, 95 % intervals"),
        *by_size,
        ("all dimensions", _estimates(probes.all)),
    ]


def _advance(advance: CountCallback, before: int, total: int, done: int, _: int) -> None:
    advance(before + done, total)


def _estimates(row: ProbeRow) -> str:
    estimates = [
        f"{name} {e[0]:.3f} ({e[1]:.3f} to {e[2]:.3f})"
        for name, e in (("finding", row.finding), ("identity", row.identity))
        if e is not None
    ]
    return ", ".join(estimates) or "not measurable"


command = add_directions
