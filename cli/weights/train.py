"""``latentdp weights train``."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from latentdp.core.documents import to_json

from .._options import JsonOption
from .._panels import FIRST
from .._private_options import (
    AllChestsOption,
    AllFrontalOption,
    BudgetOption,
    BurnedInOption,
    DeltaOption,
    DryRunOption,
    EpsilonOption,
    FindingsOption,
    ImagesPerPatientOption,
    LabelsOption,
    LedgerOption,
    MethodOption,
    PrivateOption,
    ScheduleOption,
    VaultOption,
    refuse_with_private,
    refuse_without_private,
)
from .._render import print_json, share_progress, short, table, training_progress
from .._training_options import (
    MinutesOption,
    NoteOption,
    PrivateDataOption,
    SeedOption,
    SourceOption,
    StepsOption,
    ThreadsOption,
    begun_with,
    weights_file,
)
from ._shape import flow_shape


def train(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="Manifest (CSV), a folder with manifest.csv, or of pictures. With --private: the "
            "hospital's images.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Weights to write; also FILE's .png, .state.",
            rich_help_panel=FIRST,
        ),
    ],
    size: Annotated[
        int | None,
        typer.Option(
            help="Side of the images in pixels. Default: 64, or of --start.",
            rich_help_panel=FIRST,
        ),
    ] = None,
    condition: Annotated[
        list[str] | None,
        typer.Option(
            help="What classes are made of: view, finding, subtype, class. Repeatable.",
            rich_help_panel=FIRST,
        ),
    ] = None,
    source: SourceOption = None,
    minutes: MinutesOption = 0.0,
    steps: StepsOption = 0,
    batch: Annotated[
        int, typer.Option(help="Images per step, over all processes.", rich_help_panel=FIRST)
    ] = 32,
    blocks: Annotated[
        str | None,
        typer.Option(
            help="Flow steps per level, coarsest first. Default: 12,12,8, or of --start.",
            rich_help_panel=FIRST,
        ),
    ] = None,
    hidden: Annotated[
        str | None,
        typer.Option(
            help="Width of the coupling networks per level, coarsest first. Default: 192,160,128, "
            "or of --start.",
            rich_help_panel=FIRST,
        ),
    ] = None,
    learning_rate: Annotated[
        float, typer.Option(help="Peak learning rate of Adam.", rich_help_panel=FIRST)
    ] = 1e-3,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="WEIGHTS",
            help="Fine-tune these, by name or path, instead of random weights; their size, blocks "
            "and hidden. Classes of the same name go on. With --private: cxr-adult, or others.",
            rich_help_panel=FIRST,
        ),
    ] = None,
    seed: SeedOption = 0,
    threads: ThreadsOption = 0,
    note: NoteOption = "not stated",
    private_data: PrivateDataOption = False,
    private: PrivateOption = False,
    epsilon: EpsilonOption = None,
    labels: LabelsOption = None,
    findings: FindingsOption = None,
    method: MethodOption = None,
    schedule: ScheduleOption = None,
    delta: DeltaOption = None,
    images_per_patient: ImagesPerPatientOption = None,
    accept_burned_in: BurnedInOption = False,
    all_chests: AllChestsOption = False,
    all_frontal: AllFrontalOption = False,
    vault: VaultOption = None,
    budget: BudgetOption = None,
    ledger: LedgerOption = None,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> int:
    """Train a flow on public images. Interrupted runs go on from FILE.state.

    With --private a second meaning: learn a classifier from a private cohort, each patient
    protected by --epsilon and charged in the ledger; exit codes as of synthesize.

    Several processes on one machine:
    torchrun --nproc-per-node N -m latentdp._cli weights train ...
    """
    if private:
        refuse_with_private(
            {
                "size": (size, None),
                "condition": (condition, None),
                "source": (source, None),
                "minutes": (minutes, 0.0),
                "steps": (steps, 0),
                "batch": (batch, 32),
                "blocks": (blocks, None),
                "hidden": (hidden, None),
                "learning_rate": (learning_rate, 1e-3),
                "seed": (seed, 0),
                "threads": (threads, 0),
                "note": (note, "not stated"),
                "private_data": (private_data, False),
            }
        )
        from latentdp.private_training.request import TrainingRequest

        from .._train_privately import train_privately

        request = TrainingRequest(
            source=data,
            out=out,
            vault=vault,
            labels=labels,
            epsilon=2.0 if epsilon is None else epsilon,
            delta=delta,
            findings=findings,
            method=method or "head",
            schedule=schedule or "constant",
            images_per_patient=4 if images_per_patient is None else images_per_patient,
            accept_burned_in=accept_burned_in,
            all_chests=all_chests,
            all_frontal=all_frontal,
            budget=budget,
            ledger=ledger,
        )
        return train_privately(request, start or "cxr-adult", dry_run=dry_run, json=json)
    refuse_without_private(
        epsilon=epsilon, labels=labels, findings=findings, method=method, schedule=schedule,
        delta=delta, images_per_patient=images_per_patient, accept_burned_in=accept_burned_in,
        all_chests=all_chests, all_frontal=all_frontal, vault=vault, budget=budget, ledger=ledger,
        dry_run=dry_run,
    )  # fmt: skip
    from latentdp.data.contact_sheet import contact_sheet
    from latentdp.data.dataset import SPLITS, read_dataset, splits
    from latentdp.models.checkpoints import load, save
    from latentdp.models.device import use_threads
    from latentdp.models.flow.flow import load_flow
    from latentdp.models.model_card.card import ModelCard
    from latentdp.models.model_card.card_parts import TrainingCard
    from latentdp.models.model_card.flow import assess, samples
    from latentdp.models.training.add_ons import with_add_ons
    from latentdp.models.training.glow import GlowTraining, GlowTrainingConfig

    use_threads(threads)
    weights_file(out)
    begun = None if start is None else load(start)
    shape = flow_shape(begun, size, blocks, hidden)
    read = partial(
        read_dataset, data, size=shape.size, conditions=condition or (), sources=source or ()
    )
    training = read("train")
    held_out = {
        split: read(split, classes=training.classes)
        for split in SPLITS[1:]
        if split == "val" or split in splits(data)
    }
    config = replace(shape, classes=training.classes)
    settings = GlowTrainingConfig(
        minutes=minutes, steps=steps, batch=batch, learning_rate=learning_rate, seed=seed
    )
    out.parent.mkdir(parents=True, exist_ok=True)
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
        return 0
    inherited = False if begun is None else begun.card.private_training or False
    card = ModelCard(
        summary=f"{shape.size}x{shape.size} Glow, classes: {', '.join(config.classes) or 'none'}",
        training_data=note,
        private_training=private_data or inherited,
        conditions=tuple(condition or ()),
        sources=tuple(source or ()),
        parameters=sum(p.numel() for p in trainer.net.parameters()),
        architecture=config.to_json(),
        training=TrainingCard(
            minutes=round(trainer.elapsed / 60, 1),
            steps=trainer.step,
            images_shown=trainer.step * batch,
            batch=batch,
            learning_rate=learning_rate,
            start=begun_with(begun),
            seed=seed,
        ),
    )
    save(trainer.checkpoint(out.stem, card), out)
    flow = load_flow(load(str(out)))  # measured as it will be used: rounded, from the file
    card = card.with_entries(assess(flow, training, held_out))
    checkpoint = trainer.checkpoint(out.stem, card)
    with share_progress("directions and critic", shown=not json) as tell:
        whole = with_add_ons(
            checkpoint, flow, {"train": training} | held_out, seed=seed, tell=tell
        )
    save(whole, out)
    fresh = samples(flow, 8 * max(4, len(config.classes)), temperature=0.8)
    contact_sheet(out.with_suffix(".png"), [fresh[i : i + 8] for i in range(0, len(fresh), 8)])
    facts = {
        "weights": str(out),
        "samples": str(out.with_suffix(".png")),
        "bits_per_dimension": card.bits_per_dimension,
        "round_trip_error": card.round_trip_error,
        "training": to_json(card.training),
    }
    if json:
        print_json(facts | {"history": history})
    else:
        table("trained", [(key.replace("_", " "), short(value)) for key, value in facts.items()])
    return 0


command = train
