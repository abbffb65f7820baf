"""The pages of evaluations and comparisons, their charts, and what the console prints of them."""

import json
import re
import shutil
import stat
import subprocess

import numpy as np
import pytest
from latentdp._cli._evaluation_tables import comparison_table, evaluation_tables
from PIL import Image

from latentdp import InputError
from latentdp.reports.answers import answers
from latentdp.reports.comparison import Comparison
from latentdp.reports.comparison_page import write_comparison_page
from latentdp.reports.evaluation import Evaluation
from latentdp.reports.evaluation_page import write_evaluation_page
from latentdp.reports.hardest_pairs_page import MOST, FoundPair, write_hardest_page
from tests.support import evaluations
from tests.support.drawn_pages import FEW, drawn, opened
from tests.support.html_page import Page
from tests.support.sweeps import diagonal, slow

pytestmark = pytest.mark.xdist_group("pages")  # which take seconds to draw


HOSTILE = "<script>alert(1)</script>\"'&amp; $x^$ \x1b[31m \ud800 \u202e"


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


@pytest.mark.slow
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
        row["high"] = 0.6 if row["metric"].startswith("auc") else 0.02
    assert answers(opened(data))[0].short == "Not by these attacks"
    for row in data["outcomes"]:
        row["high"] = 1.0
    assert answers(opened(data))[0].short == "Too few patients to say"


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


@pytest.mark.slow
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


@pytest.mark.parametrize(("width", "kind"), diagonal([420, 1280], ["evaluation", "comparison"]))
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
