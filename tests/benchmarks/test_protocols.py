"""The rivals' protocols: the siamese attacker, and the commands that repeat the papers' tables."""

import json

import numpy as np
import pytest

from latentdp import InputError
from latentdp.evaluation.datasets import ground
from latentdp.evaluation.methods.base import Method
from latentdp.metrics.pairs import Pairs
from tests.support.benchmarks import script

prichexy = script("prichexy_protocol")
cadp = script("cadp_protocol")
privatized = script("_privatized").privatized
_siamese = script("_siamese")
Lessons, Schooling, Siamese = _siamese.Lessons, _siamese.Schooling, _siamese.Siamese

QUICK = Schooling(epochs=6, batch=16, learning_rate=3e-3, widths=(8, 16), features=32)


def people(n: int, seed: int) -> tuple[np.ndarray, Pairs]:
    """Two images of each of ``n`` patterns, and as many pairs of one as of two."""
    rng = np.random.default_rng(seed)
    base = rng.random((n, 4, 4)).repeat(4, axis=1).repeat(4, axis=2).repeat(2, axis=0)
    images = np.clip(base + 0.05 * rng.normal(size=base.shape), 0, 1).astype(np.float32)
    first = np.arange(0, 2 * n, 2)
    return images, Pairs(
        np.concatenate([first, first]),
        np.concatenate([first + 1, np.roll(first, 2)]),
        np.arange(2 * n) < n,
    )


def area(scores: np.ndarray, same: np.ndarray) -> float:
    return float(np.mean(scores[same][:, None] > scores[~same][None]))


def hidden(images: np.ndarray) -> np.ndarray:
    """Left and right halves exchanged, black and white too."""
    return np.roll(1 - images, 8, axis=2)


def taught(schooling: Schooling = QUICK, hide=lambda images: images) -> Siamese:
    (images, pairs), (others, checks) = people(80, 1), people(30, 2)
    images, others = hide(images), hide(others)
    return Siamese.fit(Lessons(images, images, pairs), Lessons(others, others, checks), schooling)


@pytest.mark.slow
def test_it_learns_to_recognise_people_that_it_has_never_seen():
    images, pairs = people(60, 3)
    assert area(taught().log_odds(Lessons(images, images, pairs)), pairs.same) > 0.9


def test_what_is_taught_on_private_pairs_fails_on_private_and_real_ones():
    """The published geometry: near chance, though the private images tell everything."""
    images, pairs = people(60, 3)
    net, private = taught(hide=hidden), hidden(images)
    assert area(net.log_odds(Lessons(private, private, pairs)), pairs.same) > 0.9
    assert area(net.log_odds(Lessons(private, images, pairs)), pairs.same) < 0.7


def test_the_same_seed_learns_the_same():
    images, pairs = people(10, 3)
    lessons, short = Lessons(images, images, pairs), Schooling(**vars(QUICK) | {"epochs": 2})
    other = Schooling(**vars(short) | {"seed": 1})
    assert np.array_equal(taught(short).log_odds(lessons), taught(short).log_odds(lessons))
    assert not np.array_equal(taught(other).log_odds(lessons), taught(short).log_odds(lessons))


def test_it_stops_early_and_is_the_best_of_what_it_was():
    (images, pairs), (others, checks) = people(20, 1), people(20, 2)
    wrong = Pairs(checks.probe, checks.reference, ~checks.same)  # to learn makes it worse
    train, val = Lessons(images, images, pairs), Lessons(others, others, wrong)
    net = Siamese.fit(train, val, Schooling(**vars(QUICK) | {"epochs": 30, "patience": 2}))
    best = int(np.argmin(net.losses))
    assert len(net.losses) == best + 3 < 30
    assert net.loss(val) == pytest.approx(min(net.losses))


def test_pairs_of_one_kind_and_other_sizes_are_refused():
    images, pairs = people(4, 1)
    whole = Lessons(images, images, pairs)
    alike = Lessons(images, images, Pairs(pairs.probe[:4], pairs.reference[:4], pairs.same[:4]))
    with pytest.raises(InputError, match="only one kind"):
        Siamese.fit(whole, alike, QUICK)
    with pytest.raises(InputError, match="of one size"):
        Siamese.fit(whole, Lessons(images, images[:, :8, :8], pairs), QUICK)


@pytest.mark.slow
def test_pairs_are_balanced_and_of_one_source(world):
    cohort = ground("identity", world.data, str(world.weights)).train
    cohort = cohort.take(np.arange(len(cohort)))
    cohort.sources[:] = np.where(cohort.patients % 2, "here", "there")
    pairs = prichexy.balanced_pairs(cohort, cap=1, seed=1)
    one, two = pairs.same, ~pairs.same
    assert one.sum() == two.sum() == 40, "every patient of this world has several images"
    a, b = cohort.patients[pairs.probe], cohort.patients[pairs.reference]
    assert (a[one] == b[one]).all()
    assert (pairs.probe[one] != pairs.reference[one]).all()
    assert len(set(a[one].tolist())) == 40
    assert (a[two] != b[two]).all()
    assert (cohort.sources[pairs.probe] == cohort.sources[pairs.reference]).all()
    many = prichexy.balanced_pairs(cohort, cap=6, seed=1)
    assert many.same.sum() == 20 * 1 + 20 * 3, "two images make one pair, three make three"


def run(module, capsys, *arguments) -> str:
    module.main([str(a) for a in arguments])
    return capsys.readouterr().out


