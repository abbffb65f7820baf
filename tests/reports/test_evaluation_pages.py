"""The pages of evaluations and comparisons, their charts, and what the console prints of them."""

import json
import math
import re
import shutil
import stat
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from latentdp._cli._evaluation_tables import comparison_table, evaluation_tables
from msgspec import structs
from PIL import Image

from latentdp import InputError
from latentdp.core import plugins
from latentdp.metrics.metric import Metric, named
from latentdp.reports import charts
from latentdp.reports.answers import answers
from latentdp.reports.attack_kinds import meaning_of
from latentdp.reports.comparison import Cell, Comparison
from latentdp.reports.comparison_page import write_comparison_page
from latentdp.reports.comparison_table import COLUMNS, lessons
from latentdp.reports.evaluation import Evaluation
from latentdp.reports.evaluation_page import write_evaluation_page
from latentdp.reports.formatting import ceiling, interval, shown, verdict
from latentdp.reports.hardest_pairs_page import MOST, FoundPair, write_hardest_page
from latentdp.reports.pareto import Point, front, pareto_chart
from latentdp.reports.result_detail import Detail
from latentdp.reports.results import Outcome
from latentdp.reports.rows import outcome_row
from tests.support import evaluations
from tests.support.html_page import Page
from tests.support.plugins import added
from tests.support.sweeps import slow

pytestmark = pytest.mark.xdist_group("pages")  # which take seconds to draw

FEW = (2, 5, 14)  # labels only, a rival, our default
HOSTILE = "<script>alert(1)</script>\"'&amp; $x^$ \x1b[31m \ud800 \u202e"


def opened(data: dict) -> Evaluation | Comparison:
    """A document, as it is read from its file."""
    kind = Evaluation if data["kind"] == "evaluation" else Comparison
    return kind.from_json(json.loads(json.dumps(data)))


def drawn(data: dict, place) -> Page:
    """A page by its kind, as the commands write it: from JSON that was written and read."""
    write = write_evaluation_page if data["kind"] == "evaluation" else write_comparison_page
    path = place / f"{data['kind']}.html"
    write(opened(data), path)
    read = Page(path)
    read.path, read.source = path, path.read_text(encoding="utf-8")
    read.words = " ".join(read.text.split())
    return read


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory) -> Page:
    return drawn(evaluations.evaluation(), tmp_path_factory.mktemp("evaluation"))


@pytest.fixture(scope="module")
def comparison(tmp_path_factory) -> Page:
    return drawn(evaluations.comparison(), tmp_path_factory.mktemp("comparison"))


@pytest.fixture(scope="module")
def hardest(tmp_path_factory) -> Page:
    path = tmp_path_factory.mktemp("vault") / "hardest.html"
    image = np.linspace(0, 1, 256).reshape(16, 16).astype(np.float32)
    write_hardest_page(
        [
            FoundPair(private=image, real=image.T, score=np.float32(score), words=HOSTILE)
            for score in (0.2, 0.9, 0.5)
        ],
        path,
    )
    read = Page(path)
    read.source, read.path = path.read_text(encoding="utf-8"), path
    return read


@pytest.fixture(params=["evaluation", "comparison", "hardest"])
def page(request) -> Page:
    return request.getfixturevalue(request.param)


def test_pages_are_whole_html_that_asks_for_nothing(page):
    names = [tag for tag, _ in page.tags]
    assert page.source.startswith("<!DOCTYPE html>")
    for once in ("title", "h1", "main", "header", "footer"):
        assert names.count(once) == 1
    assert names.count("table") == names.count("caption")
    assert not {"script", "link", "iframe", "object", "form", "metadata"} & set(names)
    assert names.count("style") == 1, "no style of a chart may rule the page"
    assert "url(" not in page.source
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids)), "charts do not share identifiers"
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "xlink:href", "srcset", "action"):
            target = attributes.get(name, "#")
            assert (
                target == "#" or target[1:] in ids or target.startswith("data:image/png;base64,")
            )
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids


