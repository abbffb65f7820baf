"""The evaluation of a synthetic set from folders: its document, its page, its refusals."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from PIL import Image

import latentdp
from latentdp.errors import InputError
from latentdp.metrics.definitions.verification import AUC
from latentdp.models.weights_file import WeightsFile
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.reports.results import Outcome
from latentdp.reports.synthetic_evaluation import SyntheticEvaluation
from latentdp.reports.synthetic_evaluation_page import write_synthetic_evaluation_page
from latentdp.synthesis.evaluation import measure, shadows
from latentdp.synthesis.evaluation.effort import SyntheticEffort
from latentdp.synthesis.evaluation.observed_sum import observed
from latentdp.synthesis.evaluation.synthetic_set import SyntheticSet
from latentdp.synthesis.head import shown_by
from latentdp.synthesis.verify import verify
from tests.support.folders import tree
from tests.support.html_page import Page

LITTLE = SyntheticEffort(shadows=6, members=40, canaries=10, compared=40)
PATIENTS = 60
EPSILON = 24.0  # so few patients teach something whatever the noise is

pytestmark = pytest.mark.xdist_group("synthetic-set")  # they share one


def group(place: Path, name: str, first: int, patients: int = PATIENTS) -> None:
    """Pictures in which every second patient has a bright square, and a table of them."""
    rng = np.random.default_rng(first)
    (place / name).mkdir()
    rows = []
    for i in range(patients):
        image = rng.normal(110, 25, (16, 16))
        if i % 2:
            image[4:12, 4:12] += 70
        grey = np.clip(image, 0, 255).astype(np.uint8).repeat(4, axis=0).repeat(4, axis=1)
        Image.fromarray(grey).save(place / name / f"{i}.png")
        rows.append(
            {"file": f"{i}.png", "label": ("normal", "effusion")[i % 2],
             "patient": f"P{first + i}", "sex": "FM"[i // 2 % 2], "age": 20 + i}
        )  # fmt: skip
    with (place / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


@pytest.fixture(scope="module")
def made(tmp_path_factory, tiny_weights) -> Path:
    """A cohort, others, and the set that was made of the cohort; not to be changed."""

    place = tmp_path_factory.mktemp("synthetic-set")
    group(place, "in", 0)
    group(place, "others", 1_000)
    latentdp.synthesize(
        place / "in", place / "out", labels=place / "in.csv", vault=place / "vault",
        weights=str(tiny_weights), epsilon=EPSILON, findings="normal;effusion", images=80,
    )  # fmt: skip
    return place


@pytest.fixture(autouse=True)
def little(monkeypatch):
    monkeypatch.setattr(measure, "QUICK", LITTLE)


def evaluated(place: Path, weights: Path, report: Path, **changes):
    options = {
        "labels": place / "in.csv", "vault": place / "vault", "weights": str(weights),
        "test": place / "others", "test_labels": place / "others.csv", "quick": True,
    } | changes  # fmt: skip
    return latentdp.evaluate_synthesis(place / "in", place / "out", report=report, **options)


def areas(evaluation) -> dict[tuple[str, str], float]:
    return {(m.utility, m.setting): m.value for m in evaluation.utility if m.subject == "mean"}


def test_a_set_of_an_easy_finding_teaches_nearly_what_the_cohort_does(
    made, tiny_weights, tmp_path
):
    before = tree(made / "in"), tree(made / "out")
    evaluation, page = evaluated(made, tiny_weights, tmp_path / "report")
    reached = areas(evaluation)
    assert reached["linear reader", "o/o"] > 0.95
    assert reached["linear reader", "p/o"] > reached["linear reader", "o/o"] - 0.1
    assert reached["the head itself", "learnt with the generator"] > 0.9
    assert ("linear reader", "flow's samples/o") in reached
    assert ("mean pictures", "p/o") in reached
    assert {m.setting for m in evaluation.fidelity} == {
        "the set beside the cohort", "other patients' originals beside the cohort",
    }  # fmt: skip
    assert {o.metric.name for o in evaluation.copying} == {"nearer", "more named"}
    assert all(m.low <= m.value <= m.high for m in evaluation.utility + evaluation.fidelity)
    assert not evaluation.refuted
    assert evaluation.claimed.replace_one_mu == pytest.approx(2 * evaluation.claimed.add_remove_mu)
    assert evaluation.claimed.replace_one_epsilon == pytest.approx(EPSILON, abs=1e-2)
    assert evaluation.test.patients == PATIENTS
    assert not any(m.subject.startswith(("sex", "age")) for m in evaluation.utility)  # too few
    assert (tree(made / "in"), tree(made / "out")) == before
    values = json.loads((tmp_path / "report" / "synthetic-evaluation.json").read_text())
    assert SyntheticEvaluation.from_json(values) == evaluation
    again = tmp_path / "again.html"
    write_synthetic_evaluation_page(SyntheticEvaluation.from_json(values), again)
    assert again.read_text() == page.read_text()
    assert "PRIVATE" in page.read_text()
    assert "P1000" not in page.read_text()
    assert "0.png" not in page.read_text()
    text = " ".join(Page(page).text.split())
    assert "linear reader" in text, "or rows of several readers look the same"
    assert "effusion: linear reader" in text


@pytest.mark.slow
def test_the_same_seed_gives_the_same_numbers_and_networks_are_read_when_asked_for(
    made, tiny_weights, tmp_path, monkeypatch
):
    monkeypatch.setattr(measure, "WHOLE", LITTLE)
    monkeypatch.setattr("latentdp.synthesis.evaluation.utility.SEEDS", 1)
    report = tmp_path / "report"
    first, again = (evaluated(made, tiny_weights, report, quick=False)[0] for _ in range(2))
    assert first.utility == again.utility
    assert first.membership == again.membership
    assert first.copying == again.copying
    assert ("network", "p/o") in areas(first)
    assert not any("network" in one.name for one in first.unmeasured)


def test_without_others_what_needs_them_is_said_to_be_missing(made, tiny_weights, tmp_path):
    evaluation, page = evaluated(
        made, tiny_weights, tmp_path / "report", test=None, test_labels=None
    )
    missing = {one.name: one.why for one in evaluation.unmeasured}
    for name in ("utility", "fidelity", "copying", "membership in this release"):
        assert "give --test" in missing[name]
    assert evaluation.utility == evaluation.fidelity == evaluation.copying == ()
    assert evaluation.membership
    assert evaluation.canaries is not None
    assert "give --test" in page.read_text()


@pytest.mark.slow
def test_subgroups_of_50_patients_are_told_and_smaller_ones_are_not(made, tiny_weights, tmp_path):
    group(tmp_path, "many", 2_000, 104)
    evaluation, _ = evaluated(
        made, tiny_weights, tmp_path / "report", test=tmp_path / "many",
        test_labels=tmp_path / "many.csv",
    )  # fmt: skip
    told = {m.subject for m in evaluation.utility}
    assert {"sex F", "sex M", "age up to 71.5", "age above 71.5"} <= told


def test_a_set_has_the_probabilities_of_its_head_and_is_refused_with_others_than_those(
    made, tmp_path
):
    released = SyntheticSet.read(made / "out", (16, 16), 100)
    found = released.generator.head.probabilities(released.images)
    assert released.probabilities == pytest.approx(found, abs=0.02)
    assert np.array_equal(shown_by(released.probabilities), released.shown)
    shutil.copytree(made / "out", tmp_path / "out")
    table = tmp_path / "out" / "labels.csv"
    lines = table.read_text().splitlines()
    for wrong in ("1.5", "nan", "likely"):
        first = ",".join([*lines[1].split(",")[:-1], wrong])
        table.write_text("\n".join([lines[0], first, *lines[2:], ""]))
        with pytest.raises(InputError, match="probability"):
            SyntheticSet.read(tmp_path / "out", (16, 16), 100)


def test_folders_that_do_not_belong_together_are_refused(made, tiny_weights, tmp_path):
    group(tmp_path, "near", 0)  # patients of the cohort, by their identifiers
    group(tmp_path, "strange", 5_000)
    for changes, message in (
        ({"test": tmp_path / "near", "test_labels": tmp_path / "near.csv"}, "of other patients"),
        ({"labels": tmp_path / "near.csv", "vault": tmp_path / "v"}, "name it with --vault"),
        ({"report": made / "out" / "r"}, "must not lie in"),
        ({"report": made / "others" / "r"}, "must not lie in"),
        ({"test": None}, "--test-labels belongs to --test"),
        ({"weights": "cxr-adult"}, "other weights"),
    ):
        with pytest.raises(latentdp.LatentDPError, match=message):
            evaluated(made, **({"weights": tiny_weights, "report": tmp_path / "r"} | changes))
    with pytest.raises(InputError, match="its ledger knows no such synthesis"):
        latentdp.evaluate_synthesis(
            tmp_path / "strange", made / "out", labels=tmp_path / "strange.csv",
            vault=made / "vault", weights=str(tiny_weights), report=tmp_path / "r",
        )  # fmt: skip
    assert not (tmp_path / "r").exists()


def words(made, tiny_weights, report, out=None):
    return [
        "evaluate", made / "in", out or made / "out", "--labels", made / "in.csv", "--vault",
        made / "vault", "--weights", tiny_weights, "--report", report, "--quick",
    ]  # fmt: skip


def test_the_command_evaluates_a_synthetic_set(made, tiny_weights, tmp_path, command, capsys):
    line = words(made, tiny_weights, tmp_path / "r")
    others = ["--test", made / "others", "--test-labels", made / "others.csv"]
    assert command(*line, *others) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "is it good to learn from?" in shown
    assert "canaries in a public cohort" in shown
    assert command(*line, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["kind"] == "synthetic evaluation"
    assert told["refuted"] is False
    assert command(*line, "--restarts", 2) == 2
    assert "synthetic data set" in capsys.readouterr().err


def test_a_release_with_less_noise_than_its_card_says_ends_with_6(
    made, tiny_weights, tmp_path, command, capsys, monkeypatch
):
    """Shadows are released as a broken program would, whose card claims the noise all the same."""
    quiet = NoisySum(grid=2**16, scale=1.0)

    def broken(plan, *, exact):
        plan, statistics, gradients = observed(plan, exact=exact)
        for one in (statistics, gradients):
            object.__setattr__(one, "scale", one.grid * quiet.deviation)
        return plan, statistics, gradients

    monkeypatch.setattr(shadows, "observed", broken)
    monkeypatch.setattr(measure, "QUICK", SyntheticEffort(
        shadows=24, members=40, canaries=10, compared=40))  # fmt: skip
    out = tmp_path / "out"
    shutil.copytree(made / "out", out)
    assert verify(out).ok
    assert command(*words(made, tiny_weights, tmp_path / "r", out)) == 6
    err = capsys.readouterr().err
    assert "REFUTED: membership in the cohort" in err
    page = (tmp_path / "r" / "synthetic-evaluation.html").read_text()
    assert "REFUTED" in page
    failed = [check.claim for check in verify(out).checks if not check.ok]
    assert failed == ["refuted by an evaluation"], "the public card says so, and all else holds"
    public = " ".join(Page(out / "release.html").text.split())
    assert "The bound was refuted by an evaluation." in public
    assert "Nothing was measured on this data set" not in public
    assert command("verify", out) == 1


def test_a_card_that_prints_less_than_its_noise_gives_ends_with_6(
    made, tiny_weights, tmp_path, command, capsys
):
    """Ceilings follow the noise: no attack would be above them."""
    out = tmp_path / "out"
    shutil.copytree(made / "out", out)
    generator = WeightsFile.read(out / "generator.safetensors")
    inside, card = json.loads(generator.card), json.loads((out / "release.json").read_text())
    for said in (inside, card["synthesis"]):
        said["guarantee"]["replace_one"]["epsilon"] /= 2
    replace(generator, card=json.dumps(inside)).write(out / "generator.safetensors")
    (out / "release.json").write_text(json.dumps(card))
    assert command(*words(made, tiny_weights, tmp_path / "r", out)) == 6
    assert "REFUTED: the card prints epsilon" in capsys.readouterr().err
    values = json.loads((tmp_path / "r" / "synthetic-evaluation.json").read_text())
    for name in ("printed_replace_one_epsilon", "printed_add_remove_epsilon"):
        del values["claimed"][name]
    assert not SyntheticEvaluation.from_json(values).refuted, "one of before still opens"


def test_an_attack_above_its_ceiling_refutes_whichever_kind_it_is_of(made, tiny_weights, tmp_path):
    evaluation, _ = evaluated(made, tiny_weights, tmp_path / "report")
    above = Outcome(
        attack="new", setting="", metric=AUC, value=0.9, low=0.89, high=0.91, n=100, patients=50,
        chance=0.5, ceiling=0.6, headline=True,
    )  # fmt: skip
    for kind in ("copying", "membership", "sharing"):
        refuted = structs.replace(evaluation, **{kind: (above,)})
        assert refuted.refuted, kind
        assert "above the ceiling" in refuted.refuting[0]


def test_a_release_of_single_images_takes_no_option_of_a_synthetic_set(tmp_path, command, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    assert command("evaluate", tmp_path / "in", tmp_path / "out", "--test", tmp_path / "in") == 2
    assert "synthetic data sets" in capsys.readouterr().err


@pytest.mark.slow
def test_a_quick_look_as_it_is_shipped(made, tiny_weights, tmp_path, monkeypatch):
    monkeypatch.undo()
    evaluation, _ = evaluated(made, tiny_weights, tmp_path / "report")
    assert not evaluation.refuted
    assert evaluation.canaries.canaries >= 250
