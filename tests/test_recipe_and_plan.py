import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentdp import PRESETS, InputError, Recipe
from latentdp.labels import LabelRelease
from latentdp.noise import SeededNoise
from latentdp.plan import Action, Block, Plan
from latentdp.recipe import ALL

RANKING = tuple(range(63, 31, -1))


def plan(**changes) -> Plan:
    preset = changes.pop("preset", "balanced")
    recipe = Recipe.from_preset(preset, **changes)
    return Plan.make(recipe, d=64, ranking=RANKING, classes=3)


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_recipes_that_survive_toml(preset):
    recipe = Recipe.from_preset(preset).with_weights("ab" * 32)
    assert Recipe.from_toml(recipe.to_toml()) == recipe


@given(
    epsilon=st.floats(1e-3, 1e6),
    directions=st.integers(ALL, 100),
    temperature=st.floats(0.1, 2),
    share=st.floats(0, 1),
)
def test_digest_is_stable_and_tells_recipes_apart(epsilon, directions, temperature, share):
    made = Recipe(
        epsilon=epsilon, directions=directions, temperature=temperature, label_share=share
    )
    assert Recipe.from_toml(made.to_toml()).digest == made.digest
    assert Recipe.from_preset("balanced", epsilon=epsilon + 1).digest != made.digest


def test_digest_counts_weights_by_content():
    a = Recipe.from_preset("strict", weights="x").with_weights("aa")
    assert a.digest == Recipe.from_preset("strict", weights="y").with_weights("aa").digest
    assert a.digest != a.with_weights("bb").digest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epsilon": 0.0}, "epsilon"),
        ({"epsilon": float("nan")}, "epsilon"),
        ({"epsilon": float("inf")}, "epsilon"),
        ({"mechanism": "none"}, "there are"),
        ({"directions": -2}, "directions"),
        ({"clip": -1.0}, "clip"),
        ({"label": "some"}, "label release"),
        ({"label_share": 1.1}, "share"),
        ({"temperature": 0.0}, "temperature"),
        ({"keep_label_dims": -1}, "kept"),
        ({"colour": 1}, "no 'colour'"),
    ],
)
def test_bad_recipes_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        Recipe.from_preset("balanced", **change)


@pytest.mark.parametrize("text", ["epsilon =", "epsilon = 1", "nonsense = 3", "epsilon = 'x'"])
def test_what_is_not_a_recipe_is_refused(text):
    with pytest.raises(InputError, match="recipe"):
        Recipe.from_toml(text)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("label", list(LabelRelease))
@pytest.mark.parametrize("keep", [0, 5])
@pytest.mark.parametrize("epsilon", [1.0, 30.0])
def test_a_plan_never_spends_more_than_its_recipe(preset, label, keep, epsilon):
    made = plan(preset=preset, label=label, keep_label_dims=keep, epsilon=epsilon)
    assert made.guarantee.epsilon <= epsilon * (1 + 1e-9)
    assert made.approximate().epsilon <= made.guarantee.epsilon * (1 + 1e-9)
    dims = sorted(d for b in made.blocks for d in b.dims)
    assert dims == list(range(64))
    assert len(made.unprotected) == (label == "public") + bool(keep)


def test_balanced_spends_on_the_best_directions_and_resamples_the_rest():
    made = plan(label="response")
    noised, fresh = made.blocks
    assert noised.action is Action.MECHANISM
    assert noised.dims == RANKING[:2]
    assert fresh.action is Action.RESAMPLE
    assert made.response.guarantee.epsilon == pytest.approx(2.0, rel=1e-3)
    assert noised.mechanism.guarantee.epsilon == pytest.approx(6.0, rel=1e-2)


def test_strict_without_a_label_costs_nothing():
    made = plan(preset="strict", label="none")
    assert made.guarantee.epsilon == 0
    assert made.unprotected == ()


@pytest.mark.parametrize(
    ("changes", "classes", "message"),
    [
        ({"directions": 33, "label": "none"}, 3, "at most 32"),
        ({"keep_label_dims": 33, "label": "none"}, 3, "at most 32"),
        ({"label": "public"}, 0, "no classes"),
        ({"label": "response"}, 1, "no classes"),
    ],
)
def test_plans_that_weights_cannot_serve_are_refused(changes, classes, message):
    with pytest.raises(InputError, match=message):
        Plan.make(
            Recipe.from_preset("balanced", **changes), d=64, ranking=RANKING, classes=classes
        )


def test_resampled_dimensions_do_not_depend_on_the_image():
    made = plan(preset="strict", label="none")
    a = made.apply(np.zeros((2, 64)), SeededNoise(1))
    b = made.apply(np.full((2, 64), 1e6), SeededNoise(1))
    assert np.array_equal(a, b)
    assert a.std() == pytest.approx(0.8, abs=0.15)


def test_kept_dimensions_pass_and_only_they():
    made = plan(preset="strict", label="none", keep_label_dims=3)
    z = np.random.default_rng(0).normal(size=(4, 64))
    out = made.apply(z, SeededNoise(1))
    kept = list(RANKING[:3])
    assert np.array_equal(out[:, kept], z[:, kept])
    assert not np.isclose(np.delete(out, kept, axis=1), np.delete(z, kept, axis=1)).any()


def test_adversarial_latents_come_out_finite():
    z = np.array([np.nan, np.inf, -np.inf, 1e300])[:, None] * np.ones(64)
    assert np.isfinite(plan(label="none").apply(z, SeededNoise(0))).all()


@pytest.mark.parametrize("dims", [(0, 1), (0, 1, 2, 2), (0, 1, 2, 4)])
def test_blocks_must_partition_the_latent(dims):
    with pytest.raises(InputError, match="exactly once"):
        Plan(d=4, blocks=(Block(action=Action.RESAMPLE, dims=dims),))


def test_the_card_is_enough_to_recompute_the_guarantee():
    from latentdp.labels import RandomisedResponse
    from latentdp.mechanisms.laplace import Laplace

    made = plan(label="response")
    told = made.describe()
    p = told["blocks"][0]["parameters"]
    again = Laplace(
        dimensions=p["dimensions"], clip=p["clip"], steps=p["steps"], base=p["base"]
    ).guarantee
    label = RandomisedResponse(
        classes=told["label"]["classes"], threshold=told["label"]["threshold"]
    ).guarantee
    assert again.compose(label).epsilon == pytest.approx(made.guarantee.epsilon, rel=1e-9)
