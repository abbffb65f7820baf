"""What labels, headers and pseudonyms tell of a patient counts as much as what an image does."""

from dataclasses import replace

import numpy as np
import pytest
from msgspec import UNSET, structs

from latentdp.core.progress import silent
from latentdp.evaluation.attacks import everything
from latentdp.evaluation.attacks._embedders import Embedder
from latentdp.evaluation.attacks.everything import attack
from latentdp.evaluation.summary_columns import columns
from latentdp.evaluation.threat_model import FileFacts, ThreatModel
from latentdp.evaluation.verdict import judged, verdict
from latentdp.reports.comparison_table import COLUMNS
from latentdp.reports.evaluation import Evaluation
from latentdp.reports.evaluation_page import write_evaluation_page
from latentdp.reports.results import Impostors, Outcome
from tests.support.judged import outcome, supporting
from tests.support.scenes import noise_only, people, scene


@pytest.fixture(autouse=True)
def blind(monkeypatch) -> None:
    """Verifiers that see nothing: what is found comes from labels and headers."""

    def look(scene: ThreatModel, *_: object) -> Embedder:
        rng = np.random.default_rng(0)
        n = len(scene.target.cohort)
        return Embedder("blind", rng.normal(size=(n, 8)), rng.normal(size=(n, 8)))

    monkeypatch.setattr(everything, "frozen", look)
    monkeypatch.setattr(everything, "adapted", lambda scene, tell: [look(scene)])


def labelled(*, released: bool = True) -> ThreatModel:
    """Noise for images; a patient's images share their label, which is released or not."""
    base = scene(noise_only, patients=40, practised=60)
    sides = []
    for side, seed in ((base.target, 1), (base.practice, 2)):
        patients = side.cohort.patients
        labels = np.random.default_rng(seed).integers(0, 2, patients.max() + 1)[patients]
        cohort = replace(side.cohort, labels=labels, findings=labels)
        sides.append(
            replace(side, cohort=cohort, labels=labels[None] if released else side.labels)
        )
    return replace(base, target=sides[0], practice=sides[1])


def by(found: list[Outcome]) -> tuple[Outcome, Outcome]:
    first = {whom: next(o for o in found if o.impostors is whom) for whom in Impostors}
    return first[Impostors.ANYONE], first[Impostors.ALIKE]


def test_released_labels_tell_patients_apart():
    """Half of the others have another label: AUC 1/2 + 1/4, which no image gives away here."""
    anyone, alike = by(attack.run(labelled(), silent))
    assert anyone.value == pytest.approx(0.75, abs=0.05)
    assert anyone.detail["each"]["labels and headers"] == pytest.approx(anyone.value, abs=0.02)
    assert alike.value > 0.6
    assert anyone.headline
    assert alike.headline


def test_without_labels_and_headers_there_is_nothing_to_tell():
    anyone, alike = by(attack.run(labelled(released=False), silent))
    assert anyone.low <= 0.5 <= anyone.high
    assert anyone.detail["each"]["labels and headers"] == 0.5
    assert alike.low <= 0.5 <= alike.high


def test_a_header_that_is_kept_tells_them_from_anyone_and_not_from_those_alike():
    base = labelled(released=False)
    sexes = tuple(base.target.cohort.sexes.tolist())
    scenery = replace(
        base,
        files=FileFacts(
            original={"header:PatientSex": sexes, "size": (1.0,) * 120},
            private={"header:PatientSex": sexes, "header:StationName": ("",) * 120},
        ),
    )
    anyone, alike = by(attack.run(scenery, silent))
    assert anyone.value == pytest.approx(0.75, abs=0.05)
    assert alike.detail["each"]["labels and headers"] == pytest.approx(0.5, abs=0.02)


@pytest.mark.slow
def test_labels_of_several_outputs_add_up():
    """Each label tells the truth in 3 of 4 cases; two of them tell more than one."""

    def answered(each: int) -> float:
        base = scene(noise_only, patients=2, practised=2)
        sides = []
        for seed in (1, 2):
            cohort = people(300, each=each, seed=seed)
            rng = np.random.default_rng(seed)
            truth = rng.integers(0, 2, 300)[cohort.patients]
            told = np.where(rng.random(len(truth)) < 0.75, truth, 1 - truth)
            sides.append(
                replace(
                    base.target,
                    cohort=replace(cohort, labels=truth),
                    private=np.zeros((1, *cohort.images.shape), dtype=np.float32),
                    labels=told[None],
                )
            )
        scenery = replace(base, target=sides[0], practice=sides[1])
        return by(attack.run(scenery, silent))[0].detail["each"]["labels and headers"]

    assert answered(6) > answered(2) + 0.03


def test_nobody_to_tell_apart_is_said():
    base = labelled()
    target = replace(
        base.target,
        cohort=base.target.cohort.take(np.arange(3)),
        private=base.target.private[:, :3],
        labels=base.target.labels[:, :3],
    )
    assert "2 patients" in attack.unavailable_reason(replace(base, target=target))


def reached(value: float, whom: Impostors) -> Outcome:
    return outcome(
        "everything", "auc", value, value - 0.03, value + 0.03, chance=0.5, impostors=whom
    )


@pytest.mark.parametrize("stronger", [Impostors.ANYONE, Impostors.ALIKE])
def test_the_claim_is_judged_by_the_stronger_of_both(stronger):
    assert verdict(supporting()).claims[0].holds
    of = supporting(extra=[reached(0.61, stronger)])
    told = verdict(of)
    assert not told.claims[0].holds
    assert "AUC 0.610" in told.claims[0].measured
    apart = told.telling_apart
    anyone, alike = apart.against_anyone.auc, apart.against_alike.auc
    assert (anyone, alike) == ((0.61, 0.52) if stronger is Impostors.ANYONE else (0.5, 0.61))
    lines = " ".join(told.lines)
    assert "against anyone, with everything that is released" in lines
    assert "against impostors of the same source, view and sex" in lines


def test_without_an_attack_on_everything_nothing_is_claimed():
    of = supporting()
    without = tuple(o for o in of.outcomes if o.attack != "everything")
    (claim,) = verdict(structs.replace(of, outcomes=without)).claims
    assert not claim.holds
    assert "everything that is released" in claim.measured
    apart = verdict(structs.replace(of, outcomes=without)).telling_apart
    assert apart.against_anyone is None


def test_an_evaluation_of_before_still_reads(tmp_path):
    of = judged(supporting())
    values = of.to_json()
    del values["verdict"]["telling_apart"]
    for one in values["outcomes"]:
        one.pop("impostors", None)
    read = Evaluation.from_json(values)
    assert read.verdict.telling_apart is UNSET
    assert not any(o.impostors for o in read.outcomes)
    write_evaluation_page(read, tmp_path / "page.html")
    assert Evaluation.from_json(of.to_json()) == of


def test_both_are_on_the_page_and_in_the_table_of_a_comparison(tmp_path):
    of = judged(supporting(extra=[reached(0.58, Impostors.ANYONE)]))
    write_evaluation_page(of, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "Against anyone, with everything that is released" in page
    assert "Against impostors of the same source, view and sex" in page
    assert "0.580" in page
    cells = columns(of.outcomes, of.utility)
    assert (cells["against_anyone"].value, cells["against_alike"].value) == (0.58, 0.52)
    assert {"against_anyone", "against_alike"} <= COLUMNS.keys()
