"""``latentdp weights train-verifier``."""

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
    SourceOption,
    StepsOption,
    ThreadsOption,
    weights_file,
)
from ._shape import numbers


def train_verifier(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA", help="Manifest (CSV) with patient_id and split, or its folder."
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Weights to write; also FILE's .state.")
    ],
    size: Annotated[int, typer.Option(help="Side of the images in pixels.")] = 64,
    source: SourceOption = None,
    minutes: MinutesOption = 0.0,
    steps: StepsOption = 0,
    patients: Annotated[int, typer.Option(help="Patients in a step, each with two images.")] = 64,
    widths: Annotated[str, typer.Option(help="Channels of each stage.")] = "24,48,96,192",
    blocks: Annotated[str, typer.Option(help="Residual blocks of each stage.")] = "2,2,2,2",
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate of AdamW.")] = 2e-3,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="WEIGHTS", help="Begin with a verifier of another size, by name or path."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the training.")] = 0,
    threads: ThreadsOption = 0,
    note: NoteOption = "not stated",
    json: JsonOption = False,
) -> None:
    """Train a verifier: who is on two radiographs? Interrupted runs go on from FILE.state."""
    from latentdp.data.cohort import Cohort
    from latentdp.models.checkpoints import load, save
    from latentdp.models.device import use_threads
    from latentdp.models.model_card.card import ModelCard
    from latentdp.models.model_card.card_parts import TrainingCard
    from latentdp.models.model_card.verifier import assess
    from latentdp.models.networks.embedding import EmbeddingConfig
    from latentdp.models.networks.verifier import Verifier
    from latentdp.models.training.metric_learning import MetricLearningConfig
    from latentdp.models.training.pair_dataset import PairDataset
    from latentdp.models.training.verifier import VerifierTraining

    use_threads(threads)
    weights_file(out)

    def read(split: str) -> Cohort:
        return Cohort.read_plain(data, split, size=size, sources=source or ())

    train = read("train")
    config = EmbeddingConfig(
        size=size, widths=numbers(widths, "--widths"), blocks=numbers(blocks, "--blocks")
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    training = VerifierTraining(
        config,
        MetricLearningConfig(patients=patients, learning_rate=learning_rate, seed=seed),
        PairDataset.of_images(train.pixels, train.patients),
        out.with_suffix(".state"),
        minutes=minutes,
        steps=steps,
        start=None if start is None else Verifier.load(start),
    )
    with training_progress(shown=not json) as show:
        training.run(show)
    how = TrainingCard(
        minutes=round(training.elapsed / 60, 1),
        steps=training.step,
        images_shown=2 * patients * training.step,
        patients_per_step=patients,
        learning_rate=learning_rate,
        start=start or "random weights",
        seed=seed,
    )
    card = ModelCard(
        summary=f"{size}x{size} verifier of patients",
        training_data=note,
        sources=tuple(source or ()),
        images={"train": len(train)},
        architecture=config.to_json(),
        parameters=sum(p.numel() for p in training.net.parameters()),
        training=how,
    )
    save(training.verifier().checkpoint(out.stem, card), out)
    verifier = Verifier.from_checkpoint(load(str(out)))  # measured as it will be used: rounded
    held_out = {split: read(split) for split in ("val", "test")}
    verification = {
        split: assess(verifier, c.images, c.patients, c.cells) for split, c in held_out.items()
    }
    images = {"train": len(train)} | {split: len(cohort) for split, cohort in held_out.items()}
    card = card.with_entries(ModelCard(images=images, verification=verification))
    save(training.verifier().checkpoint(out.stem, card), out)
    facts = {"weights": str(out), "training": to_json(how)} | {
        f"{split}, {key}": value
        for split, reached in verification.items()
        for key, value in (
            ("AUC, any impostors", reached.any.auc),
            ("AUC, hard impostors", reached.hard.auc),
            ("P@1", reached.first),
        )
    }
    if json:
        print_json(facts | {"card": card})
    else:
        table("trained", [(key, short(value)) for key, value in facts.items()])


command = train_verifier
