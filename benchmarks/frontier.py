"""Utility and re-identification against epsilon: what presets are chosen by.

    python benchmarks/frontier.py DATA --state FOLDER [--epsilons 1 2 4 8 16 50] [--shares 0.25]
        [--mechanisms laplace_l1] [--directions 2] [--temperatures 1]
        [--candidates 4] [--controls raw] [--split val] [--identity] [--json FILE] [--picture FILE]

DATA is a folder with manifest.csv. For every combination of the options a release is made of the
training images and of the split, a reader of findings learns on the former and is tested on
originals (p/o), and one that learnt on originals is tested on private images (o/p). With
--identity adaptive verifiers attack the same recipe where people have several images. Beside them
stand the controls and, with --oracle, the same without noise, its label true. Presets are chosen
on val; test is for reports. An interrupted command goes on when it is given again.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import matplotlib.pyplot as plt
from _harness import Report, parse, parser, progress
from _results import Column, Interval

from latentdp.core.filesystem import whole
from latentdp.evaluation.compare import ComparisonRow, compare, entries
from latentdp.evaluation.datasets import GROUNDS, BenchmarkDataset, ground
from latentdp.evaluation.methods.presets import PresetMethod
from latentdp.evaluation.threat_model import Effort
from latentdp.reports.comparison import ComparedMethod

CONTROLS = ("raw", "label-mean", "prior-sample-public-label")
NO_NOISE = 1e6  # an epsilon at which the noise is none
KEYS = {  # of a row's fields, in the comparison's columns
    "po_normal": "p/o, normal",
    "op_normal": "o/p, normal",
    "po_mean": "p/o",
    "op_mean": "o/p",
    "adaptive_mean": "adaptive_mean",
    "adaptive_max": "adaptive_max",
    "against_anyone": "against_anyone",
}
COLUMNS = (
    Column("release", "{release}"),
    Column("p/o, normal or not", "{po_normal:.3f}"),
    Column("o/p, normal or not", "{op_normal:.3f}"),
    Column("p/o, mean of findings", "{po_mean:.3f}"),
    Column("o/p, mean of findings", "{op_mean:.3f}"),
    Column("adaptive, mean", "{adaptive_mean:.3f}"),
    Column("adaptive, max", "{adaptive_max:.3f}"),
    Column("told from anyone", "{against_anyone:.3f}"),
)


@dataclass(frozen=True)
class Row:
    """AUC of readers and attackers of one release; what was not measured is None.

    Attributes:
        release: Its name.
        group: ``control`` or ``ours``.
        po_normal: Normal or not, learnt on private images, tested on originals.
        op_normal: The reverse.
        po_mean: The first, mean over findings.
        op_mean: The second, mean over findings.
        adaptive_mean: Adaptive verifiers, mean.
        adaptive_max: The best of them.
        against_anyone: The best verifier against any impostor, not only those who are alike.
    """

    release: str
    group: str
    po_normal: Interval | None
    op_normal: Interval | None
    po_mean: Interval | None
    op_mean: Interval | None
    adaptive_mean: Interval | None
    adaptive_max: Interval | None
    against_anyone: Interval | None


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table; writes JSON and picture."""
    options = parse(_parser(), arguments)
    named = {"findings": options.finding_weights}
    if options.identity:
        named = {"identity": options.identity_weights} | named
    grounds = [
        _on(ground(n, options.data, w, limit=options.patients), options.split)
        for n, w in named.items()
    ]
    chosen = releases(grounds, options)
    intro = f"{options.split}; 95 % intervals over patients"
    report = Report(options, COLUMNS, intro=intro, facts={"split": options.split})
    comparison = compare(
        grounds,
        chosen,
        options.state,
        effort=Effort(restarts=options.restarts, seeds=options.seeds, steps=options.steps),
        seed=options.seed,
        quick=False,
        attacks=("adaptive",),
        tell=progress(),
        verifier=options.verifier,
    )
    rows = [row_of(method) for method in comparison.rows]
    with report:
        report.extend(rows)
    if options.picture:
        picture(rows, options.picture)


