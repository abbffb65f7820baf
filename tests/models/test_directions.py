"""Public directions: planted ones are found, and the probes tell the truth."""

import csv
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from latentdp import InputError, WeightsError
from latentdp.metrics.bootstrap import Resamples, auc, estimate
from latentdp.metrics.discriminants import lda, plda
from latentdp.metrics.scatter import Groups, across, finding_scatter, patient_scatter, residuals
from latentdp.models.checkpoints import Checkpoint, load, save, shipped
from latentdp.models.directions.encode import Encoded, with_directions
from latentdp.models.directions.finding import DirectionConfig, Scatters, discriminants, shares
from latentdp.models.directions.identity import identity_directions
from latentdp.models.directions.probe_table import Probe, public_directions
from latentdp.models.flow.flow import Flow, load_flow
from tests.support.benchmarks import script
from tests.support.places import ROOT
from tests.support.tiny_flow import make_net, tiny_checkpoint

D = 48
FINDING, BOTH, SOURCE, PATIENT = 3, 7, 11, 15  # coordinates with something planted


def planted(n: int = 4000, seed: int = 0, *, per_patient: int = 2, gap: float = 1.2):
    """Unit-variance latents: a finding, one that also tells the patient, a patient, a source.

    Each patient has one finding, as in real data; all rare findings come from source 0.
    """
    rng = np.random.default_rng(seed)
    patients = np.arange(n) // per_patient
    count = int(patients.max()) + 1
    sources = rng.integers(0, 2, count)
    findings = np.where(sources == 0, rng.integers(0, 2, count), 0)
    identity = rng.normal(size=(count, D))
    z = rng.normal(size=(n, D))
    for column, share in ((BOTH, 0.8), (PATIENT, 0.8)):
        mixed = np.sqrt(share) * identity[patients, column] + np.sqrt(1 - share) * z[:, column]
        z[:, column] = mixed
    for column in (FINDING, BOTH):
        z[:, column] += gap * findings[patients]
    z[:, SOURCE] += 4 * sources[patients]
    groups = Groups.of(findings[patients], [f"s{s}" for s in sources[patients]], patients)
    return z, groups


def found(z, groups, **changes):
    scatters = Scatters.of(z, groups)
    assert scatters is not None
    return scatters.directions(DirectionConfig(**({"alpha": 0.5, "gamma": 0.9} | changes)))


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
    assert told["patient"] == pytest.approx([0, 0.8, 0.8], abs=0.1)
    assert told["finding"][2] == pytest.approx(0, abs=0.02)


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


# Probes


def test_auc_is_mann_whitney_with_ties_and_weights():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    scores, yes = rng.integers(0, 9, 300).astype(float), rng.integers(0, 2, 300).astype(bool)
    weights = rng.integers(0, 4, size=(3, 300)).astype(float)
    expected = [roc_auc_score(yes, scores, sample_weight=w) for w in weights]
    assert auc(scores, yes, weights) == pytest.approx(expected)
    shifted = scores + 100 * (np.arange(300) % 2) * (1 - 2 * yes)  # a stratum that misleads
    strata = np.arange(300) % 2
    one = np.ones((1, 300))
    within = auc(shifted - 100 * strata * (1 - 2 * yes), yes, one, strata)
    assert auc(scores, yes, one, strata) == pytest.approx(within)
    assert np.isnan(auc(scores, np.zeros(300, bool), one)).all()


def test_a_reader_of_random_labels_reads_nothing():
    """False alarm below 1e-6: five standard errors of an AUC of 0.5 on 1,000 images."""
    rng = np.random.default_rng(0)
    z, labels = rng.normal(size=(2000, 8)), rng.integers(0, 3, 2000)
    log_odds = lda(z[:1000], labels[:1000], z[1000:])
    assert log_odds.shape == (1000, 3)
    for c in range(3):
        value = auc(log_odds[:, c], labels[1000:] == c, np.ones((1, 1000)))[0]
        assert abs(value - 0.5) < 5 * 0.02


def test_a_reader_of_one_number_is_as_good_as_the_number():
    """Both classes' scores rise where the class is likelier, also on the far side of zero."""
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 2
    z = rng.normal(size=(400, 1)) + labels[:, None] + 5
    scores = lda(z, labels, z)
    alone = auc(z[:, 0], labels == 1, np.ones((1, 400)))
    for c in range(2):
        assert auc(scores[:, c], labels == c, np.ones((1, 400))) == pytest.approx(alone)


