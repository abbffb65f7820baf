"""A table of the documentation from the JSON twin of `latentdp compare`, as Markdown.

latentdp compare DATA --out DIR && python benchmarks/comparison_table.py DIR/comparison.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from latentdp.reports.comparison_table import LENT, TAUGHT

COLUMNS = {
    "frozen": "frozen",
    "adaptive_mean": "adaptive, mean",
    "adaptive_max": "adaptive, max",
    "p@1": "patient first",
    "own_image_first": "own image first",
    "white_box": "own image, white box",
    "o/p, normal": "o/p",
    "p/o, normal": "p/o",
    "p/o": "p/o, mean of findings",
}
PLAIN = {"p@1", "own_image_first", "white_box"}  # shares, of one decimal less


def main() -> None:
    """Prints it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("comparison", type=Path)
    found = json.loads(parser.parse_args().comparison.read_text(encoding="utf-8"))
    heads = " | ".join(["release", "epsilon of the image", *COLUMNS.values()])
    print(f"| {heads} |\n|{'---|' * (2 + len(COLUMNS))}")
    for group in ("control", "rival", "ours"):
        for row in found["rows"]:
            if row["group"] == group:
                cells = [cell(row["columns"].get(key), key) for key in COLUMNS]
                name = f"**{row['name']}**" if group == "ours" else row["name"]
                print(f"| {name} | {budget(row)} | {' | '.join(cells)} |")


def cell(number: dict[str, Any] | None, key: str) -> str:
    """Value and interval, short enough for a wide table."""
    if number is None:
        return "-"
    digits = 2 if key in PLAIN else 3
    value, low, high = (f"{number[k]:.{digits}f}" for k in ("value", "low", "high"))
    # A method without labels of its own: its reader was given the true findings.
    lent = LENT if key in TAUGHT and number["learnt_with"] == "true findings" else ""
    return f"{value} ({low}-{high})".replace("0.", ".") + lent


def budget(row: dict[str, Any]) -> str:
    """The whole image's epsilon; marked where something is released exactly beside it."""
    method = row["evaluation"]["method"]
    guarantee = method["guarantee"]
    if guarantee is None:
        return "none"
    return f"{guarantee['epsilon']:,.4g}" + ("" if method["protects_all"] else " + exact label")


if __name__ == "__main__":
    main()
