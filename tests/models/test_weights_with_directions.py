"""Weights with public directions: kept, computed by the command, and those that are shipped."""

import csv
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from latentdp import WeightsError
from latentdp.core.documents import to_json
from latentdp.models.checkpoints import Checkpoint, load, save, shipped
from latentdp.models.directions.encode import with_directions
from latentdp.models.directions.finding import shares
from latentdp.models.directions.identity import identity_directions
from latentdp.models.directions.probe_table import Probe
from latentdp.models.flow.flow import Flow, load_flow
from latentdp.models.model_card.card import ModelCard
from latentdp.models.model_card.directions_card import ProbeRow, ProbeTable
from tests.support.benchmarks import script
from tests.support.places import ROOT
from tests.support.planted_latents import found, planted
from tests.support.tiny_flow import make_net, tiny_checkpoint


def described(made):
    """What the card says of directions of which nothing was measured."""
    nothing = ProbeRow(finding=None, identity=None)
    empty = ProbeTable(split="val", images=0, sizes=(), baselines={}, all=nothing, directions=())
    return made.describe({}, empty)


def test_directions_of_identity_are_kept_with_the_weights(checkpoint, tmp_path):
    z = np.random.default_rng(0).normal(size=(60, 256))
    groups = planted(60)[1]
    rows, _ = identity_directions(z, groups, slice(0, 64))
    made = replace(found(z, groups), identity=rows)
    save(with_directions(checkpoint, made, described(made)), tmp_path / "x.safetensors")
    again = load(str(tmp_path / "x.safetensors"))
    assert again.tensors["identity"].shape == (64, 64), "without the zeros of other levels"
    flow = load_flow(again)
    assert flow.identity == pytest.approx(rows, abs=5e-3)
    assert np.abs(flow.identity @ flow.identity.T - np.eye(64)).max() < 1e-13
    without = with_directions(again, found(z, groups), described(made))
    assert load_flow(without).identity.shape == (0, 256), "none is left of other directions"
    for wrong in (np.ones((2, 64)), np.eye(3, 300), np.eye(9)[0]):
        damaged = replace(again, tensors=again.tensors | {"identity": wrong.astype(np.float16)})
        with pytest.raises(WeightsError, match="directions"):
            _ = load_flow(damaged).identity


@pytest.fixture
def checkpoint() -> Checkpoint:
    return tiny_checkpoint(summary="x")


def test_directions_are_kept_with_the_weights(checkpoint, tmp_path):
    made = found(np.random.default_rng(0).normal(size=(60, 256)), planted(60)[1])
    with_ = with_directions(checkpoint, made, described(made))
    save(with_, tmp_path / "x.safetensors")
    again = load(str(tmp_path / "x.safetensors"))
    flow = load_flow(again)
    assert again.card == ModelCard(summary="x", directions=described(made))
    assert flow.directions.dtype == np.float64
    assert np.abs(flow.directions @ flow.directions.T - np.eye(64)).max() < 1e-14
    assert flow.directions == pytest.approx(made.rows, abs=2e-3), "same order, same signs"
    assert not flow.directions.flags.writeable
    for key, tensor in checkpoint.tensors.items():
        assert np.array_equal(again.tensors[key], tensor)


def test_weights_without_directions_have_none(checkpoint):
    assert load_flow(checkpoint).directions.shape == (0, 256)
    assert Flow(make_net(), ModelCard()).directions.shape == (0, 256)


@pytest.mark.parametrize(
    "rows", [np.eye(3, 9), np.ones((2, 256)) / 16, np.zeros((1, 256)), np.eye(256)[0]]
)
def test_directions_that_are_none_are_refused(checkpoint, rows):
    tensors = checkpoint.tensors | {"directions": rows.astype(np.float16)}
    with pytest.raises(WeightsError, match="directions"):
        load_flow(replace(checkpoint, tensors=tensors))


