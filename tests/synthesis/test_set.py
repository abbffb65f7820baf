"""A learnt set of images: its gradients, and that it comes to look like the cohort."""

import numpy as np
import pytest
from scipy.special import expit

from latentdp.errors import InputError
from latentdp.privacy.gaussian_accountant import Rounds
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.synthesis.learn import Learner
from latentdp.synthesis.methods import set as module
from latentdp.synthesis.methods.set import PrivateSet
from latentdp.synthesis.plan import SynthesisPlan
from latentdp.synthesis.public import PublicModel
from latentdp.synthesis.vectors import PatientImages
from tests.support.synthesis import COARSE, FINDINGS, SIDE, public, render
from tests.support.synthesis_rounds import LAWS
from tests.support.tiny_flow import shared_flow

QUIET = NoisySum(grid=2**16, scale=1.0)


def test_its_gradients_are_those_of_its_cost():
    rng = np.random.default_rng(0)
    seen, labels = rng.normal(size=(5, 7)), rng.normal(size=(5, 2))
    readers = [rng.normal(size=(2, 7)) for _ in range(3)]
    wanted = [0.3 * rng.normal(size=(2, 7)) for _ in range(3)]

    def cost(seen, labels):
        total = 0.0
        for reader, answer in zip(readers, wanted, strict=True):
            error = expit(seen @ reader.T) - expit(labels)
            unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (error, seen)]
            total += ((unit[0].T @ unit[1] / len(seen) - answer) ** 2).sum() / (2 * 0.2**2)
        return total

    told = module._gradients(seen, labels, readers, wanted, 0.2)
    for gradient, place in zip(told, (seen, labels), strict=True):
        for index in [(0, 0), (3, 1), (4, place.shape[1] - 1)]:
            before = place[index]
            place[index] = before + 1e-6
            above = cost(seen, labels)
            place[index] = before - 1e-6
            slope = (above - cost(seen, labels)) / 2e-6
            place[index] = before
            assert gradient[index] == pytest.approx(slope, rel=1e-4, abs=1e-6)


def test_a_flow_pulls_gradients_back_to_its_latents():
    flow = shared_flow()
    rng = np.random.default_rng(1)
    latents, gradients = 0.5 * rng.normal(size=(3, flow.d)), rng.normal(size=(3, *flow.shape))
    pulled = flow.pull_back(latents, gradients)
    for i, j in ((0, 0), (1, 17), (2, 255)):
        step = np.zeros_like(latents)
        step[i, j] = 1e-2
        up, down = (flow._engine.decode(latents + s, np.full(3, -1)) for s in (step, -step))
        slope = ((up - down) * gradients).sum() / 2e-2
        assert pulled[i, j] == pytest.approx(slope, rel=0.05, abs=0.02)
    with pytest.raises(InputError, match="gradient of each image"):
        flow.pull_back(latents, gradients[:2])


def test_thumbnails_pull_back_as_their_means():
    made = PublicModel.of(shared_flow())
    rng = np.random.default_rng(2)
    latents, gradients = rng.normal(size=(2, made.coarse)), rng.normal(size=(2, 16, 16))
    pulled = made.pulled_back(latents, gradients)
    direction = pulled / np.linalg.norm(pulled)
    up, down = (made.rendered(latents + s * direction).astype(float) for s in (1.0, -1.0))
    slope = ((up - down) * gradients).sum() / 2
    assert slope == pytest.approx(np.linalg.norm(pulled), rel=0.3)  # grey levels are rounded


def cohort(n: int, level: float) -> PatientImages:
    """Images whose first 16 latents lie around a level, brighter or darker than the prior's."""
    rng = np.random.default_rng(0)
    latents = 0.3 * rng.normal(size=(n, COARSE))
    latents[:, : SIDE**2] += level
    return PatientImages(
        latents=latents,
        thumbnails=render(latents),
        findings=np.eye(FINDINGS, dtype=bool)[np.arange(n) % 2],
        read=np.ones(n, dtype=bool),
        patients=np.arange(n),
    )


@pytest.mark.parametrize("level", [1.0, -1.0])
def test_a_set_comes_to_look_like_the_cohort(level):
    plan = SynthesisPlan(
        delta=1e-5,
        names_delta=0.0,
        statistics=QUIET,
        gradients=QUIET,
        steps=Rounds(NoisySum(grid=1024, scale=1024.0), PrivateSet.steps),
    )
    learner = Learner(PrivateSet(public(), FINDINGS), plan, declared=True)
    learner.add(cohort(600, level))
    mixture = learner.release(SeededNoise(0)).mixture
    assert level * mixture.means[:, : SIDE**2].mean() > 0.25, "of the flow's own samples it is 0"
    assert np.abs(mixture.means[:, SIDE**2 :].mean()) < 0.1
    assert np.ptp(mixture.means, axis=0).min() > 0.5, "they are not all one image"


class Loud(PrivateSet):
    """Forgets that the direction of a gradient has a length of 1: patients count images."""

    def learn(self, statistics, known, curator):
        ask = curator.ask
        curator.ask = lambda question, size: ask(lambda x: 3 * question(x), size)
        return super().learn(statistics, known, curator)


def test_longer_vectors_are_caught():
    law = LAWS["one_patient_moves_each_round_by_what_is_stated"]
    assert law(Loud, clipped=False) != ""
    assert law(Loud) == ""
