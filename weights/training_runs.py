"""The long training runs of the flows: what each is, and the command that goes on with it.

    python weights/training_runs.py RUN --data DATA --folder FOLDER
    python weights/training_runs.py RUN --data DATA --folder FOLDER --cooldown MINUTES
    weights/train.sh                                 (starts all that are not running)

A run is open-ended: it goes on until it is stopped, at any time, by Ctrl-C, a signal or a power
cut, and the same command goes on where it was. It writes, every eight minutes, FOLDER/RUN/state
and a line of FOLDER/RUN/log.csv (core seconds, images shown, and every five core minutes bits/dim
of the averaged weights on val), and every forty minutes FOLDER/export/RUN.safetensors, the
averaged weights as they are.
A cooldown branches off a run's state into FOLDER/RUN-cooldown, lowers the learning rate to 1 %
within MINUTES of one core, and ends: these are the weights to ship. The run is not touched.
"""

from __future__ import annotations

import argparse
import csv
import fcntl
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from latentdp.core.process import tune_allocator
from latentdp.data.dataset import Dataset, read_dataset
from latentdp.models.checkpoints import load, save
from latentdp.models.device import use_threads
from latentdp.models.flow.attributes import PRESENT, Attribute
from latentdp.models.flow.chest_attributes import (
    ADULT,
    ADULT_AGE,
    PAEDIATRIC,
    attribute_values,
    finding_columns,
)
from latentdp.models.flow.glow import GlowConfig
from latentdp.models.model_card.card import ModelCard
from latentdp.models.model_card.card_parts import TrainingCard
from latentdp.models.training.attributes import AttributeGlowTraining, AttributeGlowTrainingConfig
from latentdp.models.training.sampling_odds import sampling_odds

SIZE = 64
EVERY = 480.0  # seconds between states; a cut costs no more than that
EXPORT_EVERY = 2400.0
ENDLESS = 1e6  # minutes

NIH = (
    "NIH ChestX-ray14 (Wang et al., CVPR 2017; provided by the NIH Clinical Center; no use "
    "restriction, attribution asked): sources nih128, nih and nih-rsna-normal, of people of 18 "
    "years and more; those without an age are left out. nih-rsna-normal, which readers of the "
    "RSNA 2018 pneumonia challenge called normal, went through that challenge and the COVID-19 "
    "Radiography Database, whose own terms were not verified."
)
KERMANY = "Kermany, Zhang, Goldbaum 2018, CC BY 4.0: children."


@dataclass(frozen=True, kw_only=True)
class Images:
    """What a run learns from.

    Attributes:
        sources: Values of the manifest's ``source`` column.
        attributes: What the flow is told.
        adults: Whether only images of people known to be grown up are taken.
        odds: Of sources that are not as good as others.
        note: For the card.
    """

    sources: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    adults: bool
    note: str
    odds: Mapping[str, float] = field(default_factory=dict)

    def read(self, data: Path, split: str) -> Dataset:
        """One split at the runs' size."""
        images = read_dataset(data, split, size=SIZE, sources=self.sources)
        return images.only(np.array(images.ages) >= ADULT_AGE) if self.adults else images


# nih-rsna-normal holds most of the patients, which a flow of anatomy needs, but its pixels were
# resampled once more and all of it is normal: half as often.
ADULTS = Images(
    sources=("nih128", "nih", "nih-rsna-normal"),
    attributes=ADULT,
    adults=True,
    odds={"nih-rsna-normal": 0.5},
    note=NIH,
)
CHILDREN = Images(sources=("kermany",), attributes=PAEDIATRIC, adults=False, note=KERMANY)


@dataclass(frozen=True)
class Run:
    """A network and what it learns from."""

    images: Images
    steps: tuple[int, ...]
    hidden: tuple[int, ...]
    start: str = ""  # weights that it begins with; empty for random ones
    learning_rate: float = 1e-3

    @property
    def config(self) -> GlowConfig:
        """Shape of the network."""
        return GlowConfig(
            size=SIZE,
            classes=(),
            steps=self.steps,
            hidden=self.hidden,
            attributes=self.images.attributes,
        )


# Wide is the shape of the first weights; deep costs about as much an image, narrow .6 of it.
WIDE = ((12, 12, 8), (192, 160, 128))
DEEP = ((20, 20, 14), (128, 96, 64))
NARROW = ((12, 12, 8), (128, 96, 64))
RUNS = {
    "adult": Run(ADULTS, *WIDE, start="cxr-adult", learning_rate=5e-4),
    "adult-wide": Run(ADULTS, *WIDE),
    "adult-deep": Run(ADULTS, *DEEP),
    "adult-narrow": Run(ADULTS, *NARROW),
    "paediatric-wide": Run(CHILDREN, *WIDE),
    "paediatric-deep": Run(CHILDREN, *DEEP),
}


