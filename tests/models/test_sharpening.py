"""Training against discriminators: what learns from what, and weights that are trained on."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from latentdp import InputError
from latentdp.models.checkpoints import load, save
from latentdp.models.flow.checkpoint import IDENTITY
from latentdp.models.flow.flow import load_flow
from latentdp.models.model_card.card import ModelCard
from latentdp.models.networks.finding_classifier import ClassifierConfig, FindingClassifier
from latentdp.models.super_resolution.checkpoint import details_in, with_detail_flows
from latentdp.models.training.discriminators import DiscriminatorConfig, Discriminators
from latentdp.models.training.sharpening import SharpeningConfig, sharpening
from latentdp.models.training.training_data import as_trained
from tests.models.test_weights_with_detail import part
from tests.support.attribute_flow import attribute_checkpoint, attribute_flow

WIDTHS = (4, 8)


@pytest.fixture
def networks() -> tuple[FindingClassifier, FindingClassifier]:
    """Of images of 16 pixels and of 8, that know nothing yet."""
    rng, labels = np.random.default_rng(0), np.arange(40)[None] % 2
    settings = ClassifierConfig(steps=1, widths=WIDTHS)
    whole, half = (
        FindingClassifier.fit(rng.random((1, 40, side, side), np.float32), labels, 2, settings)
        for side in (16, 8)
    )
    return whole, half


def images(seed: int, *, bright: bool) -> torch.Tensor:
    """Noise, brighter on the left or on the right."""
    made = 0.2 * torch.randn(32, 1, 16, 16, generator=torch.Generator().manual_seed(seed))
    made[..., :8] += 0.2 if bright else -0.2
    return made.clamp(-0.5, 0.5)


def judges_of_bright_halves(networks) -> Discriminators:
    """They have learnt that originals are brighter on the left."""
    judges = Discriminators(networks, DiscriminatorConfig(learning_rate=1e-2))
    g = torch.Generator().manual_seed(0)
    for i in range(60):
        told = judges.teach(images(2 * i, bright=False), images(2 * i + 1, bright=True), i, g)
    assert told > 0.95
    return judges


def test_discriminators_learn_to_tell_and_a_cost_falls_with_what_they_know(networks):
    judges, g = judges_of_bright_halves(networks), torch.Generator().manual_seed(1)
    known = judges.cost(images(200, bright=False), g)
    unknown = judges.cost(images(201, bright=True), g)
    assert known > 2 * unknown


def test_teaching_leaves_the_flow_alone_and_a_cost_the_discriminators(networks):
    judges, g = Discriminators(networks, DiscriminatorConfig()), torch.Generator().manual_seed(0)
    samples = images(0, bright=False).requires_grad_(True)
    judges.teach(samples, images(1, bright=True), 0, g)
    assert samples.grad is None
    judges.optimiser.zero_grad(set_to_none=True)
    judges.cost(samples, g).backward()
    assert samples.grad.abs().sum() > 0
    assert all(p.grad is None and p.requires_grad for p in judges.networks.parameters())


def test_an_original_is_not_told_from_what_else_is_in_its_batch(networks):
    judges = Discriminators(networks, DiscriminatorConfig())
    shown = images(0, bright=True)
    for network in judges.networks:
        assert torch.allclose(network(shown)[:1], network(shown[:1]), atol=1e-5)


def test_a_sample_that_is_not_finite_ends_nothing(networks):
    judges, g = Discriminators(networks, DiscriminatorConfig()), torch.Generator().manual_seed(0)
    samples = images(0, bright=False)
    samples[0, 0, 3, 4], samples[1] = torch.nan, torch.inf
    judges.teach(samples, images(1, bright=True), 0, g)
    assert all(p.isfinite().all() for p in judges.networks.parameters())
    assert judges.cost(samples, g).isfinite()


def test_networks_of_a_critic_are_not_changed_by_learning_on(networks):
    before = networks[0].tensors()
    judges = Discriminators(networks, DiscriminatorConfig())
    judges.teach(images(0, bright=False), images(1, bright=True), 0, torch.Generator())
    assert all(np.array_equal(a, networks[0].tensors()[name]) for name, a in before.items())


def test_the_weight_rises_after_they_have_learnt_alone(networks):
    judges = Discriminators(networks, DiscriminatorConfig(weight=0.5, alone=10, ramp=4))
    assert [judges.weight(step) for step in (0, 10, 11, 14, 99)] == [0, 0, 0.125, 0.5, 0.5]


def run_of(chests, state, **changes):
    """A run of the weights with attributes, whose critic is not taught first."""
    train, val = (as_trained(attribute_flow(), chests, split) for split in ("train", "val"))
    settings = SharpeningConfig(
        **({"steps": 12, "discriminators": DiscriminatorConfig(alone=2, ramp=2)} | changes)
    )
    return sharpening(attribute_checkpoint(), train, val, state, settings)


@pytest.fixture
def taught(networks, monkeypatch):
    """Instead of a critic that takes seconds to teach, one that knows nothing."""

    known = SimpleNamespace(networks=networks)
    monkeypatch.setattr(
        "latentdp.models.training.sharpening.train_critic", lambda *_, **__: (known, None)
    )
    return networks


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(chests, tmp_path, taught):
    whole = run_of(chests, tmp_path / "whole")
    whole.run()
    parts = run_of(chests, tmp_path / "parts")
    parts.run(stop=lambda: parts.step >= 5)
    again = run_of(chests, tmp_path / "parts")
    assert again.step == 5
    again.run()
    assert again.step == 12
    both = (whole.net, again.net), (whole.average, again.average)
    judges = (whole.discriminators.networks, again.discriminators.networks)
    for a, b in (*both, judges):
        for (name, one), other in zip(
            a.state_dict().items(), b.state_dict().values(), strict=True
        ):
            assert torch.allclose(one.float(), other.float(), atol=1e-5), name
    others = (
        {"discriminators": DiscriminatorConfig(weight=1)},
        {"batch": 8},
        {"learning_rate": 1e-4},
        {"seed": 1},
        {"private_data": True},
    )
    for other in others:
        with pytest.raises(InputError, match="another run"):
            run_of(chests, tmp_path / "parts", **other)
    assert run_of(chests, tmp_path / "parts", steps=20).step == 12, "it may be longer"


def test_a_state_on_other_images_is_refused(chests, tmp_path, taught):
    run_of(chests, tmp_path / "x").save()
    train = as_trained(attribute_flow(), chests, "train")
    settings = SharpeningConfig(steps=12, discriminators=DiscriminatorConfig(alone=2, ramp=2))
    fewer = train.only(np.arange(len(train)) > 0)
    with pytest.raises(InputError, match="another run"):
        sharpening(attribute_checkpoint(), fewer, train, tmp_path / "x", settings)


@pytest.mark.parametrize(("weight", "follows"), [(1e-9, False), (3.0, True)])
def test_samples_follow_discriminators(chests, tmp_path, taught, weight, follows):
    settings = DiscriminatorConfig(weight=weight, learning_rate=1e-12, alone=0, ramp=1)
    run = run_of(chests, tmp_path / "x", steps=60, learning_rate=3e-3, discriminators=settings)
    known = judges_of_bright_halves(taught).networks.state_dict()
    run.discriminators.networks.load_state_dict(known)

    def left() -> float:
        z = np.random.default_rng(1).normal(size=(64, 256))
        made = run.flow().decode_valid(z)[0]
        return float(made[..., :8].mean() - made[..., 8:].mean())

    before = left()
    run.run()
    assert (left() > before + 0.025) == follows


def test_several_processes_are_refused(chests, tmp_path, taught, monkeypatch):
    monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)
    monkeypatch.setattr("torch.distributed.get_rank", lambda: 0)
    monkeypatch.setattr("torch.distributed.get_world_size", lambda: 2)
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="one process"):
        run_of(chests, tmp_path / "x")


def test_the_command_keeps_detail_and_makes_the_rest_anew(
    chests, octave, tmp_path, taught, command, capsys, least_effort
):
    begun = with_detail_flows(attribute_checkpoint(), [part(octave)])
    begun = replace(
        begun,
        card=begun.card.with_entries(
            ModelCard(training_data="our hospital", sources=("elsewhere",))
        ),
    )
    save(begun, tmp_path / "begun.safetensors")
    out = tmp_path / "new" / "sharp.safetensors"
    arguments = ("weights", "sharpen", tmp_path / "begun.safetensors", chests, "--out", out)
    options = ("--steps", 4, "--threads", 1, "--source", "clinic", "--private-data", "--json")
    assert command(*arguments, *options) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["training"]["discriminators"] == 0.06
    made, before = load(str(out)), load(str(tmp_path / "begun.safetensors"))
    assert made.card.training.steps == 4
    assert before.sha256 in made.card.training.start
    assert made.card.training_data == "our hospital"
    assert made.card.private_training is True
    assert made.card.sources == ("elsewhere", "clinic")
    assert str(tmp_path) not in repr(made.card)
    assert details_in(made).keys() == details_in(before).keys()
    assert made.card.octaves == before.card.octaves
    changed = {
        name
        for name, tensor in before.tensors.items()
        if name in made.tensors and not np.array_equal(tensor, made.tensors[name])
    }
    assert any(".net." in name for name in changed)
    assert made.card.critic.reader_classes == 2
    assert made.card.critic.sources == ("clinic",)
    assert made.card.directions.count
    flow = load_flow(made)
    assert flow.critic is not None
    assert len(flow.identity) != 24, "identity of before is gone"
    assert IDENTITY not in made.tensors or len(flow.identity)
    assert out.with_suffix(".png").is_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "minutes or of steps"),
        (("--steps", 1, "--batch", 0), "batch"),
        (("--steps", 1, "--learning-rate", 0), "learning rate"),
        (("--steps", 1, "--weight", -1), "weight"),
        (("--steps", 1, "--weight", "nan"), "weight"),
        (("--steps", 1, "--source", "none"), "no images of split 'train'"),
    ],
)
def test_impossible_options_are_refused(
    chests, tmp_path, taught, command, capsys, options, message
):
    save(attribute_checkpoint(), tmp_path / "begun.safetensors")
    out = tmp_path / "sharp.safetensors"
    code = command(
        "weights", "sharpen", tmp_path / "begun.safetensors", chests, "--out", out, *options
    )
    assert code == 2
    assert message in capsys.readouterr().err
    assert not out.exists()
