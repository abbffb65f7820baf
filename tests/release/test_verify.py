"""A card is verified from the card alone, and every claim that is too good is found."""

import json

import pytest

from latentdp import PRESETS, InputError, Privatizer, Recipe
from latentdp.core.plugins import names
from latentdp.models.flow.layout import GRID
from latentdp.privacy.noise import SeededNoise
from latentdp.release.describe import release_card
from latentdp.release.summary import Summary
from latentdp.release.verification.recipe import LAYOUT
from latentdp.release.verify import verify_card
from tests.support.sweeps import diagonal


def card_of(flow, preset="balanced", noise=None, **changes):
    privatizer = Privatizer(flow, Recipe.from_preset(preset, **changes), noise)
    summary = Summary(
        inputs=3,
        released=3,
        most_images=3,
        most_images_here=2,
        patient_epsilon=3 * privatizer.guarantee.noised_part.epsilon,
        patient_delta=3 * privatizer.guarantee.delta,
        guarantee=privatizer.guarantee,
    )
    card = release_card(privatizer, summary, status="complete", vault="0" * 16)
    return json.loads(json.dumps(card.to_json()))


def failed(card):
    return [check.claim for check in verify_card(card) if not check.ok]


@pytest.mark.parametrize(
    ("preset", "label", "keep"), diagonal(PRESETS, ["none", "response", "public"], [0, 3])
)
def test_true_cards_are_verified(tiny_flow, preset, label, keep):
    assert not failed(card_of(tiny_flow, preset, label=label, keep_label_dims=keep))


@pytest.mark.parametrize("mechanism", names("mechanisms"))
def test_cards_of_every_mechanism_are_verified(tiny_flow, mechanism):
    card = card_of(tiny_flow, mechanism=mechanism)
    assert not failed(card)
    exact = card["guarantee"]["image"]["numerics"] == "exact"
    assert exact != any("IDEALISED" in line for line in card["warnings"])
    assert exact == (mechanism != "vmf")


def test_a_seed_is_not_verified(tiny_flow):
    """Nor is it with the marks of the seed taken off one by one."""
    card = card_of(tiny_flow, noise=SeededNoise(0))
    wrong = {"noise from a secure source", "an image is private", "private", "statement"}
    wrong.add("warnings")
    assert set(failed(card)) == wrong
    card["private"] = True
    card["guarantee"]["image"] |= {"private": True, "secure": True}
    assert set(failed(card)) == {"statement", "warnings"}


def put(card, path, value):
    *parts, last = (int(name) if name.isdigit() else name for name in path.split("/"))
    for name in parts:
        card = card[name]
    card[last] = value


@pytest.mark.promise(
    "A claim on a card that does not follow from its recipe is found by `latentdp verify`."
)
@pytest.mark.parametrize(
    ("path", "value", "claim"),
    [
        ("guarantee/image/epsilon", 1.0, "epsilon of an image"),
        ("guarantee/image/epsilon", "8", "epsilon of an image"),
        ("guarantee/image_approximate/epsilon", 0.5, "the same as epsilon, delta"),
        ("guarantee/image_approximate/delta", 1e-9, "the same as epsilon, delta"),
        ("guarantee/image/unit", "patient", "unit"),
        ("guarantee/image/relation", "add-or-remove-one", "relation"),
        ("guarantee/image/numerics", "idealised", "numerics"),
        ("guarantee/image/verification_auc_at_most", 0.6, "largest AUC of a verifier"),
        ("guarantee/image/top1_at_most/rate", 1e-4, "largest top-1 rate in a gallery"),
        ("guarantee/image/top1_at_most/gallery", 10**12, "largest top-1 rate in a gallery"),
        ("guarantee/patient/epsilon", 7.0, "epsilon of a patient"),
        ("guarantee/patient/epsilon", 9.0, "epsilon of a patient"),
        ("guarantee/patient/epsilon", None, "epsilon of a patient"),
        ("guarantee/patient/images", 1, "images of a patient"),
        ("guarantee/unprotected", ["nothing much"], "unprotected"),
        ("guarantee/statement", ["indistinguishable up to epsilon 0.01"], "statement"),
        ("warnings", ["WEAK"], "warnings"),
        ("warnings", 5, "warnings"),
        ("plan/blocks/0/parameters/base", 100, "epsilon of an image"),
        ("plan/blocks/0/epsilon", 1.0, "numbers of the plan"),
        ("plan/blocks/1/temperature", 0.7, "plan of the recipe"),
        ("plan/basis", "latent elements", "plan of the recipe"),
        ("plan/label/threshold", 2**64 - 2**20, "epsilon of an image"),
        ("plan/label/truth_probability", 0.1, "numbers of the plan"),
        ("image/classes", list("abcde"), "plan of the recipe"),
        ("image/size", [8, 8], "size of an output"),
        ("image/made_at", [8, 8], "latent dimensions"),
        ("header", {}, "attributes of an output"),
        ("guarantee/not_covered", [], "not covered"),
        ("guarantee/patient/rule", "none", "rule of a patient"),
        ("recipe/epsilon", 4.0, "digest of the recipe"),
        ("weights/sha256", "11" * 32, "weights"),
        ("private", False, "private"),
        ("private", "yes", "private"),
    ],
)
def test_a_claim_that_does_not_follow_is_found(tiny_flow, path, value, claim):
    card = card_of(tiny_flow)
    put(card, path, value)
    assert claim in failed(card)


