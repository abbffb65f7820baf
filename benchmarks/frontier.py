"""Utility and re-identification against epsilon: what presets are chosen by.

    python benchmarks/frontier.py DATA --state FOLDER [--epsilons 1 2 4 8 16 50] [--shares 0.25]
        [--mechanisms laplace_l1] [--directions 2] [--temperatures 1]
        [--candidates 4] [--resample-identity 512 1024] [--controls raw] [--split val] [--identity]
        [--json FILE] [--picture FILE]

DATA is a folder with manifest.csv. For every combination of the options a release is made of the
training images and of the split, a reader of findings learns on the former and is tested on
originals (p/o), and one that learnt on originals is tested on private images (o/p). With
--identity adaptive verifiers attack the same recipe where people have several images. Beside them
stand the controls and, with --oracle, the same without noise, its label true; with
--resample-identity N... releases of the empirical tier. Presets are chosen
on val; test is for reports. An interrupted command goes on when it is given again.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from latentdp.core.documents import to_json
from latentdp.core.filesystem import whole, write_text
from latentdp.evaluation.compare import ComparisonRow, compare, entries
from latentdp.evaluation.datasets import GROUNDS, BenchmarkDataset, ground
from latentdp.evaluation.methods.presets import PresetMethod
from latentdp.evaluation.threat_model import Effort
from latentdp.reports.comparison import Cell, ComparedMethod

CONTROLS = ("raw", "label-mean", "prior-sample-public-label")
NO_NOISE = 1e6  # an epsilon at which the noise is none
COLUMNS = {
    "p/o, normal": "p/o, normal or not",
    "o/p, normal": "o/p, normal or not",
    "p/o": "p/o, mean of findings",
    "o/p": "o/p, mean of findings",
    "adaptive_mean": "adaptive, mean",
    "adaptive_max": "adaptive, max",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table; writes JSON and picture."""
    options = _parser().parse_args(arguments)
    named = {"findings": options.finding_weights}
    if options.identity:
        named = {"identity": options.identity_weights} | named
    grounds = [
        _on(ground(n, options.data, w, limit=options.patients), options.split)
        for n, w in named.items()
    ]
    chosen = rows(grounds, options)
    found = compare(
        grounds,
        chosen,
        options.state,
        effort=Effort(restarts=options.restarts, seeds=options.seeds, steps=options.steps),
        seed=options.seed,
        quick=False,
        attacks=("adaptive",),
        tell=_told(),
        verifier=options.verifier,
    )
    print(f"{options.split}; 95 % intervals over patients\n")
    print(f"| release | {' | '.join(COLUMNS.values())} |\n|{'---|' * (1 + len(COLUMNS))}")
    for row in found.rows:
        print(f"| {row.name} | {' | '.join(_cell(row.numbers[c]) for c in COLUMNS)} |")
    if options.json:
        kept = [{"name": row.name, "columns": to_json(row.numbers)} for row in found.rows]
        write_text(options.json, json.dumps({"split": options.split, "rows": kept}, indent=2))
    if options.picture:
        picture(found.rows, options.picture)


def rows(grounds: Sequence[BenchmarkDataset], options: argparse.Namespace) -> list[ComparisonRow]:
    """Controls, oracles, then all combinations."""
    found = entries(grounds, options.controls) if options.controls else []
    epsilons = [*options.epsilons, *([NO_NOISE] if options.oracle else [])]
    for epsilon, share, mechanism, directions, temperature, candidates in product(
        epsilons,
        options.shares,
        options.mechanisms,
        options.directions,
        options.temperatures,
        options.candidates,
    ):
        words = "oracle" if epsilon == NO_NOISE else f"epsilon {epsilon:g}"
        if epsilon == NO_NOISE:  # more than some mechanisms can spend; without noise all are one
            mechanism = "laplace_l1"
        name = f"{words}, {mechanism} on {directions}, label {share:g}, t {temperature:g}"
        name += f", of {candidates}"
        changes = {
            "epsilon": epsilon,
            "label_share": share,
            "mechanism": mechanism,
            "directions": directions,
            "temperature": temperature,
            "candidates": candidates,
        }
        made = {g.name: PresetMethod("balanced", g.weights, name=name, **changes) for g in grounds}
        found.append(ComparisonRow("ours", made))
    for count, kept in product(options.resample_identity, options.keep):
        name, changes = f"empirical, {count} resampled, {kept} kept", {"resample_identity": count}
        made = {
            g.name: PresetMethod(
                "empirical", g.weights, name=name, keep_label_dims=kept, **changes
            )
            for g in grounds
        }
        found.append(ComparisonRow("ours", made))
    return found


