"""The benchmarks of folders and of many workers, on small ones."""

import json

import pytest

from tests.support.benchmarks import script

scale = script("scale")
folders = script("folders")
radiographs = script("_radiographs")
usage = script("_usage")


def costs(**changes):
    usual = {"read": 0.1, "release": 0.1, "decide": 0.0, "record": 0.0, "input": 0, "output": 0}
    usual |= {"vault": 0, "rows": 2}
    return scale.Costs(**(usual | changes))


def test_one_worker_takes_the_sum():
    found = scale.simulate(costs(decide=0.01, record=0.01), 1, 1000, 1e9)
    assert 200 <= found.seconds <= 200 + 1000 * 0.02
    assert found.bottleneck == "workers"
    assert found.busy["workers"] == pytest.approx(1, abs=0.07)


def test_twice_the_workers_take_half_the_time_until_something_else_is_busy():
    times = {n: scale.simulate(costs(), n, 100_000, 1e9).seconds for n in (1, 2, 10)}
    assert times[1] / times[2] == pytest.approx(2, rel=0.05)
    assert times[1] / times[10] == pytest.approx(10, rel=0.05)


def test_storage_that_is_too_slow_is_named():
    found = scale.simulate(costs(input=10_000_000), 100, 100_000, 1e8)
    assert found.seconds >= 100_000 * 1e7 / 1e8
    assert found.bottleneck == "storage"
    assert found.busy["storage"] == pytest.approx(1, abs=0.1)


def test_a_run_that_is_too_slow_is_named():
    found = scale.simulate(
        costs(read=0.001, release=0.001, decide=0.01, record=0.01), 100, 50_000, 1e9
    )
    assert found.seconds >= 50_000 * 0.02
    assert found.bottleneck == "run"


@pytest.mark.slow
def test_a_small_folder_is_measured(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(scale, "OUTPUTS", (2, 4))
    scale.main(
        ["--files", "4", "--height", "128", "--width", "128", "--size", "64", "--million", "1000",
         "--json", str(tmp_path / "x.json"), "--options", "preset=strict", "candidates=1"]
    )  # fmt: skip
    result = json.loads((tmp_path / "x.json").read_text())
    facts = result["facts"]
    assert all(facts[f"ms, {stage}"] >= 0 for stage in scale.STAGES if stage not in scale.PAGES)
    assert facts["ms, network"] > 0
    assert facts["GB read"] > 1000 * 128 * 128 * 2 * 1e-9
    assert facts["rows of the ledger"] == 2000, "a reservation and a record each"
    assert [row["workers"] for row in result["rows"]] == [1, 10, 100]
    assert "core hours" in capsys.readouterr().out


@pytest.mark.parametrize("syntax", radiographs.SYNTAXES)
def test_files_of_the_benchmark_are_radiographs_of_different_patients(tmp_path, syntax):
    from latentdp.data.radiograph import read

    radiographs.make_radiographs(tmp_path / "in", 5, syntax, (200, 160))
    made = [read(path, (64, 64)) for path in sorted((tmp_path / "in").iterdir())]
    assert len({m.patient for m in made}) == 5
    assert len({m.picture for m in made}) == radiographs.PICTURES
    assert all(m.image.std() > 0.05 for m in made)


@pytest.mark.slow
def test_runs_are_timed_and_counted(tmp_path, capsys):
    folders.main(
        ["--files", "3", "--height", "128", "--width", "128", "--syntaxes", "explicit", "--tools",
         "--workers", "1", "--variants", "--size 64 --candidates 1 --preset strict",
         "--json", str(tmp_path / "x.json")]
    )  # fmt: skip
    (row,) = json.loads((tmp_path / "x.json").read_text())["rows"]
    assert (row["files"], row["outputs"]) == (3, 3)
    assert row["peak"] > 50, "MB"
    assert row["of_dicognito"] is None, "it did not run"
    assert "| 3 | explicit | latentdp --size 64" in capsys.readouterr().out


def test_what_fails_is_not_timed():
    with pytest.raises(SystemExit, match="ended with"):
        usage.usage_of(["false"])