def test_every_chart_is_told_in_words(evaluation, comparison):
    for page, least in ((evaluation, 4), (comparison, 1 + 4 * 16)):
        charts_there = page.all("svg")
        assert len(charts_there) == least
        assert all(a["role"] == "img" and len(a["aria-label"]) > 20 for a in charts_there)
    assert "ROC curves" in evaluation.all("svg")[0]["aria-label"]


def test_the_evaluation_says_what_the_json_says(evaluation):
    data = evaluations.evaluation()
    for row in data["outcomes"]:
        rate = row["metric"].startswith("rank") or row["metric"] == "eer"
        value = f"{100 * row['value']:.1f} %" if rate else f"{row['value']:.3f}"
        assert value in evaluation.words, row
        assert row["setting"] in evaluation.words
    for row in data["utility"]:
        assert (f"{row['value']:.3f}" if row["value"] < 10 else "17.3") in evaluation.words
        assert row["subject"] in evaluation.words
    for line in data["verdict"]["lines"]:
        assert line in evaluation.words
    assert "0.9997" in evaluation.words, "the ceiling of epsilon 7.99853, rounded up"
    assert "membership: the weights name no training set" in evaluation.words
    more = ("10 restarts: mean 0.530, largest 0.548", "gallery of 954", "17.4 minutes", "318")
    for told in (
        *more,
        "64 x 64",
        "Raw images",
        "Mean picture of the label",
        "public training split",
    ):
        assert told in evaluation.words
    assert "REFUTED" not in evaluation.words


def test_controls_stand_beside_the_method(evaluation):
    table = evaluation.source.split("Beside the controls")[1].split("</table>")[0]
    (row,) = [r for r in table.split("<tr") if ">adaptive, AUC, best restart<" in r]
    for value in ("0.548", "0.977", "0.514", "0.521", "0.508"):
        assert f"<strong>{value}</strong>" in row


def test_a_refuted_claim_is_loud(tmp_path):
    page = drawn(evaluations.evaluation(5, refuted=True), tmp_path)
    first = page.source.split("</section>")[0]
    assert '<p class="banner danger" role="note">A CLAIM IS REFUTED: frozen' in first
    assert "NOT SUPPORTED: patients are not found" in first
    assert "0.791 (0.764\N{EN DASH}0.818), and the claim allows at most 0.5250" in page.words
    assert 'class="refuted"' in page.source
    silent = evaluations.evaluation(5, refuted=True)
    silent["verdict"]["refuted"] = False
    assert "A CLAIM IS REFUTED" in drawn(silent, tmp_path).words, "an outcome alone suffices"
    told = evaluations.evaluation()
    told["verdict"]["refuted"] = True
    assert "A CLAIM IS REFUTED" in drawn(told, tmp_path).words, "so does the verdict"


def test_a_quick_look_says_so(tmp_path):
    assert "QUICK" in drawn(evaluations.evaluation() | {"quick": True}, tmp_path).words
    assert "QUICK" in drawn(evaluations.comparison(FEW) | {"quick": True}, tmp_path).words


@pytest.mark.parametrize(
    ("index", "found", "useful"),
    [
        (0, "Yes", "Yes"),  # raw
        (2, "Hardly", "No more than labels alone"),
        (14, "Hardly", "Partly"),  # balanced
        (11, "Hardly", "No more than labels alone"),  # cadp
        (7, "Yes", "Yes"),  # gaussian
    ],
)
def test_answers_follow_from_the_numbers(index, found, useful):
    first, second, _ = answers(opened(evaluations.evaluation(index)))
    assert (first.short, second.short) == (found, useful)


def test_what_is_at_chance_is_not_called_found():
    data = evaluations.evaluation()
    for row in data["outcomes"]:
        row["low"] = 0.0 if row["metric"] != "eer" else row["low"]
        row["high"] = 1.0
    assert answers(opened(data))[0].short == "Not by these attacks"


