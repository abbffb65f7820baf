"""A name of a class stands for one thing."""

import ast
from collections import defaultdict

from tests.support.places import ROOT


def classes() -> dict[str, list[str]]:
    """Where each class stands, by its name without an underscore before it."""
    places: dict[str, list[str]] = defaultdict(list)
    for folder in ("latentdp", "cli", "weights"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef):
                    places[node.name.lstrip("_")].append(path.relative_to(ROOT).as_posix())
    return places


def test_no_two_classes_share_a_name():
    found = classes()
    assert {"Recipe", "Privatizer", "Ledger"} <= set(found)
    assert {name: places for name, places in found.items() if len(places) > 1} == {}