@pytest.fixture
def folder(tmp_path):
    """Public pictures of two kinds, two a patient."""
    base = tmp_path / "data"
    base.mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for i in range(60):
        kind = i // 2 % 2
        pixels = rng.integers(0, 100, size=(16, 16)).astype(np.uint8)
        pixels[:, 8 * kind : 8 * kind + 8] += 100
        Image.fromarray(pixels).save(base / f"{i}.png")
        split = "train" if i < 40 else "val" if i < 50 else "test"
        labels = ("No Finding", "Mass")[kind]
        rows.append(
            {
                "file": f"{i}.png", "split": split, "patient_id": f"p{i // 2}",
                "labels": labels, "view": "PA" if i % 4 < 2 else "AP", "source": "one",
            }
        )  # fmt: skip
    with (base / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return base


def saved(path, **card):
    net = make_net(classes=("finding", "normal"))
    card = {"conditions": ["finding"], "sources": ["one"], "summary": "x"} | card
    save(tiny_checkpoint(net, **card), path)
    return path


def test_the_command(command, checkpoint, folder, tmp_path, capsys):
    old, new = saved(tmp_path / "old.safetensors"), tmp_path / "new.safetensors"
    before = old.read_bytes()
    assert (
        command("weights", "add-directions", old, folder, "--out", new, "--count", 6, "--json")
        == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert told["count"] == 6
    assert told["discriminants"] == 1
    assert told["patients_with_pairs"] == 20
    assert told["probes"]["directions"][0]["finding"][0] > 0.9
    assert old.read_bytes() == before
    kept = json.loads(json.dumps(to_json(load(str(new)).card.directions)))
    assert kept == {k: v for k, v in told.items() if k != "weights"}
    assert load_flow(load(str(new))).directions.shape == (6, 256)
    assert command("weights", "add-directions", new, folder, "--out", new) == 0, "again, in place"
    assert "64, of which 1" in capsys.readouterr().out
    assert command("weights", "show", new) == 0
    assert "separate findings" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--alpha", "2"], "alpha in"),
        (["--gamma", "1"], "gamma in"),
        (["--count", "0"], "count"),
    ],
)
def test_the_command_refuses_before_it_works(
    command, checkpoint, folder, tmp_path, capsys, options, message
):
    old, new = saved(tmp_path / "old.safetensors"), tmp_path / "new.safetensors"
    assert command("weights", "add-directions", old, folder, "--out", new, *options) == 2
    assert message in capsys.readouterr().err
    assert not new.exists()
    assert command("weights", "add-directions", old, folder, "--out", tmp_path / "x.png") == 2


def test_images_that_know_one_finding_are_refused(command, checkpoint, folder, tmp_path, capsys):
    old = saved(tmp_path / "old.safetensors", conditions=[])
    assert (
        command("weights", "add-directions", old, folder, "--out", tmp_path / "new.safetensors")
        == 2
    )
    assert "fewer than two findings" in capsys.readouterr().err
    assert not (tmp_path / "new.safetensors").exists()


def test_cards_can_be_written(monkeypatch, capsys):
    """The script that writes the model cards prints the table of the shipped weights."""
    for name in shipped("glow"):
        text = (ROOT / "weights" / f"{name}.md").read_text(encoding="utf-8")
        assert "## Public directions" in text
        assert "identity, matched" in text
    monkeypatch.setattr(sys, "argv", ["directions.py", "--help"])
    with pytest.raises(SystemExit):
        script("directions").main()
    assert "grid" in capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(shipped("glow")))
def test_shipped_directions(name):
    checkpoint = load(name)
    flow, card = load_flow(checkpoint), checkpoint.card.directions
    assert flow.directions.shape == (64, flow.d)
    assert np.abs(flow.directions @ flow.directions.T - np.eye(64)).max() < 1e-13
    probes = card.probes
    assert probes.split == "test"
    assert probes.sizes[-1] == 64
    two, whole = probes.directions[1], probes.all
    assert two.identity[0] < whole.identity[0]
    for row in (*probes.directions, whole):
        for key in ("finding", "identity", "identity_any"):
            value, low, high = getattr(row, key)
            assert 0 <= low <= value <= high <= 1


@pytest.mark.slow
@pytest.mark.data
def test_the_card_says_what_real_test_images_say(shared_data):
    """Finding and identity AUC of the first two directions, measured anew."""
    from latentdp.models.directions.encode import encode
    from latentdp.models.training.training_data import as_trained

    name = "cxr-paediatric"
    flow = load_flow(load(name))
    card = flow.card.directions
    parts = {
        split: encode(
            flow,
            as_trained(flow, shared_data / "cxr", split),
        ).few_of_each()
        for split in ("val", "test")
    }
    told = shares(flow.directions, parts["val"].latents, parts["val"].groups)
    assert told.finding[:2] == pytest.approx(card.shares["val"].finding[:2], rel=0.05)
    # The reader is fitted on val alone here, so it may differ a little from the better of two.
    measured = Probe(
        {"train": parts["val"], "test": parts["test"], "val": parts["val"]}, np.eye(flow.d, 32)
    )
    row = measured.table(flow.directions[:2], (2,))[0]
    stated = card.probes.directions[1]
    assert row.finding[0] == pytest.approx(stated.finding[0], abs=0.03)
    assert row.identity[0] < card.probes.all.identity[0]