def test_attributes_do_not_count_as_finding_a_patient():
    data = evaluations.evaluation(13)
    (sex, _) = [r for r in data["outcomes"] if r["attack"] == "attributes"]
    sex |= {"value": 0.99, "low": 0.98, "high": 1.0, "headline": True}
    assert answers(opened(data))[0].short == "Hardly"


@pytest.mark.parametrize(
    "optional", ["quick", "effort", "cohort", "practice", "unable", "controls", "seconds", "seed"]
)
def test_a_missing_optional_part_does_not_break_the_page(optional, tmp_path):
    data = evaluations.evaluation()
    del data[optional]
    assert "0.548" in drawn(data, tmp_path).words


def test_an_evaluation_of_nothing_is_a_page(tmp_path):
    data = evaluations.evaluation(controls=False)
    data |= {"outcomes": [], "utility": []}
    data["verdict"] = {"lines": [], "refuted": False, "claims": []}
    page = drawn(data, tmp_path)
    assert page.words.count("Not measured") == 2
    assert not page.all("svg")


def test_details_without_curves_do_not_break(tmp_path):
    data = evaluations.evaluation(controls=False)
    for row in (*data["outcomes"], *data["utility"]):
        row["detail"] = {}
    assert len(drawn(data, tmp_path).all("svg")) == 1, "the findings alone"


BROKEN = [
    lambda d: d.pop("kind"),
    lambda d: d.update(kind="release"),
    lambda d: d.update(format=2),
    lambda d: d.pop("version"),
]
BROKEN_EVALUATION = [
    *BROKEN,
    lambda d: d.pop("verdict"),
    lambda d: d["verdict"].pop("refuted"),
    lambda d: d.update(outcomes=None),
    lambda d: d["outcomes"][0].pop("ceiling"),
    lambda d: d["outcomes"][0].update(value="0.5"),
    lambda d: d["outcomes"][0].update(low=[0.5]),
    lambda d: d["outcomes"][0].update(setting=None),
    lambda d: d["outcomes"][0]["detail"]["roc"].pop("tpr"),
    lambda d: d["outcomes"][0]["detail"]["roc"].update(tpr=[0.5]),
    lambda d: d["outcomes"][0]["detail"].update(roc=[1, 2]),
    lambda d: d["outcomes"][2]["detail"].update(restarts=["x"]),
    lambda d: d["utility"][0].pop("n"),
    lambda d: d["method"].pop("protects_all"),
    lambda d: d["method"].update(guarantee={}),
    lambda d: d["controls"][0].pop("method"),
    lambda d: d.update(seconds="long"),
    lambda d: d.update(unable=[{}]),
]
BROKEN_COMPARISON = [
    *BROKEN,
    lambda d: d.pop("rows"),
    lambda d: d.pop("columns"),
    lambda d: d["columns"].pop("balanced"),
    lambda d: d["columns"]["balanced"].update(frozen=0.5),
    lambda d: d["rows"][1].pop("evaluation"),
    lambda d: d["rows"][1].update(group="friend"),
    lambda d: d["cohorts"][0].pop("images"),
]


@pytest.mark.parametrize("damage", BROKEN_EVALUATION)
def test_a_damaged_evaluation_is_one_clear_error(damage):
    data = evaluations.evaluation()
    damage(data)
    with pytest.raises(InputError, match="the evaluation is incomplete or of another version"):
        Evaluation.from_json(json.loads(json.dumps(data)))


@pytest.mark.parametrize("damage", BROKEN_COMPARISON)
def test_a_damaged_comparison_is_one_clear_error(damage):
    data = evaluations.comparison(FEW)
    damage(data)
    with pytest.raises(InputError, match="the comparison is incomplete or of another version"):
        Comparison.from_json(json.loads(json.dumps(data)))


