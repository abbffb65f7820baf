"""A recipe says all that determines a release, and survives TOML."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentdp import PRESETS, InputError, Recipe
from latentdp.data.dicom.profile import BASIC, Profile
from latentdp.recipe import ALL


@pytest.mark.parametrize(
    ("preset", "digest", "pixels"),
    [
        ("strict", "1053c43fe64e37ac", "8ddf6a7f92162477"),
        ("balanced", "9dee8e15a8045cca", "f7c29ca6c5b9306f"),
        ("tight", "e2ce410f14397626", "be040fa0af85d221"),
        ("high-content", "0f7d5cc79a8232f8", "5631c63c48af5faf"),
        ("dp-glow", "49d13afe3450b85b", "2e4310ae6fef6890"),
        ("cadp", "c4954a5bfbe52eb6", "4ba19c1da47190f7"),
    ],
)
def test_digests_are_those_of_version_0_1(preset, digest, pixels):
    """They stand in every output and in every ledger: computed once, by the first version.

    Its presets that draw most of an image chose one of four.
    """
    few = {"candidates": 4} if Recipe.from_preset(preset).candidates > 1 else {}
    recipe = Recipe.from_preset(preset, **few).with_weights("ab" * 32)
    assert recipe.digest.startswith(digest)
    assert recipe.pixels_digest.startswith(pixels)


def test_digests_of_the_empirical_tier_of_version_0_1_are_still_theirs():
    """Its preset is another since; a recipe without a layout is what it was."""
    now = Recipe.from_preset("empirical").with_weights("ab" * 32)
    then = replace(now, resample_identity=1024, keep_layout=None)
    assert then.digest.startswith("a9b918a19f5f257b")
    assert then.pixels_digest.startswith("c0507fb8b79638b3")
    assert "keep_layout" not in then.to_toml()
    assert Recipe.from_toml(then.to_toml()) == then
    others = [now, replace(now, keep_layout=0), replace(now, keep_layout=1), then]
    assert len({recipe.pixels_digest for recipe in others}) == len(others)


@pytest.mark.parametrize(
    "weights",
    ["/data/\N{SKULL AND CROSSBONES}/flow", "\N{GRINNING FACE}.safetensors", "a'b\"c\\d\te\x7f"],
)
def test_a_path_of_any_text_survives_toml(weights):
    recipe = Recipe.from_preset("balanced", weights=weights).with_weights("ab" * 32)
    assert Recipe.from_toml(recipe.to_toml()) == recipe


def test_a_path_that_is_no_text_is_replaced_in_toml_and_counts_by_its_content():
    recipe = Recipe.from_preset("balanced", weights="/data/\udcff").with_weights("ab" * 32)
    again = Recipe.from_toml(recipe.to_toml().encode().decode())
    assert again.weights == "/data/?"
    assert again.digest == recipe.digest


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_recipes_that_survive_toml(preset):
    recipe = Recipe.from_preset(preset).with_weights("ab" * 32)
    assert Recipe.from_toml(recipe.to_toml()) == recipe


PROFILE = Profile(shift_dates=True, retain_device=True, size=128, transfer_syntax="jpeg-ls")


def test_a_profile_survives_toml_and_counts():
    plain, recipe = Recipe.from_preset("strict"), Recipe.from_preset("strict", profile=PROFILE)
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    assert "[profile]" in recipe.to_toml()
    assert recipe.digest != plain.digest
    assert Recipe.from_toml("epsilon = 1\ndirections = 0").profile == BASIC


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


@pytest.mark.parametrize(
    "text",
    [
        "epsilon =",
        "epsilon = 1",
        "nonsense = 3",
        "epsilon = 'x'",
        "profile = 1",
        "[profile]\ncolour = 1",
    ],
)
def test_what_is_not_a_recipe_is_refused(text):
    with pytest.raises(InputError, match="recipe"):
        Recipe.from_toml(text)
