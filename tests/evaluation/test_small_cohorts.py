"""A hospital's 150 images: few patients, many findings, and nothing said that they do not show."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs

from latentdp import InputError, Recipe
from latentdp.core.arrays import UNKNOWN
from latentdp.core.attributes import Attribute, finding, values_of
from latentdp.core.progress import silent
from latentdp.data.cohort import Cohort
from latentdp.data.label_space import LabelSpace
from latentdp.evaluation.listed_findings import with_listed
from latentdp.evaluation.methods.controls import NoiseOnly
from latentdp.evaluation.pairing import SourceLink, read
from latentdp.evaluation.private_copies import copies, repeats
from latentdp.evaluation.threat_model import Effort, ThreatModel
from latentdp.evaluation.utility._lesson import FEWEST, lessons, readable
from latentdp.evaluation.utility.classification import Classification
from latentdp.evaluation.verdict import inferred, verdict
from latentdp.metrics.metric import named
from latentdp.privacy.guarantee import Guarantee
from latentdp.reports.allowed import allowed
from latentdp.reports.answers import TOO_FEW, answers, telling_apart
from latentdp.reports.enough_patients import patients_needed, undecided
from latentdp.reports.evaluation import Evaluation
from latentdp.reports.evaluation_parts import MethodGuarantee, Unavailable
from latentdp.reports.recognition import Thresholds
from latentdp.reports.rows import outcome_row
from tests.support.judged import measure, outcome, supporting
from tests.support.scenes import people, scene, untouched

EFFORT = Effort(restarts=1, steps=5, resamples=60, seeds=1, reader_steps=30)


# --- What is said of few patients ---------------------------------------------------------------


def judged(of: Evaluation) -> Evaluation:
    return structs.replace(of, verdict=verdict(of))


def few(**more) -> Evaluation:
    """Attackers of four patients, whose intervals say nothing."""
    rows = supporting().outcomes
    return judged(
        supporting(
            outcomes=tuple(
                structs.replace(o, value=0.7, low=0.0, high=1.0, patients=4, n=8)
                if o.metric != named("rank-1")
                else structs.replace(o, value=0.25, low=0.01, high=0.8, chance=0.25, patients=4)
                for o in rows
            ),
            **more,
        )
    )


def test_too_few_patients_are_said_to_be_too_few_with_how_many_are_needed():
    of = few()
    first, _, third = answers(of)
    assert (first.short, first.level) == (TOO_FEW, "caution")
    assert "4 with several images, and about" in first.why
    assert "own original" in first.why
    assert "are needed" in first.why
    assert third.level != "fine"
    for row in telling_apart(of):
        assert "needed" in row.by
    words = " ".join([*of.verdict.lines, *(a.why for a in answers(of))])
    words += " ".join(row.auc for row in telling_apart(of))
    words += " ".join(outcome_row(o).both for o in of.outcomes if o.metric.name != "rank-1")
    assert "0.000" not in words, "an interval from 0 to 1 stands nowhere"
    assert "too few patients" in words


def test_the_headline_follows_from_the_thresholds():
    """At guessing, with an upper end above the threshold, nobody is said to be safe."""
    assert answers(judged(supporting()))[0].short == "Not by these attacks"
    wide = judged(supporting(auc=(0.53, 0.44, 0.62)))
    assert not wide.verdict.claims[0].holds
    assert answers(wide)[0].short == TOO_FEW
    found = judged(supporting(auc=(0.7, 0.65, 0.75)))
    assert answers(found)[0].level == "danger"


@pytest.mark.parametrize(
    ("patients", "low", "high", "least", "most"),
    [(4, 0.0, 1.0, 33, 200), (30, 0.42, 0.62, 33, 70)],
)
def test_patients_that_would_decide_follow_from_the_interval(patients, low, high, least, most):
    row = outcome("frozen", "auc", 0.52, low, high, chance=0.5, patients=patients)
    assert undecided(row, Thresholds())
    assert least <= patients_needed(row, Thresholds()) <= most


def test_so_many_at_guessing_keep_the_threshold():
    """Of 183 patients of whom nobody is named, the interval ends at 2 %."""
    row = outcome("linkage", "rank-1", 0.0, 0.0, 0.05, chance=0.01, patients=72)
    assert patients_needed(row, Thresholds()) >= 183
    assert 1 - 0.025 ** (1 / 183) < 0.02 < 1 - 0.025 ** (1 / 182)
    kept = outcome("linkage", "rank-1", 0.0, 0.0, 0.01, chance=0.01)
    assert not undecided(kept, Thresholds())
    assert patients_needed(row, Thresholds(first=0.0)) is None


def test_what_epsilon_alone_allows_stands_beside_what_was_measured():
    patient = MethodGuarantee.of(Guarantee(epsilon=2.0, unit="patient"))
    of = judged(supporting(patient=patient))
    said = "the patient's epsilon, 2, alone would allow up to 0.8808"
    assert any(said in line and "measured AUC 0.520" in line for line in of.verdict.lines)
    assert any("alone would allow up to 0.8 %" in line for line in of.verdict.lines)
    assert said in answers(judged(supporting(auc=(0.7, 0.65, 0.75), patient=patient)))[0].why
    nothing = MethodGuarantee.of(Guarantee(epsilon=float("inf")))
    assert allowed(supporting(patient=nothing), of.outcomes[0]) == "no epsilon bounds it"
    assert allowed(supporting(), of.outcomes[0]) == ""
    again = Evaluation.from_json(json.loads(json.dumps(of.to_json())))
    assert again.patient == patient
    assert "patient" not in supporting().to_json()


def test_what_images_tell_of_a_person_is_a_line_and_no_recognition():
    sex = outcome("attributes", "auc", 0.7, 0.6, 0.8, chance=0.5, setting="sex from private")
    of = judged(supporting(extra=[sex]))
    said = "sex from private images AUC 0.700 (0.600 to 0.800); guessing gives 0.5"
    assert inferred(of) == said
    assert f"Inference: {said}." in of.verdict.lines
    assert of.verdict.claims == judged(supporting()).verdict.claims
    assert inferred(supporting()) == ""


def test_why_use_was_not_measured_is_said():
    counted = "too few images of 2 findings; there are Ms Smith 60 and 1"
    why = Unavailable(name="classification", why=counted)
    of = judged(supporting(unable=(why,)))
    assert "Smith 60 and 1" in answers(of)[1].why
    assert not any("Smith" in line for line in of.verdict.lines), "which a public card quotes"
    assert any("not measured: too few images of 2 findings" in line for line in of.verdict.lines)
    assert not any("no findings were given" in line for line in of.verdict.lines)


def test_use_on_few_patients_is_not_called_good_or_bad():
    wide = judged(supporting(utility=[measure("p/o", 0.7, 0.25), measure("o/o", 0.85)]))
    assert answers(wide)[1].short == TOO_FEW
    assert "are needed" in answers(wide)[1].why
    assert (
        answers(judged(supporting(utility=[measure("p/o", 0.84), measure("o/o", 0.85)])))[1].short
        == "Yes"
    )


def test_copies_of_a_small_release_are_made_once(monkeypatch):
    """Whoever asks again gets those that are there, which are those that it would have got."""
    cohort, made = people(3), []
    method = NoiseOnly()
    privatize = method.privatize
    monkeypatch.setattr(method, "privatize", lambda *a: made.append(1) or privatize(*a))
    more, everyone = repeats(method, cohort, 1), np.arange(len(cohort))
    first, again = more(2, everyone)[0], more(3, everyone)[0]
    assert len(made) == 3
    assert np.array_equal(first, again[:2])
    assert np.array_equal(again, copies(method, cohort, 3, 10_100)[0])
    assert more(2, everyone[:4])[0].shape[:2] == (2, 4)


# --- Findings of few images, and several of one -----------------------------------------------


def with_findings(of: ThreatModel, change) -> ThreatModel:
    sides = []
    for side in (of.target, of.practice):
        sides.append(replace(side, cohort=change(side.cohort)))
    return replace(of, target=sides[0], practice=sides[1], effort=EFFORT)


def several(cohort: Cohort) -> Cohort:
    """A third finding that six images show beside their own, and a fourth that two show."""
    marks = np.zeros((len(cohort), 4), dtype=np.bool_)
    marks[:, 2], marks[:, 3] = cohort.findings == 1, cohort.findings == 0
    marks[:6, 0] = True
    marks[6:8, 1] = True
    names = ("edema", "nodule", "normal", "opacity")
    return replace(cohort, marks=marks, finding_names=names, findings=marks.argmax(axis=1))


def test_findings_of_few_images_are_measured_and_rarer_ones_left_out():
    of = with_findings(scene(untouched, patients=20, practised=20), several)
    learnt, tested = lessons(of)
    assert learnt.names == tested.names == ("edema", "normal", "opacity")
    assert tested.several
    assert np.allclose(learnt.truth.sum(axis=1), 1)
    found = Classification().measure(of, silent)
    told = {m.subject: m for m in found if m.setting == "o/o"}
    assert {"edema", "normal", "opacity", "mean"} <= told.keys()
    for row in found:
        assert row.low <= row.value <= row.high
    wide, narrow = (told[name].high - told[name].low for name in ("edema", "normal"))
    assert wide > narrow, "six images of two patients prove less than half of them all"
    assert told["edema"].low < 0.2


def test_where_each_finding_is_rare_any_of_them_is_told_from_none():
    def rare(cohort: Cohort) -> Cohort:
        """Each finding in fewer images than are needed, all of them together in enough."""
        findings = np.where(np.arange(len(cohort)) < 12, np.arange(len(cohort)) % 3, 3)
        names = ("edema", "mass", "nodule", "normal")
        return replace(cohort, findings=findings, finding_names=names, marks=None)

    of = with_findings(scene(untouched, patients=12, practised=12), rare)
    assert readable(of) is None
    learnt, tested = lessons(of)
    assert learnt.names == tested.names == ("any finding", "normal")
    assert learnt.shown.sum(axis=0)[0] == tested.shown.sum(axis=0)[0] == 12
    assert (learnt.known[0] >= 0).all()


def test_too_few_images_of_a_finding_are_counted_in_words():
    def rare(cohort: Cohort) -> Cohort:
        return replace(cohort, findings=(np.arange(len(cohort)) >= FEWEST - 1).astype(np.int64))

    why = readable(with_findings(scene(untouched, patients=10, practised=12), rare))
    assert f"{FEWEST} without are needed" in why
    assert "finding 4 and 4, normal 32 and 26" in why
    unknown = with_findings(
        scene(untouched, patients=4, practised=4),
        lambda c: replace(c, findings=np.full(len(c), -1), finding_names=()),
    )
    assert readable(unknown) == "no findings were given (--labels or --about)"


def test_a_list_of_findings_is_taken_as_privatize_takes_it(tmp_path):
    links = []
    for name in ("a/1.png", "a/2.png", "b/3.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
        links.append(SourceLink(tmp_path / name, tmp_path / name, {"sex": "F"}))
    table, names = tmp_path / "findings.csv", tmp_path / "map.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows(
            [
                ["file", "finding"],
                ["a/1.png", "Effusion;pacemaker; Edema"],
                ["2.png", "unremarkable"],
                ["c/9.png", "Edema"],
            ]
        )
    names.write_text("from,to\nunremarkable,normal\npacemaker,\n")
    space, recipe = LabelSpace.of_classes(["normal", "finding"]), Recipe.from_preset("balanced")
    found = with_listed(links, tmp_path, table, names, space, recipe)
    assert [link.known.get("finding") for link in found] == ["effusion;edema", "normal", None]
    assert [link.label for link in found] == [UNKNOWN, 0, UNKNOWN]
    assert all(link.known["sex"] == "F" for link in found)
    table.write_text("file,finding\nx.png,Edema\n")
    with pytest.raises(InputError, match="no row fits an original by its file"):
        with_listed(links, tmp_path, table, None, space, recipe)


def test_of_a_finding_without_a_column_nothing_is_known(tmp_path):
    """As a release takes the list: there a row of zeros denies what the columns name."""
    links = [SourceLink(tmp_path / f"{i}.png", tmp_path / f"{i}.png", {}) for i in range(3)]
    table = tmp_path / "findings.csv"
    table.write_text("file,Edema,Mass,view\n0.png,1,0,PA\n1.png,0,0,AP\n2.png,0,0,AP\n")
    known = (*map(finding, ("Edema", "Mass", "Nodule")), Attribute("view", ("AP", "PA")))
    released = ("Edema", "Mass", "Nodule", "view")
    recipe = Recipe.from_preset("balanced", release_findings=released)
    found = with_listed(links, tmp_path, table, None, LabelSpace(known), recipe)
    assert [link.known["finding"] for link in found] == ["edema", "none listed", "none listed"]
    values = values_of(known, np.array([link.label for link in found]))
    assert values.tolist() == [[1, 0, -1, 1], [0, 0, -1, 0], [0, 0, -1, 0]]
    table.write_text("file,Edema,Mass,Nodule,No Finding\n0.png,0,0,0,0\n1.png,,,,1\n")
    said = with_listed(links, tmp_path, table, None, LabelSpace(known), recipe)
    assert [link.known.get("finding") for link in said] == ["normal", "normal", None]


def test_several_findings_of_a_row_are_read(tmp_path):
    from PIL import Image

    links = []
    for i, said in enumerate(["Edema;Effusion", "Normal", "no finding", "", "edema"]):
        pixels = np.random.default_rng(i).integers(0, 256, (64, 64), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
        links.append(SourceLink(tmp_path / f"{i}.png", tmp_path / f"{i}.png", {"finding": said}))
    cohort = read(links, (16, 16)).cohort
    assert cohort.finding_names == ("edema", "effusion", "normal")
    assert cohort.shown.tolist() == [
        [True, True, False],
        [False, False, True],
        [False, False, True],
        [False, False, False],
        [True, False, False],
    ]
    assert cohort.findings.tolist() == [1, 2, 2, -1, 0], "of several the rarest"
    assert read(links[1:], (16, 16)).cohort.marks is None
    assert cohort.take(np.array([0])).shown.shape == (1, 3)
