"""Public directions: planted ones are found, and the probes tell the truth."""

from dataclasses import replace

import numpy as np
import pytest

from latentdp import InputError
from latentdp.metrics.scatter import Groups, across, finding_scatter, patient_scatter, residuals
from latentdp.models.directions.finding import DirectionConfig, Scatters, discriminants, shares
from latentdp.models.directions.identity import identity_directions
from tests.support.planted_latents import BOTH, FINDING, PATIENT, SOURCE, D, found, planted


def test_rows_are_orthonormal():
    made = found(*planted())
    assert made.rows.shape == (D // 4, D)
    assert made.rows @ made.rows.T == pytest.approx(np.eye(D // 4), abs=1e-12)


def test_the_finding_is_found_and_the_patient_and_the_source_are_not():
    rows = found(*planted()).rows
    assert abs(rows[0, FINDING]) > 0.9
    assert abs(rows[0, SOURCE]) < 0.1
    assert abs(rows[0, PATIENT]) < 0.1


def test_gamma_ranks_what_tells_the_patient_too_below_what_does_not():
    z, groups = planted()
    plain, weighed = (found(z, groups, gamma=gamma).rows[0] for gamma in (0.0, 0.9))
    assert abs(plain[BOTH]) > 0.5, "without the patient term both say equally much"
    assert abs(weighed[BOTH]) < 0.3
    told = shares(np.eye(D)[[FINDING, BOTH, PATIENT]], z, groups)
    assert told.patient == pytest.approx([0, 0.8, 0.8], abs=0.1)
    assert told.finding[2] == pytest.approx(0, abs=0.02)


def test_two_findings_order_by_their_ratio():
    """Of two contrasts, the one that tells the patient comes second although it is larger."""
    rng = np.random.default_rng(1)
    n = 1500
    patients = np.arange(n) // 2
    findings = rng.integers(0, 3, n // 2)[patients]
    z = rng.normal(size=(n, D))
    z[:, BOTH] = 0.9 * rng.normal(size=n // 2)[patients] + np.sqrt(0.19) * z[:, BOTH]
    z[:, FINDING] += 2.0 * (findings == 1)
    z[:, BOTH] += 2.5 * (findings == 2)
    groups = Groups.of(findings, ["s"] * n, patients)
    made = found(z, groups)
    assert made.discriminants == 2
    assert made.ratios[0] > made.ratios[1]
    assert abs(made.rows[0, FINDING]) > abs(made.rows[0, BOTH])
    assert abs(found(z, groups, gamma=0.0).rows[0, BOTH]) > 0.7


def test_without_strata_the_source_is_learnt():
    """The confounder is real: this is what taking scatter within the source prevents."""
    z, groups = planted()
    careless = replace(groups, strata=np.zeros_like(groups.strata))
    means = {"alpha": 1.0, "gamma": 0.0}  # directions are differences of means
    assert abs(found(z, careless, **means).rows[0, SOURCE]) > 0.5
    assert abs(found(z, groups, **means).rows[0, SOURCE]) < 0.1


def test_the_order_of_labels_changes_nothing():
    z, groups = planted()
    other = replace(groups, findings=1 - groups.findings)
    assert found(z, other).rows == pytest.approx(found(z, groups).rows, abs=1e-6)
    shuffled = np.random.default_rng(0).permutation(len(z))
    again = found(z[shuffled], groups[shuffled])
    assert again.rows[0] == pytest.approx(found(z, groups).rows[0], abs=1e-6)


def test_images_without_a_finding_are_left_out():
    z, groups = planted()
    findings = groups.findings.copy()
    findings[::10] = -1
    rows = np.flatnonzero(findings >= 0)
    unknown = found(np.where((findings < 0)[:, None], 1e6, z), replace(groups, findings=findings))
    assert unknown.rows == pytest.approx(found(z[rows], groups[rows]).rows, abs=1e-6)
    assert unknown.images == len(rows)


def test_strata_that_hold_one_finding_each_are_merged():
    """Where source and finding are the same, nothing can be told apart; the card says so."""
    groups = planted()[1]
    names = [f"s{f}" for f in groups.findings]
    merged = Groups.of(groups.findings, names, groups.patients)
    assert merged.compared.all()
    assert merged.strata.max() == 0


def test_one_finding_gives_no_directions():
    z, groups = planted()
    assert Scatters.of(z, replace(groups, findings=np.zeros_like(groups.findings))) is None
    assert Scatters.of(z, replace(groups, findings=np.full_like(groups.findings, -1))) is None


@pytest.mark.parametrize("n", [4, 7, 30])
@pytest.mark.parametrize("settings", [{}, {"alpha": 0.0, "gamma": 0.0}, {"alpha": 1.0}])
@pytest.mark.parametrize("per_patient", [1, 2])
def test_fewer_images_than_dimensions(n, settings, per_patient):
    rng = np.random.default_rng(n)
    groups = Groups.of(np.arange(n) % 2, [""] * n, np.arange(n) // per_patient)
    made = found(rng.normal(size=(n, 256)), groups, **settings)
    assert len(made.rows) == 64
    assert made.rows @ made.rows.T == pytest.approx(np.eye(64), abs=1e-9)
    assert np.isfinite(made.ratios).all()


def test_equal_images_give_finite_directions():
    groups = Groups.of(np.arange(8) % 2, [""] * 8, np.arange(8) // 2)
    rows = found(np.ones((8, 32)), groups).rows
    assert rows @ rows.T == pytest.approx(np.eye(8), abs=1e-9)


def test_discriminants_against_the_generalised_eigenproblem():
    """The first one is the leading generalised eigenvector, each next one the best left."""
    from scipy.linalg import eigh, null_space

    rng = np.random.default_rng(0)
    m = rng.normal(size=(10, 4))
    root = rng.normal(size=(10, 10))
    s = root @ root.T + np.eye(10)
    rows, ratios = discriminants(m, s, 4)
    for k in range(4):
        free = null_space(rows[:k]) if k else np.eye(10)
        best = eigh(free.T @ m @ m.T @ free, free.T @ s @ free)[0][-1]
        assert ratios[k] == pytest.approx(best)


def test_the_patient_scatter_is_that_of_the_patient():
    z, groups = planted(6000)
    spread = residuals(z, groups)
    made = patient_scatter(spread, groups.patients, np.eye(D))
    assert np.linalg.eigvalsh(made).min() > -1e-9
    expected = np.zeros(D)
    expected[[BOTH, PATIENT]] = 0.8
    assert np.diag(made) == pytest.approx(expected, abs=0.25), "lowered by what chance explains"
    others = np.delete(np.arange(D), [BOTH, PATIENT])
    assert np.abs(made[np.ix_(others, others)]).max() < 0.02
    assert np.diag(across(spread, groups.patients)) == pytest.approx(expected, abs=0.1)


def test_the_finding_scatter_is_between_means_within_strata():
    z, groups = planted()
    m = finding_scatter(z, groups)
    rows = groups.compared
    assert m.shape == (D, 1)
    a, b = (z[rows & (groups.findings == f)].mean(0) for f in (0, 1))
    p = groups.findings[rows].mean()
    assert m @ m.T == pytest.approx(p * (1 - p) * np.outer(a - b, a - b))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": 0}, "count of at least 1"),
        ({"alpha": 1.1}, "alpha in"),
        ({"alpha": float("nan")}, "alpha in"),
        ({"gamma": 1.0}, "gamma in"),
    ],
)
def test_impossible_settings_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        DirectionConfig(**change)


def test_what_one_patients_images_share_is_found():
    z, groups = planted()
    z[:, [BOTH, PATIENT]] *= 3  # it is looked for among the leading directions
    rows, card = identity_directions(z, groups, slice(0, 40))
    assert rows.shape == (40, D), "all of the level"
    assert rows @ rows.T == pytest.approx(np.eye(40), abs=1e-9)
    assert not rows[:, 40:].any(), "it looks at no other level"
    two = np.linalg.norm(rows[:2][:, [BOTH, PATIENT]], axis=1)
    assert two == pytest.approx(1, abs=0.02), "both planted ones come first"
    assert card.intraclass_correlations[0] == pytest.approx(0.8, abs=0.05)
    assert (
        tuple(sorted(card.intraclass_correlations, reverse=True)) == card.intraclass_correlations
    )
    assert card.patients_with_pairs == 2000
    assert identity_directions(z, planted(per_patient=1)[1], slice(0, 40)) is None