@pytest.mark.parametrize("classes", [2, 4])
def test_discriminants_are_those_of_scikit_learn_with_the_same_shrinkage(classes):
    """One shrinkage for the covariance that all classes share, as Ledoit and Wolf choose it."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, 60)
    z = rng.normal(size=(60, 30)) + rng.normal(size=(classes, 30))[labels]
    means = np.stack([z[labels == c].mean(axis=0) for c in range(classes)])
    shrinkage = ledoit_wolf_shrinkage(z - means[labels], assume_centered=True)
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(z, labels)
    p = theirs.predict_proba(z)
    assert 1 / (1 + np.exp(-lda(z, labels, z))) == pytest.approx(p, abs=1e-6)


def test_the_scatter_is_shrunk_towards_its_mean_variance():
    z, groups = planted(200)
    scatters = Scatters.of(z, groups)
    target = np.trace(scatters.within) / D * np.eye(D)
    assert scatters.shrunk(0.3) == pytest.approx(0.7 * scatters.within + 0.3 * target)


def test_the_attacker_reaches_what_theory_says():
    """Two-covariance verification in one dimension of intraclass correlation 0.8 against a
    direct simulation of the model's own likelihood ratio."""
    rng = np.random.default_rng(0)

    def pairs(n):
        shared = np.sqrt(0.8) * rng.normal(size=(n, 1))
        return [shared + np.sqrt(0.2) * rng.normal(size=(n, 1)) for _ in range(2)]

    a, b = pairs(3000)
    model = plda(np.concatenate([a, b]), np.tile(np.arange(3000), 2))
    assert model.share == pytest.approx([0.8], abs=0.05)
    a, b = pairs(3000)
    same, other = model(a, b), model(a, np.roll(b, 1, axis=0))

    def ratio(x, y):
        return (0.8 * x * y - 0.32 * (x * x + y * y))[:, 0]  # up to scale, by hand

    def measured(s, o):
        yes = np.arange(6000) < 3000
        return auc(np.r_[s, o], yes, np.ones((1, 6000)))[0]

    assert measured(same, other) == pytest.approx(
        measured(ratio(a, b), ratio(a, np.roll(b, 1, axis=0))), abs=0.005
    )


def test_intervals_contain_the_truth():
    """95 % intervals of clustered data: at least 85 of 100 hold the true AUC.

    With coverage of 95 % the chance of fewer is below 1e-4, with 93 % below 0.3 %; the seed is
    fixed. Intervals over images instead of patients hold it about 70 times here.
    """
    from scipy.stats import norm

    truth, held = norm.cdf(1 / np.sqrt(2)), 0
    rng = np.random.default_rng(0)
    for i in range(100):
        patients = np.arange(400) // 4
        effect = 0.8 * rng.normal(size=100)[patients] + 0.6 * rng.normal(size=400)
        yes = (patients % 2).astype(bool)
        resamples = Resamples(patients, count=200, seed=i)
        made = estimate(auc(effect + yes, yes, resamples.images(np.ones(400, bool))))
        held += made.low <= truth <= made.high
    assert held >= 85


def encoded(seed: int, n: int = 600) -> Encoded:
    z, groups = planted(n, seed)
    cells = tuple(f"{s}|{f}" for s, f in zip(groups.strata, groups.findings, strict=True))
    return Encoded(z, groups, cells, groups.findings, np.full(n, -1))


@pytest.mark.slow
def test_the_table_tells_finding_from_identity():
    splits = {name: encoded(i) for i, name in enumerate(("train", "val", "test"))}
    made, card = public_directions(splits, DirectionConfig(count=8, alpha=0.5))
    probes = card["probes"]
    assert probes["split"] == "test"
    assert probes["sizes"] == [1, 2, 3, 4, 6, 8]
    one, whole = probes["directions"][0], probes["all"]
    assert one["view"] is None
    assert one["finding"][0] > 0.75
    assert one["identity"][0] < 0.6 < 0.75 < whole["identity"][0]
    for low_high in (row["finding"] for row in probes["directions"]):
        assert low_high[1] <= low_high[0] <= low_high[2]
    assert json.loads(json.dumps(card)) == card
    probe = Probe(splits, np.eye(D))
    told = probe.table(np.eye(D)[[FINDING, PATIENT]], (1, 2))
    assert told[1]["identity"][0] > told[0]["identity"][0] + 0.2
    assert made.patients == 300


def test_random_labels_give_a_table_of_nothing():
    splits = {}
    for i, name in enumerate(("train", "val", "test")):
        part = encoded(i)
        labels = np.random.default_rng(i).integers(0, 2, len(part.labels))
        splits[name] = replace(part, groups=replace(part.groups, findings=labels), labels=labels)
    card = public_directions(splits, DirectionConfig(count=4))[1]
    for row in card["probes"]["directions"]:
        assert 0.4 < row["finding"][0] < 0.62, "the better of two readers, so not below a half"


