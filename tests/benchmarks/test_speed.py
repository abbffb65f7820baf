"""The table of whole runs beside other tools, and the trace of a run."""

import json
import xml.etree.ElementTree as ET

import pytest

from tests.support.benchmarks import script

speed = script("speed")
timeline = script("timeline")
spans = script("_spans")
picture = script("_timeline")
usage = script("_usage")

SMALL = "`--size 64 --candidates 1`"


def once(seconds: float, cpu: float, quarter: float) -> object:
    return speed.Round(
        files=100,
        whole=usage.Usage(seconds, cpu, 300_000_000),
        quarter=usage.Usage(seconds / 2, quarter, 200_000_000),
    )


def test_ratios_are_those_of_one_round_to_the_faster_tool_in_it():
    rounds = [
        {SMALL: once(2, 4, 1), "dicognito": once(4, 2, 0.5), "dicom-anonymizer": once(5, 3, 2.25)},
        {SMALL: once(1, 4, 1), "dicognito": once(4, 2, 0.5), "dicom-anonymizer": once(2, 3, 0.75)},
    ]
    ours, dicognito, _ = speed.rows_of(rounds)
    assert (ours.rate.value, ours.rate.low, ours.rate.high) == (75, 50, 100)
    assert ours.ratio.value == ours.ratio.low == ours.ratio.high == 2
    assert ours.marginal.value == pytest.approx(1e3 * 3 / 75), "of 75 files more"
    assert (ours.cpu_ratio.low, ours.cpu_ratio.high) == (2, 4)
    assert (dicognito.ratio.low, dicognito.ratio.high) == (0.5, 1)
    assert ours.peak == 300


def test_without_tools_there_is_no_ratio():
    (row,) = speed.rows_of([{SMALL: once(2, 4, 1)}])
    assert row.ratio is row.cpu_ratio is None


def span(name: str, process: int, start: float, end: float) -> object:
    return spans.Span(name, process, start, end)


RUN = [
    span("take", 1, 10, 11), span("take", 2, 10.5, 11), span("release", 1, 11, 14),
    span("network", 1, 11, 13), span("release", 2, 12, 13), span("publish", 9, 13, 14),
    span("documents", 9, 1, 2), span("read", 1, 15, 20), span("documents", 9, 14, 15),
]  # fmt: skip


def test_who_waits_is_told():
    row = timeline.row_of(RUN, 3)
    assert row.busy == pytest.approx((4 + 1.5) / (4 + 3.5))
    assert row.longest_wait == pytest.approx(1000)
    assert row.run_busy == pytest.approx(1 / 4), "pages come before and after"
    assert (row.workers, row.seconds, row.files) == (2, 4, 3)


def test_a_trace_is_one_of_chrome():
    events = timeline.chrome(RUN)["traceEvents"]
    assert len(events) == len(RUN)
    assert {event["ph"] for event in events} == {"X"}
    first, *_, last = events
    assert (first["ts"], first["dur"], first["name"]) == (0, 1_000_000, "documents")
    assert last["ts"] == 14_000_000


def test_a_picture_is_svg_with_a_row_for_each_process(tmp_path):
    picture.draw(RUN, tmp_path / "x.svg")
    texts = [e.text for e in ET.parse(tmp_path / "x.svg").iter() if e.tag.endswith("text")]
    assert {"worker 1", "worker 2", "run"} < set(texts)


@pytest.mark.slow
def test_a_run_is_traced(tmp_path):
    timeline.main(
        ["--files", "9", "--height", "128", "--width", "128", "--trace", str(tmp_path / "t.json"),
         "--picture", str(tmp_path / "t.svg"), "--json", str(tmp_path / "x.json")]
    )  # fmt: skip
    events = json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    names = [event["name"] for event in events]
    assert names.count("take") == 9
    assert {"release", "network", "encode", "write", "reserve", "record", "publish"} < set(names)
    assert 0 < json.loads((tmp_path / "x.json").read_text())["rows"][0]["busy"] <= 1


def test_reading_is_timed_for_each_transfer_syntax(tmp_path, capsys):
    reading = script("reading")
    words = ["--files", "1", "--height", "200", "--width", "160", "--repeats", "1"]
    reading.main([*words, "--place", str(tmp_path)])
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split(" | ")[0].strip("| ") for row in rows if row] == [*reading.SYNTAXES]


def test_every_way_to_start_has_its_target(tmp_path):
    start = script("start")
    calls = start._calls(tmp_path, 3)
    assert [*calls] == [*start.TARGETS]
    assert str(tmp_path / "vault3") in calls["`latentdp privatize` of one file"]
