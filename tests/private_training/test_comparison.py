"""`latentdp compare --private`, as a user runs it on a small world, and what its parts promise."""

import json

import numpy as np
import pytest
from msgspec import structs

from latentdp.core.cache import ResultCache
from latentdp.errors import InputError
from latentdp.models.flow.flow import load_flow
from latentdp.private_training.comparison.compare_private import told
from latentdp.private_training.comparison.measure import PrivateGrid, rows
from latentdp.private_training.comparison.points import NoisyInput, points
from latentdp.private_training.comparison.votes import Votes
from latentdp.reports.comparison import Cell
from latentdp.reports.private_comparison import PrivateComparison, PrivateRow
from latentdp.reports.private_comparison_page import HEADS, cells, write_private_page
from latentdp.synthesis.comparison.cohort import ComparedCohort
from tests.support.html_page import Page


@pytest.fixture(scope="module")
def cohort(world):
    return ComparedCohort(load_flow(world.weights), world.data, "made-up", ResultCache())


def test_it_makes_a_table_and_a_document_and_goes_on_where_it_was(
    world, tmp_path, command, capsys
):
    out = tmp_path / "out"
    words = [
        "compare", world.data, "--private", "--out", out, "--weights", world.weights,
        "--source", "made-up", "--cohort", 20, "--epsilon", 5000, "--seeds", 2,
        "--method", "no noise", "--method", "head",
    ]  # fmt: skip
    assert command(*words, "--json") == 0
    first = json.loads(capsys.readouterr().out)
    kept = {p: p.stat().st_mtime_ns for p in (out / "parts").rglob("*.safetensors")}
    assert kept
    assert command(*words, "--method", "vmf") == 0
    shown = capsys.readouterr().out
    assert "vmf" in shown
    assert "MCC" in shown
    assert all(path.stat().st_mtime_ns == before for path, before in kept.items())
    assert shown.rstrip().endswith("private.html")
    page = Page(out / "private.html")
    text = " ".join(page.text.split())
    assert "Where the noise goes in" in text
    for words in ("AUC lost", "logistic regression on", "each step of learning"):
        assert words in text
    assert "answers of teachers" not in text, "a place where nothing was compared"
    document = json.loads((out / "private.json").read_text(encoding="utf-8"))
    assert [row["method"] for row in document["rows"]] == ["no noise", "head", "vmf"]
    assert document["rows"][:2] == first["rows"]
    assert json.dumps(PrivateComparison.from_json(document).to_json()) == json.dumps(document)
    free, head, _ = document["rows"]
    assert free["epsilon"] is None
    assert free["auc"]["value"] > 0.9
    assert head["auc"]["value"] > 0.85, "so much budget leaves the finding"
    assert head["add_remove"] < head["epsilon"] == 5000


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--central", "--private"], "not both"),
        (["--private", "--cnn"], "--cnn goes with --central"),
        (["--finding", "a"], "--finding goes with --private"),
        (["--seeds", 3], "--seeds goes with --central or --private"),
    ],
)
def test_options_that_do_not_fit_are_refused(world, tmp_path, command, capsys, words, says):
    assert command("compare", world.data, "--out", tmp_path / "out", *words) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_name_that_there_is_not_is_refused_and_those_that_there_are_are_listed(cohort):
    with pytest.raises(InputError, match="there are: no noise, noisy images, head"):
        points(["gan"])
    with pytest.raises(InputError, match="no finding 'happiness'"):
        told(cohort, "happiness")
    assert told(cohort, "") in cohort.names


@pytest.mark.parametrize("values", [{"patients": []}, {"patients": [-1]}, {"epsilons": []},
                                    {"epsilons": [0.0]}, {"seeds": 0}])  # fmt: skip
def test_a_grid_that_is_none_is_refused(values):
    with pytest.raises(InputError):
        PrivateGrid(**values)


def test_too_few_patients_are_a_row_without_numbers(cohort):
    grid = PrivateGrid(patients=[5], epsilons=[1.0], seeds=1)
    (row,) = rows(cohort, cohort.names[0], points(["head"]), grid)
    assert "would drown" in row.refused
    assert row.auc is None


