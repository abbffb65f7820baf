"""`latentdp compare --central`, as a user runs it on a small world, and what its parts promise."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from latentdp.core.cache import ResultCache
from latentdp.core.plugins import names
from latentdp.errors import InputError
from latentdp.models.flow.flow import load_flow
from latentdp.reports.central_comparison import CentralComparison
from latentdp.synthesis.comparison.aucs import Aucs
from latentdp.synthesis.comparison.cohort import ComparedCohort, LabelledSet
from latentdp.synthesis.comparison.contestants import (
    CentralMethod,
    Contestant,
    LocalPreset,
    Made,
    contestants,
)
from latentdp.synthesis.comparison.measure import Grid, measured
from latentdp.synthesis.methods.gaussian import FindingGaussians

METHOD = "gaussian"


def run(command, capsys, world, out: Path, *options: object) -> dict:
    given = ["--weights", world.weights, "--source", "made-up", "--images", 40, *options]
    code = command("compare", world.data, "--central", "--out", out, *given, "--json")
    told = capsys.readouterr()
    assert code == 0, told.err
    return json.loads(told.out)


@pytest.fixture(scope="module")
def cohort(world):
    return ComparedCohort(load_flow(world.weights), world.data, "made-up", ResultCache())


def test_it_makes_a_table_a_document_and_a_page_and_goes_on_where_it_was(
    world, tmp_path, command, capsys
):
    out = tmp_path / "out"
    options = ("--cohort", 20, "--epsilon", 60, "--method", METHOD)
    first = run(command, capsys, world, out, *options)
    kept = {p: p.stat().st_mtime_ns for p in (out / "parts").rglob("*-*.*")}
    assert kept
    told = run(command, capsys, world, out, *options, "--epsilon", 8, "--method", "fresh samples")
    assert all(path.stat().st_mtime_ns == before for path, before in kept.items())
    assert [(row["method"], row["epsilon"]) for row in told["rows"]] == [
        ("originals", None),
        ("fresh samples", 60),
        (METHOD, 60),
        ("fresh samples", 8),
        (METHOD, 8),
    ]
    earlier = [row for row in told["rows"] if row in first["rows"]]
    assert earlier == first["rows"]
    document = json.loads((out / "central.json").read_text(encoding="utf-8"))
    assert document | {"page": told["page"]} == told
    assert json.dumps(CentralComparison.from_json(document).to_json()) == json.dumps(document)
    page = (out / "central.html").read_text(encoding="utf-8")
    for words in (METHOD, "fresh samples", "<svg", "epsilon 60", "data:image/png", "GDP"):
        assert words in page
    assert told["rows"][0]["normal"]["value"] > 0.9


def test_it_prints_a_table_for_people(world, tmp_path, command, capsys):
    options = ("--weights", world.weights, "--source", "all", "--images", 20, "--method", METHOD)
    more = ("--cohort", 10, "--epsilon", 8)
    code = command("compare", world.data, "--central", "--out", tmp_path / "out", *options, *more)
    told = capsys.readouterr().out
    assert code == 0
    assert "the head itself" in told
    assert METHOD in told
    assert told.rstrip().endswith("central.html")


def test_its_options_are_refused_without_it(world, tmp_path, command, capsys):
    code = command("compare", world.data, "--out", tmp_path / "out", "--epsilon", 2)
    assert code == 2
    assert "--epsilon goes with --central" in capsys.readouterr().err


def test_a_name_that_there_is_not_is_refused_and_those_that_there_are_are_listed():
    with pytest.raises(InputError, match="there are: fresh samples, local balanced"):
        contestants(["gan"])
    usual = [one.name for one in contestants()]
    assert usual == ["fresh samples", "local balanced", *names("synthesis methods")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"patients": ()},
        {"patients": (-1,)},
        {"epsilons": ()},
        {"epsilons": (0.0,)},
        {"seeds": 0},
        {"images": 1},
        {"readers": ("radiologist",)},
    ],
    ids=str,
)
def test_a_grid_that_is_none_is_refused(wrong):
    with pytest.raises(InputError):
        Grid(**wrong)


def test_a_cohort_holds_nobody_of_its_tests_and_a_sample_all_images_of_its_patients(cohort):
    who = cohort.sample(7, 0)
    assert len(set(who)) == 7
    own = cohort.originals(who)
    assert set(own.patients) == set(who)
    assert len(own.images) == np.isin(cohort.private.patients, who).sum()
    seen = cohort.seen(who)
    assert seen.patients.max() == 6
    assert len(cohort.sample(0, 1)) == cohort.patients == 40
    assert cohort.names == ("normal", "pneumonia")


def test_a_central_method_spends_what_it_is_given(cohort):
    made = CentralMethod(METHOD, FindingGaussians).make(
        cohort, cohort.sample(0, 0), epsilon=8.0, delta=1e-5, images=30, seed=0
    )
    assert 0 < made.add_remove < 8
    assert len(made.images.images) == 30
    assert made.images.findings.any(axis=1).all()
    assert made.head.shape == cohort.tests.findings.shape


def test_a_local_preset_releases_one_image_of_each_patient_at_the_whole_epsilon(
    cohort, monkeypatch
):
    spent = []
    from latentdp.synthesis.comparison import contestants as module

    class Watched(module.Privatizer):
        def __init__(self, flow, recipe, noise=None, **more):
            super().__init__(flow, recipe, noise, **more)
            spent.append(self.guarantee.epsilon)

    monkeypatch.setattr(module, "Privatizer", Watched)
    calibrate = module.RandomisedResponse.calibrate
    response = []
    monkeypatch.setattr(
        module.RandomisedResponse,
        "calibrate",
        lambda epsilon, k: response.append(calibrate(epsilon, k)) or response[-1],
    )
    made = LocalPreset("balanced").make(
        cohort, cohort.sample(10, 0), epsilon=4.0, delta=1e-5, images=99, seed=0
    )
    assert len(made.images.images) <= 10
    label = response[0]
    told = label.threshold / 2**64
    of_label = math.log(told * (label.classes - 1) / (1 - told))
    assert spent[0] + of_label == pytest.approx(4.0, rel=1e-4)
    assert spent[0] + of_label <= 4.0 * (1 + 1e-9)


class Copies(Contestant):
    """Gives the tests away: a reader learns all there is."""

    name, kind, title, accounting = "copies", "rival", "the tests", "none"

    def make(self, cohort, who, *, epsilon, delta, images, seed):
        return Made(images=cohort.tests, head=None, add_remove=None)


class Mute(Contestant):
    """Labels all alike."""

    name, kind, title, accounting = "mute", "rival", "one label", "none"

    def make(self, cohort, who, *, epsilon, delta, images, seed):
        drawn = cohort.tests.images[:images]
        shown = np.zeros((len(drawn), len(cohort.names)), dtype=bool)
        return Made(images=LabelledSet.of_nobody(drawn, shown), head=None, add_remove=None)


def test_others_may_take_part_and_are_read_alike(cohort):
    grid = Grid(patients=(10,), epsilons=(2.0,), images=20)
    sets = list(measured(cohort, [Copies(), Mute()], grid))
    rows = {row.method: row for one in sets for row in one.rows}
    assert rows["copies"].normal.value > 0.95
    assert rows["mute"].normal.value == 0.5
    assert rows["mute"].head is None
    assert sets[0].shown.shape[1:] == cohort.flow.shape


def test_a_finding_that_no_test_shows_is_left_out(cohort):
    aucs = Aucs(cohort)
    scores = cohort.tests.findings.astype(float)
    normal, mean = aucs.of(scores)
    assert (normal.value, mean.value) == (1.0, 1.0)


def test_fresh_samples_follow_no_patient_but_in_their_labels(cohort):
    (fresh,) = contestants(["fresh samples"])
    made = [
        fresh.make(cohort, cohort.sample(n, 0), epsilon=60.0, delta=1e-5, images=20, seed=3)
        for n in (10, 40)
    ]
    assert fresh.kind == "public"
    assert np.array_equal(made[0].images.images, made[1].images.images)
    assert not np.array_equal(made[0].head, made[1].head)
