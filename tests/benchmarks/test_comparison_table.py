"""The table and the picture of a comparison, and of several that were made in turn."""

import json
from xml.etree import ElementTree

from tests.support.benchmarks import script
from tests.support.evaluations import METHODS, comparison


def written(path, chosen, **changes):
    """A comparison of some methods, whose adaptive attackers may have found something else."""
    made = comparison(chosen)
    for numbers in made["columns"].values():
        numbers |= changes
    path.write_text(json.dumps(made))
    return path


def test_rows_of_now_replace_those_of_before_and_all_are_in_the_picture(tmp_path, capsys):
    table = script("comparison_table")
    before = written(tmp_path / "before.json", range(len(METHODS)))
    kept, out = tmp_path / "kept.json", tmp_path / "out.json"
    table.main([str(before), "--json", str(kept)])
    assert "| raw |" in capsys.readouterr().out
    found = {"value": 0.777, "low": 0.7, "high": 0.8}
    now = written(tmp_path / "now.json", [0, 2], adaptive_max=found)
    picture = tmp_path / "all.svg"
    options = [str(now), "--kept", str(kept), "--json", str(out), "--picture", str(picture)]
    table.main(options)
    rows = {row["release"]: row for row in json.loads(out.read_text())["rows"]}
    assert set(rows) == {name for name, *_ in METHODS}
    changed = {name for name, row in rows.items() if row["adaptive_max"]["value"] == 0.777}
    assert changed == {METHODS[0][0], METHODS[2][0]}
    words = ElementTree.fromstring(picture.read_text()).get("aria-label")
    for name, row in rows.items():
        reached, taught = row["adaptive_max"]["value"], row["po_mean"]["value"]
        assert f"{name}: {reached:.3f} against {taught:.3f}" in words
