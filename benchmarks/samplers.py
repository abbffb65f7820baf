"""Draws per second of exact and other samplers, side by side in one run.

    python benchmarks/samplers.py [--draws 65536] [--repeats 5] [--json]

Needs the extra ``peers`` (OpenDP, diffprivlib). Vector samplers get one vector of ``--draws``
elements; diffprivlib draws one number a call, so it gets a sixteenth. Median, minimum and maximum
over the repeats, after one call that is not counted; the ratio is to our discrete Laplace noise.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import sys
import time
import types
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import opendp.prelude as dp

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
Task = tuple[str, str, str, Callable[[], object], int]  # name, what, exact, work, items


def main() -> None:
    """Runs everything and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=65_536)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    tasks = [*ours(arguments.draws), *opendp(arguments.draws), *diffprivlib(arguments.draws // 16)]
    tasks += [*numpys(arguments.draws), *images()]
    results = {t[0]: (t[1], t[2], *rate(t[3], t[4], arguments.repeats)) for t in tasks}
    if arguments.json:
        print(json.dumps({"environment": environment(), "results": results}, indent=2))
        return
    base = results[OURS][2]
    print(environment() + "\n")
    print("| sampler | exact | per second | min | max | of ours |\n|---|---|---|---|---|---|")
    for name, (what, exact, median, low, high) in results.items():
        ratio = f"{median / base:.2g}" if what == "draws" else what
        print(f"| {name} | {exact} | {median:,.0f} | {low:,.0f} | {high:,.0f} | {ratio} |")


def environment() -> str:
    """Machine and versions."""
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}"
        for name in ("latentdp", "opendp", "diffprivlib", "numpy", "cryptography")
    )
    cores = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    return f"{platform.machine()}, {cores}, Python {platform.python_version()}, {versions}"


def rate(work: Callable[[], object], items: int, repeats: int) -> tuple[float, float, float]:
    """Items per second: median, minimum and maximum."""
    work()
    rates = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        rates.append(items / (time.perf_counter() - began))
    return float(np.median(rates)), min(rates), max(rates)


def ours(n: int) -> list[Task]:
    """Discrete Laplace and rounded normal noise, with the operating system's keys."""
    laplace = [
        (f"latentdp discrete Laplace, base {base}", two_sided_geometric(base))
        for base in (16, 256, 4096)
    ]
    gaussian = [
        (f"latentdp rounded normal, scale {scale}", rounded_normal(float(scale)))
        for scale in (16, SCALE)
    ]
    return [
        (name, "draws", "yes", partial(sampler.draw, NOISE, n), n)
        for name, sampler in [*laplace, *gaussian]
    ]


def opendp(n: int) -> list[Task]:
    """OpenDP's vector mechanisms on zeros."""
    dp.enable_features("contrib")
    floats = dp.vector_domain(dp.atom_domain(T=float, nan=False), size=n)
    integers = dp.vector_domain(dp.atom_domain(T="i64"), size=n)
    zeros, whole = np.zeros(n), [0] * n
    l1, l2 = dp.l1_distance(T=float), dp.l2_distance(T=float)
    l1_int, l2_int = dp.l1_distance(T="i64"), dp.l2_distance(T="i64")
    made = {
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
    return [
        (name, "draws", "yes", partial(measure, data), n) for name, (measure, data) in made.items()
    ]


def diffprivlib(n: int) -> list[Task]:
    """IBM's diffprivlib, which adds a number a call."""
    # Its __init__ loads models that the installed scikit-learn breaks. An empty package of the
    # same name and place lets its mechanisms be imported alone.
    spec = importlib.util.find_spec("diffprivlib")
    if spec is None or spec.submodule_search_locations is None:
        return []
    package = types.ModuleType("diffprivlib")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["diffprivlib"] = package
    theirs: Any = importlib.import_module("diffprivlib.mechanisms")
    made = {
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

    return [
        (name, "draws", exact, partial(draw, sampler), n)
        for name, (exact, sampler) in made.items()
    ]


def numpys(n: int) -> list[Task]:
    """Floating-point Laplace noise from a predictable generator: for scale only."""
    generator = np.random.default_rng(0)  # noqa: TID251
    return [
        ("numpy float Laplace (not private)", "draws", "no", partial(generator.laplace, size=n), n)
    ]


def images() -> list[Task]:
    """Whole latents through the two-level mechanisms."""
    made: list[tuple[str, Mechanism, int]] = [
        ("latentdp codebook, 8 nats, 8 dims", Codebook.calibrate(8.0, 8), 128),
        ("latentdp codebook, 8 nats, 64 dims", Codebook.calibrate(8.0, 64), 128),
        ("latentdp codebook, 33 nats, 64 dims", Codebook.calibrate(33.0, 64), 128),
        ("latentdp hypercube, 8 nats, 8 dims", Hypercube.calibrate(8.0, 8), 4096),
        ("latentdp hypercube, 100 nats, 4096 dims", Hypercube.calibrate(100.0, 4096), 256),
    ]
    tasks: list[Task] = []
    for name, mechanism, n in made:
        latents = normal(SeededNoise(0), (n, mechanism.dimensions))
        tasks.append(
            (name, "images", "yes", partial(mechanism.privatize, latents, noise=NOISE), n)
        )
    return tasks


if __name__ == "__main__":
    main()
