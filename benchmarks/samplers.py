"""Draws per second of exact and other samplers, side by side in one run.

    python benchmarks/samplers.py [--draws 65536] [--repeats 5] [--json [FILE]]

Needs the extra ``peers`` (OpenDP, diffprivlib). Vector samplers get one vector of ``--draws``
elements; diffprivlib draws one number a call, so it gets a sixteenth. All are asked in turn, round
by round. Median, minimum and maximum over the rounds, after one that is not counted; the ratio is
to our discrete Laplace noise.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import opendp.prelude as dp
from _harness import Report, parse, parser, side_by_side, spread
from _results import Column, Interval

from latentdp.privacy.mechanisms.base import Mechanism
from latentdp.privacy.mechanisms.codebook import Codebook
from latentdp.privacy.mechanisms.hypercube import Hypercube
from latentdp.privacy.noise import SeededNoise, SystemNoise
from latentdp.privacy.samplers.discrete_laplace import two_sided_geometric
from latentdp.privacy.samplers.rounded_gaussian import rounded_normal
from latentdp.privacy.samplers.uniform import normal

OURS = "latentdp discrete Laplace, base 4096"
SCALE = 1536  # of integer noise
NOISE = SystemNoise()
COLUMNS = (
    Column("sampler", "{sampler}"),
    Column("exact", "{exact}"),
    Column("per second", "{rate.value:,.0f}"),
    Column("min", "{rate.low:,.0f}"),
    Column("max", "{rate.high:,.0f}"),
    Column("of ours", "{of_ours:.2g}", missing="images"),
)


@dataclass(frozen=True)
class Task:
    """What a sampler is asked to do.

    Attributes:
        exact: Whether its noise is what it says to the last bit, in a word.
        work: One call.
        items: Draws, or images, of a call.
        images: Whether these are whole images.
    """

    exact: str
    work: Callable[[], object]
    items: int
    images: bool = False


@dataclass(frozen=True)
class Row:
    """How fast a sampler is.

    Attributes:
        sampler: Its name.
        exact: Whether its noise is what it says, in a word.
        rate: Draws (or whole images) per second: median, smallest and largest of the rounds.
        of_ours: Its ratio to our discrete Laplace; None where images are counted.
    """

    sampler: str
    exact: str
    rate: Interval
    of_ours: float | None


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs everything and prints a table."""
    options = parser("samplers", __doc__)
    options.add_argument("--draws", type=int, default=65_536)
    options.add_argument("--repeats", type=int, default=5)
    parsed = parse(options, arguments)
    draws = parsed.draws
    with Report(parsed, COLUMNS, facts={"draws": draws}) as report:
        tasks = ours(draws) | opendp(draws) | diffprivlib(draws // 16) | numpys(draws) | images()
        works = {name: task.work for name, task in tasks.items()}
        seconds = side_by_side(works, parsed.repeats)
        rates = {n: spread([tasks[n].items / s for s in times]) for n, times in seconds.items()}
        base = rates[OURS].value
        for name, task in tasks.items():
            of_ours = None if task.images else rates[name].value / base
            report.add(Row(name, task.exact, rates[name], of_ours))


def ours(n: int) -> dict[str, Task]:
    """Discrete Laplace and rounded normal noise, with the operating system's keys."""
    works = {
        f"latentdp discrete Laplace, base {base}": two_sided_geometric(base).draw
        for base in (16, 256, 4096)
    } | {
        f"latentdp rounded normal, scale {scale}": rounded_normal(float(scale)).draw
        for scale in (16, SCALE)
    }
    return {name: Task("yes", partial(draw, NOISE, n), n) for name, draw in works.items()}


def opendp(n: int) -> dict[str, Task]:
    """OpenDP's vector mechanisms on zeros."""
    dp.enable_features("contrib")
    floats = dp.vector_domain(dp.atom_domain(T=float, nan=False), size=n)
    integers = dp.vector_domain(dp.atom_domain(T="i64"), size=n)
    zeros, whole = np.zeros(n), [0] * n
    l1, l2 = dp.l1_distance(T=float), dp.l2_distance(T=float)
    l1_int, l2_int = dp.l1_distance(T="i64"), dp.l2_distance(T="i64")
    measures = {
        "OpenDP vector Laplace, f64": (dp.m.make_laplace(floats, l1, scale=6.0), zeros),
        "OpenDP vector Laplace, f64, k=-20": (
            dp.m.make_laplace(floats, l1, scale=6.0, k=-20),
            zeros,
        ),
        f"OpenDP vector Laplace, i64, scale {SCALE}": (
            dp.m.make_laplace(integers, l1_int, scale=float(SCALE)),
            whole,
        ),
        "OpenDP vector Gaussian, f64, k=-20": (
            dp.m.make_gaussian(floats, l2, scale=6.0, k=-20),
            zeros,
        ),
        f"OpenDP vector Gaussian, i64, scale {SCALE}": (
            dp.m.make_gaussian(integers, l2_int, scale=float(SCALE)),
            whole,
        ),
    }
    return {
        name: Task("yes", partial(measure, data), n) for name, (measure, data) in measures.items()
    }


def diffprivlib(n: int) -> dict[str, Task]:
    """IBM's diffprivlib, which adds a number a call."""
    # Its __init__ loads models that the installed scikit-learn breaks. An empty package of the
    # same name and place lets its mechanisms be imported alone.
    spec = importlib.util.find_spec("diffprivlib")
    if spec is None or spec.submodule_search_locations is None:
        return {}
    package = types.ModuleType("diffprivlib")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["diffprivlib"] = package
    theirs: Any = importlib.import_module("diffprivlib.mechanisms")
    mechanisms = {
        "diffprivlib Laplace": ("no", theirs.Laplace(epsilon=1, sensitivity=2)),
        "diffprivlib Snapping": (
            "snapped",
            theirs.Snapping(epsilon=1, sensitivity=2, lower=-3, upper=3),
        ),
        "diffprivlib Gaussian (analytic)": (
            "no",
            theirs.GaussianAnalytic(epsilon=1, delta=1e-6, sensitivity=2),
        ),
    }

    def draw(sampler: Any) -> None:
        for _ in range(n):
            sampler.randomise(0.5)

    return {
        name: Task(exact, partial(draw, sampler), n)
        for name, (exact, sampler) in mechanisms.items()
    }


def numpys(n: int) -> dict[str, Task]:
    """Floating-point Laplace noise from a predictable generator: for scale only."""
    generator = np.random.default_rng(0)  # noqa: TID251
    return {"numpy float Laplace (not private)": Task("no", partial(generator.laplace, size=n), n)}


def images() -> dict[str, Task]:
    """Whole latents through the two-level mechanisms."""
    mechanisms: list[tuple[str, Mechanism, int]] = [
        ("latentdp codebook, 8 nats, 8 dims", Codebook.calibrate(8.0, 8), 128),
        ("latentdp codebook, 8 nats, 64 dims", Codebook.calibrate(8.0, 64), 128),
        ("latentdp codebook, 33 nats, 64 dims", Codebook.calibrate(33.0, 64), 128),
        ("latentdp hypercube, 8 nats, 8 dims", Hypercube.calibrate(8.0, 8), 4096),
        ("latentdp hypercube, 100 nats, 4096 dims", Hypercube.calibrate(100.0, 4096), 256),
    ]
    tasks = {}
    for name, mechanism, n in mechanisms:
        latents = normal(SeededNoise(0), (n, mechanism.dimensions))
        work = partial(mechanism.privatize, latents, noise=NOISE)
        tasks[name] = Task("yes", work, n, images=True)
    return tasks


if __name__ == "__main__":
    main()