def poisoned(data, text: str):
    """The same with every name that a user or a file may choose replaced."""
    free = {"subject", "setting", "title", "source", "claim", "text", "why", "name", "where",
            "purpose", "threshold", "measured", "note", "attack", "utility"}  # fmt: skip
    if isinstance(data, dict):
        return {
            k: text if k in free and isinstance(v, str) else poisoned(v, text)
            for k, v in data.items()
        }
    return [poisoned(v, text) for v in data] if isinstance(data, list) else data


@pytest.mark.parametrize(
    "text", [HOSTILE, *map(slow, ("</svg><img src=x onerror=alert(1)>", "$\\frac{", "\u9aa8"))]
)
def test_hostile_names_are_text(text, tmp_path):
    data = poisoned(evaluations.evaluation(), text)
    for row in data["utility"]:
        row["setting"] = "p/o"  # so that the names reach the charts
    write_evaluation_page(Evaluation.from_json(data), tmp_path / "page.html")
    source = (tmp_path / "page.html").read_text(encoding="utf-8")
    names = {tag for tag, _ in Page(tmp_path / "page.html").tags}
    assert not {"script", "img"} & names
    assert "\x1b" not in source
    assert "\u202e" not in source
    rows = evaluations.comparison(FEW)
    rows["notes"] = [text]
    for row in rows["rows"]:
        row |= {"title": text, "evaluation": data}
    write_comparison_page(Comparison.from_json(rows), tmp_path / "both.html")
    assert not {"script", "img"} & {tag for tag, _ in Page(tmp_path / "both.html").tags}


@pytest.mark.parametrize("data", [evaluations.evaluation(), evaluations.comparison(FEW)])
def test_the_same_json_gives_the_same_bytes(data, tmp_path):
    assert drawn(data, tmp_path).source == drawn(data, tmp_path).source


def test_a_document_is_written_as_it_was_read(tmp_path):
    """Every key and value; a page changes none of it."""
    for data in (evaluations.evaluation(), evaluations.comparison(FEW)):
        for row in data.get("rows", ()):  # where the command puts them
            row["columns"] = data["columns"][row["name"]]
        data.pop("columns", None)
        document = opened(data)
        drawn(data, tmp_path)
        assert json.loads(json.dumps(document.to_json())) == data


def test_a_users_own_style_does_not_change_a_chart(evaluation, tmp_path):
    import matplotlib

    with matplotlib.rc_context({"font.size": 30, "axes.grid": False, "text.usetex": True}):
        assert drawn(evaluations.evaluation(), tmp_path).source == evaluation.source


def test_the_comparison_has_every_number_of_every_method(comparison):
    data = evaluations.comparison()
    table = comparison.source.split('<h2 id="table">')[1].split("</table>")[0]
    rows = {re.search(r'scope="row">([^<]*)', r)[1].strip(): r for r in table.split("<tr>")[2:]}
    for row in data["rows"]:
        for key, number in data["columns"][row["name"]].items():
            if number is not None:
                value = number["value"]
                told = (
                    f"{100 * value:.1f} %"
                    if key in ("own_image_first", "white_box")
                    else f"{value:.3f}"
                )
                assert f"<strong>{told}</strong>" in rows[row["name"]]
    for key in COLUMNS:
        nobody = ("p@1", "o/o", "o/p, normal", "p/o, normal")
        assert (COLUMNS[key][0] in table) == (key not in nobody)
    assert table.index(">strict<") < table.index(">blur-5<") < table.index(">raw<")
    assert len(comparison.all("details")) == 16


def test_numbers_may_stand_in_their_rows(tmp_path):
    data = evaluations.comparison(FEW)
    before = drawn(data, tmp_path).source
    columns = data.pop("columns")
    for row in data["rows"]:
        row["columns"] = columns[row["name"]]
    assert drawn(data, tmp_path).source == before


def test_lessons_name_who_is_beaten_and_who_keeps_nothing():
    data = evaluations.comparison()
    own = data["columns"]["balanced"]
    own["p/o"] = {"value": 0.80, "low": 0.78, "high": 0.82}
    told = " ".join(lessons(opened(data)))
    beaten = "balanced is beaten in both numbers by cadp, dp-glow"
    assert beaten in told
    assert re.search(r"labels alone \(0.865\): .*blur", told)
    assert re.search(r"by the mean of the adaptive attackers: [^(]*strict", told)


