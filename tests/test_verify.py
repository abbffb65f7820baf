"""A card is verified from the card alone, and every claim that is too good is found."""

import json

import pytest

from latentdp import PRESETS, InputError, Privatizer, Recipe
from latentdp.card import release_card
from latentdp.noise import SeededNoise
from latentdp.plugins import names
from latentdp.summary import Summary
from latentdp.verify import verify_card


def card_of(flow, preset="balanced", noise=None, **changes):
    privatizer = Privatizer(flow, Recipe.from_preset(preset, **changes), noise)
    summary = Summary(inputs=3, released=3, most_images=3)
    summary.patient_epsilon = 3 * privatizer.guarantee.epsilon
    summary.patient_delta = 3 * privatizer.guarantee.delta
    card = release_card(privatizer, summary, status="complete", vault="0" * 16)
    return json.loads(json.dumps(card))


def failed(card):
    return [check.claim for check in verify_card(card) if not check.ok]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("label", ["none", "response", "public"])
@pytest.mark.parametrize("keep", [0, 3])
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
    card = card_of(tiny_flow, noise=SeededNoise(0))
    assert failed(card) == ["noise from a secure source"]
    card["private"] = card["guarantee"]["image"]["private"] = True  # and the statement remains
    assert "NOT PRIVATE" in card["guarantee"]["statement"][0]


def put(card, path, value):
    *folders, last = path.split("/")
    for name in folders:
        card = card[int(name) if name.isdigit() else name]
    card[last] = value


@pytest.mark.parametrize(
    ("path", "value", "claim"),
    [
        ("guarantee/image/epsilon", 1.0, "epsilon of an image"),
        ("guarantee/image/epsilon", float("nan"), "epsilon of an image"),
        ("guarantee/image_approximate/epsilon", 0.5, "epsilon at delta 1e-06"),
        ("guarantee/image/unit", "patient", "unit and relation"),
        ("guarantee/image/relation", "add-or-remove-one", "unit and relation"),
        ("guarantee/image/verification_auc_at_most", 0.6, "largest AUC of a verifier"),
        ("guarantee/image/top1_at_most/rate", 1e-4, "largest top-1 rate in 30,805"),
        ("guarantee/patient/epsilon", 7.0, "epsilon of a patient"),
        ("guarantee/unprotected", ["nothing much"], "unprotected"),
        ("plan/blocks/0/parameters/base", 100, "epsilon of an image"),
        ("plan/blocks/0/parameters/clip", 2.0, None),
        ("plan/label/threshold", 2**64 - 2**20, "epsilon of an image"),
        ("recipe/epsilon", 4.0, "digest of the recipe"),
        ("weights/sha256", "11" * 32, "weights"),
        ("private", False, "noise from a secure source"),
    ],
)
def test_a_claim_that_does_not_follow_is_found(tiny_flow, path, value, claim):
    card = card_of(tiny_flow)
    put(card, path, value)
    # The clip alone changes no epsilon: it counts in grid steps.
    assert claim in failed(card) if claim else not failed(card)


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