@pytest.mark.slow
def test_prichexy(world, tmp_path, capsys):
    options = [world.data, "--weights", world.weights, "--epochs", 4]
    options += ["--state", tmp_path / "state", "--json", tmp_path / "found.json"]
    text = run(prichexy, capsys, *options, "--runs", 2, "--method", "raw", "noise-only")
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["facts"]["pairs of one patient of train"] == 40
    raw, noise = found["rows"]
    assert raw["published"] == raw["taught"], "private images are real ones here"
    assert raw["published"]["value"] > 70
    for field in prichexy.GEOMETRIES.values():
        assert noise[field]["low"] < 50 < noise[field]["high"]
        assert noise[f"{field}_min"] <= noise[field]["value"] <= noise[f"{field}_max"]
    assert "| raw | " in text
    assert "81.8 +- 0.6" in text
    kept = {p: p.stat().st_mtime_ns for p in (tmp_path / "state").rglob("*.safetensors")}
    run(prichexy, capsys, *options, "--runs", 3, "--method", "raw")
    (again,) = json.loads((tmp_path / "found.json").read_text())["rows"]
    assert again["published_runs"][:2] == raw["published_runs"]
    assert {p: p.stat().st_mtime_ns for p in kept} == kept, "nothing was made again"


def test_prichexy_knows_the_rivals_and_no_others(world):
    place = ground("identity", world.data, str(world.weights))
    assert [entry.name for entry in prichexy._chosen(place, prichexy.METHODS)] == [
        *prichexy.METHODS
    ]
    assert set(prichexy.PAPER) <= set(prichexy.METHODS)
    with pytest.raises(SystemExit, match="no method 'x'; there are: raw"):
        prichexy.main([str(world.data), "--weights", str(world.weights), "--method", "x"])


@pytest.mark.slow
def test_cadp(world, tmp_path, capsys):
    rows = ["original", "label alone, prior sample", "label alone, mean picture"]
    rows += ["CADP as published, 6", "CADP corrected, 6"]
    options = [world.data, "--weights", world.weights, "--seeds", 1, "--steps", 10]
    options += ["--state", tmp_path / "state", "--json", tmp_path / "found.json", "--epsilons", 6]
    text = run(cadp, capsys, *options, "--method", *rows)
    found = {r["name"]: r for r in json.loads((tmp_path / "found.json").read_text())["rows"]}
    assert set(found) == {*rows, cadp.ALONE}
    assert found["original"]["accuracy"]["value"] > 0.8
    assert found["original"]["own"] == pytest.approx({"value": 1, "low": 1, "high": 1})
    assert found["original"]["other"]["value"] < 0.9
    for name in (cadp.ALONE, "label alone, prior sample", "label alone, mean picture"):
        difference = found[name]["difference"]
        assert difference["low"] - 0.02 < 0 < difference["high"] + 0.02, "it has seen no image"
    assert found[cadp.ALONE]["accuracy_above"] is None, "that is itself"
    assert found["label alone, mean picture"]["accuracy_above"] is not None
    assert found["CADP as published, 6"]["guarantee"] == "none"
    assert found["CADP corrected, 6"]["guarantee"] == "infinite; of the noised part alone 6"
    assert "+0.165" in text
    assert "| CADP corrected, 6 | infinite; of the noised part alone 6 | " in text
    kept = {p: p.stat().st_mtime_ns for p in (tmp_path / "state").rglob("*") if p.is_file()}
    assert len([p for p in kept if p.parent.name == "readers"]) == len(found)
    assert run(cadp, capsys, *options, "--method", *rows) == text
    assert {p: p.stat().st_mtime_ns for p in kept} == kept, "nothing was made again"


def test_cadp_rows(world):
    names = [row.name for row in cadp.taught_on(str(world.weights), cadp.EPSILONS)]
    assert len(names) == len(set(names)) == 5 + 6 * 6
    digests = {row.method.name for row in cadp.taught_on(str(world.weights), cadp.EPSILONS)}
    assert len(digests) == len(names)
    with pytest.raises(SystemExit, match="no row 'x'; there are: original"):
        cadp.main([str(world.data), "--weights", str(world.weights), "--method", "x"])


def test_a_trial_has_all_findings(world):
    few = cadp.two_findings(ground("findings", world.data, str(world.weights), limit=14))
    assert len(np.unique(few.train.patients)) == 14
    for split in ("train", "test"):
        assert set(getattr(few, split).findings.tolist()) == {0, 1}


def test_cadp_without_a_normal_finding_is_refused(world):
    place = ground("findings", world.data, str(world.weights))
    told = cadp.two_findings(place)
    assert told.test.finding_names == ("abnormal", "normal")
    normal = place.test.finding_names.index("normal")
    assert ((told.test.findings == 1) == (place.test.findings == normal)).all()
    for split in (place.train, place.val, place.test):
        object.__setattr__(split, "finding_names", ("a", "b"))
    with pytest.raises(InputError, match="called normal, got a, b"):
        cadp.two_findings(place)


def test_private_images_are_made_once(world, tmp_path):
    calls = []

    class Counting(Method):
        name, title = "counting", "for a test"

        def fit(self, train, val, *, seed, state, tell):
            calls.append("fit")

        def privatize(self, images, labels, noise):
            calls.append(len(images))
            return images + np.float32(noise.words(1)[0] % 7), labels

    place = ground("identity", world.data, str(world.weights))
    first = privatized(Counting(), place, tmp_path, splits=("test",))
    assert calls == ["fit", len(place.test)]
    both = privatized(Counting(), place, tmp_path, splits=("train", "test"))
    assert calls == ["fit", len(place.test), "fit", len(place.train)]
    assert np.array_equal(first.sides["test"].private, both.sides["test"].private)
    privatized(Counting(), place, tmp_path, seed=1, splits=("test",))
    assert len(calls) == 6, "another seed is another release"
    fewer = ground("identity", world.data, str(world.weights), limit=10)
    privatized(Counting(), fewer, tmp_path, splits=("test",))
    assert len(calls) == 8, "and so are other images"
