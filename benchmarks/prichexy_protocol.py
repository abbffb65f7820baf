"""How PriCheXy-Net measures re-identification, repeated on our images, flaws and all.

    python benchmarks/prichexy_protocol.py DATA [--method NAME ...] [--runs 10]
        [--state FOLDER] [--json FILE] [--patients N]

DATA is a folder with manifest.csv. Packhaeuser et al. 2023, arXiv 2209.11531: for each method a
siamese network is taught from scratch on (private, private) pairs of images of one patient or of
two, stopped early on such pairs of other patients, and tested on (private, REAL) pairs of yet
others; ten runs. The attacker so never sees the task that it is scored on, and starts from
nothing: both make methods look private. Beside the published column stands the same network on
(private, private) pairs, what it was taught for. Neither is this project's verdict on a method:
that is `latentdp compare`, whose attackers start from a strong verifier and learn the task.

What differs from the paper: 64 x 64 pixels instead of 256, fewer pairs, a small network without
ImageNet and its learning rate, at most 6 test pairs of a patient (there one gives 85 of 2,500),
intervals over patients instead of pairs, one private copy of each image. As there, a training
patient gives one pair, and there are as many pairs of two patients as of one.

With --state an interrupted command goes on where it was. --patients N takes the first N patients
of each split: a trial, and no result.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _harness import Report, parse, parser, progress, state_folder
from _privatized import Privatized, privatized
from _results import Column, Interval, Value
from _siamese import Lessons, Schooling, Siamese
from numpy.typing import NDArray

from latentdp import InputError
from latentdp.data.cohort import Cohort
from latentdp.evaluation.compare import ComparisonRow, entries
from latentdp.evaluation.datasets import GROUNDS, BenchmarkDataset, ground
from latentdp.evaluation.methods.prichexy_net import Deformation
from latentdp.metrics.bootstrap import Resamples, auc, estimate
from latentdp.metrics.pairs import CAP, Pairs
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import below

METHODS = (
    "raw",
    "deformation-0.01",
    "deformation-0.01-faulty-border",
    "privacy-net",
    "random-warp-5",
    "dp-pix-4-0.1",
    "dp-pix-8-0.1",
    "balanced",
    "noise-only",
)
# AUC in percent of (private, real) pairs, table 1 of the paper; DP-Pix is b = 1 to 8.
PAPER = {
    "raw": "81.8 +- 0.6",
    "deformation-0.01-faulty-border": "57.7 +- 4.0",
    "privacy-net": "49.8 +- 2.2",
    "dp-pix-4-0.1": "50.0 to 52.5",
    "dp-pix-8-0.1": "50.0 to 52.5",
}
# What the network is tested on, of the test patients' images, and the field of a row.
GEOMETRIES = {"private, real": "published", "private, private": "taught"}
FIGURES = (
    "{{{0}.value:.1f}} +- {{{0}_sd:.1f}} ({{{0}_min:.1f}} to {{{0}_max:.1f}}); "
    "{{{0}.low:.1f}} to {{{0}.high:.1f}}"
)
COLUMNS = (
    Column("method", "{method}"),
    Column("AUC (private, real), published", FIGURES.format("published")),
    Column("AUC (private, private), as taught", FIGURES.format("taught")),
    Column("paper, (private, real)", "{paper}"),
)


@dataclass(frozen=True)
class Row:
    """What the attackers of one method reach: AUC in percent, over runs and over patients.

    Attributes:
        method: Its name in `latentdp compare`.
        title: What it is.
        group: ``control``, ``rival`` or ``ours``.
        published: On (private, real) pairs: mean of the runs, 95 % interval over patients.
        published_sd: Deviation of the runs; None for one.
        published_min: Smallest of them.
        published_max: Largest.
        published_runs: Each.
        taught: On (private, private) pairs, which they were taught on; likewise.
        taught_sd: Likewise.
        taught_min: Likewise.
        taught_max: Likewise.
        taught_runs: Likewise.
        epochs: That each run learnt.
        paper: What the paper prints.
    """

    method: str
    title: str
    group: str
    published: Interval
    published_sd: float | None
    published_min: float
    published_max: float
    published_runs: tuple[float, ...]
    taught: Interval
    taught_sd: float | None
    taught_min: float
    taught_max: float
    taught_runs: tuple[float, ...]
    epochs: tuple[int, ...]
    paper: str | None


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table and writes its JSON."""
    options = parse(_parser(), arguments)
    place = ground("identity", options.data, options.weights, limit=options.patients)
    chosen = _chosen(place, options.method)
    schooling = Schooling(epochs=options.epochs)
    pairs = {
        "train": balanced_pairs(place.train, cap=1, seed=1),
        "val": balanced_pairs(place.val, cap=CAP, seed=2),
        "test": balanced_pairs(place.test, cap=CAP, seed=3),
    }
    facts = about(place, pairs, options.runs)
    with (
        state_folder(options.state) as state,
        Report(options, COLUMNS, intro=_heading(facts), facts=facts) as report,
    ):
        for entry in chosen:
            report.add(measured(entry, place, pairs, schooling, options.runs, state))
        report.say(
            "\nIn brackets: smallest and largest of the runs; then the 95 % interval of the mean "
            "over test patients.\nThe paper's numbers are of other images, at 256 x 256, by an "
            "attacker that starts from ImageNet."
        )


