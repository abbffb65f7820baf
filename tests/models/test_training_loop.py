"""What all training runs share: rates, the average of weights, states that outlive versions."""

import copy
import math

import numpy as np
import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn

from latentdp import InputError
from latentdp.models.training.loop import TrainingLoop
from latentdp.models.training.schedule import SCHEDULES, WARM, cosine
from latentdp.models.training.weight_average import decay_at, follow


class Line(TrainingLoop):
    """Learns to multiply by three; remembers the rates of its steps."""

    def __init__(self, state, steps=40, schedule="cosine", run="line"):
        super().__init__(state, run, steps=steps, images_per_step=4)
        torch.manual_seed(0)
        self.net = torch.nn.Linear(1, 1)
        self.generator = torch.Generator().manual_seed(1)
        self.optimiser = torch.optim.Adam(self.net.parameters(), lr=0.1)
        self.schedule(self.optimiser, SCHEDULES[schedule])
        self.rates = []
        self.resume()

    def _learn(self):
        self.rates.append(self.optimiser.param_groups[0]["lr"])
        x = torch.rand(4, 1, generator=self.generator)
        loss = (self.net(x) - 3 * x).square().mean()
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return float(loss.detach())

    def _parts(self):
        return {"net": self.net, "optimiser": self.optimiser, "generator": self.generator}


def test_rates_follow_the_step_and_the_progress():
    line = Line(None)
    line.run()
    by_hand = [
        0.1 * (step + 1) / WARM * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / 40)))
        for step in range(40)
    ]
    assert line.rates == pytest.approx(by_hand)
    assert cosine(3, 0.0, warm=8) == 0.5
    assert cosine(8, 1.0, warm=8) == pytest.approx(0.01)


def test_an_interrupted_run_has_the_same_rates_and_weights(tmp_path):
    whole = Line(tmp_path / "whole")
    whole.run()
    part = Line(tmp_path / "part")
    part.run(stop=lambda: part.step >= 11)
    again = Line(tmp_path / "part")
    assert again.step == 11
    again.run()
    assert part.rates + again.rates == whole.rates
    assert torch.equal(again.net.weight, whole.net.weight)


def test_a_branch_has_the_rates_of_its_own_progress(tmp_path):
    run = Line(tmp_path / "run", steps=1000, schedule="open-ended")
    run.run(stop=lambda: run.step >= 20)
    cooldown = Line(tmp_path / "cooldown", steps=40, schedule="cooldown")
    cooldown.branch(tmp_path / "run")
    cooldown.run()
    expected = [0.1 * SCHEDULES["cooldown"](step, step / 40) for step in range(20, 40)]
    assert cooldown.rates == pytest.approx(expected)


def test_a_state_from_before_there_were_schedulers_is_gone_on_with(tmp_path):
    """Version 0.1 set the rate of each step itself and left no word of the peak in a state."""
    run = Line(tmp_path / "run")
    run.run(stop=lambda: run.step >= 7)
    state = torch.load(tmp_path / "run", weights_only=True)
    (group,) = state["kept"]["optimiser"]["param_groups"]
    del group["initial_lr"]
    group["lr"] = run.rates[-1]
    torch.save(state, tmp_path / "old")
    old, new = Line(tmp_path / "old"), Line(tmp_path / "run")
    for line in (old, new):
        line.run()
    assert old.rates == new.rates
    assert torch.equal(old.net.weight, new.net.weight)


def test_a_state_of_another_run_or_none_at_all_is_refused(tmp_path):
    Line(tmp_path / "run").save()
    with pytest.raises(InputError, match="another run"):
        Line(tmp_path / "run", run="circle")
    for contents in ({"network": "line", "step": 1}, [1], {"network": "line"}):
        torch.save(contents, tmp_path / "run")
        with pytest.raises(InputError, match="damaged"):
            Line(tmp_path / "run")
    (tmp_path / "run").write_bytes(b"")
    with pytest.raises(InputError, match="damaged"):
        Line(tmp_path / "run")


def test_two_trainings_do_not_share_a_state(tmp_path):
    line, other = Line(tmp_path / "state"), Line(tmp_path / "state")
    refused = []

    def meanwhile(now):
        with pytest.raises(InputError, match="state is in use by another training"):
            other.run()
        refused.append(other.step)

    line.run(meanwhile)
    assert refused == [0]
    assert [file.name for file in tmp_path.iterdir()] == ["state"]
    Line(tmp_path / "state").run()  # it was let go


def test_a_run_that_is_not_kept_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Line(None, steps=2).run()
    assert not list(tmp_path.iterdir())


def test_the_average_is_torchs_exponential_average_of_all_tensors():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    ours = copy.deepcopy(net)
    theirs = AveragedModel(net, avg_fn=get_ema_avg_fn(0.9), use_buffers=True)
    theirs.n_averaged.fill_(1)  # the start counts, as it does for us
    for _ in range(5):
        net(torch.randn(8, 2))
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.add_(torch.randn_like(parameter))
        follow(ours, net, 0.9)
        theirs.update_parameters(net)
    expected = theirs.module.state_dict()
    for name, tensor in ours.state_dict().items():
        if tensor.is_floating_point():
            assert torch.allclose(tensor, expected[name]), name
        else:
            assert tensor == net.state_dict()[name], "what counts is not averaged"


def test_a_short_run_does_not_keep_its_start():
    assert [decay_at(step, 0.5) for step in (0, 1, 100)] == pytest.approx([2 / 11, 3 / 12, 0.5])
    kept = np.prod([decay_at(step, 0.9995) for step in range(100)])
    assert kept < 1e-6