def test_the_largest_of_ten_guesses_alone_accuses_nobody():
    data = evaluations.comparison()
    own = data["columns"]["strict"]
    own["adaptive_mean"] = {"value": 0.509, "low": 0.495, "high": 0.522}
    own["adaptive_max"] = {"value": 0.518, "low": 0.506, "high": 0.551}
    assert re.search(r"Not told from guessing[^(]*strict", lessons(opened(data))[-1])
    own["adaptive_mean"]["low"] = 0.501
    assert not re.search(r"Not told from guessing[^(]*strict", lessons(opened(data))[-1])


def test_a_number_of_lent_labels_is_marked(tmp_path):
    data = evaluations.comparison(FEW)
    numbers = next(n for n in data["columns"].values() if n["p/o"] is not None)
    numbers["p/o"]["learnt_with"] = "released labels"
    assert "\N{DAGGER}</strong>" not in drawn(data, tmp_path).source
    numbers["p/o"]["learnt_with"] = "true findings"
    assert f"{numbers['p/o']['value']:.3f}\N{DAGGER}</strong>" in drawn(data, tmp_path).source


def test_a_column_that_nobody_has_is_left_out(tmp_path):
    data = evaluations.comparison(FEW)
    for numbers in data["columns"].values():
        numbers["ssim"] = None
    assert 'data-label="SSIM"' not in drawn(data, tmp_path).source


def test_the_sheet_of_pairs_is_private_and_sorted(hardest):
    assert stat.S_IMODE(hardest.path.stat().st_mode) == 0o600
    assert "PRIVATE" in hardest.text.split("Pairs")[0]
    assert re.findall(r"score ([\d.]+)", hardest.text) == ["0.9", "0.5", "0.2"]
    assert len(hardest.all("img")) == 6
    assert "\x1b" not in hardest.source


@pytest.mark.parametrize(
    "change",
    [{"score": float("nan")}, {"real": np.zeros(4)}, {"private": np.full((4, 4), np.nan)}],
)
def test_a_pair_that_is_none_is_refused(change):
    pair = {"private": np.zeros((4, 4)), "real": np.zeros((4, 4)), "score": 1.0, "words": ""}
    with pytest.raises(InputError, match="pair"):
        FoundPair(**pair | change)


def test_the_sheet_of_pairs_stays_a_page(tmp_path):
    pair = FoundPair(private=np.zeros((4, 4)), real=np.zeros((4, 4)), score=1.0, words="")
    write_hardest_page([pair] * (MOST + 5), tmp_path / "hardest.html")
    read = Page(tmp_path / "hardest.html")
    assert len(read.all("img")) == 2 * MOST
    assert f"{MOST} of {MOST + 5}" in read.text


def test_the_console_prints_each_headline_number(capsys):
    evaluation_tables(opened(evaluations.evaluation()))
    told = capsys.readouterr().out
    for number in ("0.548 (0.521-0.575)", "0.520 (0.490-0.550)", "0.9997", "0.6 % (0.0-1.6 %)"):
        assert number in told
    assert "Hardly" in told
    comparison_table(opened(evaluations.comparison()))
    told = capsys.readouterr().out
    assert len(re.findall(r"\(0\.\d{3}-[01]\.\d{3}\)", told)) == 16 * 9
    for name, *_ in evaluations.METHODS:
        assert name in told


def test_the_console_is_safe_from_names(capsys):
    evaluation_tables(Evaluation.from_json(poisoned(evaluations.evaluation(), HOSTILE + "[red]")))
    told = capsys.readouterr().out
    assert "\x1b[31m" not in told
    assert "[red]" in told.replace("\n", "") or "[re" in told


