"""Evaluation of a release under weights that know several findings of an image."""

import numpy as np
import pytest

from latentdp import Recipe
from latentdp.evaluation.audit_pipeline import audit_pipeline
from latentdp.evaluation.load_release import of_ours
from latentdp.evaluation.private_copies import as_used
from latentdp.models.checkpoints import save
from latentdp.privatizer import Privatizer
from tests.support.attribute_flow import attribute_checkpoint, attribute_flow
from tests.support.folders import radiograph_at

LIST = ("Effusion;Edema", "No Finding", "Mass", "Effusion")
FILES = 24


@pytest.fixture(scope="module")
def place(tmp_path_factory, command):
    """A release of twelve patients, with vault and list."""
    place = tmp_path_factory.mktemp("attributes")
    save(attribute_checkpoint(), place / "told.safetensors")
    for n in range(FILES):
        radiograph_at(place / "in" / f"{n:02}.dcm", n, PatientID=f"P{n // 2}")
    text = "file,label\n" + "".join(f"{n:02}.dcm,{LIST[n % 4]}\n" for n in range(FILES))
    (place / "labels.csv").write_text(text)
    options = ["--labels", place / "labels.csv", "--weights", place / "told.safetensors"]
    options += ["--vault", place / "v", "--size", "64"]
    assert command("privatize", place / "in", place / "out", *options) == 0
    return place


def test_labels_given_and_released_are_read(place):
    made = of_ours(
        place / "in",
        place / "out",
        place / "v",
        about=None,
        labels=place / "labels.csv",
        attacker=None,
        most=100,
        practice=0,
        seed=0,
        tell=lambda share, words: None,
    )
    space = made.method.privatizer.label_space
    names = {space.name(label) for label in as_used(made.method, made.linked.cohort).labels}
    assert names == {"Edema;Effusion", "No Finding", "Mass", "Effusion"}
    cohort = made.linked.cohort
    assert cohort.finding_names == ("edema", "effusion", "mass", "normal")
    assert cohort.marks.sum(axis=0).tolist() == [6, 12, 6, 6]
    table = (place / "out" / "labels.csv").read_text().splitlines()[1:]
    written = sorted(line.rpartition(",")[2] for line in table)
    assert sorted(space.name(label) for label in made.labels) == written


@pytest.mark.slow
def test_the_command_evaluates_it(place, command, least_effort):
    code = command(
        "evaluate", place / "in", place / "out", "--vault", place / "v",
        "--labels", place / "labels.csv", "--quick",
    )  # fmt: skip
    assert code in (0, 1)
    assert [path.name for path in (place / "v").rglob("evaluation.json")] == ["evaluation.json"]


def test_what_a_privatizer_passes_on_of_a_set_is_within_its_epsilon():
    recipe = Recipe.from_preset("balanced", epsilon=2.0, release_findings=("Mass", "view"))
    private = Privatizer(attribute_flow(), recipe)
    looks = audit_pipeline(private, draws=200)
    assert {"label", "image", "image and label"} <= {look.name for look in looks}
    assert not [look.problem for look in looks if look.problem]
    assert np.isfinite([look.found for look in looks]).all()
