"""The page of a comparison: every number of every method, and what follows from them."""

import re

import pytest

from latentdp.reports.comparison_table import COLUMNS, lessons
from tests.support import evaluations
from tests.support.drawn_pages import FEW, drawn, opened

pytestmark = pytest.mark.xdist_group("pages")  # which take seconds to draw


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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_number_of_lent_labels_is_marked(tmp_path):
    data = evaluations.comparison(FEW)
    numbers = next(n for n in data["columns"].values() if n["p/o"] is not None)
    numbers["p/o"]["learnt_with"] = "released labels"
    assert "\N{DAGGER}</strong>" not in drawn(data, tmp_path).source
    numbers["p/o"]["learnt_with"] = "true findings"
    assert f"{numbers['p/o']['value']:.3f}\N{DAGGER}</strong>" in drawn(data, tmp_path).source


@pytest.mark.slow
def test_a_column_that_nobody_has_is_left_out(tmp_path):
    data = evaluations.comparison(FEW)
    for numbers in data["columns"].values():
        numbers["ssim"] = None
    assert 'data-label="SSIM"' not in drawn(data, tmp_path).source