# Identity


def test_what_one_patients_images_share_is_found():
    z, groups = planted()
    z[:, [BOTH, PATIENT]] *= 3  # it is looked for among the leading directions
    rows, card = identity_directions(z, groups, slice(0, 40))
    assert rows.shape == (40, D), "all of the level"
    assert rows @ rows.T == pytest.approx(np.eye(40), abs=1e-9)
    assert not rows[:, 40:].any(), "it looks at no other level"
    two = np.linalg.norm(rows[:2][:, [BOTH, PATIENT]], axis=1)
    assert two == pytest.approx(1, abs=0.02), "both planted ones come first"
    assert card["intraclass_correlations"][0] == pytest.approx(0.8, abs=0.05)
    assert sorted(card["intraclass_correlations"], reverse=True) == card["intraclass_correlations"]
    assert card["patients_with_pairs"] == 2000
    assert identity_directions(z, planted(per_patient=1)[1], slice(0, 40)) is None


def test_directions_of_identity_are_kept_with_the_weights(checkpoint, tmp_path):
    z = np.random.default_rng(0).normal(size=(60, 256))
    groups = planted(60)[1]
    rows, _ = identity_directions(z, groups, slice(0, 64))
    made = replace(found(z, groups), identity=rows)
    save(with_directions(checkpoint, made, {"count": 64}), tmp_path / "x.safetensors")
    again = load(str(tmp_path / "x.safetensors"))
    assert again.tensors["identity"].shape == (64, 64), "without the zeros of other levels"
    flow = load_flow(again)
    assert flow.identity == pytest.approx(rows, abs=5e-3)
    assert np.abs(flow.identity @ flow.identity.T - np.eye(64)).max() < 1e-13
    without = with_directions(again, found(z, groups), {"count": 64})
    assert load_flow(without).identity.shape == (0, 256), "none is left of other directions"
    for wrong in (np.ones((2, 64)), np.eye(3, 300), np.eye(9)[0]):
        damaged = replace(again, tensors=again.tensors | {"identity": wrong.astype(np.float16)})
        with pytest.raises(WeightsError, match="directions"):
            _ = load_flow(damaged).identity


# Weights


@pytest.fixture
def checkpoint() -> Checkpoint:
    return tiny_checkpoint(summary="x")


def test_directions_are_kept_with_the_weights(checkpoint, tmp_path):
    made = found(np.random.default_rng(0).normal(size=(60, 256)), planted(60)[1])
    with_ = with_directions(checkpoint, made, {"count": 64})
    save(with_, tmp_path / "x.safetensors")
    again = load(str(tmp_path / "x.safetensors"))
    flow = load_flow(again)
    assert again.card == {"summary": "x", "directions": {"count": 64}}
    assert flow.directions.dtype == np.float64
    assert np.abs(flow.directions @ flow.directions.T - np.eye(64)).max() < 1e-14
    assert flow.directions == pytest.approx(made.rows, abs=2e-3), "same order, same signs"
    assert not flow.directions.flags.writeable
    for key, tensor in checkpoint.tensors.items():
        assert np.array_equal(again.tensors[key], tensor)


def test_weights_without_directions_have_none(checkpoint):
    assert load_flow(checkpoint).directions.shape == (0, 256)
    assert Flow(make_net(), {}).directions.shape == (0, 256)


@pytest.mark.parametrize(
    "rows", [np.eye(3, 9), np.ones((2, 256)) / 16, np.zeros((1, 256)), np.eye(256)[0]]
)
def test_directions_that_are_none_are_refused(checkpoint, rows):
    tensors = checkpoint.tensors | {"directions": rows.astype(np.float16)}
    with pytest.raises(WeightsError, match="directions"):
        load_flow(replace(checkpoint, tensors=tensors))


