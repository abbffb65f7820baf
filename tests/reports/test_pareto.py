"""The front of utility and re-identification, and its labels."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentdp.reports import charts
from latentdp.reports.pareto import Point, front, pareto_chart

pytestmark = pytest.mark.xdist_group("pages")  # which take seconds to draw


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