@pytest.mark.parametrize(
    ("metric", "value", "low", "high", "word"),
    [
        ("auc", 0.52, 0.49, 0.55, "chance"),
        ("auc", 0.54, 0.51, 0.57, "slight"),
        ("auc", 0.65, 0.6, 0.7, "clear"),
        ("auc", 0.9, 0.85, 0.95, "strong"),
        ("eer", 0.49, 0.46, 0.52, "chance"),
        ("eer", 0.1, 0.08, 0.12, "strong"),
    ],
)
def test_a_word_follows_its_rule(metric, value, low, high, word):
    row = outcome(metric, value, low=low, high=high)
    assert verdict(row)[0] == word
    assert verdict(structs.replace(row, refutes=True))[0] == "refuted"
    assert verdict(structs.replace(row, chance=None)) == ("", "")


def outcome(metric: str, value: float | None, **more) -> Outcome:
    given = {"attack": "a", "setting": "", "metric": named(metric), "low": value, "high": value,
             "n": 10, "patients": 5, "chance": 0.5, "ceiling": None, "headline": True}  # fmt: skip
    return Outcome(value=value, **given | more)


@given(st.floats(0, 1), st.floats(0.001, 0.999))
def test_advantage_is_zero_at_chance_and_one_at_certainty(value, chance):
    assert outcome("auc", chance, chance=chance).advantage == pytest.approx(0)
    assert outcome("auc", 1.0, chance=chance).advantage == pytest.approx(1)
    gain = outcome("auc", value, chance=chance).advantage
    assert (gain > 0) == (value > chance) or value == pytest.approx(chance)


def test_what_is_no_finite_number_is_none_in_an_outcome():
    row = outcome("auc", np.float64("nan"), low=-math.inf, high=np.float32(0.5))
    assert (row.value, row.low, row.high) == (None, None, 0.5)
    assert not row.refutes
    assert not row.reaches_chance
    assert row.advantage is None


@pytest.mark.parametrize(
    ("detail", "error"),
    [
        ({"roc": {"fpr": [0.1, 1.0], "tpr": [0.2]}}, ValueError),
        ({"restarts": "many"}, Exception),
        ({"gallery": "large"}, Exception),
        ({"x": object()}, TypeError),
    ],
)
def test_details_that_are_none_are_refused(detail, error):
    with pytest.raises(error):
        Detail(detail)


@given(st.floats(0, 1), st.sampled_from(["auc", "rank-1"]))
def test_a_ceiling_is_never_understated(value, metric):
    told = ceiling(value, named(metric))
    number = float(told.removesuffix(" %")) / (100 if "%" in told else 1)
    assert number >= value - 1e-12
    assert number <= value + 1.01e-4


def test_numbers_that_are_none_are_shown_as_such():
    assert shown(None, named("auc")) == "\N{EN DASH}"
    assert shown(math.inf, named("psnr")) == "infinite"
    assert shown(float("nan"), named("auc")) == "\N{EN DASH}"
    assert interval(Cell(value=0.4, low=None, high=0.5), named("auc")) == ""


def test_metrics_say_what_they_are():
    assert named("rank-10").title == "among the first 10"
    assert named("eer").meaning
    unknown = named("a new one")
    assert (unknown.title, unknown.meaning) == ("a new one", "")
    assert unknown == Metric("a new one") != named("auc")
    with pytest.raises(AttributeError):
        unknown.name = "another"
    for name in plugins.names("attacks"):
        assert meaning_of(name)
    assert not meaning_of("zzz")


METRIC = """
from latentdp.metrics.metric import Goal, Metric, MetricUnit

metrics = (Metric("wrong tries", "tries in vain", "share of tries", unit=MetricUnit.SHARE,
                  goal=Goal.LOWER),)
"""


