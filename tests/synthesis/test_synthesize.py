"""A cohort in, a labelled synthetic data set out: charged once, learnt from once."""

import csv
import json
import math
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from latentdp.errors import WeightsError
from latentdp.models.weights_file import WeightsFile
from latentdp.privacy.noise import SeededNoise, SystemNoise
from latentdp.release.verify import Verification
from latentdp.reports.compliance import COMPLIANCE, ComplianceManifest
from latentdp.reports.release_page import write_public_page
from latentdp.reports.synthesis_card import SynthesisCard
from latentdp.synthesis.destination import Destination
from latentdp.synthesis.generator import Generator
from latentdp.synthesis.run import preview_synthesis, synthesize
from latentdp.synthesis.verify import verify_synthesis
from latentdp.synthesis.write import draw
from tests.support.folders import charges, tree
from tests.support.html_page import Page
from tests.support.tiny_flow import shared_flow
from tests.synthesis.cohorts import PATIENTS, cohort, pixels, request, spent, write


def refuted(verification: Verification) -> list[str]:
    return [check.claim for check in verification.checks if not check.ok]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A finished synthesis, not to be changed."""
    place = tmp_path_factory.mktemp("done")
    cohort(place)
    return place, synthesize(request(place), shared_flow())


@pytest.mark.parametrize(("language", "says"), [(None, "Not for diagnosis."), ("es", "No apto")])
def test_its_page_says_what_it_is_and_what_a_patient_risks(done, tmp_path, language, says):
    out = shutil.copytree(done[0] / "out", tmp_path / "out")
    page = Page(write_public_page(out, language))
    text = " ".join(page.text.split())
    card = SynthesisCard.find(out)
    assert card is not None
    assert page.all("html") == [{"lang": language or "en"}]
    assert says in text
    assert ComplianceManifest.read(out / COMPLIANCE).head == card.compliance
    assert card.compliance in text
    if language is None:
        for line in (*card.synthesis.guarantee.statement, *card.synthesis.guarantee.not_covered):
            assert line in text
        for line in card.synthesis.warnings:
            assert line in text
    else:
        assert not [tag for tag, a in page.tags if a.get("lang") == "en" and tag != "td"]
    assert refuted(verify_synthesis(out)) == []
    (out / "release.html").write_text("another page")
    assert refuted(verify_synthesis(out)) == ["card of release.html"]


def test_writes_images_labels_card_and_generator(done):
    place, summary = done
    out = place / "out"
    assert summary.exit_code == 0
    assert (summary.patients, summary.files, summary.images) == (PATIENTS, 2 * PATIENTS, 5)
    assert {p.name for p in out.iterdir()} == {
        "images", "labels.csv", "metadata.csv", "datalist.json", "release.json", "release.html",
        "compliance.json",
        "generator.safetensors",
    }  # fmt: skip
    with (out / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == sorted(p.name for p in (out / "images").iterdir())
    names = ("edema", "effusion", "normal")
    for row in rows:
        assert row["label"]
        assert set(row["label"].split(";")) <= set(names)
        assert all(0 <= float(row[f"probability of {name}"]) <= 1 for name in names)


def test_the_card_says_all_that_a_third_party_needs(done):
    card = SynthesisCard.find(done[0] / "out")
    learnt, guarantee = card.synthesis, card.synthesis.guarantee
    assert (card.model, card.status, learnt.recipe.method) == ("central", "complete", "gaussian")
    assert guarantee.private
    for bound, relation in ((guarantee.replace_one, "replace-one"),
                            (guarantee.add_remove, "add-remove")):  # fmt: skip
        assert (bound.unit, bound.relation, bound.delta) == ("patient", relation, 1e-5)
    assert guarantee.add_remove.epsilon < guarantee.replace_one.epsilon == guarantee.charged <= 8
    assert guarantee.charged > 7.99
    assert learnt.findings == ("edema", "effusion", "normal")
    assert learnt.public
    assert len(learnt.touched) == 2
    assert any("this synthesis alone" in line for line in guarantee.not_covered)


def test_nothing_of_the_cohort_is_in_what_goes_out(done):
    place, _ = done
    text = "".join(_said(p) for p in (place / "out").rglob("*") if p.is_file())
    card = (place / "out" / "release.json").read_text(encoding="utf-8")
    for private in ("P0", "P11", "p3/", str(place)):
        assert private not in text
    counts = {str(PATIENTS), str(2 * PATIENTS)}
    numbers = json.loads(card, parse_int=str)
    assert not counts & set(_values(numbers))


def _said(file):
    """The words of a file, without pixels and weights, in which two letters stand by chance."""
    if file.suffix == ".png":
        with Image.open(file) as picture:
            return str(picture.info)
    content = file.read_bytes()
    if file.suffix == ".safetensors":
        content = content[8 : 8 + int.from_bytes(content[:8], "little")]
    return re.sub("base64,[A-Za-z0-9+/=]+", "", content.decode())


def _values(value):
    if isinstance(value, dict):
        return [x for part in value.values() for x in _values(part)]
    if isinstance(value, list):
        return [x for part in value for x in _values(part)]
    return [value] if isinstance(value, str) else []


def test_every_patient_is_charged_once_the_larger_epsilon(done):
    place, summary = done
    assert charges(place) == {"reserve": PATIENTS, "written": PATIENTS}
    balances = spent(place).values()
    charged = math.ceil(summary.guarantee.charged * 1e6)
    assert {(b.micro_epsilon, b.pico_delta, b.releases) for b in balances} == {
        (charged, 10_000_000, 1)
    }


def test_verifies(done):
    verification = verify_synthesis(done[0] / "out")
    assert refuted(verification) == []
    assert len(verification.checks) > 15
    assert refuted(verify_synthesis(done[0] / "out" / "release.json")) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("guarantee", "replace_one", "epsilon"), 0.5),
        (("guarantee", "add_remove", "epsilon"), 0.1),
        (("guarantee", "charged"), 0.1),
        (("guarantee", "replace_one", "unit"), "image"),
        (("guarantee", "replace_one", "delta"), 1e-9),
        (("guarantee", "private"), False),
        (("guarantee", "statement"), ["trust us"]),
        (("guarantee", "not_covered"), []),
        (("releases", 0, "scale"), 1e5),
        (("releases", 1, "rounds"), 1),
        (("releases", 1, "grid"), 16),
        (("recipe", "epsilon"), 1.0),
        (("recipe", "delta"), 1e-9),
        (("names_delta",), 1e-7),
        (("warnings",), ["WEAK: made up"]),
        (("findings",), ["normal", "effusion", "somebody's own"]),
    ],
)
def test_a_card_that_claims_something_else_does_not_verify(done, tmp_path, path, value):
    card = json.loads((done[0] / "out" / "release.json").read_text(encoding="utf-8"))
    part = card["synthesis"]
    for key in path[:-1]:
        part = part[key]
    assert part[path[-1]] != value
    part[path[-1]] = value
    (tmp_path / "release.json").write_text(json.dumps(card), encoding="utf-8")
    assert refuted(verify_synthesis(tmp_path / "release.json"))


def test_the_folder_is_held_to_its_card(done, tmp_path):
    generator = Generator.load(done[0] / "out" / "generator.safetensors")
    file, out = tmp_path / "g.safetensors", tmp_path / "out"
    generator.save(file)
    draw(file, Destination.of(out, shared_flow(), 3, None), shared_flow(), SeededNoise(0))
    assert refuted(verify_synthesis(out)) == []
    (out / "images" / "000001.png").unlink()
    assert refuted(verify_synthesis(out)) == ["number of images", "digest of all files"]
    with (out / "generator.safetensors").open("ab") as torn:
        torn.write(b"x")
    assert len(refuted(verify_synthesis(out))) > 1


def test_a_preview_writes_nothing_and_tells_what_a_run_does(tmp_path):
    cohort(tmp_path, 6, 2)
    before = tree(tmp_path)
    told = preview_synthesis(request(tmp_path), shared_flow())
    assert tree(tmp_path) == before
    summary = synthesize(request(tmp_path), shared_flow())
    assert (told.patients, told.files, told.charged) == (
        summary.patients, summary.files, summary.charged
    )  # fmt: skip
    assert told.guarantee == summary.guarantee
    assert preview_synthesis(request(tmp_path, "more"), shared_flow()).charged == 0


def test_names_that_are_not_declared_survive_only_with_many_patients(tmp_path):
    """At so large an epsilon a name of 40 patients is told, and that of one is not."""
    cohort(tmp_path, 41, 1, label="secret of one")
    rows = [{"file": f"p{i}/0.dcm", "label": "common"} for i in range(40)]
    write(tmp_path / "labels.csv", [*rows, {"file": "p40/0.dcm", "label": "secret of one"}])
    summary = synthesize(request(tmp_path, findings=None, epsilon=60.0), shared_flow())
    assert summary.findings == ("common",)
    text = (tmp_path / "out" / "release.json").read_text() + (
        tmp_path / "out" / "labels.csv"
    ).read_text()
    assert "secret" not in text
    assert "common" in text
    assert refuted(verify_synthesis(tmp_path / "out")) == []


def test_a_small_cohort_is_told_to_be_faint_and_may_have_no_label(tmp_path):
    cohort(tmp_path, 6, 1)
    summary = synthesize(request(tmp_path, findings=None, epsilon=1.0), shared_flow())
    assert summary.findings == ()
    assert {line.partition(":")[0] for line in summary.warnings} == {"FAINT", "UNLABELLED"}
    assert refuted(verify_synthesis(tmp_path / "out")) == []


def test_seeded_noise_is_marked_as_no_guarantee(tmp_path):
    cohort(tmp_path, 6, 1)
    summary = synthesize(request(tmp_path), shared_flow(), noise=SeededNoise(0))
    assert summary.warnings[0].startswith("NOT PRIVATE")
    assert "noise from a secure source" in refuted(verify_synthesis(tmp_path / "out"))


def test_anybody_draws_more_from_the_generator(done, tmp_path):
    place, _ = done
    file = place / "out" / "generator.safetensors"
    before = charges(place)
    draw(file, Destination.of(tmp_path / "a", shared_flow(), 7, 32), shared_flow(), SystemNoise())
    drawn = pixels(tmp_path, "a")
    assert drawn.shape == (7, 32, 32)
    assert len(np.unique(drawn.reshape(7, -1), axis=0)) == 7
    assert refuted(verify_synthesis(tmp_path / "a")) == []
    assert charges(place) == before
    assert (tmp_path / "a" / "generator.safetensors").read_bytes() == file.read_bytes()


def test_a_generator_of_other_weights_is_refused(done, tmp_path):
    other = type(shared_flow()).__new__(type(shared_flow()))
    vars(other).update(vars(shared_flow()), sha256="11" * 32)
    generator = Generator.load(done[0] / "out" / "generator.safetensors")
    with pytest.raises(WeightsError, match="other weights"):
        next(generator.draw(other, SystemNoise(), 1, 16))
    file = tmp_path / "torn.safetensors"
    file.write_bytes((done[0] / "out" / "generator.safetensors").read_bytes()[:-9])
    with pytest.raises(WeightsError):
        Generator.load(file)


@pytest.mark.parametrize(
    "changed",
    [
        {"card": "[" * 100_000},
        {"card": "9" * 5_000},
        {"tensors": {"mixture.means": np.float64(1)}},
        {"tensors": {"head.weights": np.float64(1)}},
    ],
)
def test_a_generator_of_somebody_else_that_is_odd_is_refused_in_a_line(done, tmp_path, changed):
    file = WeightsFile.read(done[0] / "out" / "generator.safetensors")
    changed = changed | {"tensors": file.tensors | changed.get("tensors", {})}
    replace(file, **changed).write(tmp_path / "odd.safetensors")
    with pytest.raises(WeightsError, match=r"odd\.safetensors: the generator is damaged"):
        Generator.load(tmp_path / "odd.safetensors")
