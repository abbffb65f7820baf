"""What survives each preset, on test images: a sheet to look at, and probes.

    python benchmarks/presets.py DATA [--weights cxr-adult ...] [--sheet FOLDER] [--noise-seed 1]

DATA is a folder with manifest.csv. The sheet shows the same 16 test images (of all classes) under
every preset with its default epsilon, labels released as the preset does.
The probes look at the private latents, without a released label: a reader (linear discriminant)
and a verifier (two-covariance model), both fitted on privatized training and validation images,
and the white-box attack on one image, which names the source among all test images by the
mechanism's own likelihood. 95 % intervals: bootstrap over patients, and Clopper-Pearson for the
attack.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, rankdata

from latentdp import PRESETS, Recipe
from latentdp.data.contact_sheet import contact_sheet
from latentdp.data.dataset import SPLITS, Dataset
from latentdp.metrics.scatter import leading_directions
from latentdp.models.checkpoints import load, shipped
from latentdp.models.directions.encode import Encoded, encode
from latentdp.models.directions.probe_table import Probe
from latentdp.models.flow.flow import Flow, load_flow
from latentdp.models.training.training_data import as_trained
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.plan import Action, Plan
from latentdp.privatizer import Privatizer, make_plan

SHOWN = 16
PROBES = 100  # images that the white-box attack is run on


def main(words: Sequence[str] | None = None) -> None:
    """Prints one table per weights file and writes its sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights", nargs="*", default=sorted(shipped("glow")))
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--noise-seed", type=int, default=1)
    arguments = parser.parse_args(words)
    for name in arguments.weights:
        flow = load_flow(load(name))
        data = {split: as_trained(flow, arguments.data, split) for split in SPLITS}
        if arguments.sheet:
            arguments.sheet.mkdir(parents=True, exist_ok=True)
            draw(flow, data["test"], arguments.sheet / f"{name}.png")
        encoded = {split: encode(flow, part) for split, part in data.items()}
        print(f"\n{name}: {len(data['test'])} test images, noise seed {arguments.noise_seed}")
        print(
            "| preset | epsilon | finding AUC | view AUC | verifier AUC, both private "
            "| source of one image: AUC | named first of all |"
        )
        print("|---" * 7 + "|")
        leading = leading_directions(np.cov(encoded["train"].latents.T))
        raw = Probe(encoded, leading).all_dimensions()
        print(f"| no privacy | infinite | {cells(raw)} | 1 | 1 |", flush=True)
        for preset in PRESETS:
            print(row(preset, flow, encoded, leading, arguments.noise_seed), flush=True)


def draw(flow: Flow, test: Dataset, path: Path) -> None:
    """The originals in the first row, then one row a preset."""
    each = SHOWN // len(flow.classes)
    chosen = [np.flatnonzero(test.labels == c)[:each] for c in range(len(flow.classes))]
    rows = np.concatenate(chosen)
    images, labels = test.pixels[rows].astype(np.float32) / np.float32(255), test.labels[rows]
    sides = [images]
    for preset in PRESETS:
        privatizer = Privatizer(flow, Recipe.from_preset(preset))
        sides.append(privatizer(images, labels=labels).images)
    contact_sheet(path, sides)
    print(f"{path}: originals, then {', '.join(PRESETS)}")


def row(
    preset: str,
    flow: Flow,
    encoded: dict[str, Encoded],
    leading: NDArray[np.float64],
    seed: int,
) -> str:
    """One line of the table."""
    recipe = Recipe.from_preset(preset, label="none")
    plan = make_plan(
        recipe,
        d=flow.d,
        directions=flow.directions,
        classes=len(flow.classes),
        identity=flow.identity if recipe.resample_identity else None,
    )
    noise = SeededNoise(seed)
    private = {
        split: replace(part, latents=plan.apply(part.latents, noise))
        for split, part in encoded.items()
    }
    probe = Probe(private, leading)
    if plan.keeps:  # and who knows them knows the source
        return f"| {preset} | none | {cells(probe.all_dimensions())} | 1 | 1 |"
    k = sum(b.size for b in plan.blocks if b.action is Action.MECHANISM)
    if k == 0:
        return (
            f"| {preset} | {recipe.epsilon:g} | - | - | - | 0.5 | 1 / {len(probe.test.latents)} |"
        )
    seen = probe.all_dimensions() if k == flow.d else probe.table(flow.directions, [k])[0]
    return (
        f"| {preset} ({k} dims) | {plan.guarantee.epsilon:g} | {cells(seen)} "
        f"| {white_box(plan, encoded['test'].latents, noise)} |"
    )


def cells(seen: dict[str, list[float] | None]) -> str:
    """Finding, view and identity, with their intervals."""
    told = [seen["finding"], seen["view"], seen["identity"]]
    return " | ".join("-" if e is None else f"{e[0]:.3f} ({e[1]:.3f}-{e[2]:.3f})" for e in told)


def white_box(plan: Plan, latents: NDArray[np.float64], noise: SeededNoise) -> str:
    """AUC of right source against others, and how often it is named first of all."""
    inner = latents if plan.basis is None else plan.basis.forward(latents)
    (block,) = [b for b in plan.blocks if b.mechanism is not None]
    inner = inner[:, : block.size]
    assert block.mechanism is not None
    probes = np.linspace(0, len(latents) - 1, min(PROBES, len(latents))).astype(int)
    perturbed = block.mechanism.perturb(inner[probes], noise)
    aucs, firsts = [], 0.0
    for i, out in zip(probes, perturbed, strict=True):
        score = block.mechanism.log_likelihood(inner, np.repeat(out[None], len(inner), axis=0))
        ranks = rankdata(score)
        aucs.append((ranks[i] - 1) / (len(score) - 1))
        best = score >= score.max() - 1e-9
        firsts += best[i] / best.sum()  # a tie is guessed
    n = len(probes)
    low = beta.ppf(0.025, firsts, n - firsts + 1) if firsts else 0.0
    high = beta.ppf(0.975, firsts + 1, n - firsts) if firsts < n else 1.0
    spread = 1.96 * float(np.std(aucs)) / math.sqrt(n)
    return f"{np.mean(aucs):.3f} (+-{spread:.3f}) | {firsts / n:.3f} ({low:.3f}-{high:.3f})"


if __name__ == "__main__":
    main()