@pytest.mark.parametrize(
    ("changes", "other"),
    [
        ({}, {"epsilon": 4.0}),
        ({}, {"mechanism": "gaussian"}),
        ({}, {"directions": 1}),
        ({}, {"keep_label_dims": 2}),
        ({}, {"label": "none"}),
        ({"label": "public"}, {"label": "none"}),
        ({}, {"preset": "strict"}),
        ({"preset": "empirical"}, {"keep_layout": 3}),
        ({"preset": "empirical", "keep_layout": 0}, {"keep_layout": 1}),
    ],
)
def test_a_plan_of_another_recipe_is_found(tiny_flow, changes, other):
    """The digest of the recipe stands in every output, so the plan cannot be exchanged."""
    card, fake = card_of(tiny_flow, **changes), card_of(tiny_flow, **(changes | other))
    fake["recipe"] = card["recipe"]
    assert failed(fake) == ["plan of the recipe"]


def test_more_of_a_layout_than_any_weights_have_is_refused_at_once(tiny_flow):
    """Directions of a forged card would take minutes to be made orthonormal."""
    assert LAYOUT == GRID**2
    card = card_of(tiny_flow, preset="empirical")
    put(card, "recipe/keep_layout", LAYOUT + 1)
    with pytest.raises(InputError, match="states 17 directions of layout"):
        verify_card(card)


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("plan/basis", 5, 1),
        ("plan/blocks/0/epsilon", "x", 1),
        ("plan/blocks/1/temperature", None, 1),
        ("plan/blocks/0/parameters/base", None, 2),
        ("plan/blocks", "x", 2),
        ("plan/latent_dimensions", "x", 2),
        ("plan/label/epsilon", True, 1),
        ("plan/label/mechanism", None, 1),
        ("plan/label/truth_probability", [], 1),
        ("plan/label/threshold", "x", 2),
        ("recipe/digest", None, 1),
        ("recipe/weights_sha256", 5, 1),
        ("recipe/epsilon", "x", 2),
        ("recipe/profile", {"a": 1}, 2),
        ("image/made_at/0", "x", 1),
        ("image/made_at", 5, 2),
        ("image/detail_drawn_at", "x", 1),
        ("image/classes", "none", 1),
        ("image/classes", 3, 2),
        ("image/chosen_among", "x", 1),
        ("guarantee/patient/epsilon", 10**400, 1),
        ("layout", "x", 2),
    ],
)
def test_a_claim_of_a_wrong_type_does_not_hold(tiny_flow, tmp_path, command, path, value, code):
    """Where it is no claim, but what others follow from, there is no card."""
    card = card_of(tiny_flow)
    put(card, path, value)
    (tmp_path / "release.json").write_text(json.dumps(card))
    assert command("verify", tmp_path) == code


NO_NUMBERS = [float("nan"), float("inf"), True, "1", None, [], 10**400, 2**900, 1e300]
NUMBERS_OF_A_CARD = [
    "plan/label/classes",
    "plan/label/threshold",
    "plan/latent_dimensions",
    "plan/blocks/1/dimensions",
    "guarantee/patient/images_in_this_release",
    "guarantee/image_approximate/delta",
    "recipe/directions",
    "recipe/epsilon",
]


