"""One contract for all voters: a patient moves one vote at most, in any election."""

import numpy as np
import pytest

from latentdp.core import plugins
from latentdp.errors import InputError
from latentdp.synthesis.voting.voters import teachers
from latentdp.synthesis.voting.voters.base import Ballot, elections
from latentdp.vault.keys import Keys
from tests.synthesis.voting.electorate import (
    FINDINGS,
    KEYS,
    NAMES,
    QUESTIONS,
    Patient,
    cohort,
    taught,
    votes,
)

VOTERS = 5


def in_the_place_of(kind, patient):
    """Somebody else with as many images as may be and contrary findings.

    Of teachers with the same one: by the secret key both have the same odds of any.
    """
    for i in range(1_000):
        other = Patient(f"other {i}", 1_000 + i, images=20, odd=True)
        divided = teachers.divided((other.name, patient.name), KEYS, VOTERS)
        if kind != "teachers" or divided[0] == divided[1]:
            return other
    raise AssertionError("nobody has that teacher")


def moved(before, after):
    """Votes that moved, at most in one election."""
    change = after - before
    return max(np.abs(change).max(), np.abs(change).sum(axis=1).max() / 2)


@pytest.mark.promise("A patient moves one vote at most in each question that voters are asked.")
@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("ballot", list(Ballot))
def test_another_patient_or_nobody_moves_one_vote_at_most(kind, ballot):
    patients = cohort(24)
    before = votes(kind, patients, ballot)
    assert (before.sum(axis=1) == VOTERS).all()
    seen = 0.0
    for i in range(0, 24, 6):
        other = in_the_place_of(kind, patients[i])
        instead = votes(kind, [*patients[:i], other, *patients[i + 1 :]], ballot)
        without = votes(kind, [*patients[:i], *patients[i + 1 :]], ballot)
        assert moved(before, instead) <= 1
        assert moved(before, without) <= 1
        seen = max(seen, moved(before, instead))
    assert seen == 1, "somebody matters"


@pytest.mark.parametrize("kind", NAMES)
def test_order_of_patients_and_of_their_images_is_of_no_matter(kind):
    patients = cohort(20)
    before = votes(kind, patients, Ballot.ONE)
    turned = cohort(20)[::-1]
    for patient in turned:
        patient.thumbnails, patient.findings = patient.thumbnails[::-1], patient.findings[::-1]
    assert (votes(kind, turned, Ballot.ONE) == before).all()


@pytest.mark.parametrize("kind", NAMES)
def test_images_that_nobody_read_teach_nothing(kind):
    patients = cohort(20)
    before = votes(kind, patients, Ballot.EACH)
    for patient in patients:
        blank = Patient("x", 77)
        patient.thumbnails = np.concatenate([patient.thumbnails, blank.thumbnails])
        patient.findings = np.concatenate([patient.findings, np.zeros((1, FINDINGS), dtype=bool)])
        patient.read = np.append(patient.read, False)
    assert (votes(kind, patients, Ballot.EACH) == before).all()


@pytest.mark.parametrize("kind", NAMES)
def test_voters_mostly_know_what_they_were_taught(kind):
    patients = cohort(400)
    before = votes(kind, patients, Ballot.EACH)
    bright = (QUESTIONS[:, :FINDINGS, 0] > 128).ravel()
    right = (before.argmax(axis=1) == bright).mean()
    assert right > 0.6


def test_a_ballot_of_each_is_an_election_of_each_finding():
    assert elections(7, 3, Ballot.ONE) == 7
    assert elections(7, 3, Ballot.EACH) == 21
    assert votes("teachers", cohort(20), Ballot.EACH).shape == (12 * FINDINGS, 2)
    assert votes("teachers", cohort(20), Ballot.ONE).shape == (12, FINDINGS)


def test_a_teacher_follows_from_key_and_patient_alone():
    names = tuple(f"p{i}" for i in range(400))
    divided = teachers.divided(names, KEYS, 20)
    assert (teachers.divided(names[::-1], KEYS, 20)[::-1] == divided).all()
    assert (teachers.divided(names[5:], KEYS, 20) == divided[5:]).all()
    assert (teachers.divided(names, Keys(b"x" * 32), 20) != divided).mean() > 0.8
    assert np.bincount(divided, minlength=20).min() > 5


def test_a_teacher_without_patients_has_a_vote_like_all_others():
    counts = votes("teachers", cohort(3), Ballot.EACH, number=40)
    assert (counts.sum(axis=1) == 40).all()
    assert counts[:, 0].min() >= 37, "who knows nothing says no"


def test_too_few_neighbours_are_refused():
    with pytest.raises(InputError, match="at least 9 patients"):
        taught("neighbours", cohort(8), 9)


def test_the_contract_finds_voters_that_are_wrong(monkeypatch):
    real = plugins.load("voters", "teachers").voters
    neighbours = plugins.load("voters", "neighbours").voters

    class ImageByImage(neighbours):
        """A mutant: each image votes, and not each patient."""

        @classmethod
        def teach(cls, images, subjects, keys, *, head, number):
            made = super().teach(images, subjects, keys, head=head, number=number)
            many = np.arange(len(made.tensors["patients"]))
            return cls(head, number, {**made.tensors, "patients": many})

    class EqualParts(real):
        """A mutant: patients are dealt out in turn, so others move when somebody leaves."""

        @classmethod
        def teach(cls, images, subjects, keys, *, head, number):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(teachers, "divided", lambda names, _, n: np.arange(len(names)) % n)
                return super().teach(images, subjects, keys, head=head, number=number)

    contract = test_another_patient_or_nobody_moves_one_vote_at_most
    for kind, mutant in (("neighbours", ImageByImage), ("teachers", EqualParts)):
        monkeypatch.setattr(plugins.load("voters", kind), "voters", mutant)
        with pytest.raises(AssertionError):
            contract(kind, Ballot.EACH)
