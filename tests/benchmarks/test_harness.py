"""What all benchmarks share: options, times, results, and the documents' tables."""

import json
import subprocess
from dataclasses import dataclass

import pytest

from latentdp import InputError
from tests.support.benchmarks import script
from tests.support.places import ROOT

results = script("_results")
harness = script("_harness")
tables = script("_tables")
views = script("_views")
Column, Interval, Result = results.Column, results.Interval, results.Result

NAMES = sorted(path.stem for path in (ROOT / "benchmarks").glob("[!_]*.py"))
NEEDS = {"engine": "FrEIA", "samplers": "opendp"}  # of other people


@dataclass(frozen=True)
class Row:
    name: str
    rate: object
    auc: object


COLUMNS = (Column("name", "{name}"), Column("rate", "{rate:,.1f}"), Column("AUC", "{auc:.2f}"))


def options(*words):
    return harness.parse(harness.parser("example", "For a test.", seed=True), [*map(str, words)])


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_tells_its_options_and_writes_its_result(name, capsys):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name], reason="latentdp[peers] is not installed")
    with pytest.raises(SystemExit, match=r"^0$"):
        script(name).main(["--help"])
    usage = capsys.readouterr().out
    assert usage.startswith(f"usage: benchmarks/{name}.py")
    assert "--json [FILE]" in usage
    assert f"python benchmarks/{name}.py" in script(name).__doc__


def test_rows_are_printed_and_written_as_they_come(tmp_path, capsys):
    path = tmp_path / "result.json"
    with harness.Report(
        options("--json", path, "--seed", 3), COLUMNS, intro="Words.", facts={"images": 5}
    ) as report:
        report.add(Row("a", 1234.56, Interval(0.5, 0.4, 0.6)))
        assert len(Result.read(path).rows) == 1, "an interrupted run leaves what it has"
        report.add(Row("b", 2, None))
        report.facts["seconds"] = 1.5
    assert capsys.readouterr().out == (
        "Words.\n\n| name | rate | AUC |\n|---|---|---|\n"
        "| a | 1,234.6 | 0.50 (0.40-0.60) |\n| b | 2.0 | - |\n"
    )
    result = Result.read(path)
    assert result == report.result
    assert result.rows[0] == {"name": "a", "rate": 1234.56, "auc": Interval(0.5, 0.4, 0.6)}
    assert result.facts == {"images": 5, "seconds": 1.5}
    assert result.command == f"python benchmarks/example.py --json {path} --seed 3"
    assert result.table() == (
        "| name | rate | AUC |\n|---|---|---|\n"
        "| a | 1,234.6 | 0.50 (0.40-0.60) |\n| b | 2.0 | - |\n"
    )


def test_a_result_says_where_it_comes_from():
    with harness.Report(options("--json"), COLUMNS) as report:
        result = report.result
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    if head.returncode == 0:
        assert result.commit.removesuffix("-dirty") == head.stdout.strip()
    assert result.machine.processor
    assert result.machine.cores >= 1
    assert {"python", "latentdp", "numpy", "torch"} <= set(result.packages)
    assert not result.carried_over


def test_the_result_alone_goes_to_standard_output(capsys):
    with harness.Report(options("--json"), COLUMNS, intro="Words.") as report:
        report.add(Row("a", 1.0, None))
        report.say("More words.")
    assert json.loads(capsys.readouterr().out)["rows"] == [{"name": "a", "rate": 1.0, "auc": None}]


def test_cells_say_what_is_missing():
    column = Column("x", "{a:.1f} of {b.value:.2f}", missing="none")
    assert column.text({"a": 1, "b": Interval(0.5)}) == "1.0 of 0.50"
    assert column.text({"a": None, "b": Interval(0.5)}) == "none"
    assert column.text({"a": 1, "b": None}) == "1.0 of -"
    with pytest.raises(KeyError):
        column.text({"a": 1})
    bare = Column("x", "{a:.3f}", bare=True)
    assert bare.text({"a": Interval(0.972, 0.95, 1.0)}) == ".972 (.950-1.000)"
    signed = Column("x", "{a:+.2f| to }")
    assert signed.text({"a": Interval(-0.1, -0.2, 0.0)}) == "-0.10 (-0.20 to +0.00)"
    assert signed.text({"a": Interval(0.1)}) == "+0.10", "nobody knows how far it may be off"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": [{"name": {"value": "high"}}]}, "rows"),
        ({"rows": [{"name": {"value": 1, "middle": 2}}]}, "middle"),
        ({"date": "yesterday"}, "date"),
        ({"machine": {}}, "processor"),
        ({"more": 1}, "more"),
    ],
)
def test_other_documents_are_refused(tmp_path, change, message):
    with harness.Report(options(), COLUMNS) as report:
        report.add(Row("a", 1.0, None))
    path = tmp_path / "result.json"
    path.write_text(json.dumps(json.loads(report.result.json()) | change))
    with pytest.raises(
        InputError, match=rf"result.json is incomplete or of another version: .*{message}"
    ):
        Result.read(path)


