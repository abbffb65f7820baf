"""What survives each preset, on test images: a sheet to look at, and probes.

    python benchmarks/presets.py DATA [--weights cxr-adult ...] [--sheet FOLDER] [--noise-seed 1]
        [--json FILE]

DATA is a folder with manifest.csv. The sheet shows the same 16 test images, of all classes where
the weights have some, under every preset with its default epsilon, labels released as it does.
The probes look at the private latents, without a released label: a reader (linear discriminant)
and a verifier (two-covariance model), both fitted on privatized training and validation images,
and the white-box attack on one image, which names the source among all test images by the
mechanism's own likelihood. 95 % intervals: bootstrap over patients, and Clopper-Pearson for how
often it is named first.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from _harness import Report, parse, parser
from _latents import LatentSplits, read_latents
from _results import Column, Interval, Value
from msgspec import UNSET
from numpy.typing import NDArray
from scipy.stats import beta, rankdata

from latentdp import PRESETS, Recipe
from latentdp.core.arrays import evenly
from latentdp.data.contact_sheet import contact_sheet
from latentdp.data.dataset import SPLITS, Dataset
from latentdp.data.preprocess import unit
from latentdp.metrics.scatter import leading_directions
from latentdp.models.checkpoints import shipped
from latentdp.models.directions.probe_table import Probe
from latentdp.models.flow.flow import Flow
from latentdp.models.model_card.directions_card import ProbeRow
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.plan import Action, Plan
from latentdp.privatizer import Privatizer, make_plan

SHOWN = 16
PROBES = 100  # images that the white-box attack is run on


NONE = "no privacy"
Knowledge: TypeAlias = Literal["attack", "what is kept", "nothing left"]
KEPT: tuple[Interval, Interval, Knowledge] = Interval(1.0), Interval(1.0), "what is kept"
COLUMNS = (
    Column("weights", "{weights}"),
    Column("preset", "{preset}"),
    Column("dims", "{dimensions}"),
    Column("epsilon", "{epsilon:g}", missing="none"),
    Column("finding AUC", "{finding:.3f}"),
    Column("view AUC", "{view:.3f}"),
    Column("verifier AUC, both private", "{verifier:.3f}"),
    Column("source of one image: AUC", "{source:.3f}"),
    Column("named first of all", "{named_first:.3f}"),
)


@dataclass(frozen=True)
class Row:
    """What is left in the private latents of one preset; None where there is nothing to ask.

    Attributes:
        weights: Of the flow.
        preset: Its name, or ``no privacy``.
        dimensions: That a mechanism noises.
        epsilon: Of the image; None without a guarantee.
        finding: AUC of a reader.
        view: The same of the view.
        verifier: AUC of one patient or two, both images private.
        source: AUC of the right source against others, for who knows the mechanism.
        named_first: Share of images whose source is named first of all.
        known_by: How the last two are known: by an ``attack``, or without one by ``what is
            kept``, which names the source, or since there is ``nothing left`` to go by.
    """

    weights: str
    preset: str
    dimensions: int
    epsilon: float | None
    finding: Interval | None
    view: Interval | None
    verifier: Interval | None
    source: Interval
    named_first: Interval
    known_by: Knowledge


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table and writes a sheet for each weights file."""
    options = parse(_parser(), arguments)
    facts: dict[str, Value] = {"noise seed": options.noise_seed}
    with Report(options, COLUMNS, facts=facts) as report:
        for weights in options.weights:
            splits = read_latents(weights, options.data, SPLITS)
            report.facts[f"test images, {weights}"] = len(splits.images["test"])
            if options.sheet:
                options.sheet.mkdir(parents=True, exist_ok=True)
                draw(splits.flow, splits.images["test"], options.sheet / f"{weights}.png")
            leading = leading_directions(np.cov(splits.latents["train"].latents.T))
            raw = Probe(splits.latents, leading).all_dimensions()
            report.add(Row(weights, NONE, 0, None, *probed(raw), *KEPT))
            for preset in PRESETS:
                report.add(row(weights, preset, splits, leading, options.noise_seed))


