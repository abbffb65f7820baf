"""Private images by weights of before and of now, side by side, to be looked at.

    python benchmarks/before_after.py DATA BEFORE NOW --sheet FILE
        [--preset balanced] [--source nih128 nih] [--images 64] [--size 128] [--seed 0]
        [--split test]

BEFORE and NOW are weights by name or file, FILE is a picture of any format that Pillow writes.
On its left are private images by BEFORE, on its right by NOW, of the same originals, released with
their labels as the weights know them; these are chosen at random by the seed and none is thrown
away.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from _harness import parse, parser
from _labels import given_labels

from latentdp.core.arrays import Images
from latentdp.core.filesystem import whole
from latentdp.data.contact_sheet import beside
from latentdp.data.dataset import read_dataset
from latentdp.data.preprocess import unit
from latentdp.models.flow.flow import load_flow
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import permutation
from latentdp.privatizer.privatizer import Privatizer
from latentdp.recipe.recipe import Recipe

COLUMNS = 8


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the sheet."""
    options = parse(_parser(), arguments)
    data = read_dataset(options.data, options.split, size=64, sources=options.source)
    chosen = permutation(SeededNoise(options.seed), len(data))[: options.images]
    originals = unit(data.pixels[chosen])
    files = np.array(data.files)[chosen].tolist()
    sides = [_private(name, originals, files, options) for name in (options.before, options.now)]
    margin = np.ones((1, options.size, options.size // 8), dtype=np.float32)
    rows = [
        np.concatenate([*sides[0][i : i + COLUMNS], *margin, *sides[1][i : i + COLUMNS]], axis=1)
        for i in range(0, options.images, COLUMNS)
    ]
    with whole(options.sheet) as temporary:
        picture = beside([row[None] for row in rows], zoom=1)
        picture.save(temporary, format=options.sheet.suffix[1:], quality=80)


def _private(
    weights: str, originals: Images, files: Sequence[str], options: argparse.Namespace
) -> Images:
    flow, recipe = load_flow(weights), Recipe.from_preset(options.preset)
    labels = given_labels(flow, files, options, options.split)
    small = Privatizer(flow, recipe, SeededNoise(options.seed))(originals, labels=labels).images
    return flow.cascade.enlarge(small, options.size, SeededNoise(options.seed))


def _parser() -> argparse.ArgumentParser:
    options = parser("before_after", __doc__, data=True, seed=True)
    options.add_argument("before", help="weights")
    options.add_argument("now", help="weights")
    options.add_argument("--sheet", type=Path, required=True, help="picture to write")
    options.add_argument("--preset", default="balanced")
    options.add_argument("--source", nargs="*", default=["nih128", "nih"])
    options.add_argument("--images", type=int, default=64)
    options.add_argument("--size", type=int, default=128, help="pixels a side")
    options.add_argument("--split", default="test")
    return options


if __name__ == "__main__":
    main()
