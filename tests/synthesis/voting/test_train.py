"""Voters stay in the vault: what they are taught, and what is refused."""

import csv
import stat

import numpy as np
import pytest

from latentdp.errors import InputError, WeightsError
from latentdp.synthesis.voting.kept_voters import KeptVoters, voters_file
from latentdp.synthesis.voting.train import preview_train, train
from latentdp.vault.vault import Vault
from tests.support.folders import tree
from tests.support.tiny_flow import shared_flow
from tests.synthesis.cohorts import cohort, pictures, spent, write
from tests.synthesis.voting.hospital import PATIENTS, training


def kept(place, name="teachers"):
    return KeptVoters.load(voters_file(place / "vault", name))


@pytest.mark.parametrize("kind", ["teachers", "neighbours"])
def test_voters_are_private_and_nobody_is_charged(tmp_path, kind):
    pictures(tmp_path)
    summary = train(training(tmp_path, voters=kind), shared_flow())
    assert (summary.patients, summary.voters, summary.exit_code) == (PATIENTS, 5, 0)
    assert spent(tmp_path) == {}
    file = voters_file(tmp_path / "vault", "teachers")
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    voters = kept(tmp_path)
    assert voters.card.recipe.findings == ("a", "b")
    assert len(voters.card.accounts) == PATIENTS
    vault = Vault(tmp_path / "vault", read_only=True)
    assert {account.subject for account in voters.card.accounts} == {
        vault.subject(f"p{i}") for i in range(PATIENTS)
    }


def test_again_it_does_nothing_and_other_ones_need_another_name(tmp_path):
    pictures(tmp_path)
    train(training(tmp_path), shared_flow())
    before = tree(tmp_path)
    assert train(training(tmp_path), shared_flow()).already
    assert tree(tmp_path) == before
    with pytest.raises(InputError, match="give another --name"):
        train(training(tmp_path, number=6), shared_flow())
    write(tmp_path / "labels.csv", [{"file": "0.png", "label": "b", "patient": "P0"}])
    with pytest.raises(InputError, match="give another --name"):
        train(training(tmp_path), shared_flow())
    train(training(tmp_path, name="few", number=2), shared_flow())
    assert len(kept(tmp_path, "few").card.accounts) == 1


def test_rows_of_the_table_may_stand_in_any_order(tmp_path):
    pictures(tmp_path)
    train(training(tmp_path), shared_flow())
    with (tmp_path / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    write(tmp_path / "labels.csv", rows[::-1])
    train(training(tmp_path, name="turned"), shared_flow())
    heads = [kept(tmp_path, name).voters.tensors["heads"] for name in ("teachers", "turned")]
    assert np.array_equal(*heads)


def test_of_a_patient_so_many_images_are_looked_at(tmp_path):
    cohort(tmp_path, 6, images=4)
    changes = {"findings": "normal;edema", "images_per_patient": 3, "number": 2}
    summary = train(training(tmp_path, **changes), shared_flow())
    assert (summary.files, summary.passed_over) == (18, 6)


def test_a_preview_writes_nothing(tmp_path):
    pictures(tmp_path)
    before = tree(tmp_path)
    assert preview_train(training(tmp_path), shared_flow()).patients == PATIENTS
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"findings": None}, "--findings"),
        ({"number": 1}, "2 to 10,000 voters"),
        ({"name": "../x"}, "expected the name"),
        ({"voters": "crowd"}, "there are: neighbours, teachers"),
        ({"voters": "neighbours", "number": 99}, "at least 99 patients"),
        ({"images_per_patient": 0}, "images per patient"),
    ],
)
def test_what_cannot_be_taught_is_refused_and_no_vault_is_left(tmp_path, changes, message):
    pictures(tmp_path)
    with pytest.raises(InputError, match=message):
        train(training(tmp_path, **changes), shared_flow())
    assert not (tmp_path / "vault").exists()


def test_vault_and_cohort_must_lie_apart(tmp_path):
    pictures(tmp_path)
    with pytest.raises(InputError, match="must not lie inside"):
        training(tmp_path, vault=tmp_path / "in" / "vault")


def test_damaged_voters_are_said_to_be(tmp_path):
    pictures(tmp_path)
    train(training(tmp_path), shared_flow())
    file = voters_file(tmp_path / "vault", "teachers")
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(WeightsError):
        kept(tmp_path)
