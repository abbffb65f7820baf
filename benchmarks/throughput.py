"""Images per second of each stage, on this machine, in one run.

    python benchmarks/throughput.py [--images 256] [--repeats 5] [--json]

Median, minimum and maximum over the repeats. The whole command is timed from outside, start-up
and loading of the weights included, on DICOM files made for the purpose in a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from latentdp import Privatizer
from latentdp.checkpoints import shipped
from latentdp.flows.assess import samples
from latentdp.noise import SystemNoise
from latentdp.samplers import two_sided_geometric

ROOT = Path(__file__).parents[1]


def rate(work: Callable[[], object], items: int, repeats: int) -> list[float]:
    """Items per second: median, minimum and maximum."""
    work()
    rates = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        rates.append(items / (time.perf_counter() - began))
    return [float(np.median(rates)), min(rates), max(rates)]


def main() -> None:
    """Runs everything and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    n, repeats = arguments.images, arguments.repeats
    results: dict[str, list[float]] = {}
    for name in sorted(shipped("glow")):
        results |= flow_rates(name, n, repeats)
    noise, draws = SystemNoise(), 1 << 20
    for base in (256, 4096):
        draw = partial(two_sided_geometric(base).draw, noise, draws)
        results[f"discrete Laplace, base {base}, draws/s"] = rate(draw, draws, repeats)
    for workers in (1, 2):
        results[f"latentdp privatize, {n} DICOM files, {workers} workers, files/s"] = command(
            n, workers, repeats
        )
    if arguments.json:
        print(json.dumps({"threads": torch.get_num_threads(), "results": results}, indent=2))
        return
    print("| what | median | min | max |\n|---|---|---|---|")
    for what, row in results.items():
        print(f"| {what} | " + " | ".join(f"{x:,.0f}" for x in row) + " |")


def flow_rates(name: str, n: int, repeats: int) -> dict[str, list[float]]:
    """Encoding, decoding, and all of `Privatizer` under two presets."""
    flow = Privatizer.load(name, label="none").flow
    images = samples(flow, n, temperature=0.8)
    latents = flow.encode(images)
    results = {
        f"{name}: encode, images/s": rate(partial(flow.encode, images), n, repeats),
        f"{name}: decode, images/s": rate(partial(flow.decode, latents), n, repeats),
    }
    for preset in ("balanced", "dp-glow"):
        made = Privatizer.load(name, preset=preset, label="none")
        results[f"{name}: {preset}, images/s"] = rate(partial(made, images), n, repeats)
    return results


def command(n: int, workers: int, repeats: int) -> list[float]:
    """Files per second of the whole command on copies of a sample with another pixel each."""
    with tempfile.TemporaryDirectory() as place:
        source = Path(place) / "in"
        source.mkdir()
        template = (ROOT / "samples" / "cxr" / "clinic-a" / "cr-0001.dcm").read_bytes()
        for i in range(n):
            pixel = (i + 1).to_bytes(2, "little")
            (source / f"{i}.dcm").write_bytes(template[:-2] + pixel)
        runs = iter(range(repeats + 1))

        def once() -> None:
            k = next(runs)
            subprocess.run(
                [
                    Path(sys.executable).with_name("latentdp"), "privatize", source,
                    Path(place) / f"out{k}", "--vault", Path(place) / f"vault{k}",
                    "--workers", str(workers), "--json",
                ],
                check=True,
                capture_output=True,
            )  # fmt: skip

        return rate(once, n, repeats)


if __name__ == "__main__":
    main()
