"""A damaged evaluation or comparison is one clear error."""

import json

import pytest

from latentdp import InputError
from latentdp.reports.comparison import Comparison
from latentdp.reports.evaluation import Evaluation
from tests.support import evaluations
from tests.support.drawn_pages import FEW

pytestmark = pytest.mark.xdist_group("pages")  # which take seconds to draw


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