def picture(made: Sequence[ComparedMethod], path: Path) -> None:
    """Each column that was measured, against epsilon; the rest as lines."""
    own = [row for row in made if row.group == "ours" and row.name.startswith("epsilon")]
    level = [row for row in made if row.group == "control" or row.name.startswith("oracle")]
    shown = [c for c in COLUMNS if any(row.numbers[c] for row in own)]
    figure, axes = plt.subplots(
        math.ceil(len(shown) / 2), 2, figsize=(11, 1.6 * len(shown)), squeeze=False
    )
    for axis, column in zip(axes.flat, shown, strict=False):
        lines: dict[str, list[tuple[float, Cell]]] = {}
        for row in own:
            words, rest = row.name.split(", ", 1)
            lines.setdefault(rest, []).append((float(words.split()[1]), row.numbers[column]))
        for name, points in lines.items():
            x = [e for e, _ in points]
            low, value, high = (
                [getattr(c, k) for _, c in points] for k in ("low", "value", "high")
            )
            axis.plot(x, value, "o-", label=name)
            axis.fill_between(x, low, high, alpha=0.15)
        for i, row in enumerate(level, start=len(lines)):  # of one colour in all panels
            if found := row.numbers[column]:
                name = row.name.split(",")[0]
                axis.axhline(found.value, ls=":", c=f"C{i}", label=name)
        axis.set_xscale("log")
        axis.set_xticks(x, [f"{e:g}" for e in x])
        axis.minorticks_off()
        axis.set(xlabel="epsilon of the image", ylabel=f"AUC, {COLUMNS[column]}")
    for axis in axes.flat[len(shown) :]:
        axis.remove()
    axes[0, 0].legend(fontsize=7)
    figure.tight_layout()
    with whole(path) as temporary:
        figure.savefig(temporary, format=path.suffix.removeprefix(".") or "png", dpi=120)
    plt.close(figure)


def _on(place: BenchmarkDataset, split: str) -> BenchmarkDataset:
    """The same, with this split as what is released."""
    return replace(place, test=getattr(place, split))


def _cell(number: Cell | None) -> str:
    if number is None:
        return "-"
    value, low, high = (f"{x:.3f}" for x in (number.value, number.low, number.high))
    return f"{value} ({low}-{high})"


def _told() -> Any:
    last = ""

    def tell(share: float, words: str) -> None:
        nonlocal last
        if words.split(":")[0] != last:
            last = words.split(":")[0]
            print(f"{share:.0%} {last}", file=sys.stderr, flush=True)

    return tell


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--state", type=Path, required=True, help="folder to go on from")
    parser.add_argument("--epsilons", nargs="*", type=float, default=[1, 2, 4, 8, 16, 50])
    parser.add_argument("--shares", nargs="+", type=float, default=[0.75])
    parser.add_argument("--mechanisms", nargs="+", default=["laplace_l1"])
    parser.add_argument("--directions", nargs="+", type=int, default=[2])
    parser.add_argument("--temperatures", nargs="+", type=float, default=[1.0])
    parser.add_argument("--candidates", nargs="+", type=int, default=[4])
    parser.add_argument("--resample-identity", nargs="+", type=int, default=[])
    parser.add_argument("--keep", nargs="+", type=int, default=[16], help="of the same releases")
    parser.add_argument("--controls", nargs="*", default=CONTROLS, help="rows beside them")
    parser.add_argument("--oracle", action="store_true", help="the same without noise")
    parser.add_argument("--split", choices=("val", "test"), default="val")
    parser.add_argument("--identity", action="store_true", help="attack it, too")
    parser.add_argument("--identity-weights", default=GROUNDS["identity"])
    parser.add_argument("--finding-weights", default=GROUNDS["findings"])
    parser.add_argument("--restarts", type=int, default=Effort().restarts)
    parser.add_argument("--seeds", type=int, default=Effort().seeds, help="readers of each kind")
    parser.add_argument("--steps", type=int, default=Effort().steps, help="of each network")
    parser.add_argument("--verifier", default="", help="that attackers start from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--patients", type=int, default=0, help="of each split; 0 for all")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    return parser


if __name__ == "__main__":
    main()