def test_a_metric_is_a_file(tmp_path):
    """Its unit and its goal decide how an outcome is shown and rated; nothing else is edited."""
    tries = {"low": 0.05, "high": 0.15, "chance": 0.5}
    assert verdict(outcome("wrong tries", 0.1, **tries))[0] == "chance"
    with added("metrics", tmp_path, tries=METRIC):
        row = Outcome.from_json(outcome("wrong tries", 0.1, **tries).to_json())
        assert verdict(row)[0] == "strong"
        assert outcome_row(row).both == "10.0 % (5.0\N{EN DASH}15.0 %)"
        assert outcome_row(row).metric == "tries in vain"


@given(
    st.lists(
        st.tuples(st.floats(0.4, 1), st.floats(0.4, 1), st.sampled_from(["ours", "rival"])),
        min_size=1,
        max_size=12,
    )
)
def test_nobody_beats_the_front_and_it_beats_all_others(found):
    points = [
        Point(name="m", group=g, x=x, x_low=x, x_high=x, y=y, y_low=y, y_high=y)
        for x, y, g in found
    ]
    best = front(points)
    assert best
    for p in points:
        assert (p in best) != any(q.beats(p) for q in best)


def test_labels_of_the_picture_do_not_cover_each_other():
    """Where fifteen points lie apart, no name overlaps another, or leaves the picture."""
    points = [
        Point(name=f"method number {i}", group=("ours", "rival", "control")[i % 3],
              x=0.5 + 0.03 * i, x_low=0.49 + 0.03 * i, x_high=0.51 + 0.03 * i,
              y=0.9 + 0.02 * (i % 3), y_low=0.88 + 0.02 * (i % 3), y_high=0.92 + 0.02 * (i % 3))
        for i in range(15)
    ]  # fmt: skip
    svg = pareto_chart("x", points, labels_only=0.86, words="a picture of points")
    at = [
        (float(x), float(y), text)
        for x, y, text in re.findall(
            r'<text[^>]*transform="translate\(([\d.]+) ([\d.]+)\)[^>]*>(method[^<]*)<', svg
        )
    ] or [
        (float(x), float(y), text)
        for x, y, text in re.findall(
            r'<text[^>]*x="([\d.]+)" y="([\d.]+)"[^>]*>(method[^<]*)<', svg
        )
    ]
    assert len(at) == 15
    width = 9 * 72
    for i, (x, y, text) in enumerate(at):
        assert 0 <= x <= width - 4.5 * len(text)
        for a, b, other in at[i + 1 :]:
            apart = abs(y - b) >= 8 or abs(x - a) >= 4.5 * min(len(text), len(other))
            assert apart, (text, other)


def test_a_control_far_below_is_named_with_its_number():
    data = [("a", "ours", 0.6, 0.9), ("noise", "control", 0.5, 0.5), ("b", "rival", 0.7, 0.88)]
    points = [
        Point(name=n, group=g, x=x, x_low=x, x_high=x, y=y, y_low=y, y_high=y)
        for n, g, x, y in data
    ]
    svg = pareto_chart("x", points, labels_only=None, words="a picture of points")
    assert "noise (below, at 0.500)" in svg


def test_a_label_is_cut_to_fit():
    assert charts.shortened("x" * 50, 10) == "x" * 9 + "\N{HORIZONTAL ELLIPSIS}"
    assert charts.shortened("a\nb", 10) == "a b"


@pytest.mark.parametrize("width", [1280, 420])
@pytest.mark.parametrize("kind", ["evaluation", "comparison"])
def test_pages_render_in_a_browser(kind, width, request, tmp_path):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    page = request.getfixturevalue(kind)
    done = subprocess.run(
        [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--disable-background-networking", "--hide-scrollbars",
            "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr",
            f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={tmp_path / 'shot.png'}",
            f"--window-size={width},4000", page.path.as_uri(),
        ],
        check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr, "nothing of the page is against its own policy"
    with Image.open(tmp_path / "shot.png") as picture:
        colours = np.asarray(picture.convert("RGB")).astype(int)
    assert (colours[:, -8:] == 255).all(), "nothing runs out of the page on the right"
    assert (np.ptp(colours, axis=2) > 100).sum() > 300, "charts are there, in colour"
