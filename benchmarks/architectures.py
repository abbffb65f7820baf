"""Networks that could have been, each trained for as long as ours: likelihood, and samples.

    python benchmarks/architectures.py DATA --state FOLDER [--minutes 8] [--only NAME ...]
        [--source kermany] [--condition subtype] [--seed 0] [--sheet FILE] [--json FILE]

DATA is a folder with manifest.csv. Every variant differs from ours in one thing and is trained for
as many minutes of one core, on the same images. Reported on val: bits per dimension;
and of samples at temperature 1 under the labels of val the Frechet distance from originals, on
features of the shipped verifier and of a reader of findings taught on originals; the AUC of
a reader of findings that learnt on samples alone (under the labels of train), tested on originals;
and milliseconds of processor to encode and decode an image in float32, in one thread, by the
network as it is trained (nothing folded), in turn with ours.
An interrupted command goes on when it is given again. What is held equal is the processor's time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import torch
from _harness import Report, parse, parser, ratios, side_by_side, spread, state_folder
from _readers import mean_auc, taught
from _results import Column, Interval
from _variants import VARIANTS, Variant, VariantTraining

from latentdp.core.arrays import Images, Labels
from latentdp.core.cache import Arrays, ResultCache
from latentdp.data.contact_sheet import contact_sheet
from latentdp.data.dataset import Dataset, read_dataset
from latentdp.data.preprocess import unit
from latentdp.evaluation.utility.similarity import frechet
from latentdp.models.device import use_threads
from latentdp.models.flow.flow import Flow
from latentdp.models.flow.glow import Glow, GlowConfig, channels_last
from latentdp.models.networks.finding_classifier import FindingClassifier
from latentdp.models.networks.verifier import Verifier, shipped_verifier
from latentdp.models.training.glow import GlowTrainingConfig
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import normal

SIZE = 64
SHOWN = 12  # samples of each variant on the sheet
TIMED, ROUNDS = 32, 15  # images that go through a network together, and how often

COLUMNS = (
    Column("variant", "{variant}"),
    Column("", "{difference}"),
    Column("parameters", "{parameters:,}"),
    Column("images shown", "{images:,}"),
    Column("bits/dim", "{bits:.3f}"),
    Column("Frechet, verifier", "{verifier:.3f}"),
    Column("Frechet, reader", "{reader:.3f}"),
    Column("AUC taught", "{auc:.3f}"),
    Column("ms an image", "{milliseconds:.2f}"),
    Column("times as fast", "{ratio:.2f}"),
)


@dataclass(frozen=True)
class Row:
    """What a variant came to.

    Attributes:
        variant: Its name.
        difference: From ours.
        parameters: That are trained.
        images: That it was shown.
        bits: Per dimension, on val.
        verifier: Frechet distance of samples from originals on the verifier's features.
        reader: The same on a reader's.
        auc: On originals, of a reader that learnt on samples.
        milliseconds: Of processor to encode and decode an image: median, smallest, largest.
        ratio: To ours in the same round.
    """

    variant: str
    difference: str
    parameters: int
    images: int
    bits: float
    verifier: float
    reader: float
    auc: float
    milliseconds: Interval
    ratio: Interval


@dataclass(frozen=True)
class Judges:
    """What samples are judged by.

    Attributes:
        val: Originals.
        verifier: Shipped.
        reader: Taught findings on originals of train.
    """

    val: Dataset
    verifier: Verifier
    reader: FindingClassifier

    def distances(self, samples: Images) -> tuple[float, float]:
        """Frechet distances of samples from originals of the same labels, on both features."""
        originals = unit(self.val.pixels)
        return (
            frechet(self.verifier(originals), self.verifier(samples)),
            frechet(self.reader.features(originals), self.reader.features(samples)),
        )

    def auc(self, reader: FindingClassifier) -> float:
        """Of the findings on originals, the mean over classes."""
        return mean_auc(reader, unit(self.val.pixels), self.val.labels)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table; writes JSON and a sheet of samples."""
    options = parse(_parser(), arguments)
    use_threads(1)
    read = {"size": SIZE, "sources": options.source, "conditions": options.condition}
    train = read_dataset(options.data, "train", **read)
    val = read_dataset(options.data, "val", classes=train.classes, **read)
    reader = taught(unit(train.pixels), train.labels, options.seed)
    judges = Judges(val, Verifier.load(shipped_verifier(SIZE)), reader)
    facts = {
        "minutes": options.minutes,
        "images of train": len(train),
        "images of val": len(val),
        "AUC of a reader taught on originals": judges.auc(reader),
    }
    intro = f"{options.minutes:g} minutes each, {len(train)} images, val {len(val)}; "
    intro += f"a reader taught on originals: AUC {judges.auc(reader):.3f}"
    sheet = []
    with (
        state_folder(options.state) as state,
        Report(options, COLUMNS, intro=intro, facts=facts) as report,
    ):
        for name in options.only or VARIANTS:
            row, samples = measured(name, train, val, judges, options, state)
            report.add(row)
            sheet.append(samples)
    if options.sheet:
        contact_sheet(options.sheet, sheet)


