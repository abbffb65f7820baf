"""A plan spends no more than its recipe, and does to each part of a latent what it says."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from latentdp import PRESETS, InputError, Recipe, WeightsError
from latentdp.core.attributes import classes
from latentdp.core.documents import from_json, to_json
from latentdp.core.plugins import load, names
from latentdp.privacy.basis import Basis
from latentdp.privacy.mechanisms.laplace import Laplace
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.plan import Action, Block, Plan
from latentdp.privacy.plan_description import PlanDescription
from latentdp.privacy.randomized_response import LabelRelease
from latentdp.privatizer import make_plan
from tests.support.sweeps import diagonal, some

LAYOUT = np.random.default_rng(5).normal(size=(16, 64))
IDENTITY = np.linalg.qr(np.random.default_rng(4).normal(size=(64, 12)))[0].T


DIRECTIONS = np.linalg.qr(np.random.default_rng(3).normal(size=(64, 40)))[0].T


def plan(**changes) -> Plan:
    preset = changes.pop("preset", "balanced")
    return plan_of(Recipe.from_preset(preset, **changes))


def plan_of(recipe: Recipe, **changes) -> Plan:
    rows = {"directions": DIRECTIONS, "identity": IDENTITY, "layout": LAYOUT} | changes
    return make_plan(recipe, d=64, attributes=classes("a", "b", "c"), **rows)


def through_json(described: PlanDescription) -> PlanDescription:
    return from_json(json.loads(json.dumps(to_json(described))), PlanDescription, "the plan")


@pytest.mark.promise("A release never spends more than the budget that was asked for.")
@pytest.mark.parametrize(
    ("preset", "label", "keep", "epsilon"),
    diagonal(PRESETS, list(LabelRelease), [0, 5], [1.0, 30.0]),
)
def test_a_plan_never_spends_more_than_its_recipe(preset, label, keep, epsilon):
    made = plan(preset=preset, label=label, keep_label_dims=keep, epsilon=epsilon)
    spent = made.guarantee.noised_part.epsilon
    assert spent <= epsilon * (1 + 1e-9)
    assert made.approximate().noised_part.epsilon <= spent * (1 + 1e-9)
    assert sum(b.size for b in made.blocks) == 64
    kept = bool(keep) or preset == "empirical"
    assert len(made.unprotected) == (label == "public") + kept
    assert made.guarantee.private == (not made.unprotected)


def test_balanced_spends_on_the_best_directions_and_resamples_the_rest():
    made = plan(label="response")
    noised, fresh = made.blocks
    assert noised.action is Action.MECHANISM
    assert noised.size == 2
    assert fresh.action is Action.RESAMPLE
    assert made.response.guarantee.epsilon == pytest.approx(6.0, rel=1e-3)
    assert noised.mechanism.guarantee.epsilon == pytest.approx(2.0, rel=1e-2)


def test_strict_without_a_label_costs_nothing():
    made = plan(preset="strict", label="none")
    assert made.guarantee.epsilon == 0
    assert made.unprotected == ()


@pytest.mark.parametrize(
    ("changes", "known", "message"),
    [
        ({"directions": 41, "label": "none"}, 3, "carry 40"),
        ({"keep_label_dims": 41, "label": "none"}, 3, "carry 40"),
        ({"label": "public"}, 0, "no classes"),
        ({"label": "response"}, 1, "no classes"),
    ],
)
def test_plans_that_weights_cannot_serve_are_refused(changes, known, message):
    recipe = Recipe.from_preset("balanced", **changes)
    with pytest.raises(InputError, match=message):
        make_plan(recipe, d=64, directions=DIRECTIONS, attributes=classes(*map(str, range(known))))


def test_resampled_dimensions_do_not_depend_on_the_image():
    made = plan(preset="strict", label="none")
    a = made.apply(np.zeros((2, 64)), SeededNoise(1))
    b = made.apply(np.full((2, 64), 1e6), SeededNoise(1))
    assert np.array_equal(a, b)
    assert a.std() == pytest.approx(1.0, abs=0.15)


def test_kept_dimensions_pass_and_only_they():
    made = plan(preset="strict", label="none", keep_label_dims=3)
    z = np.random.default_rng(0).normal(size=(4, 64))
    out = made.apply(z, SeededNoise(1))
    kept = DIRECTIONS[:3]
    assert out @ kept.T == pytest.approx(z @ kept.T, abs=1e-9)
    rest = np.linalg.svd(kept)[2][3:]
    assert np.median(np.abs(out @ rest.T - z @ rest.T)) > 0.5


@pytest.mark.parametrize("count", [1, 8, 12, 500])
def test_identity_is_resampled_and_all_else_passes(count):
    recipe = Recipe.from_preset("empirical", resample_identity=count, keep_label_dims=5)
    made = plan_of(replace(recipe, keep_layout=None))
    z = np.random.default_rng(0).normal(size=(4, 64))
    one, two = (made.apply(z, SeededNoise(s)) for s in (1, 2))
    kept = DIRECTIONS[:5]
    assert one @ kept.T == pytest.approx(z @ kept.T, abs=1e-9), "findings stay, even where alike"
    drawn = min(count, 12)
    assert np.linalg.matrix_rank(one - z, tol=1e-9) == min(4, drawn)
    gone = IDENTITY[:drawn] - (IDENTITY[:drawn] @ kept.T) @ kept
    basis = np.linalg.qr(gone.T)[0]
    rest = np.eye(64) - basis @ basis.T
    assert one @ rest == pytest.approx(z @ rest, abs=1e-9)
    assert not np.isclose(one @ basis, two @ basis).any()
    assert made.keeps == 64 - drawn
    assert made.guarantee.epsilon == math.inf
    assert made.guarantee.noised_part.epsilon == 0
    moved = made.apply(z + basis @ np.ones(drawn), SeededNoise(1))
    assert moved == pytest.approx(one, abs=1e-9), "what identity says is not looked at"


@pytest.mark.promise("Where layout is kept, all else of an image is drawn anew.")
@pytest.mark.parametrize("count", [0, 1, 4, 16])
def test_of_an_image_whose_layout_is_kept_only_that_and_findings_pass(count):
    made = plan(preset="empirical", keep_layout=count, keep_label_dims=5)
    assert made.keeps == 5 + count
    assert made.guarantee.epsilon == math.inf
    assert made.guarantee.noised_part.epsilon == 0
    rows = made.basis.inverse(np.eye(64))[: made.keeps]
    assert rows @ rows.T == pytest.approx(np.eye(made.keeps), abs=1e-9)
    assert rows[:5] @ DIRECTIONS[:5].T == pytest.approx(np.eye(5), abs=1e-9), "findings first"
    personal = IDENTITY - (IDENTITY @ DIRECTIONS[:5].T) @ DIRECTIONS[:5]
    assert rows[5:] @ personal.T == pytest.approx(0, abs=1e-9), "nothing kept lies in identity"
    z = np.random.default_rng(0).normal(size=(4, 64))
    one, two = (made.apply(z, SeededNoise(s)) for s in (1, 2))
    assert one @ rows.T == pytest.approx(z @ rows.T, abs=1e-9)
    rest = np.linalg.svd(rows)[2][made.keeps :]
    other = z + np.random.default_rng(1).normal(size=(4, 64 - made.keeps)) @ rest
    assert made.apply(other, SeededNoise(1)) == pytest.approx(one, abs=1e-9), "the rest is unread"
    assert not np.isclose(one @ rest.T, two @ rest.T).any()
    assert not np.isclose(one @ rest.T, z @ rest.T).any()


def test_of_layout_the_directions_that_move_it_most_are_kept():
    recipe = Recipe.from_preset("empirical", keep_layout=3, keep_label_dims=0)
    rows = plan_of(recipe).basis.inverse(np.eye(64))[:3]
    apart = LAYOUT - (LAYOUT @ IDENTITY.T) @ IDENTITY
    moved = np.linalg.norm(apart @ rows.T)
    assert moved**2 == pytest.approx((np.linalg.svd(apart)[1][:3] ** 2).sum())
    assert moved < np.linalg.norm(LAYOUT @ np.linalg.svd(LAYOUT)[2][:3].T), "identity has some"


@pytest.mark.parametrize(
    ("layout", "left"),
    [(None, 0), (LAYOUT[:3], 3), (IDENTITY, 0), (np.concatenate([LAYOUT[:2]] * 8), 2)],
)
def test_layout_that_weights_do_not_have_apart_from_identity_is_refused(layout, left):
    recipe = Recipe.from_preset("empirical", keep_layout=4)
    with pytest.raises(InputError, match=f"have {left} directions of layout"):
        plan_of(recipe, layout=layout)


@pytest.mark.parametrize(
    ("preset", "changes", "message"),
    [
        ("empirical", {"keep_layout": -1}, "directions of layout, got -1"),
        ("empirical", {"keep_layout": 2.0}, "directions of layout, got 2.0"),
        ("empirical", {"keep_layout": True}, "directions of layout, got True"),
        ("empirical", {"resample_identity": 0}, "only where identity is resampled"),
        ("balanced", {"keep_layout": 0}, "only where identity is resampled"),
    ],
)
def test_layout_that_makes_no_sense_is_refused(preset, changes, message):
    with pytest.raises(InputError, match=message):
        Recipe.from_preset(preset, **changes)


def test_weights_without_directions_of_identity_cannot_resample_them():
    recipe = Recipe.from_preset("empirical")
    for none in (None, np.zeros((0, 64))):
        with pytest.raises(InputError, match="no directions of identity"):
            make_plan(
                recipe,
                d=64,
                directions=DIRECTIONS,
                attributes=classes("a", "b", "c"),
                identity=none,
            )
    with pytest.raises(InputError, match="no direction is left to be noised"):
        Recipe.from_preset("balanced", resample_identity=3)
    with pytest.raises(InputError, match="directions of identity, got -1"):
        Recipe.from_preset("empirical", resample_identity=-1)


def test_adversarial_latents_come_out_finite():
    z = np.array([np.nan, np.inf, -np.inf, 1e300])[:, None] * np.ones(64)
    assert np.isfinite(plan(label="none").apply(z, SeededNoise(0))).all()


@pytest.mark.parametrize("size", [3, 5])
def test_blocks_must_partition_the_latent(size):
    with pytest.raises(InputError, match="blocks of 4 dimensions"):
        Plan(d=4, blocks=(Block(action=Action.RESAMPLE, size=size),))


@pytest.mark.parametrize(
    "block",
    [
        {"action": Action.RESAMPLE, "size": 0},
        {"action": Action.MECHANISM, "size": 2},
        {"action": Action.MECHANISM, "size": 2, "mechanism": Laplace.calibrate(1.0, 3)},
        {"action": Action.KEEP, "size": 3, "mechanism": Laplace.calibrate(1.0, 3)},
    ],
)
def test_blocks_that_contradict_themselves_are_refused(block):
    with pytest.raises(InputError, match=r"block|mechanism"):
        Block(**block)


@pytest.mark.parametrize(("preset", "mechanism"), diagonal(PRESETS, names("mechanisms")))
def test_any_mechanism_in_any_preset_spends_no_more_than_the_budget(preset, mechanism):
    made = plan(preset=preset, mechanism=mechanism, label="none", epsilon=40.0)
    assert made.guarantee.noised_part.epsilon <= 40.0
    z = np.random.default_rng(1).normal(size=(3, 64))
    out = made.apply(z, SeededNoise(0))
    assert out.shape == z.shape
    assert np.isfinite(out).all()
    again = Plan.from_card(through_json(made.describe()))
    assert again.guarantee == made.guarantee
    assert again.approximate() == made.approximate()
    assert again.unprotected == made.unprotected


def test_the_mechanism_sees_the_directions_and_nothing_else():
    """What is orthogonal to the directions changes nothing, what lies in them does."""
    made = plan(label="none", epsilon=1e4)
    z = np.random.default_rng(2).normal(size=(5, 64))
    inside = (z @ DIRECTIONS[:2].T) @ DIRECTIONS[:2]
    a = made.apply(z, SeededNoise(1))
    b = made.apply(inside, SeededNoise(1))
    assert a == pytest.approx(b, abs=1e-6)
    assert np.abs(a @ DIRECTIONS[:2].T - np.clip(z @ DIRECTIONS[:2].T, -3, 3)).max() < 0.5
    c = made.apply(z - inside, SeededNoise(1))
    assert not np.isclose(a, c).all()


@pytest.mark.parametrize(("preset", "keep"), diagonal(PRESETS, [0, 5]))
def test_a_plan_survives_its_card(preset, keep):
    made = plan(preset=preset, keep_label_dims=keep, label="response")
    again = Plan.from_card(through_json(made.describe()))
    assert again.guarantee == made.guarantee
    assert again.unprotected == made.unprotected


@pytest.mark.parametrize(
    "damage",
    [
        lambda card: card.pop("blocks"),
        lambda card: card["blocks"][0].pop("dimensions"),
        lambda card: card["blocks"][0]["parameters"].pop("base"),
        lambda card: card["blocks"][0]["parameters"].update(base="x"),
        lambda card: card["label"].update(release="some"),
        lambda card: card.update(blocks=3),
    ],
)
def test_a_damaged_plan_is_refused(damage):
    card = to_json(plan(label="none").describe())
    card = json.loads(json.dumps(card))
    damage(card)
    with pytest.raises(InputError):
        Plan.from_card(from_json(card, PlanDescription, "the plan"))


@pytest.mark.parametrize(("d", "k"), [(1, 1), (7, 7), (64, 5), (5, 0), (300, 64)])
def test_a_basis_is_orthonormal_and_begins_with_its_directions(d, k):
    rng = np.random.default_rng(d)
    rows = np.linalg.qr(rng.normal(size=(d, k)))[0].T
    basis, z = Basis(rows), rng.normal(size=(9, d))
    c = basis.forward(z)
    assert c[:, :k] == pytest.approx(z @ rows.T, abs=1e-12)
    assert basis.inverse(c) == pytest.approx(z, abs=1e-12)
    assert np.linalg.norm(c, axis=1) == pytest.approx(np.linalg.norm(z, axis=1))


@pytest.mark.parametrize("rows", [np.eye(4)[:2], -np.eye(4)[:2], np.eye(4)[[1, 0]], np.eye(4)[2:]])
def test_directions_along_the_axes_are_no_special_case(rows):
    z = np.random.default_rng(0).normal(size=(3, 4))
    assert Basis(rows).forward(z)[:, :2] == pytest.approx(z @ rows.T)


def test_directions_that_are_not_orthonormal_are_refused():
    with pytest.raises(WeightsError, match="orthonormal"):
        Basis(np.ones((2, 4)))


EXTREMES = [
    (e, d, c) for e in (1e-6, 1e-3, 263, 1e5, 1e9) for d in (1, 8) for c in (None, 1e-6, 1e9)
]


@pytest.mark.parametrize("mechanism", some(names("mechanisms"), lambda name: name != "codebook"))
def test_any_budget_is_spent_or_refused_in_words(mechanism):
    """No other error, no warning, no endless search; and inputs of any size stay finite."""
    kind = load("mechanisms", mechanism).mechanism
    for epsilon, dimensions, clip in EXTREMES:
        try:
            made = kind.calibrate(epsilon, dimensions, clip)
        except InputError:
            continue
        assert made.guarantee.epsilon <= epsilon
        z = np.array([[1e300], [np.nan], [1.0]]) * np.ones(dimensions)
        assert np.isfinite(made.privatize(z, noise=SeededNoise(0))).all()