def test_works_are_timed_in_turn_and_ratios_are_of_one_round(monkeypatch):
    calls, clock = [], iter([0, 0, 0, 2, 0, 1, 0, 4, 0, 8])
    monkeypatch.setattr(harness.time, "perf_counter", lambda: next(clock))
    works = {name: lambda name=name: calls.append(name) for name in "ab"}
    seconds = harness.side_by_side(works, 2)
    assert calls == ["a", "b"] * 3
    assert seconds == {"a": (2, 4), "b": (1, 8)}, "the first round warms up"
    assert harness.ratios(seconds["b"], seconds["a"]) == Interval(1.25, 0.5, 2.0)


def test_a_state_that_nobody_asked_for_goes(tmp_path):
    with harness.state_folder(tmp_path / "kept") as kept:
        assert kept.stat().st_mode & 0o077 == 0, "it follows originals"
    with harness.state_folder(None) as temporary:
        assert temporary.is_dir()
    assert kept.is_dir()
    assert not temporary.exists()


def test_progress_is_said_in_tenths(capsys):
    tell = harness.progress("raw")
    for percent in range(0, 31, 2):
        tell(percent / 100, "learning: again")
    assert len(capsys.readouterr().err.splitlines()) == 4


NAMED = tables.tables(tables.read_results())


@pytest.mark.parametrize("name", NAMED)
def test_documents_show_the_results(name):
    """Run `python benchmarks/_tables.py` after a change."""
    start, end = tables.markers(name)
    texts = [path.read_text(encoding="utf-8") for path in tables.documents()]
    shown = [text.split(start)[1].split(end)[0] for text in texts if start in text]
    assert shown, f"no document has <!-- {name} -->"
    assert set(shown) == {NAMED[name]}


def test_documents_are_renewed_between_markers_only(tmp_path):
    text = "above\n<!-- x -->\nold\n<!-- /x -->\nbelow\n<!-- y -->\n"
    new = tables.renewed(text, {"x": "| new |\n", "z": "nowhere"})
    assert new == text.replace("old", "| new |")
    with pytest.raises(InputError, match="expected <!-- /y --> below"):
        tables.renewed(text, {"y": "| new |\n"})


def result(rows, benchmark="frontier"):
    with harness.Report(options(), (Column("release", "{release}"),)) as report:
        empty = report.result
    changes = {name: getattr(empty, name) for name in empty.__struct_fields__}
    return Result(**changes | {"benchmark": benchmark, "rows": tuple(rows)})


def test_releases_are_named_by_what_tells_them_apart():
    raw = {"group": "control", "release": "raw, as it is"}
    alike = [{"group": "ours", "release": f"epsilon {e}, of 4"} for e in (1, 2)]
    assert views.frontier(result([raw, *alike])).splitlines()[2:] == [
        "| raw, as it is |",
        "| epsilon 1 |",
        "| epsilon 2 |",
    ]
    other = {"group": "ours", "release": "epsilon 1, of 1"}
    assert "| epsilon 1, of 4 |" in views.frontier(result([*alike, other]))


def test_the_best_number_of_directions_is_named():
    rows = [
        {"mechanism": "none", "epsilon": None, "k": 1, "auc": 0.9},
        {"mechanism": "vmf", "epsilon": 8.0, "k": 1, "auc": 0.6},
        {"mechanism": "vmf", "epsilon": 8.0, "k": 2, "auc": 0.7},
        {"mechanism": "vmf", "epsilon": 8.0, "k": 4, "auc": 0.8},
        {"mechanism": "vmf", "epsilon": 50.0, "k": 1, "auc": None},
        {"mechanism": "codebook", "epsilon": 50.0, "k": 1, "auc": 0.6},
    ]
    assert views.best_directions(result(rows)).splitlines()[2:] == [
        "| `vmf` | 0.800 (k = 4); 0.700 | - |",
        "| `codebook` | - | 0.600 (k = 1) |",
    ]
