"""Syntheses and local releases of one vault are charged to the same patients."""

import math

import pytest

from latentdp.errors import Aborted, BudgetExceeded
from latentdp.privatizer import Privatizer
from latentdp.recipe import Recipe
from latentdp.release.privatize import privatize_folder
from latentdp.release.tasks import digest_input
from latentdp.synthesis import job as job_module
from latentdp.synthesis import learn_once
from latentdp.synthesis.run import preview_synthesis, synthesize
from latentdp.vault.ledger import LedgerEntry
from latentdp.vault.vault import Vault
from tests.support.folders import charges, picture_at, radiograph_at, tree
from tests.support.tiny_flow import shared_flow
from tests.synthesis.cohorts import cohort, pictures, request, spent, write


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
        patched.setattr(job_module.Learner, "release", die)
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

    monkeypatch.setattr(learn_once, "read_images", read)
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