def measured(
    name: str,
    train: Dataset,
    val: Dataset,
    judges: Judges,
    options: argparse.Namespace,
    state: Path,
) -> tuple[Row, Images]:
    """One row and some samples; kept in ``state``, and taken from there the next time."""
    variant = VARIANTS[name]

    def measure() -> Arrays:
        config = configured(variant, train.classes)
        settings = replace(
            GlowTrainingConfig(minutes=options.minutes, seed=options.seed), **variant.settings
        )
        trainer = VariantTraining(variant, config, settings, train, val, state / f"{name}.state")
        trainer.run(lambda now: None)
        flow = trainer.flow()
        samples = sampled(flow, val.labels, 1)
        reader = taught(sampled(flow, train.labels, 2), train.labels, options.seed)
        parameters = sum(p.numel() for p in trainer.net.parameters() if p.requires_grad)
        bits = flow.bits_per_dimension(val.pixels, val.labels)
        milliseconds, ratio = timed(variant, train.classes)
        return {
            "counts": np.array([parameters, trainer.step * settings.batch]),
            "figures": np.array([bits, *judges.distances(samples), judges.auc(reader)]),
            "milliseconds": np.array(msgspec.structs.astuple(milliseconds)),
            "ratio": np.array(msgspec.structs.astuple(ratio)),
            "samples": samples[:SHOWN],
        }

    kept = ResultCache(state).arrays(f"{name} {options.minutes:g} {options.seed}", measure)
    parameters, images = (int(x) for x in kept["counts"])
    bits, verifier, reader, auc = kept["figures"].tolist()
    milliseconds, ratio = (Interval(*kept[name].tolist()) for name in ("milliseconds", "ratio"))
    row = Row(
        variant=name,
        difference=variant.words,
        parameters=parameters,
        images=images,
        bits=bits,
        verifier=verifier,
        reader=reader,
        auc=auc,
        milliseconds=milliseconds,
        ratio=ratio,
    )
    return row, kept["samples"]


def configured(variant: Variant, classes: tuple[str, ...]) -> GlowConfig:
    """Of a variant's network."""
    return variant.config(size=SIZE, classes=classes, steps=variant.steps, hidden=variant.hidden)


def timed(variant: Variant, classes: tuple[str, ...]) -> tuple[Interval, Interval]:
    """Milliseconds an image, and how many times as fast as ours; nothing has to be learnt."""
    first = next(iter(VARIANTS.values()))
    works = {
        name: _both_ways(one.net(configured(one, classes)))
        for name, one in (("ours", first), ("variant", variant))
    }
    seconds = side_by_side(works, ROUNDS, time.process_time)
    milliseconds = [1000 * s / TIMED for s in seconds["variant"]]
    return spread(milliseconds), ratios(seconds["variant"], seconds["ours"])


def _both_ways(net: Glow) -> Callable[[], object]:
    """Encodes grey images and decodes what comes out."""
    net = channels_last(net).eval()
    grey = torch.zeros(TIMED, 1, net.config.size, net.config.size)
    labels = torch.zeros(TIMED, dtype=torch.long)

    def work() -> object:
        with torch.inference_mode():
            return net.decode(net.encode(grey, labels)[0], labels)

    return work


def sampled(flow: Flow, labels: Labels, seed: int) -> Images:
    """One image under each label, at temperature 1."""
    latents = normal(SeededNoise(seed), (len(labels), flow.d))
    images, valid = flow.decode_valid(latents, labels)
    if not valid.all():
        print(f"{(~valid).sum()} of {len(valid)} samples are not finite", flush=True)
    return images


def _parser() -> argparse.ArgumentParser:
    options = parser("architectures", __doc__, data=True, state="required", seed=True)
    options.add_argument("--minutes", type=float, default=8.0, help="of training, each")
    options.add_argument("--only", nargs="+", choices=sorted(VARIANTS), default=[])
    options.add_argument("--source", nargs="+", default=["kermany"])
    options.add_argument("--condition", nargs="+", default=["subtype"])
    options.add_argument("--sheet", type=Path, help="PNG of samples, a row for each variant")
    return options


if __name__ == "__main__":
    main()
