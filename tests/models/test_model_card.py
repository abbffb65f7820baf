"""The model card of weights: checked once, when a file is read; what it says is never lost."""

import json
from dataclasses import replace

import pytest
from safetensors import safe_open

from latentdp import WeightsError
from latentdp.core.documents import from_json, to_json
from latentdp.models.checkpoints import load, save, shipped
from latentdp.models.flow.flow import load_flow
from latentdp.models.model_card.card import ModelCard
from latentdp.models.weights_file import WeightsFile
from tests.support.places import ROOT
from tests.support.tiny_flow import tiny_checkpoint


def written(path, card):
    """A weights file whose card is some JSON values."""
    checkpoint = tiny_checkpoint()
    WeightsFile(
        kind=checkpoint.kind,
        config=checkpoint.config,
        card=json.dumps(card),
        tensors=checkpoint.tensors,
    ).write(path)
    return path


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_card_is_written_as_it_was_read(name):
    with safe_open(str(ROOT / "weights" / shipped()[name].file), framework="numpy") as file:
        text = file.metadata()["card"]
    card = from_json(json.loads(text), ModelCard, "the card")
    assert json.dumps(to_json(card), sort_keys=True) == text


def test_a_card_without_any_entry_is_one(tmp_path):
    flow = load_flow(str(written(tmp_path / "x.safetensors", {})))
    assert flow.card == ModelCard()
    assert flow.provenance.training_data == flow.provenance.private_training == "not stated"
    assert flow.provenance.conditions == flow.provenance.sources == ()
    assert flow.likelihood_range is None


def test_what_a_later_version_says_is_kept_and_shown(tmp_path, command, capsys):
    path = written(tmp_path / "x.safetensors", {"summary": "x", "licence": ["a", "b"]})
    checkpoint = load(str(path))
    described = checkpoint.card.with_entries(ModelCard(training_data="made up"))
    save(replace(checkpoint, card=described), path)
    with safe_open(str(path), framework="numpy") as file:
        card = json.loads(file.metadata()["card"])
    assert card == {"licence": ["a", "b"], "summary": "x", "training_data": "made up"}
    assert command("weights", "show", path, "--json") == 0
    assert json.loads(capsys.readouterr().out).items() >= card.items()


@pytest.mark.parametrize(
    "card",
    [
        [],
        {"summary": 3},
        {"private_training": []},
        {"likelihood": {"bits": [1.0], "coarse": [0.0, 1.0], "odd": {}}},
        {"critic": {"reader_classes": "x", "widths": [4, 8]}},
        {"octaves": [1]},
        {"octaves": {"32": "x"}},
        {"octaves": {"32": {"temperature": "warm"}}},
        {"octaves": {"32": {"temperature": [1]}}},
    ],
    ids=json.dumps,
)
def test_a_card_that_says_something_else_is_refused_in_a_line(tmp_path, command, capsys, card):
    path = written(tmp_path / "x.safetensors", card)
    with pytest.raises(WeightsError, match="model card"):
        load(str(path))
    assert command("weights", "show", path) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("latentdp: x.safetensors: ")
