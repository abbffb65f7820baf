"""A cohort in, a labelled synthetic data set out: charged once, learnt from once."""

import csv
import json
import math

import numpy as np
import pytest

from latentdp.data import radiograph
from latentdp.errors import Aborted, BudgetExceeded, InputError, WeightsError
from latentdp.privacy.noise import SeededNoise, SystemNoise
from latentdp.privatizer import Privatizer
from latentdp.recipe import Recipe
from latentdp.release.privatize import privatize_folder
from latentdp.release.tasks import digest_input
from latentdp.release.verify import Verification
from latentdp.reports.synthesis_card import SynthesisCard
from latentdp.synthesis import run as run_module
from latentdp.synthesis.generator import Generator
from latentdp.synthesis.job import opened
from latentdp.synthesis.run import preview_synthesis, synthesize
from latentdp.synthesis.verify import verify_synthesis
from latentdp.synthesis.write import Destination, draw
from latentdp.vault.ledger import LedgerEntry
from latentdp.vault.vault import Vault
from tests.support.folders import charges, picture_at, radiograph_at, tree
from tests.support.tiny_flow import shared_flow
from tests.synthesis.cohorts import PATIENTS, cohort, pictures, pixels, request, write


def spent(place):
    ledger = Vault(place / "vault", read_only=True).ledger()
    try:
        return ledger.spent()
    finally:
        ledger.close()


