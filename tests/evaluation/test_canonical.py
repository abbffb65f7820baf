"""What was redrawn is taken out: who is found then, and where there is nothing to find."""

from dataclasses import replace

import numpy as np

from latentdp import Privatizer, Recipe
from latentdp.core.progress import silent
from latentdp.evaluation.attacks._embedders import pixels
from latentdp.evaluation.attacks.canonical import attack, without_redrawn
from latentdp.evaluation.threat_model import ThreatModel
from latentdp.metrics.identification import own_image
from latentdp.models.flow.flow import Flow
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.plan import Action, Block
from latentdp.reports.recognition import Thresholds, judge
from latentdp.reports.results import Outcome
from tests.support.scenes import QUICK, released


def keeping(flow: Flow, kept: int) -> Privatizer:
    """A release that redraws the coarse dimensions and keeps the others."""
    made = Privatizer(flow, Recipe.from_preset("balanced", label="none"), SeededNoise(0))
    blocks = (
        Block(action=Action.RESAMPLE, size=flow.d - kept),
        Block(action=Action.KEEP, size=kept),
    )
    return made.with_plan(replace(made.plan, blocks=blocks, basis=None))


def scenery(privatizer: Privatizer) -> ThreatModel:
    guarantee = None if privatizer.plan.keeps else privatizer.guarantee
    return replace(released(privatizer, patients=20, practised=20), guarantee=guarantee)


def by(found: list[Outcome], metric: str) -> Outcome:
    return next(o for o in found if o.metric.name == metric)


def test_what_is_kept_names_the_source_where_pictures_do_not(tiny_flow):
    scene = scenery(keeping(tiny_flow, 100))
    look = pixels(scene)
    assert own_image(look.private @ look.real.T).first().mean() < 0.4
    found = attack.run(scene, silent)
    first = by(found, "rank-1")
    assert first.value > 0.95
    assert first.headline
    assert any(name.startswith("latents, JPEG") for name in first.detail["each"])
    assert {o.setting.split(",")[0] for o in found if o.metric.name == "auc"} == {
        "private against real",
        "private against private",
    }


def test_it_counts_for_the_verdict(tiny_flow):
    found = attack.run(scenery(keeping(tiny_flow, 100)), silent)
    recognition = judge(found, Thresholds())
    assert recognition.first.attack == "canonical"
    assert recognition.verification.attack == "canonical"
    assert not recognition.within


def test_only_what_was_redrawn_is_taken_out(tiny_flow):
    made = keeping(tiny_flow, 100)
    latents = np.random.default_rng(0).normal(size=(3, tiny_flow.d))
    left = without_redrawn(made, latents)
    assert (left[:, :-100] == 0).all()
    assert np.array_equal(left[:, -100:], latents[:, -100:])


def test_where_nothing_is_passed_on_there_is_nothing_to_look_at(tiny_flow):
    made = Privatizer(tiny_flow, Recipe.from_preset("strict"), SeededNoise(0))
    assert "nothing that follows the image" in attack.unavailable_reason(scenery(made))
    blind = replace(scenery(made), privatizer=None)
    assert "not known" in attack.unavailable_reason(blind)


def test_a_release_with_a_guarantee_is_not_refuted(tiny_flow):
    made = Privatizer(tiny_flow, Recipe.from_preset("balanced"), SeededNoise(0))
    found = attack.run(replace(scenery(made), effort=QUICK), silent)
    assert not any(o.refutes for o in found)
    assert all(o.ceiling is not None for o in found if o.metric.name in ("rank-1", "auc"))
