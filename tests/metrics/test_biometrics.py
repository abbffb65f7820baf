"""Pairs, verification and identification, against sklearn and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata
from sklearn.feature_selection import f_classif
from sklearn.metrics import roc_auc_score, roc_curve

from latentdp import InputError
from latentdp.metrics.analysis_of_variance import analysis_of_variance
from latentdp.metrics.bootstrap import Resamples, mean, share
from latentdp.metrics.identification import own_image, same_patient
from latentdp.metrics.pairs import IMPOSTORS, Pairs
from latentdp.metrics.verification import verify

PATIENTS = np.repeat(np.arange(40), [1] * 15 + [2] * 15 + [5] * 10)


def test_pairs_are_balanced_over_patients_and_keep_the_reference():
    rng = np.random.default_rng(0)
    cells = rng.integers(0, 3, len(PATIENTS))
    pairs = Pairs.of(PATIENTS, cells, cap=6)
    assert (PATIENTS[pairs.probe] == PATIENTS[pairs.reference]).tolist() == pairs.same.tolist()
    assert not (pairs.probe == pairs.reference)[pairs.same].any()
    counted = np.bincount(PATIENTS[pairs.probe[pairs.same]], minlength=40)
    assert counted[:15].max() == 0
    assert set(counted[15:30]) == {2}
    assert set(counted[30:]) == {12}, "six of ten pairs, in both orders"
    true = list(zip(pairs.probe[pairs.same], pairs.reference[pairs.same], strict=True))
    assert len(set(true)) == len(true)
    beside = np.bincount(pairs.reference[~pairs.same], minlength=len(PATIENTS))
    twice = np.bincount(pairs.reference[pairs.same], minlength=len(PATIENTS))
    assert beside.tolist() == (IMPOSTORS * twice).tolist(), "each reference alike on both sides"
    for cell in range(3):
        probes = {int(i) for i in pairs.probe[pairs.same] if cells[i] == cell}
        references = {j for i, j in true if i in probes}
        wrong = pairs.probe[~pairs.same][np.isin(pairs.reference[~pairs.same], list(references))]
        assert len(wrong)
    hard = cells[pairs.probe[~pairs.same]]
    assert set(hard) <= set(cells[pairs.probe[pairs.same]])


def test_pairs_without_order_stand_once():
    pairs = Pairs.of(PATIENTS, ordered=False, cap=100)
    assert pairs.same.sum() == 15 + 10 * 10
    assert (pairs.probe[pairs.same] < pairs.reference[pairs.same]).all()


def test_both_images_of_an_impostor_pair_may_be_redrawn():
    patients, cells = np.arange(60) // 2, np.arange(60) // 20
    options = {"ordered": False, "cap": None, "redraw": "both"}
    pairs = Pairs.of(patients, cells, **options)
    assert pairs.same.sum() == 30
    alike = cells[pairs.probe] == cells[pairs.reference]
    assert alike.all(), "a patient's images share a cell here"
    assert ((patients[pairs.probe] == patients[pairs.reference]) == pairs.same).all()
    true = pairs.reference[pairs.same].repeat(IMPOSTORS)[: len(pairs) - 30]
    assert (pairs.reference[~pairs.same] != true).mean() > 0.8, "no reference stays"
    loose = Pairs.of(patients, cells, matched=False, **options)
    assert (cells[loose.probe] != cells[loose.reference]).any()
    assert len(Pairs.of(PATIENTS, cap=None)) == 21 * 2 * (15 + 10 * 10), "all pairs there are"


def test_who_is_alone_in_a_cell_meets_anyone():
    patients, cells = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1])
    pairs = Pairs.of(patients, cells)
    assert (patients[pairs.probe] != patients[pairs.reference])[~pairs.same].all()


@pytest.mark.parametrize("patients", [[0, 1, 2], [0, 0]])
def test_nobody_to_verify_is_refused(patients):
    with pytest.raises(InputError, match="expected"):
        Pairs.of(np.array(patients))


def test_verification_agrees_with_sklearn():
    rng = np.random.default_rng(1)
    pairs = Pairs.of(PATIENTS)
    scores = np.round(rng.normal(size=(3, len(pairs))) + [[0], [1], [2]] * pairs.same, 1)
    found = verify(scores, pairs, Resamples(PATIENTS, 200))
    expected = [roc_auc_score(pairs.same, row) for row in scores]
    assert found.auc == pytest.approx(expected)
    assert found.mean.value == pytest.approx(np.mean(expected))
    assert found.best.value == pytest.approx(max(expected))
    assert found.best.low < found.best.value < found.best.high
    fpr, tpr, _ = roc_curve(pairs.same, scores[2], drop_intermediate=False)
    assert found.roc.tpr == pytest.approx(np.interp(found.roc.fpr, fpr, tpr), abs=6e-5)
    crossing = fpr[np.nanargmin(np.abs(fpr - (1 - tpr)))]
    assert found.eer.value == pytest.approx(crossing, abs=0.05)
    exact = np.interp(0, fpr + tpr - 1, fpr)
    assert found.eer.value == pytest.approx(exact, abs=1e-9)


def test_perfect_and_useless_verifiers():
    pairs = Pairs.of(PATIENTS)
    scores = np.stack([pairs.same.astype(float), np.zeros(len(pairs))])
    found = verify(scores[:1], pairs, Resamples(PATIENTS, 50))
    assert (found.best.value, found.eer.value) == (1.0, 0.0)
    found = verify(scores[1:], pairs, Resamples(PATIENTS, 50))
    assert (found.best.value, found.eer.value) == (0.5, 0.5)


def test_own_image_ranks_by_hand():
    scores = np.array([[3, 1, 2], [5, 4, 0], [1, 1, 1]], dtype=float)
    hits = own_image(scores)
    assert hits.first() == pytest.approx([1, 0, 1 / 3])
    assert hits.within(2) == pytest.approx([1, 1, 2 / 3])
    assert hits.within(3) == pytest.approx([1, 1, 1])
    assert hits.gallery == 3


def test_same_patient_by_hand():
    patients = np.array([0, 0, 0, 1])
    scores = np.array(
        [
            [9, 3, 2, 1],  # both others first: P@1 1, mAP@R 1
            [1, 9, 3, 2],  # right, wrong, right: of the first two the first is right: 1/2
            [1, 2, 9, 3],  # wrong, right: of the first two the second is right: (1/2)/2
            [0, 0, 0, 9],
        ],
        dtype=float,
    )
    hits = same_patient(scores, patients)
    assert hits.probes.tolist() == [0, 1, 2]
    assert hits.first().tolist() == [1, 1, 0]
    assert hits.within(2).tolist() == [1, 1, 1]
    assert hits.precision.tolist() == [1, 0.5, 0.25]
    assert hits.right.tolist() == [2, 2, 2]
    assert hits.gallery == 3


def test_ties_are_drawn_by_lot():
    hits = same_patient(np.ones((4, 4)), np.array([0, 0, 1, 1]))
    assert hits.first() == pytest.approx([1 / 3] * 4)
    assert not hits.precision.any(), "but average precision counts no tie"
    assert own_image(np.ones((4, 4))).first() == pytest.approx([1 / 4] * 4)
    hits = same_patient(np.ones((5, 5)), np.array([0, 0, 0, 1, 2]))
    assert hits.first() == pytest.approx([1 / 2] * 3)
    assert hits.within(2) == pytest.approx([1 - 1 / 6] * 3), "two of two wrong ones: 1 of 6"


def test_copies_of_an_original_are_half_found_each():
    """Each original lies in the gallery twice: the right one is first every other time."""
    vectors = np.eye(6).repeat(2, axis=0)
    assert own_image(vectors @ vectors.T).first() == pytest.approx([1 / 2] * 12)


@pytest.mark.statistical
def test_chance_is_chance():
    """False alarm: less than 1e-6, by a normal approximation of 900 trials at 1/90."""
    rng = np.random.default_rng(2)
    firsts = [own_image(rng.random((90, 90))).first().mean() for _ in range(10)]
    assert abs(np.mean(firsts) - 1 / 90) < 5 * np.sqrt(1 / 90 / 900)


@given(st.integers(1, 200), st.data())
def test_a_share_is_never_narrower_than_exact(patients, data):
    hits = data.draw(st.integers(0, patients))
    values = np.full(101, hits / patients)
    found = share(values, patients)
    assert found is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.high > found.low
    if hits == 0:
        assert found.high == pytest.approx(1 - 0.025 ** (1 / patients))


def test_cmc_rises_to_one():
    rng = np.random.default_rng(3)
    patients = np.repeat(np.arange(30), 2)
    hits = same_patient(rng.random((60, 60)), patients)
    cmc = hits.cmc(Resamples(patients, 50))
    assert list(cmc.rate) == sorted(cmc.rate)
    assert all(
        low <= rate <= high for low, rate, high in zip(cmc.low, cmc.rate, cmc.high, strict=True)
    )
    assert cmc.ranks[-1] <= cmc.gallery == 59
    weights = Resamples(patients, 50).of(hits.probes)
    assert cmc.rate[0] == pytest.approx(mean(hits.first(), weights)[0], abs=1e-4)


def test_analysis_of_variance_is_scikit_learns_where_that_is_exact():
    """And where a patient's images agree exactly, planted identity is still seen."""
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(30), rng.integers(2, 5, 30))
    x = rng.normal(size=(len(who), 6)) + rng.normal(size=(30, 6))[who]
    p, share = analysis_of_variance(x, who)
    assert p == pytest.approx(f_classif(rankdata(x, axis=0), who)[1])
    ratio, sizes = f_classif(x - x.mean(axis=0), who)[0], np.bincount(who)
    size = (len(who) - np.square(sizes).sum() / len(who)) / 29
    assert share == pytest.approx((ratio - 1) / (ratio + size - 1))
    planted, flat = rng.random(30)[who], np.full(len(who), 3.0)
    p, share = analysis_of_variance(np.stack([planted, planted + 1000, flat], axis=1), who)
    assert p.tolist() == [0, 0, 1]
    assert share == pytest.approx([1, 1, 0])
