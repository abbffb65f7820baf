"""Learns a classifier from a labelled set of images, and tries it on originals of others.

    python samples/classifier.py SET OTHERS

SET is what ``latentdp synthesize`` wrote, or a folder of pictures with its list (FOLDER.csv beside
it, or labels.csv in it). OTHERS is such a folder of originals. The classifier is the simplest that
is of use: a logistic regression on 16 x 16 pixels. It prints the area under the ROC curve for each
finding that both have: 0.5 is chance, 1 is perfect.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

SIDE = 16
Pixels = NDArray[np.float64]


def main(arguments: Sequence[str] | None = None) -> None:
    """Learns, tries and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("set", type=Path)
    parser.add_argument("others", type=Path)
    options = parser.parse_args(arguments)
    images, labels = read(options.set)
    others, truth = read(options.others)
    findings = sorted(set.union(*labels) & set.union(*truth))
    print(f"{len(images)} images learnt from, {len(others)} originals of others to try it on")
    for finding in findings:
        shown = [finding in names for names in labels]
        really = [finding in names for names in truth]
        if any(shown) and not all(shown):
            learnt = LogisticRegression(max_iter=2_000).fit(images, shown)
            area = roc_auc_score(really, learnt.decision_function(others))
            print(f"{finding}: AUC {area:.2f}")
        else:
            print(f"{finding}: not learnt, all images show it or none does")


def read(folder: Path) -> tuple[Pixels, list[set[str]]]:
    """Images as ``(n, 256)`` and the findings of each."""
    table = folder / "labels.csv"
    if not table.is_file():
        names = {"cohort": "findings.csv"}
        table = folder.parent / names.get(folder.name, f"{folder.name}.csv")
    pictures = folder / "images" if (folder / "images").is_dir() else folder
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    pixels = [_reduced(pictures / row["file"]) for row in rows]
    return np.stack(pixels), [set(row["label"].split(";")) for row in rows]


def _reduced(path: Path) -> Pixels:
    with Image.open(path) as picture:
        small = picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float64).ravel() / 255


if __name__ == "__main__":
    main()