def releases(
    grounds: Sequence[BenchmarkDataset], options: argparse.Namespace
) -> list[ComparisonRow]:
    """Controls, oracles, then all combinations."""
    chosen = entries(grounds, options.controls) if options.controls else []
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
        methods = {
            g.name: PresetMethod("balanced", g.weights, name=name, **changes) for g in grounds
        }
        chosen.append(ComparisonRow("ours", methods))
    return chosen


def row_of(method: ComparedMethod) -> Row:
    """From the summary numbers of the comparison."""
    numbers = {field: Interval.of(method.numbers[key]) for field, key in KEYS.items()}
    return Row(method.name, method.group, **numbers)


def picture(rows: Sequence[Row], path: Path) -> None:
    """Each column that was measured, against epsilon; the rest as lines."""
    own = [row for row in rows if row.group == "ours" and row.release.startswith("epsilon")]
    level = [row for row in rows if row.group == "control" or row.release.startswith("oracle")]
    titles = {field: column.title for field, column in zip(KEYS, COLUMNS[1:], strict=True)}
    fields = [field for field in KEYS if any(getattr(row, field) for row in own)]
    if not fields:
        raise SystemExit("no picture: expected figures of releases at some epsilon, got none")
    figure, axes = plt.subplots(
        math.ceil(len(fields) / 2), 2, figsize=(11, 1.6 * len(fields)), squeeze=False
    )
    for axis, field in zip(axes.flat, fields, strict=False):
        lines: dict[str, list[tuple[float, Interval]]] = {}
        for row in own:
            words, rest = row.release.split(", ", 1)
            lines.setdefault(rest, []).append((float(words.split()[1]), getattr(row, field)))
        for name, points in lines.items():
            x = [epsilon for epsilon, _ in points]
            axis.plot(x, [auc.value for _, auc in points], "o-", label=name)
            low, high = ([getattr(auc, k) for _, auc in points] for k in ("low", "high"))
            axis.fill_between(x, low, high, alpha=0.15)
        for i, row in enumerate(level, start=len(lines)):  # of one colour in all panels
            if (auc := getattr(row, field)) is not None:
                name = row.release.split(",")[0]
                axis.axhline(auc.value, ls=":", c=f"C{i}", label=name)
        axis.set_xscale("log")
        axis.set_xticks(x, [f"{e:g}" for e in x])
        axis.minorticks_off()
        axis.set(xlabel="epsilon of the image", ylabel=f"AUC, {titles[field]}")
    for axis in axes.flat[len(fields) :]:
        axis.remove()
    axes[0, 0].legend(fontsize=7)
    figure.tight_layout()
    with whole(path) as temporary:
        figure.savefig(temporary, format=path.suffix.removeprefix(".") or "png", dpi=120)
    plt.close(figure)


def _on(place: BenchmarkDataset, split: str) -> BenchmarkDataset:
    """The same, with this split as what is released."""
    return replace(place, test=getattr(place, split))


def _parser() -> argparse.ArgumentParser:
    options = parser("frontier", __doc__, data=True, state="required", seed=True)
    options.add_argument("--epsilons", nargs="*", type=float, default=[1, 2, 4, 8, 16, 50])
    options.add_argument("--shares", nargs="+", type=float, default=[0.75])
    options.add_argument("--mechanisms", nargs="+", default=["laplace_l1"])
    options.add_argument("--directions", nargs="+", type=int, default=[2])
    options.add_argument("--temperatures", nargs="+", type=float, default=[1.0])
    options.add_argument("--candidates", nargs="+", type=int, default=[4])
    options.add_argument("--controls", nargs="*", default=CONTROLS, help="rows beside them")
    options.add_argument("--oracle", action="store_true", help="the same without noise")
    options.add_argument("--split", choices=("val", "test"), default="val")
    options.add_argument("--identity", action="store_true", help="attack it, too")
    options.add_argument("--identity-weights", default=GROUNDS["identity"])
    options.add_argument("--finding-weights", default=GROUNDS["findings"])
    options.add_argument("--restarts", type=int, default=Effort().restarts)
    options.add_argument("--seeds", type=int, default=Effort().seeds, help="readers of each kind")
    options.add_argument("--steps", type=int, default=Effort().steps, help="of each network")
    options.add_argument("--verifier", default="", help="that attackers start from")
    options.add_argument("--patients", type=int, default=0, help="of each split; 0 for all")
    options.add_argument("--picture", type=Path)
    return options


if __name__ == "__main__":
    main()