@pytest.fixture
def folder(tmp_path):
    """Public pictures of two kinds, two a patient."""
    base = tmp_path / "data"
    base.mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for i in range(60):
        kind = i // 2 % 2
        pixels = rng.integers(0, 100, size=(16, 16)).astype(np.uint8)
        pixels[:, 8 * kind : 8 * kind + 8] += 100
        Image.fromarray(pixels).save(base / f"{i}.png")
        split = "train" if i < 40 else "val" if i < 50 else "test"
        labels = ("No Finding", "Mass")[kind]
        rows.append(
            {
                "file": f"{i}.png", "split": split, "patient_id": f"p{i // 2}",
                "labels": labels, "view": "PA" if i % 4 < 2 else "AP", "source": "one",
            }
        )  # fmt: skip
    with (base / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return base


def saved(path, **card):
    net = make_net(classes=("finding", "normal"))
    card = {"conditions": ["finding"], "sources": ["one"], "summary": "x"} | card
    save(tiny_checkpoint(net, **card), path)
    return path


def test_the_command(command, checkpoint, folder, tmp_path, capsys):
    old, new = saved(tmp_path / "old.safetensors"), tmp_path / "new.safetensors"
    before = old.read_bytes()
    assert (
        command("weights", "add-directions", old, folder, "--out", new, "--count", 6, "--json")
        == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert told["count"] == 6
    assert told["discriminants"] == 1
    assert told["patients_with_pairs"] == 20
    assert told["probes"]["directions"][0]["finding"][0] > 0.9
    assert old.read_bytes() == before
    assert load(str(new)).card["directions"] == {k: v for k, v in told.items() if k != "weights"}
    assert load_flow(load(str(new))).directions.shape == (6, 256)
    assert command("weights", "add-directions", new, folder, "--out", new) == 0, "again, in place"
    assert "64, of which 1" in capsys.readouterr().out
    assert command("weights", "show", new) == 0
    assert "separate findings" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--alpha", "2"], "alpha in"),
        (["--gamma", "1"], "gamma in"),
        (["--count", "0"], "count"),
    ],
)
def test_the_command_refuses_before_it_works(
    command, checkpoint, folder, tmp_path, capsys, options, message
):
    old, new = saved(tmp_path / "old.safetensors"), tmp_path / "new.safetensors"
    assert command("weights", "add-directions", old, folder, "--out", new, *options) == 2
    assert message in capsys.readouterr().err
    assert not new.exists()
    assert command("weights", "add-directions", old, folder, "--out", tmp_path / "x.png") == 2


def test_images_that_know_one_finding_are_refused(command, checkpoint, folder, tmp_path, capsys):
    old = saved(tmp_path / "old.safetensors", conditions=[])
    assert (
        command("weights", "add-directions", old, folder, "--out", tmp_path / "new.safetensors")
        == 2
    )
    assert "fewer than two findings" in capsys.readouterr().err
    assert not (tmp_path / "new.safetensors").exists()


def test_cards_can_be_written(monkeypatch, capsys):
    """The script that writes the model cards prints the table of the shipped weights."""
    for name in shipped("glow"):
        text = (ROOT / "weights" / f"{name}.md").read_text(encoding="utf-8")
        assert "## Public directions" in text
        assert "identity, matched" in text
    monkeypatch.setattr(sys, "argv", ["directions.py", "--help"])
    with pytest.raises(SystemExit):
        script("directions").main()
    assert "grid" in capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(shipped("glow")))
def test_shipped_directions(name):
    checkpoint = load(name)
    flow, card = load_flow(checkpoint), checkpoint.card["directions"]
    assert flow.directions.shape == (64, flow.d)
    assert np.abs(flow.directions @ flow.directions.T - np.eye(64)).max() < 1e-13
    probes = card["probes"]
    assert probes["split"] == "test"
    assert probes["sizes"][-1] == 64
    two, whole = probes["directions"][1], probes["all"]
    assert two["identity"][0] < whole["identity"][0]
    for row in (*probes["directions"], whole):
        for key in ("finding", "identity", "identity_any"):
            assert 0 <= row[key][1] <= row[key][0] <= row[key][2] <= 1


@pytest.mark.data
def test_the_card_says_what_real_test_images_say(shared_data):
    """Finding and identity AUC of the first two directions, measured anew."""
    from latentdp.models.directions.encode import encode
    from latentdp.models.training.training_data import as_trained

    name = "cxr-paediatric"
    flow = load_flow(load(name))
    card = flow.card["directions"]
    parts = {
        split: encode(
            flow,
            as_trained(flow, shared_data / "cxr", split),
        )
        for split in ("val", "test")
    }
    told = shares(flow.directions, parts["val"].latents, parts["val"].groups)
    assert told["finding"][:2] == pytest.approx(card["shares"]["val"]["finding"][:2], rel=0.05)
    # The reader is fitted on val alone here, so it may differ a little from the better of two.
    measured = Probe(
        {"train": parts["val"], "test": parts["test"], "val": parts["val"]}, np.eye(flow.d, 32)
    )
    row = measured.table(flow.directions[:2], (2,))[0]
    stated = card["probes"]["directions"][1]
    assert row["finding"][0] == pytest.approx(stated["finding"][0], abs=0.03)
    assert row["identity"][0] < card["probes"]["all"]["identity"][0]
