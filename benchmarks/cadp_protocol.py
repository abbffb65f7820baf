"""CADP's table repeated, beside what the label alone gives.

    python benchmarks/cadp_protocol.py DATA [--seeds 3] [--epsilons 0.5 ...] [--method NAME ...]
        [--state FOLDER] [--json FILE] [--patients N]

DATA is a folder with manifest.csv. Toelle et al. 2022, arXiv 2207.14625: classifiers are taught on
private training images under their released labels and tested on ORIGINAL images; the accuracy
hardly depends on epsilon, which the paper takes for utility. Its program releases the label
exactly and, by a matrix norm over the batch, shrinks the latents until nearly nothing but noise is
left. So the rows to look at are the controls, which have seen no image:

- label alone, CADP's noise: the published program with all latents at zero
- label alone, prior sample: a fresh sample of the flow under the true label, at the temperature
  of our presets, 0.8, and at that of CADP corrected, 1
- label alone, mean picture: of the training images of the true label

Only a row above all of these has kept anything of an image that serves the task. Each row is also
given as its distance from the first of them, on the same test patients. What is kept of an image
is told by the correlation of latents: of an original and its own private image, beside that with
the private image of another original with the same label.

What differs from the paper: 64 x 64 pixels instead of 128, another flow, conditioned on three
labels (normal, bacterial, viral), classifiers in evaluation mode, several seeds, intervals over
patients. Its X-ray accuracies are not printed anywhere, only the mean gap to DP-SGD, +0.165.

With --state an interrupted command goes on where it was. --patients N takes about N patients of
each split: a trial, and no result.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from _correlation import latent_correlations
from _privatized import Privatized, privatized
from numpy.typing import NDArray

from latentdp import InputError
from latentdp.core.filesystem import write_text
from latentdp.data.cohort import Cohort
from latentdp.evaluation.datasets import GROUNDS, BenchmarkDataset, ground
from latentdp.evaluation.methods.base import Method
from latentdp.evaluation.methods.cadp import CADPAsPublished
from latentdp.evaluation.methods.controls import LabelMean, PriorSample, Raw
from latentdp.evaluation.methods.presets import PresetMethod, flow_of
from latentdp.evaluation.threat_model import Effort, PairedImages, ThreatModel
from latentdp.evaluation.utility.classification import Classification
from latentdp.metrics.bootstrap import Resamples, auc, estimate, mean
from latentdp.models.networks.classifier_cache import ClassifierCache

EPSILONS = (0.5, 0.8, 1.0, 2.0, 3.0, 6.0)
NOTHING = 1e-9  # an epsilon at which the published program's latents are zero, its noise the same
COMPARED = 500  # training images whose latents are compared, at most
ALONE = "label alone, CADP's noise"
# Accuracy, private / original, of CADP and of DP-SGD, as its notebook prints them.
PAPER = {
    "OCT": (
        (0.606, 0.611, 0.617, 0.625, 0.633, 0.613),
        (0.333, 0.349, 0.345, 0.318, 0.344, 0.366),
    ),
    "MNIST": (
        (0.929, 0.930, 0.935, 0.929, 0.931, 0.930),
        (0.892, 0.903, 0.907, 0.918, 0.923, 0.930),
    ),
}

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """What is taught on.

    Attributes:
        name: In the table.
        method: What makes the training images private.
        epsilon: As its authors count it; None for a control.
    """

    name: str
    method: Method
    epsilon: float | None = None


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table and writes its JSON."""
    options = _parser().parse_args(arguments)
    whole = two_findings(ground("findings", options.data, options.weights))
    place = thinned(whole, options.patients) if options.patients else whole
    made = rows(options.weights, options.epsilons)
    unknown = set(options.method) - {row.name for row in made}
    if unknown:
        names = ", ".join(row.name for row in made)
        raise SystemExit(f"no row {min(unknown)!r}; there are: {names}")
    wanted = [row for row in made if not options.method or row.name in (*options.method, ALONE)]
    counts = np.bincount(place.test.findings, minlength=2)
    found: dict[str, Any] = {
        "protocol": "CADP, arXiv 2207.14625",
        "seeds": options.seeds,
        "steps": options.steps,
        "size": int(place.test.images.shape[-1]),
        "train": _sizes(place.train),
        "test": _sizes(place.test) | {"share of the larger class": counts.max() / counts.sum()},
        "rows": [],
        "paper": {
            name: {"epsilons": EPSILONS, "CADP": cadp, "DP-SGD": sgd}
            for name, (cadp, sgd) in PAPER.items()
        }
        | {"X-ray": "mean gap CADP - DP-SGD +0.165; no accuracies are printed"},
    }
    print(_heading(found), flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        state = options.state or Path(temporary)
        examination = Examination(place, state, options.seeds, options.steps)
        for row in wanted:
            found["rows"].append(examination.of(row))
            print(_line(found["rows"][-1]), flush=True)
            if options.json:
                write_text(options.json, json.dumps(found, indent=2) + "\n")
    print(
        "\nIn brackets: 95 % intervals over patients. Seeds differ besides: with few of them, two "
        "rows that know the label alone can differ by more.",
        _paper(),
        sep="\n",
    )


def rows(weights: str, epsilons: Sequence[float]) -> list[Row]:
    """Originals, controls, then each family over epsilon."""
    public = PresetMethod("balanced", weights, name="public-label", label="public")
    found = [
        Row("original", Raw()),
        Row(ALONE, CADPAsPublished(weights, epsilon=NOTHING)),
        Row("label alone, prior sample", PriorSample(public)),
        Row(
            "label alone, prior sample, temperature 1", PriorSample(PresetMethod("cadp", weights))
        ),
        Row("label alone, mean picture", LabelMean()),
    ]
    for e in epsilons:
        found.append(Row(f"CADP as published, {e:g}", CADPAsPublished(weights, epsilon=e), e))
    for preset, title in (("cadp", "CADP corrected"), ("balanced", ""), ("tight", "")):
        for e in epsilons:
            named = PresetMethod(
                preset, weights, name=f"{preset}-public-label-{e:g}", epsilon=e, label="public"
            )
            found.append(Row(f"{title or preset + ', public label'}, {e:g}", named, e))
    for preset in ("balanced", "tight"):
        for e in epsilons:
            named = PresetMethod(preset, weights, name=f"{preset}-{e:g}", epsilon=e)
            found.append(Row(f"{preset}, {e:g}", named, e))
    return found


def two_findings(place: BenchmarkDataset) -> BenchmarkDataset:
    """The same with the findings that CADP tells apart: normal, and all others together.

    Raises:
        InputError: No finding is called normal.
    """

    def told(cohort: Cohort) -> Cohort:
        names = [name.lower() for name in cohort.finding_names]
        if "normal" not in names:
            raise InputError(f"expected a finding called normal, got {', '.join(names)}")
        two = np.where(cohort.findings == names.index("normal"), 1, 0)
        return replace(
            cohort.take(cohort.findings >= 0),
            findings=two[cohort.findings >= 0],
            finding_names=("abnormal", "normal"),
        )

    return replace(place, train=told(place.train), val=told(place.val), test=told(place.test))


def thinned(place: BenchmarkDataset, patients: int) -> BenchmarkDataset:
    """About so many patients of each split, evenly: the first ones all have one finding."""

    def few(cohort: Cohort) -> Cohort:
        numbers = np.unique(cohort.patients)
        return cohort.take(np.isin(cohort.patients, numbers[:: -(-len(numbers) // patients)]))

    return replace(place, train=few(place.train), val=few(place.val), test=few(place.test))


class Examination:
    """Teaches on private images and tests on the same originals, row after row.

    Args:
        place: Its test split is what is tested on.
        state: Folder to keep readers and private images in.
        seeds: Readers of each row.
        steps: Of each, as `Effort.steps`: a quarter of the most that there can be.
    """

    def __init__(self, place: BenchmarkDataset, state: Path, seeds: int, steps: int) -> None:
        self.place, self.state, self.seeds = place, state, seeds
        self.classification = Classification(ClassifierCache(state / "readers"))
        self.effort = Effort(steps=steps)
        test = place.test
        self.weights = Resamples(test.patients).images(np.ones(len(test), dtype=np.bool_))
        self.abnormal = test.findings == 0
        self.alone: dict[str, Matrix] = {}

    def of(self, row: Row) -> dict[str, Any]:
        """One row, as JSON values."""
        release = privatized(row.method, self.place, self.state, splits=("train",))
        train, test = release.sides["train"], self.place.test
        scene = ThreatModel(
            target=PairedImages(cohort=test, private=test.images[None], labels=test.labels[None]),
            practice=train,
            effort=self.effort,
        )
        odds = np.stack([self._odds(row, scene, seed) for seed in range(self.seeds)])
        right = (odds > 0) == self.abnormal
        drawn = {
            "accuracy": mean(right.mean(axis=0), self.weights),
            "auc": np.mean([auc(o, self.abnormal, self.weights) for o in odds], axis=0),
        }
        if row.name == ALONE:
            self.alone = drawn
        found: dict[str, Any] = {
            "name": row.name,
            "title": row.method.title,
            "epsilon": row.epsilon,
            "guarantee": _guarantee(row.method),
            "correlation": self._correlation(release),
        }
        for name, values in drawn.items():
            found[name] = _interval(values)
            found[f"{name}, above the label alone"] = (
                _interval(values - self.alone[name]) if self.alone else None
            )
        found["seeds"] = {
            "accuracy": [round(float(x), 4) for x in right.mean(axis=1)],
            "auc": [round(float(auc(o, self.abnormal, self.weights[:1])[0]), 4) for o in odds],
        }
        return found

    def _odds(self, row: Row, scene: ThreatModel, seed: int) -> Matrix:
        """Log odds ``(n,)`` of "abnormal" of the test originals."""
        began = time.monotonic()
        reader = self.classification.reader(scene, private=True, seed=seed)
        odds = reader.log_odds(self.place.test.images)[:, 0]
        print(
            f"{row.name}, seed {seed + 1} of {self.seeds}: accuracy "
            f"{((odds > 0) == self.abnormal).mean():.3f}, {time.monotonic() - began:.0f} s",
            file=sys.stderr,
            flush=True,
        )
        return odds

    def _correlation(self, release: Privatized) -> dict[str, Any]:
        """Of original and private latents, of one image and of two with the same label."""
        side = release.sides["train"]
        n = len(side.cohort)
        rows = np.unique(np.linspace(0, n - 1, min(n, COMPARED)).astype(np.int64))
        cohort = side.cohort.take(rows)

        def made() -> dict[str, list[float]]:
            flow = flow_of(self.place.weights)
            found = latent_correlations(flow, cohort, side.private[0, rows], side.labels[0, rows])
            return {k: v.tolist() for k, v in found.items()}

        kept = release.notes.values("correlation", made)
        weights = Resamples(cohort.patients).images(np.ones(len(rows), dtype=np.bool_))
        values = {k: mean(np.array(v), weights) for k, v in kept.items()}
        return {k: _interval(v) for k, v in values.items()} | {
            "difference": _interval(values["own"] - values["other"])
        }


def _interval(values: Matrix) -> list[float] | None:
    found = estimate(values)
    return None if found is None else [found.value, found.low, found.high]


def _guarantee(method: Method) -> str:
    """Of a whole image, and what it does not cover."""
    if method.guarantee is None:
        return "none"
    covered = f"{method.guarantee.epsilon:.3g}"
    return covered if method.protects_all else f"{covered}, the label exact"


def _sizes(cohort: Cohort) -> dict[str, float]:
    return {
        "images": len(cohort),
        "patients": len(np.unique(cohort.patients)),
        "normal": int((cohort.findings == 1).sum()),
    }


COLUMNS = (
    "taught on",
    "true epsilon of an image",
    "accuracy p/o",
    "above the label alone",
    "AUC p/o",
    "above the label alone",
    "correlation of latents: own image",
    "another's",
)


def _heading(found: dict[str, Any]) -> str:
    train, test = found["train"], found["test"]
    return "\n".join(
        [
            f"CADP's protocol at {found['size']} x {found['size']} pixels, {found['seeds']} seeds",
            f"taught on {train['images']:,} images of {train['patients']:,} patients, "
            f"{train['normal']:,} normal",
            f"tested on {test['images']:,} originals of {test['patients']:,} patients, "
            f"{test['normal']:,} normal; always the larger class: accuracy "
            f"{test['share of the larger class']:.3f}",
            "",
            f"| {' | '.join(COLUMNS)} |",
            "|---" * len(COLUMNS) + "|",
        ]
    )


def _line(row: dict[str, Any]) -> str:
    def cell(values: list[float] | None, sign: str = "") -> str:
        if values is None:
            return "-"
        value, low, high = values
        return f"{value:{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"

    cells = [row["name"], row["guarantee"]]
    for name in ("accuracy", "auc"):
        above = row[f"{name}, above the label alone"]
        cells += [cell(row[name]), "-" if row["name"] == ALONE else cell(above, "+")]
    own, other = row["correlation"]["own"], row["correlation"]["other"]
    cells += [f"{x[0]:.3f}" if x else "-" for x in (own, other)]
    return f"| {' | '.join(cells)} |"


def _paper() -> str:
    """The paper's table, for the eye to compare: other images, another task."""
    lines = ["\nThe paper, accuracy p/o, CADP (DP-SGD):", ""]
    lines += ["| epsilon | " + " | ".join(f"{e:g}" for e in EPSILONS) + " |"]
    lines += ["|---" * (len(EPSILONS) + 1) + "|"]
    for name, (cadp, sgd) in PAPER.items():
        cells = [f"{a:.3f} ({b:.3f})" for a, b in zip(cadp, sgd, strict=True)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines.append("\nChest X-rays: only the mean gap is printed, +0.165.")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--method", nargs="+", default=(), help="rows of the table; default all")
    parser.add_argument("--epsilons", nargs="+", type=float, default=EPSILONS)
    parser.add_argument("--weights", default=GROUNDS["findings"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--steps", type=int, default=Effort().steps, help="of a reader, as in compare"
    )
    parser.add_argument("--patients", type=int, default=0, help="of each split; 0 for all")
    parser.add_argument("--state", type=Path, help="folder to go on from; by default none is kept")
    parser.add_argument("--json", type=Path)
    return parser


if __name__ == "__main__":
    main()
