"""`latentdp compare`, as a user runs it, on a small world."""

import json

import pytest

from tests.support.benchmarks import script

pytestmark = pytest.mark.usefixtures("least_effort")


def compared(command, capsys, world, out, *methods) -> dict:
    options = ["--identity-weights", world.weights, "--finding-weights", world.weights]
    options += ["--verifier", world.verifier]
    for method in methods:
        options += ["--method", method]
    code = command("compare", world.data, "--out", out, *options, "--json")
    told = capsys.readouterr()
    assert code == 0, told.err
    return json.loads(told.out)


def columns_of(comparison: dict) -> dict[str, dict]:
    return {row["name"]: row["columns"] for row in comparison["rows"]}


@pytest.mark.slow
def test_rows_columns_and_that_it_goes_on_where_it_was(world, tmp_path, command, capsys):
    out = tmp_path / "out"
    begun = compared(command, capsys, world, out, "raw")
    kept = {p: p.stat().st_mtime_ns for p in (out / "parts").rglob("*.safetensors")}
    assert kept

    names = ("raw", "noise-only", "label-mean", "strict", "blur-5")
    found = compared(command, capsys, world, out, *names)
    assert found["kind"] == "comparison"
    rows = {row["name"]: row for row in found["rows"]}
    assert set(rows) == set(names)
    assert {row["group"] for row in found["rows"]} == {"control", "rival", "ours"}
    raw, noise = rows["raw"]["columns"], rows["noise-only"]["columns"]
    assert raw["own_image_first"]["value"] == 1.0
    assert raw["frozen"]["value"] > 0.9
    assert noise["adaptive_mean"]["low"] <= 0.5 <= noise["adaptive_max"]["high"]
    assert noise["own_image_first"]["low"] <= 1 / 60
    assert raw["o/p"]["value"] == pytest.approx(raw["o/o"]["value"])
    assert (out / "comparison.html").is_file()
    assert json.loads((out / "comparison.json").read_text())["rows"]
    strict = rows["strict"]["evaluation"]
    assert strict["method"]["guarantee"]["epsilon"] == pytest.approx(1, abs=0.1)
    assert not strict["verdict"]["refuted"]

    assert columns_of(begun).items() <= columns_of(found).items()
    assert {p: p.stat().st_mtime_ns for p in kept} == kept, "nothing was made again"
    for part in (out / "parts").rglob("attacks-linkage-*.json"):
        part.unlink()
    mended = compared(command, capsys, world, out, "raw")
    assert columns_of(mended) == columns_of(begun)


def test_an_unknown_method(world, tmp_path, command, capsys):
    options = ["--identity-weights", world.weights, "--finding-weights", world.weights]
    code = command("compare", world.data, "--out", tmp_path / "o", *options, "--method", "x")
    assert code == 2
    assert "no method 'x'; there are: raw" in capsys.readouterr().err


@pytest.mark.slow
def test_the_frontier_of_utility_and_re_identification(world, tmp_path, capsys):
    """Every budget is a row, the oracle beside them, and a second run makes nothing again."""
    frontier = script("frontier")
    asked = [world.data, "--state", tmp_path / "state", "--epsilons", 1, 8, "--oracle"]
    asked += ["--identity", "--identity-weights", world.weights, "--verifier", world.verifier]
    asked += ["--finding-weights", world.weights, "--restarts", 1, "--seeds", 1, "--steps", 4]
    asked += ["--json", tmp_path / "f.json", "--picture", tmp_path / "f.svg", "--split", "test"]
    frontier.main([str(a) for a in asked])
    table = capsys.readouterr().out
    rows = {row["release"]: row for row in json.loads((tmp_path / "f.json").read_text())["rows"]}
    names = [
        f"{words}, laplace_l1 on 2, label 0.75, t 1, of 4"
        for words in ("epsilon 1", "epsilon 8", "oracle")
    ]
    assert {*rows} == {*frontier.CONTROLS, *names}
    there = [key for key in frontier.KEYS if not key.endswith("normal")]  # no such class here
    for row in rows.values():
        assert all(0 <= row[key]["low"] <= row[key]["value"] <= 1 for key in there)
        assert row["po_normal"] is row["op_normal"] is None
    assert table.count(" (") == len(rows) * len(there)
    assert "epsilon of the image" in (tmp_path / "f.svg").read_text(encoding="utf-8")
    kept = {p: p.stat().st_mtime_ns for p in (tmp_path / "state").rglob("*.safetensors")}
    frontier.main([str(a) for a in asked])
    assert capsys.readouterr().out == table
    assert kept == {p: p.stat().st_mtime_ns for p in kept}
