"""Networks that could have been, each trained for as long as ours: likelihood, and samples.

    python benchmarks/architectures.py DATA --state FOLDER [--minutes 8] [--only NAME ...]
        [--source kermany] [--condition subtype] [--seed 0] [--sheet FILE] [--json FILE]

DATA is a folder with manifest.csv. Every variant differs from ours in one thing and is trained for
as many minutes of one core, on the same images. Reported on val: bits per dimension;
and of samples at temperature 1 under the labels of val the Frechet distance from originals, on
features of the shipped verifier and of a reader of findings taught on originals; and the AUC of
a reader of findings that learnt on samples alone (under the labels of train), tested on originals.
An interrupted command goes on when it is given again. What is held equal is the processor's time.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from normflows.flows.neural_spline.coupling import PiecewiseRationalQuadraticCoupling
from normflows.nets import ConvNet2d
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from latentdp.core.arrays import Images
from latentdp.core.filesystem import write_text
from latentdp.data.contact_sheet import contact_sheet
from latentdp.data.dataset import Dataset, read_dataset
from latentdp.evaluation.utility.similarity import frechet
from latentdp.models.device import use_threads
from latentdp.models.flow.flow import Flow
from latentdp.models.flow.glow import Glow, GlowConfig, LabelledNet, Step, log_density
from latentdp.models.networks.finding_classifier import ClassifierConfig, FindingClassifier
from latentdp.models.networks.verifier import Verifier, shipped_verifier
from latentdp.models.training.augmentation import Augmentation
from latentdp.models.training.glow import GlowTraining, GlowTrainingConfig
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import normal

SIZE = 64
SHOWN = 12  # samples of each variant on the sheet
POSES = Augmentation(
    degrees=4, scale=0.05, shift=0.02, shear=0.02, exposure=0.1, blur=0.0, noise=0.0, erase=0.0
)


class SmallSqueeze(GlowConfig):
    """Blocks of 2x2 pixels become channels first, as in Glow's own network."""

    first_squeeze: ClassVar[int] = 2


class LabelInBases(Glow):
    """Only the priors' constants know the label."""

    def __init__(self, config: GlowConfig) -> None:
        super().__init__(config)
        for module in self.modules():
            if isinstance(module, LabelledNet):
                module.label.requires_grad_(False)  # it is zero


class PlainPriors(Glow):
    """The prior of a split-off half does not see the kept half."""

    def __init__(self, config: GlowConfig) -> None:
        super().__init__(config)
        for prior in self.priors:
            prior.net = None