def draw(flow: Flow, test: Dataset, path: Path) -> None:
    """The originals in the first row, then one row a preset, in the order of `PRESETS`."""
    rows = evenly(len(test), SHOWN)
    if flow.classes:
        each = SHOWN // len(flow.classes)
        chosen = [np.flatnonzero(test.labels == c)[:each] for c in range(len(flow.classes))]
        rows = np.concatenate(chosen)
    images, labels = unit(test.pixels[rows]), test.labels[rows]
    sides = [images]
    for preset in PRESETS:
        privatizer = Privatizer(flow, Recipe.from_preset(preset))
        sides.append(privatizer(images, labels=labels).images)
    contact_sheet(path, sides)


def row(
    weights: str, preset: str, splits: LatentSplits, leading: NDArray[np.float64], seed: int
) -> Row:
    """What one preset leaves."""
    flow = splits.flow
    recipe = Recipe.from_preset(preset, label="none")
    plan = make_plan(
        recipe,
        d=flow.d,
        directions=flow.directions,
        attributes=flow.conditioning,
        identity=flow.identity if recipe.resample_identity else None,
        layout=flow.layout if recipe.keep_layout else None,
    )
    noise = SeededNoise(seed)
    private = {
        split: replace(part, latents=plan.apply(part.latents, noise))
        for split, part in splits.latents.items()
    }
    probe = Probe(private, leading)
    if plan.keeps:  # and who knows them knows the source
        return Row(weights, preset, 0, None, *probed(probe.all_dimensions()), *KEPT)
    k = sum(b.size for b in plan.blocks if b.action is Action.MECHANISM)
    if k == 0:
        chance = Interval(0.5), Interval(1 / len(probe.test.latents))
        return Row(weights, preset, 0, recipe.epsilon, None, None, None, *chance, "nothing left")
    left = probe.all_dimensions() if k == flow.d else probe.table(flow.directions, [k])[0]
    attack = white_box(plan, splits.latents["test"].latents, noise)
    epsilon = plan.guarantee.epsilon if plan.guarantee.private else None
    return Row(weights, preset, k, epsilon, *probed(left), *attack, "attack")


def probed(
    left: ProbeRow,
) -> tuple[Interval | None, Interval | None, Interval | None]:
    """Finding, view and identity."""
    view = None if left.view is UNSET else left.view
    return _interval(left.finding), _interval(view), _interval(left.identity)


def white_box(
    plan: Plan, latents: NDArray[np.float64], noise: SeededNoise
) -> tuple[Interval, Interval]:
    """AUC of right source against others, and how often it is named first of all."""
    inner = latents if plan.basis is None else plan.basis.forward(latents)
    (block,) = [b for b in plan.blocks if b.mechanism is not None]
    inner = inner[:, : block.size]
    assert block.mechanism is not None
    probes = evenly(len(latents), PROBES)
    perturbed = block.mechanism.perturb(inner[probes], noise)
    aucs, firsts = [], 0.0
    for i, out in zip(probes, perturbed, strict=True):
        score = block.mechanism.log_likelihood(inner, np.repeat(out[None], len(inner), axis=0))
        ranks = rankdata(score)
        aucs.append((ranks[i] - 1) / (len(score) - 1))
        best = score >= score.max() - 1e-9
        firsts += best[i] / best.sum()  # a tie is guessed
    n, auc = len(probes), float(np.mean(aucs))
    low = float(beta.ppf(0.025, firsts, n - firsts + 1)) if firsts else 0.0
    high = float(beta.ppf(0.975, firsts + 1, n - firsts)) if firsts < n else 1.0
    off = 1.96 * float(np.std(aucs)) / math.sqrt(n)
    return Interval(auc, auc - off, auc + off), Interval(float(firsts) / n, low, high)


def _interval(limits: tuple[float, float, float] | None) -> Interval | None:
    return None if limits is None else Interval(*limits)


def _parser() -> argparse.ArgumentParser:
    options = parser("presets", __doc__, data=True)
    options.add_argument("--weights", nargs="*", default=sorted(shipped("glow")))
    options.add_argument("--sheet", type=Path)
    options.add_argument("--noise-seed", type=int, default=1)
    return options


if __name__ == "__main__":
    main()
