"""``latentdp weights train-refiner``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentdp.core.documents import to_json

from .._options import JsonOption
from .._render import print_json, short, table, training_progress
from .._training_options import (
    MinutesOption,
    NoteOption,
    PrivateDataOption,
    SourceOption,
    StepsOption,
    ThreadsOption,
    weights_file,
)
from ._private_images import private_images


def train_refiner(
    weights: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="Weights whose images are refined.")
    ],
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="Manifest (CSV) with split, or its folder.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Weights to write; also FILE's .state.")
    ],
    source: SourceOption = None,
    minutes: MinutesOption = 0.0,
    steps: StepsOption = 0,
    images: Annotated[
        int, typer.Option(help="Private images to learn from, of each preset.")
    ] = 1600,
    learning_rate: Annotated[float, typer.Option(help="Rate of Adam.")] = 1e-4,
    seed: Annotated[int, typer.Option(help="Seed of the training.")] = 0,
    threads: ThreadsOption = 0,
    note: NoteOption = "not stated",
    private_data: PrivateDataOption = False,
    json: JsonOption = False,
) -> None:
    """Train a refiner: private images drawn anew at four times their side.

    Learns on public images, of which it needs some as large as that; an interrupted run goes on
    from FILE.state. The command add-detail puts it beside a flow.
    """
    from latentdp.core.arrays import evenly
    from latentdp.data.contact_sheet import contact_sheet
    from latentdp.data.dataset import Dataset, read_dataset
    from latentdp.data.preprocess import shrink, unit
    from latentdp.models.checkpoints import save
    from latentdp.models.device import use_threads
    from latentdp.models.flow.flow import load_flow
    from latentdp.models.model_card.card import ModelCard
    from latentdp.models.model_card.card_parts import TrainingCard
    from latentdp.models.model_card.wavelet_flow import spectra
    from latentdp.models.super_resolution.checkpoint import enlarger_of
    from latentdp.models.super_resolution.refiner_net import RefinerConfig
    from latentdp.models.training.refiner import RefinerTraining, RefinerTrainingConfig
    from latentdp.privacy.noise import SeededNoise

    use_threads(threads)
    weights_file(out)
    settings = RefinerTrainingConfig(
        minutes=minutes, steps=steps, learning_rate=learning_rate, seed=seed
    )
    flow = load_flow(weights)
    config = RefinerConfig(side=flow.shape[0])

    def read(split: str, size: int) -> Dataset:
        return read_dataset(data, split, size=size, sources=source or (), enlarge=False)

    sharp, usual = read("train", config.size), read("train", config.size // 2)
    val = read("val", config.size).pixels
    small = unit(read("train", config.side).pixels)
    private = private_images(flow, small[evenly(len(small), images)], seed)
    out.parent.mkdir(parents=True, exist_ok=True)
    training = RefinerTraining(
        config, settings, sharp.pixels, usual.pixels, private, out.with_suffix(".state")
    )
    with training_progress(shown=not json) as show:
        training.run(show)
    card = ModelCard(
        summary=f"refiner from {config.side} to {config.size} pixels of images of {flow.name}",
        training_data=note,
        private_training=private_data or flow.provenance.private_training is True,
        sources=tuple(source or ()),
        images={"train": len(sharp), "train, half the size": len(usual), "val": len(val)},
        architecture=config.to_json(),
        parameters=sum(p.numel() for p in training.net.parameters()),
        training=TrainingCard(
            minutes=round(training.elapsed / 60, 1),
            steps=training.step,
            images_shown=training.step * (settings.sharp + settings.usual + settings.private),
            learning_rate=learning_rate,
            seed=seed,
        ),
    )
    refiner = enlarger_of(training.checkpoint(out.stem, card))  # measured as it is used
    measured = ModelCard(decibels_by_octave={"val": spectra(refiner, val)})
    save(training.checkpoint(out.stem, card.with_entries(measured)), out)
    shown = private[evenly(len(private), 6)]
    real = unit(val[:6])
    contact_sheet(
        out.with_suffix(".png"),
        [
            shown.repeat(4, axis=1).repeat(4, axis=2),
            refiner.enlarge(shown, SeededNoise(1)),
            refiner.enlarge(shrink(real, config.side), SeededNoise(1)),
            real,
        ],
    )
    facts = {"weights": str(out), "training": to_json(card.training)}
    if json:
        print_json(facts | {"card": card.with_entries(measured)})
    else:
        table("trained", [(key, short(value)) for key, value in facts.items()])


command = train_refiner