def main() -> None:
    """Trains until it is stopped."""
    options = _parser().parse_args()
    stopped: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: stopped.append(number))
    name = options.run + ("-cooldown" if options.cooldown else "")
    folder: Path = options.folder / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{name} is running")
            return
        lock.truncate(0)  # whose it was
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        train(RUNS[options.run], name, options, lambda: bool(stopped))


def train(
    run: Run, name: str, options: argparse.Namespace, stop: Callable[[], bool] = lambda: False
) -> None:
    """One run, until it is told to stop or a cooldown is done."""
    use_threads(1)
    tune_allocator()
    trainer = trainer_of(run, options.folder, name, options)
    before = _elapsed(options.folder / options.run / "state") if options.cooldown else 0.0
    print(f"{name}: step {trainer.step}", flush=True)
    exported = time.monotonic()

    def report(now: dict[str, float]) -> None:
        nonlocal exported
        _log(options.folder / name / "log.csv", trainer, now)
        if time.monotonic() - exported >= EXPORT_EVERY:
            export(trainer, run, options.folder, name, before)
            exported = time.monotonic()

    trainer.run(report, every=options.every, stop=stop)
    export(trainer, run, options.folder, name, before)


def trainer_of(
    run: Run, folder: Path, name: str, options: argparse.Namespace
) -> AttributeGlowTraining:
    """The run as it stands."""
    train_images, val = (run.images.read(options.data, split) for split in ("train", "val"))
    findings = attribute_values(train_images, run.config.attributes)
    findings = findings[:, finding_columns(run.config.attributes)]
    cooldown = bool(options.cooldown)
    return AttributeGlowTraining(
        run.config,
        AttributeGlowTrainingConfig(
            minutes=options.cooldown or ENDLESS,
            schedule="cooldown" if cooldown else "open-ended",
            learning_rate=run.learning_rate,
            ema=0.9998,
            seed=1,
        ),
        train_images,
        val.only(np.arange(len(val)) % 2 == 0),
        folder / name / "state",
        odds=sampling_odds(train_images, findings, run.images.odds),
        start=load(run.start) if run.start else None,
        branch=folder / options.run / "state" if cooldown else None,
    )


def export(
    trainer: AttributeGlowTraining, run: Run, folder: Path, name: str, before: float = 0.0
) -> None:
    """The averaged weights as a file that `load_flow` reads, whole or not at all.

    Args:
        trainer: Where it stands.
        run: What it trains.
        folder: Its ``export`` is written to.
        name: Of the file.
        before: Core seconds of the run that a cooldown branches off.
    """
    (folder / "export").mkdir(exist_ok=True)
    train_images = trainer.train
    values = attribute_values(train_images, run.config.attributes)
    card = ModelCard(
        summary=f"{SIZE}x{SIZE} Glow, attributes: {len(run.config.attributes)}",
        training_data=run.images.note,
        private_training=False,
        conditions=(),
        sources=tuple(run.images.sources),
        parameters=sum(p.numel() for p in trainer.net.parameters()),
        architecture=run.config.to_json(),
        present_in_training={
            run.config.attributes[i].name: int((values[:, i] == PRESENT).sum())
            for i in finding_columns(run.config.attributes)
        },
        training=TrainingCard(
            minutes=round((before + trainer.elapsed) / 60, 1),
            steps=trainer.step,
            images_shown=trainer.step * trainer.settings.batch,
            batch=trainer.settings.batch,
            learning_rate=trainer.settings.learning_rate,
            schedule=trainer.settings.schedule,
            start=run.start or "random weights",
            seed=trainer.settings.seed,
        ),
    )
    save(trainer.checkpoint(name, card), folder / "export" / f"{name}.safetensors")


def _elapsed(state: Path) -> float:
    """Core seconds of a run, from its state."""
    return float(torch.load(state, map_location="cpu", weights_only=True)["elapsed"])


def _log(path: Path, trainer: AttributeGlowTraining, now: dict[str, float]) -> None:
    row = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "core_seconds": round(trainer.elapsed),
        "step": trainer.step,
        "images": now["images"],
        "loss": round(now["loss"], 4),
        "val": round(now["val"], 4) if "val" in now else "",
        "val_unknown": round(now["val_unknown"], 4) if "val_unknown" in now else "",
        "rate": round(now["rate"], 1),
        "learning_rate": f"{trainer.learning_rate:.2e}",
    }
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow(row)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", choices=sorted(RUNS))
    parser.add_argument("--data", type=Path, required=True, help="folder with manifest.csv")
    parser.add_argument("--folder", type=Path, required=True, help="state, logs and weights")
    parser.add_argument("--cooldown", type=float, default=0.0, metavar="MINUTES")
    parser.add_argument("--every", type=float, default=EVERY, help="seconds between states")
    return parser


if __name__ == "__main__":
    main()
