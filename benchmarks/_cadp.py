"""What CADP's protocol is run on, and what its paper prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from _results import markdown

from latentdp import InputError
from latentdp.data.cohort import Cohort
from latentdp.evaluation.datasets import BenchmarkDataset
from latentdp.evaluation.methods._weights import Weights, lazily
from latentdp.evaluation.methods.base import Method
from latentdp.evaluation.methods.cadp import CADPAsPublished
from latentdp.evaluation.methods.controls import LabelMean, PriorSample, Raw
from latentdp.evaluation.methods.presets import PresetMethod

__all__ = ["ALONE", "EPSILONS", "Taught", "as_printed", "taught_on", "two_findings"]

EPSILONS = (0.5, 0.8, 1.0, 2.0, 3.0, 6.0)
NOTHING = 1e-9  # an epsilon at which the published program's latents are zero, its noise the same
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


@dataclass(frozen=True)
class Taught:
    """What is taught on.

    Attributes:
        name: In the table.
        method: What makes the training images private.
        epsilon: As its authors count it; None for a control.
    """

    name: str
    method: Method
    epsilon: float | None = None


def taught_on(weights: Weights, epsilons: Sequence[float]) -> list[Taught]:
    """Originals, controls, then each family over epsilon."""
    weights = lazily(weights)  # one flow for all of them
    public = PresetMethod("balanced", weights, name="public-label", label="public")
    warm = PriorSample(PresetMethod("cadp", weights))
    rows = [
        Taught("original", Raw()),
        Taught(ALONE, CADPAsPublished(weights, epsilon=NOTHING)),
        Taught("label alone, prior sample", PriorSample(public)),
        Taught("label alone, prior sample, temperature 1", warm),
        Taught("label alone, mean picture", LabelMean()),
    ]
    for e in epsilons:
        rows.append(Taught(f"CADP as published, {e:g}", CADPAsPublished(weights, epsilon=e), e))
    for preset, title in (("cadp", "CADP corrected"), ("balanced", ""), ("tight", "")):
        for e in epsilons:
            method = PresetMethod(
                preset, weights, name=f"{preset}-public-label-{e:g}", epsilon=e, label="public"
            )
            rows.append(Taught(f"{title or preset + ', public label'}, {e:g}", method, e))
    for preset in ("balanced", "tight"):
        for e in epsilons:
            method = PresetMethod(preset, weights, name=f"{preset}-{e:g}", epsilon=e)
            rows.append(Taught(f"{preset}, {e:g}", method, e))
    return rows


def two_findings(place: BenchmarkDataset) -> BenchmarkDataset:
    """The same with the findings that CADP tells apart: normal, and all others together.

    Raises:
        InputError: No finding is called normal.
    """

    def in_two(cohort: Cohort) -> Cohort:
        names = [name.lower() for name in cohort.finding_names]
        if "normal" not in names:
            raise InputError(f"expected a finding called normal, got {', '.join(names)}")
        two = np.where(cohort.findings == names.index("normal"), 1, 0)
        return replace(
            cohort.take(cohort.findings >= 0),
            findings=two[cohort.findings >= 0],
            finding_names=("abnormal", "normal"),
        )

    return replace(
        place, train=in_two(place.train), val=in_two(place.val), test=in_two(place.test)
    )


def as_printed() -> str:
    """The paper's table, for the eye to compare: other images, another task."""
    rows = [
        [name, *(f"{a:.3f} ({b:.3f})" for a, b in zip(cadp, sgd, strict=True))]
        for name, (cadp, sgd) in PAPER.items()
    ]
    table = markdown(["epsilon", *(f"{e:g}" for e in EPSILONS)], rows)
    return (
        f"\nThe paper, accuracy p/o, CADP (DP-SGD):\n\n{table}\n"
        "Chest X-rays: only the mean gap is printed, +0.165."
    )