class SplineStep(Step):
    """A monotone rational-quadratic spline in the place of scale and shift."""

    BINS = 8

    def __init__(self, channels: int, hidden: int, labels: int) -> None:
        super().__init__(channels, nn.Identity())
        mask = torch.arange(channels) >= channels // 2
        self.coupling = PiecewiseRationalQuadraticCoupling(
            mask,
            lambda inputs, outputs: _WithContext(inputs, hidden, outputs, labels),
            num_bins=self.BINS,
            tails="linear",
            tail_bound=3.0,
        )

    def encode(self, x: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Towards the latent."""
        x, log_det_norm = self.norm.inverse(x)
        x, log_det_mix = self.mix.inverse(x)
        x, log_det = self.coupling.forward(x, condition)
        return x, log_det + log_det_norm + log_det_mix

    def decode(self, z: Tensor, condition: Tensor) -> Tensor:
        """The exact inverse of `encode`."""
        z, _ = self.coupling.inverse(z, condition)
        z, _ = self.mix.forward(z)
        z, _ = self.norm.forward(z)
        return z


class _WithContext(LabelledNet):
    def __init__(self, inputs: int, hidden: int, outputs: int, labels: int) -> None:
        super().__init__(inputs, hidden, outputs, labels)
        self.hidden_channels = hidden  # by which normflows scales what goes into a softmax

    def forward(self, features: Tensor, context: Tensor) -> Tensor:
        return super().forward((features, context)).contiguous()


class Splines(Glow):
    """All couplings are splines."""

    def __init__(self, config: GlowConfig) -> None:
        super().__init__(config)
        labels = len(config.classes) + 1
        for i, (channels, _, _) in enumerate(config.level_shapes):
            inside = channels if i == 0 else 2 * channels
            self.levels[i] = nn.ModuleList(
                SplineStep(inside, config.hidden[i], labels) for _ in range(config.steps[i])
            )


class Dequantised(Glow):
    """Where in its bin a grey level lies is learnt, by one Gaussian layer.

    Variational dequantisation (Ho et al. 2019, equation 12): what it reports is a bound.
    """

    def __init__(self, config: GlowConfig) -> None:
        super().__init__(config)
        self.where = ConvNet2d([1, 32, 32, 2], (3, 1, 3))

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """``x`` holds uniform dequantisation, of which only the bin is used."""
        bins = torch.floor((x + 0.5) * 256)
        mean, log_scale = self.where((bins + 0.5) / 256 - 0.5).chunk(2, dim=1)
        log_scale = log_scale.clamp(-5, 5)
        drawn = torch.randn_like(mean)
        inside = mean + drawn * log_scale.exp()
        placed = (bins + torch.sigmoid(inside)) / 256 - 0.5
        log_q = -0.5 * (drawn.square() + math.log(2 * math.pi)) - log_scale
        log_q = log_q - nn.functional.logsigmoid(inside) - nn.functional.logsigmoid(-inside)
        return log_density(*self.encode(placed, label)) - log_q.sum(dim=(1, 2, 3))


@dataclass(frozen=True)
class Variant:
    """One thing that differs from ours.

    Attributes:
        words: Which.
        net: The network.
        steps, hidden: As `GlowConfig` has them.
        config: Kind of configuration.
        settings: Fields of `GlowTrainingConfig` that differ.
        poses: Whether images are turned and scaled.
    """

    words: str
    net: Callable[[GlowConfig], Glow] = Glow
    steps: tuple[int, ...] = (12, 12, 8)
    hidden: tuple[int, ...] = (192, 160, 128)
    config: type[GlowConfig] = GlowConfig
    settings: dict[str, Any] = field(default_factory=dict)
    poses: bool = False


VARIANTS = {
    "ours": Variant("4x4 first squeeze, 12/12/8 steps of 192/160/128"),
    "squeeze-2x2": Variant(
        "2x2 first squeeze, 12/12/8/4 steps of 192/128/128/64",
        steps=(12, 12, 8, 4),
        hidden=(192, 128, 128, 64),
        config=SmallSqueeze,
    ),
    "label-in-bases": Variant("coupling networks do not see the label", net=LabelInBases),
    "plain-priors": Variant("split priors without condition", net=PlainPriors),
    "wide-fine": Variant("widths 128/160/192", hidden=(128, 160, 192)),
    "wide-coarse": Variant("widths 320/192/96", hidden=(320, 192, 96)),
    "wide": Variant("widths 288/240/192", hidden=(288, 240, 192)),
    "narrow": Variant("widths 128/96/64", hidden=(128, 96, 64)),
    "deep": Variant("20/16/12 steps of 160/128/96", steps=(20, 16, 12), hidden=(160, 128, 96)),
    "splines": Variant("rational-quadratic splines of 8 bins", net=Splines),
    "dequantised": Variant("variational dequantisation (a bound)", net=Dequantised),
    "unshifted": Variant("no augmentation", settings={"shift": 0}),
    "poses": Variant("augmented by rotation, scale, shear, exposure", poses=True),
}


class VariantTraining(GlowTraining):
    """A trainer of another network.

    Args:
        variant: Which.
        arguments: As for `GlowTraining`.
    """

    clock = staticmethod(time.process_time)  # whatever else the machine does

    def __init__(self, variant: Variant, *arguments: Any) -> None:
        self.variant = variant
        super().__init__(*arguments)

    def _build(self, config: GlowConfig) -> Glow:
        return self.variant.net(config)

    def _batch(self, n: int) -> tuple[Tensor, Tensor]:
        pixels, labels = super()._batch(n)
        if self.variant.poses:
            bins = torch.floor((pixels + 0.5) * 256)
            moved = POSES(bins / 255, self.generator).clamp(0, 1)
            bins = torch.round(moved * 255)
            pixels = (bins + torch.rand(bins.shape, generator=self.generator)) / 256 - 0.5
        return pixels, labels


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

    def distances(self, samples: Images) -> dict[str, float]:
        """Frechet distances of samples from originals of the same labels."""
        originals = _unit(self.val.pixels)
        clouds = {"verifier": self.verifier, "reader": self.reader.features}
        return {k: frechet(see(originals), see(samples)) for k, see in clouds.items()}

    def auc(self, reader: FindingClassifier) -> float:
        """Mean AUC of the classes on originals."""
        odds = reader.log_odds(_unit(self.val.pixels))
        y = self.val.labels
        return float(np.mean([roc_auc_score(y == c, odds[:, c]) for c in range(odds.shape[1])]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table; writes JSON and a sheet of samples."""
    options = _parser().parse_args(arguments)
    use_threads(1)
    options.state.mkdir(parents=True, exist_ok=True)
    read = {"size": SIZE, "sources": options.source, "conditions": options.condition}
    train = read_dataset(options.data, "train", **read)
    val = read_dataset(options.data, "val", classes=train.classes, **read)
    taught = _taught(_unit(train.pixels), train.labels, options.seed)
    judges = Judges(val, Verifier.load(shipped_verifier(SIZE)), taught)
    rows, sheet = [], []
    print(f"{options.minutes:g} minutes each, {len(train)} images, val {len(val)}; ", end="")
    print(f"a reader taught on originals: AUC {judges.auc(taught):.3f}\n")
    print("| variant | | parameters | images shown | bits/dim | Frechet, verifier | ", end="")
    print("Frechet, reader | AUC taught |\n" + "|---" * 8 + "|")
    for name in options.only or VARIANTS:
        row, shown = measured(name, train, val, judges, options)
        rows.append(row)
        sheet.append(shown)
        cells = [name, VARIANTS[name].words, f"{row['parameters']:,}", f"{row['images']:,}"]
        cells += [f"{row[key]:.3f}" for key in ("bits", "verifier", "reader", "auc")]
        print(f"| {' | '.join(cells)} |", flush=True)
    if options.json:
        write_text(options.json, json.dumps({"minutes": options.minutes, "rows": rows}, indent=2))
    if options.sheet:
        contact_sheet(options.sheet, sheet)


def measured(
    name: str, train: Dataset, val: Dataset, judges: Judges, options: argparse.Namespace
) -> tuple[dict[str, Any], Images]:
    """One row and some samples; kept, and taken from there the next time."""
    kept, pictures = (options.state / f"{name}{suffix}" for suffix in (".json", ".npy"))
    if kept.exists() and pictures.exists():
        return json.loads(kept.read_text()), np.load(pictures)
    variant = VARIANTS[name]
    config = variant.config(
        size=SIZE, classes=train.classes, steps=variant.steps, hidden=variant.hidden
    )
    settings = replace(
        GlowTrainingConfig(minutes=options.minutes, seed=options.seed), **variant.settings
    )
    state = options.state / f"{name}.state"
    trainer = VariantTraining(variant, config, settings, train, val, state)
    trainer.run(lambda now: None)
    flow = trainer.flow()
    row: dict[str, Any] = {
        "name": name,
        "parameters": sum(p.numel() for p in trainer.net.parameters() if p.requires_grad),
        "images": trainer.step * settings.batch,
        "bits": flow.bits_per_dimension(val.pixels, val.labels),
    }
    samples = _drawn(flow, val.labels, 1)
    row |= judges.distances(samples)
    row["auc"] = judges.auc(_taught(_drawn(flow, train.labels, 2), train.labels, options.seed))
    np.save(pictures, samples[:SHOWN])
    write_text(kept, json.dumps(row))
    return row, samples[:SHOWN]


def _drawn(flow: Flow, labels: NDArray[np.int64], seed: int) -> Images:
    noise = SeededNoise(seed)
    images, valid = flow.decode_valid(normal(noise, (len(labels), flow.d)), labels)
    if not valid.all():
        print(f"{(~valid).sum()} of {len(valid)} samples are not finite", flush=True)
    return images


def _taught(images: Images, labels: NDArray[np.int64], seed: int) -> FindingClassifier:
    course = ClassifierConfig(steps=400, seed=seed)
    return FindingClassifier.fit(images[None], labels[None], int(labels.max()) + 1, course)


def _unit(pixels: NDArray[np.uint8]) -> Images:
    return pixels.astype(np.float32) / 255


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--state", type=Path, required=True, help="folder to go on from")
    parser.add_argument("--minutes", type=float, default=8.0, help="of training, each")
    parser.add_argument("--only", nargs="+", choices=sorted(VARIANTS), default=[])
    parser.add_argument("--source", nargs="+", default=["kermany"])
    parser.add_argument("--condition", nargs="+", default=["subtype"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheet", type=Path, help="PNG of samples, a row for each variant")
    parser.add_argument("--json", type=Path)
    return parser


if __name__ == "__main__":
    main()
