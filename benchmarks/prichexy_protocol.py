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
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from _privatized import Privatized, privatized
from _siamese import Lessons, Schooling, Siamese
from numpy.typing import NDArray

from latentdp import InputError
from latentdp.core.filesystem import write_text
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
# What the network is tested on, of the test patients' images.
GEOMETRIES = {"private, real": "published", "private, private": "as taught"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table and writes its JSON."""
    options = _parser().parse_args(arguments)
    place = ground("identity", options.data, options.weights, limit=options.patients)
    chosen = _rows(place, options.method)
    schooling = Schooling(epochs=options.epochs)
    pairs = {
        "train": balanced_pairs(place.train, cap=1, seed=1),
        "val": balanced_pairs(place.val, cap=CAP, seed=2),
        "test": balanced_pairs(place.test, cap=CAP, seed=3),
    }
    found: dict[str, Any] = {
        "protocol": "PriCheXy-Net, arXiv 2209.11531",
        "runs": options.runs,
        "schooling": {k: v for k, v in vars(schooling).items() if k != "seed"},
        "size": int(place.test.images.shape[-1]),
        "sizes": {name: _sizes(getattr(place, name), of) for name, of in pairs.items()},
        "rows": [],
    }
    print(_heading(found), flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        state = options.state or Path(temporary)
        for entry in chosen:
            row = measured(entry, place, pairs, schooling, options.runs, state)
            found["rows"].append(row)
            print(_line(row), flush=True)
            if options.json:
                write_text(options.json, json.dumps(found, indent=2) + "\n")
    print(
        "\nIn brackets: smallest and largest of the runs; then the 95 % interval of the mean over "
        "test patients.\nThe paper's numbers are of other images, at 256 x 256, by an attacker "
        "that starts from ImageNet."
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
        drawn = below(noise, n, 2 * k).reshape(k, 2)
        first, second = drawn.T
        fit = (cohort.patients[first] != cohort.patients[second]) & (
            cohort.sources[first] == cohort.sources[second]
        )
        false = np.concatenate([false, drawn[fit]])
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
) -> dict[str, Any]:
    """All runs of one method."""
    method = entry.methods[place.name]
    release = privatized(method, place, state, tell=_told(entry.name))
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
        told = ", ".join(f"({name}) {areas[name][-1][0]:.3f}" for name in GEOMETRIES)
        print(
            f"{entry.name}, run {run + 1} of {runs}: AUC {told}; {epochs[-1]} epochs, "
            f"{time.monotonic() - began:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    return {
        "name": entry.name,
        "title": method.title,
        "group": entry.group,
        "geometries": {name: _summary(np.stack(a)) for name, a in areas.items()},
        "epochs": epochs,
        "paper": PAPER.get(entry.name),
    }


def _run(
    release: Privatized, pairs: dict[str, Pairs], schooling: Schooling, run: int
) -> dict[str, NDArray[np.float64]]:
    """Scores of the test pairs in both geometries; kept."""
    seeded = Schooling(**vars(schooling) | {"seed": run})

    def made() -> dict[str, NDArray[np.float64]]:
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

    return release.notes.arrays(f"siamese {seeded}", made)


def _summary(areas: NDArray[np.float64]) -> dict[str, Any]:
    """From AUCs ``(runs, 1 + resamples)``."""
    each, interval = areas[:, 0], estimate(areas.mean(axis=0))
    return {
        "mean": float(each.mean()),
        "sd": float(each.std(ddof=1)) if len(each) > 1 else None,
        "min": float(each.min()),
        "max": float(each.max()),
        "low": None if interval is None else interval.low,
        "high": None if interval is None else interval.high,
        "runs": [round(float(x), 4) for x in each],
    }


def _rows(place: BenchmarkDataset, wanted: Sequence[str]) -> list[ComparisonRow]:
    """Rows by name, in the order in which they are asked for."""
    faulty = ComparisonRow("rival", {place.name: Deformation(0.01, faulty_border=True)})
    known = {entry.name: entry for entry in (*entries([place]), faulty)}
    for name in wanted:
        if name not in known:
            raise SystemExit(f"no method {name!r}; there are: {', '.join(known)}")
    return [known[name] for name in wanted]


def _sizes(cohort: Cohort, pairs: Pairs) -> dict[str, int]:
    of_one = cohort.patients[pairs.probe[pairs.same]]
    return {
        "images": len(cohort),
        "patients": len(np.unique(cohort.patients)),
        "pairs of one patient": int(pairs.same.sum()),
        "of patients": len(np.unique(of_one)),
        "pairs of two": int((~pairs.same).sum()),
    }


def _told(name: str) -> Any:
    """Says every tenth of a method's own learning."""
    last = -1

    def tell(share: float, words: str) -> None:
        nonlocal last
        if int(10 * share) > last:
            last = int(10 * share)
            print(f"{name}: {words}, {share:.0%}", file=sys.stderr, flush=True)

    return tell


def _heading(found: dict[str, Any]) -> str:
    lines = [
        f"{name}: {of['pairs of one patient']:,} pairs of one patient ({of['of patients']:,} "
        f"patients), {of['pairs of two']:,} of two; from {of['images']:,} images of "
        f"{of['patients']:,} patients"
        for name, of in found["sizes"].items()
    ]
    columns = [f"AUC ({name}), {what}" for name, what in GEOMETRIES.items()]
    return "\n".join(
        [
            f"PriCheXy-Net's protocol at {found['size']} x {found['size']} pixels, "
            f"{found['runs']} runs",
            *lines,
            "",
            f"| method | {' | '.join(columns)} | paper, (private, real) |",
            "|---" * (len(columns) + 2) + "|",
        ]
    )


def _line(row: dict[str, Any]) -> str:
    cells = []
    for g in row["geometries"].values():
        spread = "" if g["sd"] is None else f" +- {100 * g['sd']:.1f}"
        interval = "-" if g["low"] is None else f"{100 * g['low']:.1f} to {100 * g['high']:.1f}"
        cells.append(
            f"{100 * g['mean']:.1f}{spread} ({100 * g['min']:.1f} to {100 * g['max']:.1f}); "
            f"{interval}"
        )
    return f"| {row['name']} | {' | '.join(cells)} | {row['paper'] or '-'} |"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--method", nargs="+", default=METHODS, help="names of compare's rows")
    parser.add_argument("--weights", default=GROUNDS["identity"])
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=Schooling().epochs, help="at most, per run")
    parser.add_argument("--patients", type=int, default=0, help="of each split; 0 for all")
    parser.add_argument("--state", type=Path, help="folder to go on from; by default none is kept")
    parser.add_argument("--json", type=Path)
    return parser


if __name__ == "__main__":
    main()
