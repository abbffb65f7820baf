"""``latentdp weights sharpen``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentdp.core.documents import to_json

from .._options import JsonOption
from .._render import print_json, share_progress, short, table, training_progress
from .._training_options import (
    MinutesOption,
    NoteOption,
    PrivateDataOption,
    SeedOption,
    SourceOption,
    StepsOption,
    ThreadsOption,
    TrainedOnArgument,
    begun_with,
    weights_file,
)

if TYPE_CHECKING:
    from latentdp.models.checkpoints import Checkpoint


def sharpen(
    weights: Annotated[
        str,
        typer.Argument(metavar="NAME|FILE", help="Weights whose images are too soft or grainy."),
    ],
    data: TrainedOnArgument,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Weights to write; also FILE's .state.")
    ],
    source: SourceOption = None,
    minutes: MinutesOption = 0.0,
    steps: StepsOption = 0,
    batch: Annotated[int, typer.Option(help="Images per step.")] = 16,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate of Adam.")] = 7e-5,
    weight: Annotated[
        float, typer.Option(help="Of the discriminators, in bits per dimension a nat.")
    ] = 0.06,
    seed: SeedOption = 0,
    threads: ThreadsOption = 0,
    note: NoteOption = "",
    private_data: PrivateDataOption = False,
    json: JsonOption = False,
) -> None:
    """Train a flow on, by likelihood and against networks that know its samples.

    The images that it draws get nearer to originals, at no cost when they are drawn. Detail and
    refiner stay as they are; directions and critic are made anew. An interrupted run goes on from
    FILE.state; see what came of it with the command check.
    """
    from msgspec import structs

    from latentdp.data.contact_sheet import contact_sheet
    from latentdp.models.checkpoints import load, save
    from latentdp.models.device import use_threads
    from latentdp.models.flow.flow import load_flow
    from latentdp.models.model_card.card_parts import TrainingCard
    from latentdp.models.model_card.flow import assess, samples
    from latentdp.models.training.add_ons import with_add_ons
    from latentdp.models.training.discriminators import DiscriminatorConfig
    from latentdp.models.training.sharpening import SharpeningConfig, sharpened, sharpening
    from latentdp.models.training.training_data import splits_as_trained

    weights_file(out)
    use_threads(threads)
    settings = SharpeningConfig(
        minutes=minutes,
        steps=steps,
        batch=batch,
        learning_rate=learning_rate,
        discriminators=DiscriminatorConfig(weight=weight),
        seed=seed,
        private_data=private_data,
    )
    begun = load(weights)
    before = load_flow(begun)
    sets = splits_as_trained(before, data, sources=source)
    out.parent.mkdir(parents=True, exist_ok=True)
    with share_progress("discriminators", shown=not json) as tell:
        training = sharpening(
            begun, sets["train"], sets["val"], out.with_suffix(".state"), settings, tell=tell
        )
    history: list[dict[str, float]] = []
    with training_progress(shown=not json) as show:

        def report(now: dict[str, float]) -> None:
            history.append(now)
            show(now)

        training.run(report)
    card = structs.replace(
        begun.card,
        training_data=note or begun.card.training_data,
        private_training=private_data or begun.card.private_training or False,
        sources=_sources(begun, source),
        training=TrainingCard(
            minutes=round(training.elapsed / 60, 1),
            steps=training.step,
            images_shown=training.step * batch,
            batch=batch,
            learning_rate=learning_rate,
            discriminators=weight,
            start=begun_with(begun),
            seed=seed,
        ),
    )
    network = sharpened(begun, training.checkpoint(out.stem, card))
    save(network, out)
    flow = load_flow(load(str(out)))  # measured as it will be used: rounded, from the file
    held_out = {split: images for split, images in sets.items() if split != "train"}
    card = network.card.with_entries(assess(flow, sets["train"], held_out))
    with share_progress("directions and critic", shown=not json) as tell:
        whole = with_add_ons(
            replace(network, card=card), flow, sets, seed=seed, sources=source or (), tell=tell
        )
    save(whole, out)
    rows = [samples(one, 16, temperature=1.0) for one in (before, flow)]
    contact_sheet(out.with_suffix(".png"), [row[i : i + 8] for row in rows for i in (0, 8)])
    facts = {
        "weights": str(out),
        "samples, before and after": str(out.with_suffix(".png")),
        "bits_per_dimension": card.bits_per_dimension,
        "bits_per_dimension before": begun.card.bits_per_dimension,
        "training": to_json(card.training),
    }
    if json:
        print_json(facts | {"history": history})
    else:
        table("sharpened", [(key.replace("_", " "), short(value)) for key, value in facts.items()])


def _sources(begun: Checkpoint, given: list[str] | None) -> tuple[str, ...]:
    """Of all images that the weights learnt from; none for all of a manifest."""
    before = begun.card.sources or ()
    return tuple(dict.fromkeys((*before, *(given or ())))) if before else ()


command = sharpen
