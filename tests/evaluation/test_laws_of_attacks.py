"""One law for each property, over all attacks there are; and the verifier's attacks."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from latentdp import Privatizer, Recipe
from latentdp.core import plugins
from latentdp.core.cache import ResultCache
from latentdp.core.progress import silent
from latentdp.evaluation.attacks import adaptive, frozen, linkage, retrieval
from latentdp.evaluation.attacks._search import searched
from latentdp.evaluation.methods.controls import PriorSample
from latentdp.evaluation.methods.presets import PresetMethod
from latentdp.evaluation.run_attacks import examine
from latentdp.evaluation.threat_model import ThreatModel
from latentdp.metrics.definitions.identification import P_AT_1
from latentdp.metrics.identification import same_patient
from latentdp.models.checkpoints import save
from latentdp.models.model_card.card import ModelCard
from latentdp.models.networks.embedding import EmbeddingConfig, EmbeddingNet
from latentdp.models.networks.verifier import Verifier
from latentdp.models.training.metric_learning import MetricLearning, MetricLearningConfig
from latentdp.models.training.pair_dataset import PairDataset
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.noise import SeededNoise
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.results import Outcome
from tests.support.scenes import QUICK, noise_only, people, released, scene, untouched

EFFORT = replace(QUICK, restarts=2, steps=6, patients=16, reader_steps=20)


@pytest.fixture(scope="module")
def verifier(tmp_path_factory) -> str:
    """Weights that know people of the kind of `scenes.people`."""
    known = people(60, seed=50)
    config = EmbeddingConfig(size=16, widths=(8, 16), blocks=(1, 1), dimensions=16)
    settings = MetricLearningConfig(patients=30, learning_rate=5e-3, warmup=5, ema=0.9, memory=0)
    torch.manual_seed(0)
    pairs = PairDataset.of_images(known.pixels, known.patients)
    learning = MetricLearning(EmbeddingNet(config), settings, [pairs], steps=60)
    learning.run()
    path = tmp_path_factory.mktemp("verifier") / "v.safetensors"
    save(Verifier.of(learning.average).checkpoint("v", ModelCard()), path)
    return str(path)


def by(found: list[Outcome], metric: str, setting: str = "") -> Outcome:
    return next(o for o in found if o.metric.name == metric and setting in o.setting)


@pytest.mark.parametrize("name", plugins.names("attacks"))
def test_every_attack_tells_whole_and_repeatable_outcomes(name, verifier, tiny_flow):
    def once() -> list[Outcome]:
        made = Privatizer(tiny_flow, Recipe.from_preset("dp-glow", epsilon=300.0), SeededNoise(1))
        scenery = released(made, patients=16, practised=24, effort=EFFORT)
        scenery = replace(scenery, verifier=verifier, notes=ResultCache(), members=True)
        attack = plugins.load("attacks", name).attack
        if attack.unavailable_reason(scenery):
            assert name == "side_channels"
            return []
        return attack.run(scenery, silent)

    found = once()
    attack = plugins.load("attacks", name).attack
    assert attack.name == name
    assert attack.kind is not AttackKind.UNKNOWN
    assert attack.meaning
    for outcome in found:
        assert outcome.attack == name
        assert outcome.low <= outcome.value <= outcome.high
        assert outcome.n >= outcome.patients > 0
        assert not outcome.refutes
        if outcome.ceiling is not None and outcome.chance is not None:
            assert outcome.chance <= outcome.ceiling <= 1
        written = json.loads(json.dumps(outcome.to_json()))
        assert Outcome.from_json(written).to_json() == outcome.to_json() == written
        assert outcome.kind is plugins.load("attacks", name).attack.kind
        assert outcome.metric.meaning, "defined, and explained to a reader of the page"
    assert [o.to_json() for o in once()] == [o.to_json() for o in found]
    if name not in ("side_channels", "averaging"):  # the latter is about repeats, not this one
        assert any(o.headline for o in found)


@pytest.mark.parametrize("name", plugins.names("attacks"))
@pytest.mark.statistical
def test_a_pure_prior_sample_scores_at_chance(name, verifier, tiny_flow):
    """Seeds are fixed, so this cannot fail by luck; over other seeds one of 20 intervals may."""
    base = scene(untouched, patients=30, practised=30, effort=EFFORT)
    method = PriorSample(PresetMethod("balanced", tiny_flow, label="none"))
    sides = []
    for i, side in enumerate((base.target, base.practice)):
        images, labels = method.privatize(
            side.cohort.images, np.full(len(side.cohort), -1), SeededNoise(i)
        )
        sides.append(replace(side, private=images[None], labels=labels[None]))
    scenery = replace(
        base,
        target=sides[0],
        practice=sides[1],
        guarantee=method.guarantee,
        privatizer=method.privatizer,
        verifier=verifier,
    )
    attack = plugins.load("attacks", name).attack
    if attack.unavailable_reason(scenery):
        return
    assert method.guarantee == Guarantee(epsilon=0.0)
    for outcome in attack.run(scenery, silent):
        assert not outcome.refutes, outcome.setting
        if outcome.headline and outcome.chance is not None:
            assert outcome.low <= outcome.chance, outcome


@pytest.mark.parametrize("attack", [frozen.attack, adaptive.attack])
def test_untouched_images_are_recognised_by_every_verifier(attack, verifier):
    scenery = scene(untouched, patients=30, practised=30, effort=EFFORT, verifier=verifier)
    found = attack.run(scenery, silent)
    metric = "auc" if attack is frozen.attack else "auc (max)"
    assert by(found, metric, "private against real").value > 0.8
    joint = set() if attack is frozen.attack else {"all outputs of a patient against real"}
    assert {o.setting.split(",")[0] for o in found} == {
        "private against real",
        "private against private",
    } | joint
    assert all(o.detail.roc.tpr for o in found if o.metric.name == metric)


def test_mean_and_maximum_of_restarts(verifier):
    scenery = scene(untouched, patients=20, practised=30, effort=EFFORT, verifier=verifier)
    found = adaptive.attack.run(scenery, silent)
    mean, most = (by(found, f"auc ({k})", "against real") for k in ("mean", "max"))
    assert mean.value == pytest.approx(np.mean(most.detail["restarts"]), abs=1e-4)
    tried = most.detail["restarts"] + most.detail["together"]
    assert most.value == pytest.approx(max(tried), abs=1e-4)
    assert len(set(most.detail["restarts"])) == 2, "restarts differ"


def test_practice_makes_the_attacker(verifier):
    """Each image is turned upside down and inverted: the frozen verifier is lost, for a while."""

    def disguised(cohort, rng):
        return np.ascontiguousarray(1 - cohort.images[:, ::-1, ::-1])

    effort = replace(EFFORT, steps=60, learning_rate=5e-3)
    scenery = scene(disguised, patients=40, practised=60, effort=effort, verifier=verifier)
    before = by(frozen.attack.run(scenery, silent), "auc", "private against real")
    after = by(adaptive.attack.run(scenery, silent), "auc (max)", "private against real")
    assert after.value > before.value + 0.1
    first = by(retrieval.attack.run(scenery, silent), "p@1")
    assert first.low > first.chance


def test_own_images_are_linked_and_the_ceiling_is_that_of_a_gallery(verifier):
    claimed = Guarantee(epsilon=1.0)
    scenery = scene(
        untouched, patients=20, practised=20, effort=EFFORT, verifier=verifier, guarantee=claimed
    )
    found = by(linkage.attack.run(scenery, silent), "rank-1")
    assert found.value == 1.0
    assert found.ceiling == pytest.approx(claimed.gallery_ceiling(60))
    assert found.refutes
    assert found.detail["each"]["pixels"] == 1.0


def test_the_ceiling_of_a_search_for_a_person(verifier):
    """60 probes whose patients have two other images each, at epsilon 0.

    Guessing is right for 2 of 59. The nearest is right for at most two probes; where it is the
    probe's own and taken out, the next may be right for that probe.
    """
    scenery = scene(
        noise_only, patients=20, practised=20, effort=EFFORT, verifier=verifier,
        guarantee=Guarantee(epsilon=0.0),
    )  # fmt: skip
    found = by(retrieval.attack.run(scenery, silent), "p@1")
    assert found.ceiling == pytest.approx(3 / 60)
    assert found.chance == pytest.approx(2 / 59)
    assert not found.refutes


def test_few_people_give_no_interval(verifier):
    scenery = scene(untouched, patients=4, practised=10, effort=EFFORT, verifier=verifier)
    found = by(frozen.attack.run(scenery, silent), "auc")
    assert (found.low, found.high) == (0.0, 1.0)


@pytest.mark.parametrize("attack", [frozen.attack, adaptive.attack, retrieval.attack])
def test_nobody_to_recognise_is_said(attack, verifier):
    base = scene(untouched, patients=10, practised=10, effort=EFFORT, verifier=verifier)
    single = base.target.cohort.take(np.arange(0, 30, 3))
    target = replace(
        base.target,
        cohort=single,
        private=base.target.private[:, ::3],
        labels=np.full((1, 10), -1),
    )
    assert "at least 2 images" in attack.unavailable_reason(replace(base, target=target))


def interrupted(folder, scenery: ThreatModel) -> ThreatModel:
    return replace(scenery, notes=ResultCache(folder))


def test_an_examination_goes_on_where_it_was(tmp_path, verifier):
    scenery = scene(untouched, patients=20, practised=20, effort=EFFORT, verifier=verifier)
    told: list[str] = []
    names = ("frozen", "adaptive", "linkage")

    def stop(share: float, words: str) -> None:
        told.append(words)
        if words == "linkage":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        examine(interrupted(tmp_path, scenery), stop, attacks=names, utilities=())
    kept = sorted(p.name for p in tmp_path.iterdir())
    assert any(name.startswith("seen-by-adapted-2") for name in kept)
    resumed: list[str] = []
    found = examine(
        interrupted(tmp_path, scenery),
        lambda share, words: resumed.append(words),
        attacks=names,
        utilities=(),
    )
    assert not any("restart" in words for words in resumed), "nothing is learnt twice"
    whole = examine(replace(scenery, notes=ResultCache()), silent, attacks=names, utilities=())
    assert [o.to_json() for o in found.outcomes] == [o.to_json() for o in whole.outcomes]
    assert {o.attack for o in found.outcomes} == set(names)


@pytest.mark.statistical
def test_the_best_answer_to_an_honest_response_is_not_refuted():
    """k-ary randomised response on the patient, answered as well as one can: the ceiling is tight.

    100 patients with 2 images each, epsilon 3. The probes' own image is taken out of the gallery,
    so both images of the patient who is named are answered rightly. At five standard errors none
    of 20 is accused; with a ceiling of one right answer a probe, most are.
    """
    patients, epsilon = np.repeat(np.arange(100), 2), 3.0
    rng = np.random.default_rng(0)
    truth = np.exp(epsilon) / (np.exp(epsilon) + 99)
    values = []
    for _ in range(20):
        lie = (patients + rng.integers(1, 100, 200)) % 100
        told = np.where(rng.random(200) < truth, patients, lie)
        scores = (told[:, None] == patients[None]).astype(float)
        scores += 1e-3 * rng.random((200, 200))
        scenery = scene(
            noise_only, patients=100, practised=4, guarantee=Guarantee(epsilon=epsilon)
        )
        cohort = scenery.target.cohort.take(np.sort(np.r_[0:300:3, 1:300:3]))
        cohort = replace(cohort, patients=patients)
        scenery = replace(scenery, target=replace(scenery.target, cohort=cohort))
        hits = [("response", same_patient(scores, patients))]
        found = searched("x", scenery, "y", hits, rank=P_AT_1)[0]
        assert not found.refutes
        values.append(found.value)
    assert np.mean(values) > found.ceiling / 2
    assert np.mean(values) > 1.5 * np.exp(epsilon) / (np.exp(epsilon) + 199)
