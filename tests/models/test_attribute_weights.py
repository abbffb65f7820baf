"""Directions, critic, checks and card of weights that know attributes."""

from dataclasses import replace

import numpy as np
from latentdp._weights.flow_card import flow_card

from latentdp import Privatizer, Recipe
from latentdp.core.attributes import values_of
from latentdp.models.checkpoints import load, save
from latentdp.models.flow.flow import load_flow
from latentdp.models.model_card.card import ModelCard
from latentdp.models.model_card.card_parts import TrainingCard
from latentdp.models.model_card.flow import samples
from latentdp.models.training.training_data import as_trained
from latentdp.privacy.noise import SeededNoise
from tests.support.attribute_flow import KNOWN, attribute_checkpoint, attribute_flow


def test_data_are_read_as_such_a_flow_was_trained(chests):
    train = as_trained(attribute_flow(), chests, "train")
    assert len(train) == 78, "without a child"
    values = values_of(KNOWN, train.labels)
    several = values[train.files.index("train-2-PA.png")]
    assert several.tolist() == [0, 1, 1, 0, 1, -1, 0]
    named = [train.finding_names[f] if f >= 0 else "" for f in train.findings]
    of = dict(zip(train.files, named, strict=True))
    assert [of[f"train-{n}-AP.png"] for n in range(4)] == ["No Finding", "Effusion", "", "Mass"]


def test_weights_get_directions_critic_and_a_card(chests, tmp_path, command, least_effort):
    save(attribute_checkpoint(), tmp_path / "told.safetensors")
    last = tmp_path / "told.safetensors"
    commands = (("add-directions",), ("add-critic", "--source", "clinic"))
    for i, (name, *options) in enumerate(commands):
        out = tmp_path / f"{i}.safetensors"
        assert command("weights", name, last, chests, "--out", out, *options) == 0
        last = out
    flow = load_flow(load(str(last)))
    assert flow.critic is not None
    assert flow.card.directions.discriminants == 2, "three findings, each by itself"
    assert flow.card.critic.reader_classes == 2, "originals and samples"
    assert flow.card.critic.sources == ("clinic",)
    images = np.random.default_rng(1).random((4, 16, 16)).astype(np.float32)
    private = Privatizer(flow, Recipe.from_preset("balanced"), SeededNoise(2))
    release = private(images, labels=["Mass;Effusion;PA", None, "No Finding", "Effusion"])
    assert private.candidates == 4
    assert release.valid.all()
    odds = [flow.critic.log_ratio(images, np.full(4, label)) for label in (-1, 0, 77)]
    assert np.array_equal(odds[0], odds[1])
    assert np.array_equal(odds[0], odds[2])
    assert len(samples(flow, 10, temperature=0.8)) == 10


def test_weights_are_checked_and_described(chests, tmp_path, command, least_effort):
    training = TrainingCard(
        minutes=1, steps=1, images_shown=2, batch=2, learning_rate=0.1, start="x", seed=0
    )
    told = ModelCard(
        summary="x",
        parameters=1,
        training_data="x",
        private_training=False,
        architecture="{}",
        training=training,
    )
    checkpoint = attribute_checkpoint()
    checkpoint = replace(checkpoint, card=checkpoint.card.with_entries(told))
    save(checkpoint, tmp_path / "told.safetensors")
    checked = tmp_path / "checked.safetensors"
    code = command("weights", "check", tmp_path / "told.safetensors", chests, "--out", checked)
    assert code == 0
    card = load(str(checked)).card
    assert card.present_in_training == {
        "Edema": 0,
        "Effusion": 38,
        "Mass": 40,
        "Pleural_Thickening": 0,
    }
    assert "with Edema: 0, Effusion: 38" in flow_card("told", 1, "", card)
