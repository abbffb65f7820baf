"""``latentdp weights train-detail``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

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


def train_detail(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="Manifest (CSV) with split, or its folder.")
    ],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FILE", help="Weights to write; also FILE's .png, .state."),
    ],
    size: Annotated[int, typer.Option(help="Side in pixels of the larger image of the octave.")],
    source: SourceOption = None,
    minutes: MinutesOption = 0.0,
    steps: StepsOption = 0,
    batch: Annotated[int, typer.Option(help="Crops per step.")] = 32,
    crop: Annotated[int, typer.Option(help="Side of a crop in pixels.")] = 64,
    blocks: Annotated[int, typer.Option(help="Flow steps.")] = 8,
    hidden: Annotated[int, typer.Option(help="Width of the coupling networks.")] = 64,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate of Adam.")] = 1e-3,
    seed: SeedOption = 0,
    threads: ThreadsOption = 0,
    note: NoteOption = "not stated",
    private_data: PrivateDataOption = False,
    json: JsonOption = False,
) -> None:
    """Train the detail that an image of twice the size has. Interrupted runs go on."""
    import numpy as np

    from latentdp.data.contact_sheet import contact_sheet
    from latentdp.data.dataset import SPLITS, read_dataset
    from latentdp.data.dataset import splits as splits_of
    from latentdp.models.checkpoints import save
    from latentdp.models.device import use_threads
    from latentdp.models.model_card.card import ModelCard
    from latentdp.models.model_card.card_parts import TrainingCard
    from latentdp.models.model_card.wavelet_flow import assess, temperature
    from latentdp.models.super_resolution.checkpoint import detail_flow_of
    from latentdp.models.super_resolution.detail_flow import SHIFTS
    from latentdp.models.super_resolution.haar import half
    from latentdp.models.super_resolution.wavelet_flow import WaveletFlowConfig
    from latentdp.models.training.wavelet_flow import (
        WaveletFlowTraining,
        WaveletFlowTrainingConfig,
    )
    from latentdp.privacy.noise import SeededNoise

    use_threads(threads)
    weights_file(out)
    config = WaveletFlowConfig(size=size, steps=blocks, hidden=hidden)
    settings = WaveletFlowTrainingConfig(
        minutes=minutes,
        steps=steps,
        batch=batch,
        crop=min(crop, size),
        learning_rate=learning_rate,
        seed=seed,
    )
    splits = {
        split: read_dataset(data, split, size=size, sources=source or (), enlarge=False).pixels
        for split in SPLITS
        if split != "test" or split in splits_of(data)
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    trainer = WaveletFlowTraining(
        config, settings, splits["train"], splits["val"], out.with_suffix(".state")
    )
    with training_progress(shown=not json) as show:
        trainer.run(show)
    card = ModelCard(
        summary=f"detail from {size // 2} to {size} pixels",
        training_data=note,
        private_training=private_data,
        sources=tuple(source or ()),
        images={split: len(pixels) for split, pixels in splits.items()},
        architecture=config.to_json(),
        parameters=sum(p.numel() for p in trainer.net.parameters()),
        training=TrainingCard(
            minutes=round(trainer.elapsed / 60, 1),
            steps=trainer.step,
            crops_shown=trainer.step * batch,
            crop=settings.crop,
            learning_rate=learning_rate,
            seed=seed,
        ),
    )
    rounded = detail_flow_of(trainer.checkpoint(out.stem, card))  # measured as it is used
    detail = replace(rounded, shifts=SHIFTS)
    warmth = temperature(detail, splits["val"])
    detail = replace(detail, temperature=warmth)
    drawn_at = ModelCard(temperature=warmth, shifts=SHIFTS)
    card = card.with_entries(drawn_at).with_entries(assess(detail, splits))
    save(trainer.checkpoint(out.stem, card), out)
    real = np.asarray(splits["val"][:6] / 255, dtype=np.float32)
    halves = half(real)
    contact_sheet(
        out.with_suffix(".png"),
        [real, detail.enlarge(halves, SeededNoise(1)), halves.repeat(2, axis=1).repeat(2, axis=2)],
    )
    facts = {"weights": str(out), "temperature": warmth} | {
        f"bits per detail, {split}": bits for split, bits in (card.bits_per_detail or {}).items()
    }
    if json:
        print_json(facts | {"card": card})
    else:
        table("trained", [(key, short(value)) for key, value in facts.items()])


command = train_detail
