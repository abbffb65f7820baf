"""``latentdp weights train``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentdp import InputError

from .._options import JsonOption
from .._render import print_json, short, table, training_progress
from .._training_options import (
    MinutesOption,
    NoteOption,
    PrivateDataOption,
    SeedOption,
    SourceOption,
    StepsOption,
    ThreadsOption,
    weights_file,
)

if TYPE_CHECKING:
    from latentdp.models.checkpoints import Checkpoint

DEFAULT_SIZES = "12,12,8"
DEFAULT_HIDDEN = "192,160,128"


def train(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA", help="Manifest (CSV), a folder with manifest.csv, or of pictures."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FILE", help="Weights to write; also FILE's .png, .state."),
    ],
    size: Annotated[int, typer.Option(help="Side of the images in pixels.")] = 64,
    condition: Annotated[
        list[str] | None,
        typer.Option(help="What classes are made of: view, finding, subtype, class. Repeatable."),
    ] = None,
    source: SourceOption = None,
    minutes: MinutesOption = 0.0,
    steps: StepsOption = 0,
    batch: Annotated[int, typer.Option(help="Images per step, over all processes.")] = 32,
    blocks: Annotated[
        str, typer.Option(help="Flow steps per level, coarsest first.")
    ] = DEFAULT_SIZES,
    hidden: Annotated[
        str, typer.Option(help="Width of the coupling networks per level, coarsest first.")
    ] = DEFAULT_HIDDEN,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate of Adam.")] = 1e-3,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="WEIGHTS",
            help="Fine-tune these, by name or path, instead of random weights; same size, blocks "
            "and hidden. Classes of the same name go on.",
        ),
    ] = None,
    seed: SeedOption = 0,
    threads: ThreadsOption = 0,
    note: NoteOption = "not stated",
    private_data: PrivateDataOption = False,
    json: JsonOption = False,
) -> None:
    """Train a flow on public images. Interrupted runs go on from FILE.state.

    Several processes on one machine:
    torchrun --nproc-per-node N -m latentdp._cli weights train ...
    """
    from latentdp.data.contact_sheet import contact_sheet
    from latentdp.data.dataset import SPLITS, read_dataset, splits
    from latentdp.models.checkpoints import load, save
    from latentdp.models.device import use_threads
    from latentdp.models.flow.flow import load_flow
    from latentdp.models.flow.glow import GlowConfig
    from latentdp.models.model_card.flow import assess, samples
    from latentdp.models.training.add_ons import with_add_ons
    from latentdp.models.training.glow import GlowTraining, GlowTrainingConfig

    use_threads(threads)
    weights_file(out)
    read = partial(read_dataset, data, size=size, conditions=condition or (), sources=source or ())
    training = read("train")
    held_out = {
        split: read(split, classes=training.classes)
        for split in SPLITS[1:]
        if split == "val" or split in splits(data)
    }
    config = GlowConfig(
        size=size,
        classes=training.classes,
        steps=numbers(blocks, "--blocks"),
        hidden=numbers(hidden, "--hidden"),
    )
    settings = GlowTrainingConfig(
        minutes=minutes, steps=steps, batch=batch, learning_rate=learning_rate, seed=seed
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    begun = None if start is None else load(start)
    trainer = GlowTraining(
        config,
        settings,
        training,
        held_out["val"],
        out.with_suffix(".state"),
        start=begun,
    )
    history: list[dict[str, float]] = []
    with training_progress(shown=not json and trainer.rank == 0) as show:

        def report(now: dict[str, float]) -> None:
            history.append(now)
            show(now)

        trainer.run(report)
    if trainer.rank != 0:
        return
    card = {
        "summary": f"{size}x{size} Glow, classes: {', '.join(config.classes) or 'none'}",
        "training_data": note,
        "private_training": private_data
        or (begun is not None and begun.card.get("private_training", False)),
        "conditions": list(condition or ()),
        "sources": list(source or ()),
        "parameters": sum(p.numel() for p in trainer.net.parameters()),
        "architecture": config.to_json(),
        "training": {
            "minutes": round(trainer.elapsed / 60, 1),
            "steps": trainer.step,
            "images_shown": trainer.step * batch,
            "batch": batch,
            "learning_rate": learning_rate,
            "start": _start(begun),
            "seed": seed,
        },
    }
    save(trainer.checkpoint(out.stem, card), out)
    flow = load_flow(load(str(out)))  # measured as it will be used: rounded, from the file
    card |= assess(flow, training, held_out)
    checkpoint = trainer.checkpoint(out.stem, card)
    save(with_add_ons(checkpoint, flow, {"train": training} | held_out, seed=seed), out)
    fresh = samples(flow, 8 * max(4, len(config.classes)), temperature=0.8)
    contact_sheet(out.with_suffix(".png"), [fresh[i : i + 8] for i in range(0, len(fresh), 8)])
    facts = {"weights": str(out), "samples": str(out.with_suffix(".png"))} | {
        key: card[key] for key in ("bits_per_dimension", "round_trip_error", "training")
    }
    if json:
        print_json(facts | {"history": history})
    else:
        table("trained", [(key.replace("_", " "), short(value)) for key, value in facts.items()])


def _start(begun: Checkpoint | None) -> str:
    """What a run began with, for a public card: no path, which may be private."""
    if begun is None:
        return "random weights"
    data = begun.card.get("training_data", "not stated")
    return f"weights sha256 {begun.sha256}, trained on: {data}"


def numbers(text: str, option: str) -> tuple[int, ...]:
    """Positive numbers separated by commas."""
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 1:
        raise InputError(f"expected {option} to be positive numbers separated by commas")
    return numbers


command = train