def test_a_page_says_what_is_lost_and_what_was_refused(cohort, tmp_path):
    free = PrivateRow(
        point="none", method="no noise", title="t", patients=5, epsilon=None, add_remove=None,
        delta=None, seeds=1, auc=Cell(value=0.94, low=0.9, high=0.97), worst_auc=0.94,
        accuracy=None, matthews=None, members=None, revealed=0.0, refused="", seconds=0.0,
    )  # fmt: skip
    noisy = structs.replace(
        free, point="gradient", method="<b>", epsilon=1.0, add_remove=0.47,
        auc=Cell(value=0.9, low=0.85, high=0.95),
    )  # fmt: skip
    refused = structs.replace(noisy, method="sgd", auc=None, revealed=None, refused="too few")
    rows = (free, noisy, refused)
    told = {row.method: dict(zip(HEADS, cells(row, rows), strict=True)) for row in rows}
    assert told["no noise"]["AUC lost"] == "-"
    assert (told["<b>"]["AUC lost"], told["<b>"]["AUC"]) == (".040", ".900 (.850 to .950)")
    assert (told["sgd"]["AUC"], told["sgd"]["AUC lost"]) == ("refused", "-")
    comparison = PrivateComparison(
        kind="private comparison", format=1, version="1", weights="w", source="", finding="<i>",
        patients=5, test_images=2, test_patients=1, rows=rows, notes=("a note",),
    )  # fmt: skip
    write_private_page(comparison, tmp_path / "private.html")
    text = " ".join(Page(tmp_path / "private.html").text.split())
    assert "Refused: too few." in text
    assert "<b>" in text, "as text, and not as markup"
    assert "all sources" in text


def test_every_point_is_there_and_no_noise_comes_first():
    order = [one.point for one in points()]
    assert list(dict.fromkeys(order)) == [
        "none", "input", "objective", "gradient", "output", "prediction", "statistics",
    ]  # fmt: skip


def test_votes_are_a_row_with_what_they_cost_and_give_away(cohort):
    """With so much budget the student answers as its teachers; one patient moves one vote."""
    grid = PrivateGrid(patients=[0], epsilons=[8.0, 5000.0], seeds=1)
    few, much = rows(cohort, cohort.names[0], points(["votes"]), grid)
    assert (much.point, much.refused) == ("prediction", "")
    assert much.auc.value > 0.85
    assert much.auc.value >= few.auc.value
    for row in (few, much):
        assert row.epsilon * 0.99 < row.add_remove <= row.epsilon
        assert 0 <= row.revealed <= 1
        assert row.members is not None


def test_a_student_knows_the_public_samples_and_answers_alone(cohort):
    """Patients whose teachers say the same give the same student."""
    seen = cohort.seen(cohort.sample(8, 0))
    seen = type(seen)(**vars(seen) | {"findings": np.ones_like(seen.findings[:, :1])})
    other = type(seen)(**vars(seen) | {"thumbnails": 255 - seen.thumbnails})
    readers = [
        Votes().learn(cohort.public, images, epsilon=8.0, delta=1e-5, seed=0).reader
        for images in (seen, other)
    ]
    assert np.array_equal(readers[0].head.weights, readers[1].head.weights)


def test_noisy_images_know_one_image_of_each_patient_alone(cohort):
    """All others may be anything."""
    seen = cohort.seen(cohort.sample(8, 0))
    first = np.unique(seen.patients, return_index=True)[1]
    other = type(seen)(**vars(seen) | {"thumbnails": seen.thumbnails.copy()})
    rest = np.setdiff1d(np.arange(len(seen.patients)), first)
    other.thumbnails[rest] = 255
    readers = [
        NoisyInput().learn(cohort.public, images, epsilon=8.0, delta=1e-5, seed=0).reader
        for images in (seen, other)
    ]
    assert len(rest)
    assert np.array_equal(readers[0].head.weights, readers[1].head.weights)
