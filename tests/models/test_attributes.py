"""A flow that is told attributes, and how one is trained without knowing for how long."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from latentdp import InputError
from latentdp.models.checkpoints import load, save, shipped
from latentdp.models.flow.attributes import (
    Attribute,
    check_values,
    condition_of,
    finding,
    table_rows,
)
from latentdp.models.flow.flow import Flow, load_flow
from latentdp.models.flow.fused_glow import FrozenGlow
from latentdp.models.flow.glow import Glow, GlowConfig
from latentdp.models.model_card.card import ModelCard
from latentdp.models.training.attributes import (
    AttributeGlowTraining,
    AttributeGlowTrainingConfig,
)
from latentdp.models.training.glow import GlowTraining, GlowTrainingConfig
from latentdp.models.training.schedule import LEVEL, SCHEDULES, WARM
from tests.support.attribute_data import EFFUSION, MASS, SIZE, VIEW, dataset

TOLD = (MASS, EFFUSION, VIEW)


CONFIG = GlowConfig(size=SIZE, classes=(), steps=(2,), hidden=(8,), attributes=TOLD)


def trainer(state: Path, **changes) -> AttributeGlowTraining:
    branch = changes.pop("branch", None)
    settings = AttributeGlowTrainingConfig(**({"steps": 30, "batch": 16, "shift": 1} | changes))
    return AttributeGlowTraining(CONFIG, settings, dataset(), dataset(32, 1), state, branch=branch)


def net_of(config: GlowConfig) -> Glow:
    torch.manual_seed(2)
    net, size = Glow(config), config.size
    with torch.no_grad():
        net(torch.rand(16, 1, size, size) - 0.5, torch.full((16, len(config.conditioning)), -1))
        for parameter in net.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return net


def test_a_condition_has_a_one_for_each_attribute():
    values = torch.tensor([[1, 0, -1], [-1, 2, 1]])
    told = condition_of(TOLD, values)
    names = table_rows(TOLD)
    assert [[names[i] for i in row.nonzero()[:, 0]] for row in told] == [
        [("Mass", "present"), ("Effusion", "absent"), ("view", "")],
        [("Mass", ""), ("Effusion", ""), ("view", "PA")],
    ]
    classes = (Attribute("", ("a", "b")),)
    assert condition_of(classes, torch.tensor([0, 2, -1])).tolist() == [
        [1, 0, 0],
        [0, 0, 1],
        [0, 0, 1],
    ]


@pytest.mark.parametrize("values", [[[0, 0]], [[2, 0, 0]], [[-2, 0, 0]], [[0.0, 0, 0]], [1]])
def test_values_that_are_none_are_refused(values):
    with pytest.raises(InputError):
        check_values(values, 1, TOLD)


def test_attributes_need_distinct_values_and_exclude_classes():
    with pytest.raises(InputError, match="view"):
        Attribute("view", ("AP", "AP"))
    with pytest.raises(InputError, match="both"):
        replace(CONFIG, classes=("a",))


def test_a_configuration_survives_its_file_and_an_old_one_stays_as_it_is():
    assert GlowConfig.from_json(CONFIG.to_json()) == CONFIG
    for name in shipped("glow"):
        text = load(name).config
        assert GlowConfig.from_json(text).to_json() == text
        assert ("attributes" in text) == (name == "cxr-findings")


def test_classes_are_told_as_they_were():
    """The table's row of the class, whatever it is multiplied with on the way."""
    flow = load_flow(load("cxr-adult"))
    net = flow._net
    labels = torch.tensor([0, 3, 4])
    step, prior = net.steps_of(0)[0], net.prior_of(0)
    told = condition_of(net.config.conditioning, labels)
    table = step.coupling.param_map.label
    assert torch.equal(told @ table, table[labels])
    mean, _ = prior._parameters_of(told, None)
    assert torch.equal(mean, prior.constant[labels].chunk(2, dim=1)[0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_inference_engine_agrees_and_inverts(dtype):
    net = net_of(replace(CONFIG, size=16, steps=(1, 2), hidden=(6, 8)))
    frozen = FrozenGlow(net, dtype)
    values = torch.tensor([[1, 0, 0], [-1, -1, -1], [0, 1, -1]])
    z = torch.randn(3, 256, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        x = net.decode(z, values)
        exact = dtype == torch.float32
        assert torch.allclose(frozen.decode(z, values), x, atol=2e-5 if exact else 0.05)
        again, log_det = frozen.encode(x, values)
        wanted, wanted_log_det = net.encode(x, values)
        if exact:
            assert torch.allclose(again, wanted, atol=1e-3)
            assert torch.allclose(log_det, wanted_log_det, atol=1e-2)
        assert torch.allclose(wanted, z, atol=1e-3)


def test_each_attribute_matters_and_unknown_is_another_value():
    flow = Flow(net_of(CONFIG), ModelCard())
    assert flow.attributes == TOLD
    z = np.ones((1, flow.d))
    images = [
        flow.decode(z, [values])
        for values in ([0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0], [-1, -1, -1])
    ]
    for i, one in enumerate(images):
        assert not any(np.allclose(one, other) for other in images[:i])
    assert np.array_equal(images[-1], flow.decode(z))
    assert np.array_equal(images[-1], flow.decode(z, [-1])), "as without any attribute"


def test_a_schedule_without_an_end_and_its_cooldown():
    open_ended, cooldown = SCHEDULES["open-ended"], SCHEDULES["cooldown"]
    assert open_ended(0, 0.9) == pytest.approx(1 / WARM)
    assert open_ended(LEVEL - 1, 0.9) == 1
    assert open_ended(4 * LEVEL - 1, 0.0) == pytest.approx(0.5)
    assert cooldown(4 * LEVEL - 1, 0.0) == pytest.approx(0.5), "it begins where the run stands"
    assert cooldown(4 * LEVEL - 1, 1.0) == pytest.approx(0.005)
    assert SCHEDULES["cosine"](0, 0.0) == pytest.approx(1 / WARM)
    with pytest.raises(InputError, match="schedule"):
        GlowTrainingConfig(steps=1, schedule="never")


@pytest.mark.slow
def test_training_learns_what_it_is_told(tmp_path):
    told = trainer(tmp_path / "state", steps=150, learning_rate=3e-3, ema=0.97)
    reports: list[dict[str, float]] = []
    told.run(reports.append, every=0.0)
    assert reports[-1]["val"] < reports[0]["val"] - 0.5
    assert reports[-1]["val"] < reports[-1]["val_unknown"] - 0.01
    assert not any("val" in now for now in reports[1:-1]), "looked at now and then"


def test_what_is_not_told_follows_the_settings(tmp_path):
    rows = torch.zeros(4000, dtype=torch.long)  # an image of which all is known
    known = trainer(tmp_path / "a", label_dropout=0.0, partly_told=0.0)
    assert (known._labels_of(rows) == torch.tensor([1, 0, 0])).all()
    values = trainer(tmp_path / "b", label_dropout=0.2, partly_told=0.5)._labels_of(rows)
    nothing = float((values == -1).all(dim=1).float().mean())
    partly = float((values == -1).any(dim=1).float().mean())
    assert nothing == pytest.approx(0.2 + 0.8 * 0.5 / 4, abs=0.03), "a rate averages r ** 3"
    assert partly == pytest.approx(0.2 + 0.8 * 0.5 * 3 / 4, abs=0.03)


def test_an_open_ended_run_goes_on_as_if_it_had_not_been_interrupted(tmp_path):
    whole = trainer(tmp_path / "whole", schedule="open-ended")
    whole.run(lambda now: None)
    first = trainer(tmp_path / "parts", schedule="open-ended")
    first.run(lambda now: None, stop=lambda: first.step >= 11)
    second = trainer(tmp_path / "parts", schedule="open-ended")
    assert second.step == 11
    second.run(lambda now: None)
    pairs = zip(whole.average.parameters(), second.average.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_a_cooldown_leaves_the_run_alone_and_goes_on_by_itself(tmp_path):
    run = trainer(tmp_path / "state", schedule="open-ended")
    run.run(lambda now: None, stop=lambda: run.step >= 10)
    before = (tmp_path / "state").read_bytes()
    kinds = {"schedule": "cooldown", "steps": 40}
    branch = trainer(tmp_path / "cool", branch=tmp_path / "state", **kinds)
    assert branch.step == 10
    assert branch.elapsed == 0
    pairs = zip(run.average.parameters(), branch.average.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    branch.run(lambda now: None, stop=lambda: branch.step >= 20)
    again = trainer(tmp_path / "cool", branch=tmp_path / "state", **kinds)
    assert again.step == 20, "its own state comes first"
    assert (tmp_path / "state").read_bytes() == before
    with pytest.raises(InputError, match="no state nothing"):
        trainer(tmp_path / "other", branch=tmp_path / "nothing", **kinds)


def test_weights_survive_their_file(tmp_path):
    run = trainer(tmp_path / "state", steps=3)
    run.run(lambda now: None)
    save(run.checkpoint("told", ModelCard(summary="x")), tmp_path / "told.safetensors")
    flow = load_flow(load(str(tmp_path / "told.safetensors")))
    assert flow.attributes == TOLD
    images = dataset(4).pixels / np.float32(255)
    values = np.array([[1, 0, 0]] * 4)
    assert np.allclose(flow.decode(flow.encode(images, values), values), images, atol=1e-4)


def test_fine_tuning_takes_attributes_over_by_name(tmp_path):
    run = trainer(tmp_path / "state", steps=30)
    run.run(lambda now: None)
    path = tmp_path / "told.safetensors"
    save(run.checkpoint("told", ModelCard(summary="x")), path)
    config = replace(CONFIG, attributes=(finding("Viral pneumonia"), VIEW, MASS))
    tuned = GlowTraining(
        config, GlowTrainingConfig(steps=1), dataset(), dataset(32, 1), tmp_path / "b", load(path)
    )
    ours, theirs = tuned.net.prior_of(0).constant, run.average.prior_of(0).constant
    rows = {row: i for i, row in enumerate(table_rows(TOLD))}
    for i, row in enumerate(table_rows(config.attributes)):
        wanted = theirs[rows[row]] if row in rows else torch.zeros_like(ours[i])
        assert torch.allclose(ours[i], wanted)


def test_fine_tuning_takes_attributes_over_for_classes_that_name_them(tmp_path):
    run = trainer(tmp_path / "state", steps=30)
    run.run(lambda now: None)
    path = tmp_path / "told.safetensors"
    save(run.checkpoint("told", ModelCard(summary="x")), path)
    config = replace(CONFIG, attributes=(), classes=("AP/ill", "PA/ill"))
    data = replace(dataset(), classes=config.classes, labels=np.arange(64) % 2)
    tuned = GlowTraining(
        config, GlowTrainingConfig(steps=1), data, data, tmp_path / "b", load(path)
    ).flow()
    pixels, flow = data.pixels[:8], load_flow(path)
    for label, view in ((0, 0), (1, 1), (-1, -1)):  # of all findings nothing is known
        now = tuned.bits_per_dimension(pixels, np.full(8, label))
        before = flow.bits_per_dimension(pixels, np.array([[-1, -1, view]] * 8))
        assert now == pytest.approx(before, abs=1e-4)