def found_or_refused(card):
    try:
        return bool(failed(card))
    except InputError:
        return True


@pytest.mark.parametrize("mechanism", names("mechanisms"))
def test_a_parameter_that_is_no_such_number_is_found(tiny_flow, mechanism):
    card = card_of(tiny_flow, mechanism=mechanism)
    parameters = card["plan"]["blocks"][0]["parameters"]
    for name, value in list(parameters.items()):
        others = [float(value)] if type(value) is int else []
        for wrong in [*NO_NUMBERS, -1, 0, *others]:
            parameters[name] = wrong
            assert found_or_refused(card), (name, wrong)
        parameters[name] = value
    assert not failed(card)


@pytest.mark.parametrize("path", NUMBERS_OF_A_CARD)
def test_a_number_that_is_none_is_found(tiny_flow, path):
    card = card_of(tiny_flow)
    for value in (*NO_NUMBERS, 2.5):
        put(card, path, value)
        assert found_or_refused(card), value


@pytest.mark.parametrize(
    "text", ["{", "[" * 100_000, '{"tool": NaN}', '{"tool": "latentdp", "plan": Infinity}', "\xff"]
)
def test_what_is_no_json_is_refused(tmp_path, command, capsys, text):
    (tmp_path / "release.json").write_text(text, encoding="latin-1")
    assert command("verify", tmp_path) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_card_that_would_fill_the_memory_is_refused(tiny_flow):
    card = card_of(tiny_flow, keep_label_dims=3)
    card["image"]["made_at"] = [10**6, 10**6]
    card["plan"]["latent_dimensions"] = 10**12
    card["plan"]["blocks"][-1]["dimensions"] += 10**12 - 256
    with pytest.raises(InputError, match="more latent dimensions than any weights"):
        verify_card(card)


def test_a_ceiling_beside_something_unprotected_is_found(tiny_flow):
    card = card_of(tiny_flow, label="public")
    put(card, "guarantee/image/verification_auc_at_most", 0.99)
    assert failed(card) == ["largest AUC of a verifier"]


def test_a_delta_that_is_left_out_is_found(tiny_flow):
    card = card_of(tiny_flow, mechanism="gaussian")
    assert card["guarantee"]["image"]["delta"] == 1e-6
    assert card["guarantee"]["patient"]["delta"] == pytest.approx(3e-6)
    put(card, "guarantee/image/delta", 0.0)
    assert "delta of an image" in failed(card)


@pytest.mark.parametrize("what", [[], {}, {"tool": "latentdp"}, {"tool": "another"}, "text"])
def test_what_is_no_card_is_refused(what):
    with pytest.raises(InputError, match="card"):
        verify_card(what)


def test_the_command(tiny_flow, tmp_path, command, capsys):
    card = card_of(tiny_flow, "high-content")
    (tmp_path / "release.json").write_text(json.dumps(card))
    assert command("verify", tmp_path) == 0
    shown = capsys.readouterr().out
    assert "epsilon of an image" in shown
    assert "WEAK" in shown
    card["guarantee"]["image"]["epsilon"] = 2.0
    (tmp_path / "release.json").write_text(json.dumps(card))
    assert command("verify", tmp_path / "release.json") == 1
    assert "DOES NOT HOLD" in capsys.readouterr().out
    assert command("verify", tmp_path / "release.json", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert not told["verified"]
    assert {"claim", "claimed", "found", "ok"} == set(told["checks"][0])
    assert command("verify", tmp_path / "nothing.json") == 2
    assert "release.json, or the folder of a release" in capsys.readouterr().err


def test_an_unfinished_release_is_no_lie(tiny_flow, tmp_path, command, capsys):
    """Its card says so, and is right: whoever made it has to go on."""
    card = card_of(tiny_flow) | {"status": "incomplete"}
    (tmp_path / "release.json").write_text(json.dumps(card))
    assert command("verify", tmp_path) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "NOT verified: the release is unfinished; the command that makes it goes on" in shown
    assert "claims what is not so" not in shown
    assert "DOES NOT HOLD status: incomplete" in shown
    assert "but it is complete" not in shown