def balanced_pairs(cohort: Cohort, *, cap: int, seed: int) -> Pairs:
    """Up to ``cap`` pairs of each patient with several images, and as many of two patients.

    The two are of one source, as all of the paper's patients are.

    Raises:
        InputError: No patient has two images, or no source has two patients.
    """
    true = Pairs.of(cohort.patients, ordered=False, cap=cap, seed=seed)
    probe, reference = true.probe[true.same], true.reference[true.same]
    many = [len(np.unique(cohort.patients[cohort.sources == s])) for s in set(cohort.sources)]
    if max(many) < 2:
        raise InputError("expected a source with at least 2 patients, got none")
    noise, n, k = SeededNoise(seed), len(cohort), len(probe)
    false = np.zeros((0, 2), dtype=np.int64)
    while len(false) < k:
        candidates = below(noise, n, 2 * k).reshape(k, 2)
        first, second = candidates.T
        fit = (cohort.patients[first] != cohort.patients[second]) & (
            cohort.sources[first] == cohort.sources[second]
        )
        false = np.concatenate([false, candidates[fit]])
    return Pairs(
        np.concatenate([probe, false[:k, 0]]),
        np.concatenate([reference, false[:k, 1]]),
        np.arange(2 * k) < k,
    )


def measured(
    entry: ComparisonRow,
    place: BenchmarkDataset,
    pairs: dict[str, Pairs],
    schooling: Schooling,
    runs: int,
    state: Path,
) -> Row:
    """All runs of one method."""
    method = entry.methods[place.name]
    release = privatized(method, place, state, tell=progress(entry.name))
    test, who = pairs["test"], place.test.patients
    weights = Resamples(who).pairs(test.probe, test.reference)
    areas: dict[str, list[NDArray[np.float64]]] = {name: [] for name in GEOMETRIES}
    epochs = []
    for run in range(runs):
        began = time.monotonic()
        scores = _run(release, pairs, schooling, run)
        for name in GEOMETRIES:
            areas[name].append(auc(scores[name], test.same, weights))
        epochs.append(len(scores["validation losses"]))
        aucs = ", ".join(f"({name}) {areas[name][-1][0]:.3f}" for name in GEOMETRIES)
        print(
            f"{entry.name}, run {run + 1} of {runs}: AUC {aucs}; {epochs[-1]} epochs, "
            f"{time.monotonic() - began:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    figures: dict[str, Value] = {}
    for name, field in GEOMETRIES.items():
        figures |= _summary(field, 100 * np.stack(areas[name]))
    return Row(
        method=entry.name,
        title=method.title,
        group=entry.group,
        epochs=tuple(epochs),
        paper=PAPER.get(entry.name),
        **figures,
    )


def _run(
    release: Privatized, pairs: dict[str, Pairs], schooling: Schooling, run: int
) -> dict[str, NDArray[np.float64]]:
    """Scores of the test pairs in both geometries; kept."""
    seeded = Schooling(**vars(schooling) | {"seed": run})

    def attack() -> dict[str, NDArray[np.float64]]:
        private = {name: side.private[0] for name, side in release.sides.items()}
        train, val, test = (
            Lessons(private[name], private[name], pairs[name]) for name in ("train", "val", "test")
        )
        net = Siamese.fit(train, val, seeded)
        real = release.sides["test"].cohort.images
        return {
            "private, real": net.log_odds(Lessons(private["test"], real, pairs["test"])),
            "private, private": net.log_odds(test),
            "validation losses": np.array(net.losses),
        }

    return release.notes.arrays(f"siamese {seeded}", attack)


def _summary(field: str, areas: NDArray[np.float64]) -> dict[str, Value]:
    """Fields of a row from AUCs ``(runs, 1 + resamples)`` in percent."""
    each, interval = areas[:, 0], estimate(areas.mean(axis=0))
    mean = float(each.mean())
    return {
        field: Interval(mean) if interval is None else Interval(mean, interval.low, interval.high),
        f"{field}_sd": float(each.std(ddof=1)) if len(each) > 1 else None,
        f"{field}_min": float(each.min()),
        f"{field}_max": float(each.max()),
        f"{field}_runs": tuple(round(float(x), 2) for x in each),
    }


def _chosen(place: BenchmarkDataset, wanted: Sequence[str]) -> list[ComparisonRow]:
    """Methods by name, in the order in which they are asked for."""
    faulty = ComparisonRow("rival", {place.name: Deformation(0.01, faulty_border=True)})
    known = {entry.name: entry for entry in (*entries([place]), faulty)}
    for name in wanted:
        if name not in known:
            raise SystemExit(f"no method {name!r}; there are: {', '.join(known)}")
    return [known[name] for name in wanted]


def about(place: BenchmarkDataset, pairs: dict[str, Pairs], runs: int) -> dict[str, Value]:
    """What holds for all rows."""
    facts: dict[str, Value] = {"size": int(place.test.images.shape[-1]), "runs": runs}
    for split, some in pairs.items():
        cohort = getattr(place, split)
        facts[f"images of {split}"] = len(cohort)
        facts[f"patients of {split}"] = len(np.unique(cohort.patients))
        facts[f"pairs of one patient of {split}"] = int(some.same.sum())
        facts[f"patients with pairs of {split}"] = len(
            np.unique(cohort.patients[some.probe[some.same]])
        )
        facts[f"pairs of two patients of {split}"] = int((~some.same).sum())
    return facts


def _heading(facts: dict[str, Value]) -> str:
    size = facts["size"]
    lines = [f"PriCheXy-Net's protocol at {size} x {size} pixels, {facts['runs']} runs"]
    for split in ("train", "val", "test"):
        lines.append(
            f"{split}: {facts[f'pairs of one patient of {split}']:,} pairs of one patient "
            f"({facts[f'patients with pairs of {split}']:,} patients), "
            f"{facts[f'pairs of two patients of {split}']:,} of two; from "
            f"{facts[f'images of {split}']:,} images of {facts[f'patients of {split}']:,} patients"
        )
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    options = parser("prichexy_protocol", __doc__, data=True, state="optional")
    options.add_argument("--method", nargs="+", default=METHODS, help="names of compare's rows")
    options.add_argument("--weights", default=GROUNDS["identity"])
    options.add_argument("--runs", type=int, default=10)
    options.add_argument("--epochs", type=int, default=Schooling().epochs, help="at most, per run")
    options.add_argument("--patients", type=int, default=0, help="of each split; 0 for all")
    return options


if __name__ == "__main__":
    main()