def refuted(verification: Verification) -> list[str]:
    return [check.claim for check in verification.checks if not check.ok]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A finished synthesis, not to be changed."""
    place = tmp_path_factory.mktemp("done")
    cohort(place)
    return place, synthesize(request(place), shared_flow())


def test_writes_images_labels_card_and_generator(done):
    place, summary = done
    out = place / "out"
    assert summary.exit_code == 0
    assert (summary.patients, summary.files, summary.images) == (PATIENTS, 2 * PATIENTS, 5)
    assert {p.name for p in out.iterdir()} == {
        "images", "labels.csv", "release.json", "generator.safetensors"
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
    text = b"".join(p.read_bytes() for p in (place / "out").rglob("*") if p.is_file())
    card = (place / "out" / "release.json").read_text(encoding="utf-8")
    for private in ("P0", "P11", "p3/", str(place)):
        assert private.encode() not in text.replace(b"PNG", b"")
    counts = {str(PATIENTS), str(2 * PATIENTS)}
    numbers = json.loads(card, parse_int=str)
    assert not counts & set(_values(numbers))


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
    assert refuted(verify_synthesis(out)) == ["number of images"]
    with (out / "generator.safetensors").open("ab") as torn:
        torn.write(b"x")
    assert len(refuted(verify_synthesis(out))) > 1


def test_running_again_charges_nothing_and_leaves_all_as_it_is(tmp_path):
    cohort(tmp_path, 6, 1)
    synthesize(request(tmp_path), shared_flow())
    before = tree(tmp_path / "out")
    again = synthesize(request(tmp_path), shared_flow())
    assert again.already
    assert again.charged == 0
    assert tree(tmp_path / "out") == before
    assert charges(tmp_path)["reserve"] == 6


@pytest.mark.parametrize("where", ["release", "kept", "finish", "draw"])
def test_a_run_that_dies_is_gone_on_with_and_learns_once_for_one_charge(
    tmp_path, monkeypatch, where
):
    """Killed before, while and after it keeps what was learnt, which is never drawn again."""
    cohort(tmp_path, 6, 1)

    def die(*_, **__):
        raise OSError(28, "No space left on device")

    learnt = []
    with monkeypatch.context() as patched:
        if where == "release":
            patched.setattr(run_module.Learner, "release", die)
        if where == "kept":
            patched.setattr(run_module.Generator, "save", die)
        if where == "finish":
            patched.setattr(run_module, "_finish", die)
        if where == "draw":
            patched.setattr(run_module, "draw", die)
        with pytest.raises(Aborted):
            synthesize(request(tmp_path), shared_flow())
    kept = {p.name: p.read_bytes() for p in (tmp_path / "vault").glob("synthesis/*.safetensors")}
    assert bool(kept) == (where in ("finish", "draw"))
    assert charges(tmp_path)["reserve"] == 6

    real = run_module.Learner.release

    def counted(self, noise):
        learnt.append(1)
        return real(self, noise)

    monkeypatch.setattr(run_module.Learner, "release", counted)
    summary = synthesize(request(tmp_path), shared_flow())
    assert summary.charged == 0
    assert len(learnt) == (0 if kept else 1)
    assert charges(tmp_path) == {"reserve": 6, "written": 6}
    (file,) = (tmp_path / "vault" / "synthesis").iterdir()
    assert not kept or kept == {file.name: file.read_bytes()}
    assert refuted(verify_synthesis(tmp_path / "out")) == []


def test_a_run_that_died_while_drawing_leaves_no_image_of_its_own(tmp_path, monkeypatch):
    cohort(tmp_path, 6, 1)
    real, seen = run_module.draw, []

    def torn(file, destination, flow, noise, progress):
        (destination.out / "images").mkdir(parents=True)
        (destination.out / "images" / "000009.png").write_bytes(b"torn")
        card = destination.card(Generator.load(file), "", "incomplete").to_json()
        (destination.out / "release.json").write_text(json.dumps(card), encoding="utf-8")
        seen.append(1)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_module, "draw", torn)
    with pytest.raises(Aborted):
        synthesize(request(tmp_path), shared_flow())
    monkeypatch.setattr(run_module, "draw", real)
    synthesize(request(tmp_path), shared_flow())
    assert len(pixels(tmp_path)) == 5


def test_what_was_learnt_and_is_lost_is_not_learnt_again_for_nothing(tmp_path):
    cohort(tmp_path, 6, 1)
    synthesize(request(tmp_path), shared_flow())
    for file in (tmp_path / "vault" / "synthesis").iterdir():
        file.unlink()
    with pytest.raises(InputError, match="gone from the vault"):
        synthesize(request(tmp_path, "other"), shared_flow())
    assert charges(tmp_path)["reserve"] == 6


def test_another_recipe_another_cohort_or_other_findings_are_charged_anew(tmp_path):
    cohort(tmp_path, 6, 1)
    synthesize(request(tmp_path), shared_flow())
    synthesize(request(tmp_path, "b", method="mixture"), shared_flow())
    write(tmp_path / "labels.csv", [{"file": "p0/0.dcm", "label": "normal"}])
    synthesize(request(tmp_path, "c"), shared_flow())
    assert charges(tmp_path)["reserve"] == 18
    balance = next(iter(spent(tmp_path).values()))
    assert balance.releases == 3
    assert 23.9e6 < balance.micro_epsilon <= 24e6 + 3


def test_a_synthesis_and_a_local_release_of_a_vault_add_up(tmp_path):
    cohort(tmp_path, 6, 1)
    privatizer = Privatizer(shared_flow(), Recipe.from_preset("dp-glow", epsilon=2560.0))
    privatize_folder(
        tmp_path / "in", tmp_path / "local", vault=tmp_path / "vault", privatizer=privatizer
    )
    before = spent(tmp_path)
    synthesize(request(tmp_path), shared_flow())
    after = spent(tmp_path)
    assert before.keys() == after.keys()
    assert all(after[s].micro_epsilon - before[s].micro_epsilon > 7.99e6 for s in after)
    assert {balance.releases for balance in after.values()} == {2}


def released(place, recipe=None):
    """Pictures of nobody, as a release of this vault charges them."""
    recipe = recipe or Recipe.from_preset("dp-glow", epsilon=2560.0)
    privatizer = Privatizer(shared_flow(), recipe)
    privatize_folder(place / "one", place / "of one", vault=place / "vault", privatizer=privatizer)


def test_a_release_of_a_picture_of_nobody_counts_for_the_patient_of_the_table(tmp_path):
    pictures(tmp_path, 3)
    picture_at(tmp_path / "one" / "anything.png", 1)
    released(tmp_path)
    (before,) = spent(tmp_path).values()
    asked = {"findings": "a;b", "budget": 9.0}
    rows = tree(tmp_path)
    with pytest.raises(BudgetExceeded, match="1 of 3 patients"):
        synthesize(request(tmp_path, **asked), shared_flow())
    with pytest.raises(BudgetExceeded, match="1 of 3 patients"):
        preview_synthesis(request(tmp_path, **asked), shared_flow())
    assert charges(tmp_path) == {"reserve": 1, "written": 1}
    assert not (tmp_path / "out").exists()
    assert rows.keys() == tree(tmp_path).keys()
    told = preview_synthesis(request(tmp_path, findings="a;b"), shared_flow())
    summary = synthesize(request(tmp_path, findings="a;b"), shared_flow())
    after = spent(tmp_path)
    assert sorted(balance.releases for balance in after.values()) == [1, 1, 2]
    most = max(after.values())
    assert most.micro_epsilon > before.micro_epsilon + 7.99e6
    assert told.standing == summary.standing == most


def test_what_version_0_1_charged_to_a_file_of_nobody_counts_too(tmp_path):
    cohort(tmp_path, 3, 1)
    rows = [{"file": f"p{i}/0.dcm", "label": "normal", "patient": f"P{i}"} for i in range(3)]
    write(tmp_path / "labels.csv", rows)
    path = radiograph_at(tmp_path / "in" / "p2" / "0.dcm", 2, PatientID="")
    vault = Vault(tmp_path / "vault")
    ledger = vault.ledger()
    charged = LedgerEntry(
        key="k", subject=vault.subject(f"unknown {digest_input(path)}"), micro_epsilon=5_000_000,
        pico_delta=0, output="x.png", folder=vault.tag,
    )  # fmt: skip
    ledger.reserve([charged])
    ledger.close()
    with pytest.raises(BudgetExceeded, match="1 of 3 patients"):
        synthesize(request(tmp_path, budget=9.0), shared_flow())
    assert synthesize(request(tmp_path), shared_flow()).standing.releases == 2


@pytest.mark.parametrize("most", [4, 1])
def test_a_later_release_of_such_a_picture_is_charged_to_the_patient(tmp_path, most):
    """Whether the synthesis looked at it or passed it over."""
    pictures(tmp_path, 3)
    rows = [{"file": f"{i}.png", "label": "a", "patient": "P0"} for i in range(3)]
    write(tmp_path / "labels.csv", rows)
    synthesize(request(tmp_path, findings="a;b", images_per_patient=most), shared_flow())
    for i in range(3):
        picture_at(tmp_path / "one" / f"{i}.png", i)
    released(tmp_path)
    (balance,) = spent(tmp_path).values()
    assert balance.releases == 4


def test_infinity_of_a_picture_of_nobody_is_remembered(tmp_path):
    pictures(tmp_path, 3)
    picture_at(tmp_path / "one" / "0.png", 0)
    released(tmp_path, Recipe.from_preset("empirical", label="none", resample_identity=3))
    with pytest.raises(BudgetExceeded, match="infinite epsilon"):
        synthesize(request(tmp_path, findings="a;b", budget=100.0), shared_flow())
    summary = synthesize(request(tmp_path, findings="a;b"), shared_flow())
    assert math.isinf(summary.standing.epsilon)
    assert math.isinf(max(balance.epsilon for balance in spent(tmp_path).values()))
    assert summary.guarantee.charged <= 8


def test_a_picture_under_two_patients_makes_one_account_of_theirs(tmp_path, monkeypatch):
    """Both pay, and a run that goes on charges neither again."""
    folder = pictures(tmp_path, 3)
    (folder / "1.png").write_bytes((folder / "0.png").read_bytes())

    def die(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(run_module.Learner, "release", die)
        with pytest.raises(Aborted):
            synthesize(request(tmp_path, findings="a;b"), shared_flow())
    summary = synthesize(request(tmp_path, findings="a;b"), shared_flow())
    assert (summary.patients, summary.charged) == (3, 0)
    assert charges(tmp_path)["reserve"] == 3
    assert sorted(balance.releases for balance in spent(tmp_path).values()) == [1, 2]


def test_a_budget_or_a_cap_refuses_before_any_pixel_is_read(tmp_path, monkeypatch):
    cohort(tmp_path, 6, 1)

    def read(*_):
        raise AssertionError("a pixel was read")

    monkeypatch.setattr(run_module, "read_images", read)
    with pytest.raises(BudgetExceeded, match="6 of 6 patients"):
        synthesize(request(tmp_path, budget=7.0), shared_flow())
    assert not (tmp_path / "vault").exists()
    assert not (tmp_path / "out").exists()
    vault = Vault(tmp_path / "vault")
    ledger = vault.ledger()
    ledger.set_cap(5_000_000)
    ledger.close()
    with pytest.raises(BudgetExceeded, match="the vault's cap"):
        synthesize(request(tmp_path), shared_flow())
    assert charges(tmp_path)["reserve"] == 0


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


def test_what_cannot_be_read_is_kept_back_and_the_rest_goes_on(tmp_path):
    folder = cohort(tmp_path, 6, 1)
    (folder / "p0" / "0.dcm").write_bytes(b"torn")
    (folder / "notes.txt").write_text("x")
    summary = synthesize(request(tmp_path), shared_flow())
    assert summary.exit_code == 1
    assert (summary.patients, summary.quarantined) == (5, {"not-dicom": 2})
    rows = [json.loads(line) for line in summary.report.read_text().splitlines()]
    assert {r["file"] for r in rows if r["status"] == "quarantined"} == {"p0/0.dcm", "notes.txt"}


def test_pictures_need_patients_from_the_table(tmp_path):
    pictures(tmp_path, 6)
    assert synthesize(request(tmp_path, findings="a;b"), shared_flow()).patients == 6
    other = tmp_path / "other"
    pictures(other, 6, named=False)
    with pytest.raises(InputError, match="6 no-patient"):
        synthesize(request(other, findings="a;b"), shared_flow())
    assert not (other / "vault").exists()


def test_the_patient_of_a_header_is_the_one_that_is_read_with_the_image(tmp_path):
    """Or a patient would have two accounts in one ledger."""
    for elements in ({}, {"IssuerOfPatientID": "HOSPITAL"}, {"PatientID": ""}):
        path = radiograph_at(tmp_path / "x.dcm", 1, **elements)
        read = radiograph.read(path, (16, 16))
        assert radiograph.patient(path) == (read.patient, read.spelled)
    assert radiograph.patient(picture_at(tmp_path / "x.png", 1)) == ("", "")


def test_two_spellings_are_one_patient_with_one_record_and_one_account(tmp_path):
    cohort(tmp_path, 4, 1)
    for number, spelling in enumerate(("MRN-01", "mrn 1")):
        radiograph_at(tmp_path / "in" / f"p{number}" / "0.dcm", number, PatientID=spelling)
    summary = synthesize(request(tmp_path), shared_flow())
    assert (summary.patients, summary.files) == (3, 4)
    assert charges(tmp_path)["reserve"] == 3
    privatizer = Privatizer(shared_flow(), Recipe.from_preset("dp-glow", epsilon=2560.0))
    privatize_folder(
        tmp_path / "in", tmp_path / "local", vault=tmp_path / "vault", privatizer=privatizer
    )
    assert sorted(balance.releases for balance in spent(tmp_path).values()) == [2, 2, 3]


def test_a_table_is_a_cohort_too(tmp_path):
    pictures(tmp_path, 6)
    rows = [{"file": f"in/{i}.png", "labels": "a", "patient_id": f"P{i // 2}"} for i in range(6)]
    (tmp_path / "there").mkdir()
    (tmp_path / "in").rename(tmp_path / "there" / "in")
    write(tmp_path / "there" / "table.csv", rows)
    asked = request(tmp_path, source=tmp_path / "there" / "table.csv", labels=None, findings="a")
    summary = synthesize(asked, shared_flow())
    assert (summary.patients, summary.files) == (3, 6)


def test_lists_by_patient_and_columns_of_findings_are_understood_too(tmp_path):
    """As those of a release: whoever has a list for one has it for the other."""
    cohort(tmp_path, 6, 2)
    rows = [
        {"PatientID": f"P{i}", "edema": str(i % 2), "normal": str(1 - i % 2)} for i in range(6)
    ]
    write(tmp_path / "labels.csv", rows)
    asked = request(tmp_path, findings="edema;normal")
    with opened(asked, shared_flow(), read_only=True) as job:
        said = {
            who: {file.annotation.findings for file in files}
            for who, files in job.cohort.patients.items()
        }
    assert said == {f"p{i}": {("edema",) if i % 2 else ("normal",)} for i in range(6)}
    assert synthesize(asked, shared_flow()).patients == 6


def test_images_beyond_so_many_of_a_patient_and_equal_ones_are_passed_over(tmp_path):
    folder = cohort(tmp_path, 3, 3)
    (folder / "p0" / "copy.dcm").write_bytes((folder / "p0" / "0.dcm").read_bytes())
    summary = synthesize(request(tmp_path, images_per_patient=2), shared_flow())
    assert (summary.files, summary.passed_over) == (6, 4)


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


def test_folders_that_would_be_mixed_are_refused(tmp_path):
    cohort(tmp_path, 3, 1)
    with pytest.raises(InputError, match="must not lie inside"):
        request(tmp_path, "in/out")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("x")
    with pytest.raises(InputError, match="other files"):
        synthesize(request(tmp_path), shared_flow())
    synthesize(request(tmp_path, "there"), shared_flow())
    with pytest.raises(InputError, match="another vault"):
        synthesize(request(tmp_path, "there", vault=tmp_path / "second"), shared_flow())
    with pytest.raises(InputError, match="another synthesis"):
        synthesize(request(tmp_path, "there", epsilon=4.0), shared_flow())


@pytest.mark.parametrize(
    "wrong",
    [
        {"epsilon": 0.0},
        {"epsilon": math.inf},
        {"delta": 1.0},
        {"delta": 0.0},
        {"images": 0},
        {"size": 0},
        {"method": "magic"},
        {"images_per_patient": 0},
        {"budget": -1.0},
        {"findings": " ; "},
        {"findings": "x" * 65},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_before_anything_is_read(tmp_path, wrong):
    cohort(tmp_path, 2, 1)
    with pytest.raises(InputError):
        request(tmp_path, **wrong)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"file": "p0/0.dcm"}], "expected a column label"),
        ([{"file": "p0/0.dcm", "label": x} for x in "ab"], "line 3: the same file as in line 2"),
        ([{"file": "p0/0.dcm", "label": "a", "patient": x} for x in "ab"], "two different pat"),
        ([{"file": "p9/9.dcm", "label": "a"}], "no row of the table of findings fits"),
        ([{"file": "p0/0.dcm", "label": "x" * 70}], "line 2: expected names"),
        ([{"file": "p0/0.dcm", "label": ";".join(map(str, range(65)))}], "at most 64 different"),
    ],
)
def test_a_table_that_is_none_is_refused_without_its_values(tmp_path, rows, message):
    cohort(tmp_path, 2, 1)
    write(tmp_path / "labels.csv", rows)
    with pytest.raises(InputError, match=message):
        synthesize(request(tmp_path), shared_flow())
    assert not (tmp_path / "vault").exists()
