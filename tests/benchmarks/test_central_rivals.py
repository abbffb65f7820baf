"""Rivals of the syntheses keep the same contract: what they ask, and what their releases cost."""

import numpy as np
import pytest

from latentdp.privacy.gaussian_accountant import Rounds
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.synthesis.learn import Learner
from latentdp.synthesis.plan import SynthesisPlan
from latentdp.synthesis.vectors import PatientImages
from tests.support.benchmarks import script
from tests.support.synthesis import COARSE, FINDINGS, SIDE, public, render
from tests.support.synthesis_rounds import LAWS

RIVALS = [one._method for one in script("central").RIVALS]
EACH = pytest.mark.parametrize("method", RIVALS, ids=lambda m: m.name)
QUIET = NoisySum(grid=2**16, scale=1.0)


@pytest.mark.slow
@EACH
@pytest.mark.parametrize("law", LAWS)
def test_law(method, law):
    assert LAWS[law](method) == ""


@EACH
@pytest.mark.parametrize("level", [0.8, -0.8])
def test_what_it_draws_moves_towards_the_cohort(method, level):
    rng = np.random.default_rng(0)
    latents = 0.3 * rng.normal(size=(400, COARSE))
    latents[:, : SIDE**2] += level
    plan = SynthesisPlan(
        delta=1e-5,
        names_delta=0.0,
        statistics=QUIET,
        gradients=QUIET,
        steps=Rounds(NoisySum(grid=1024, scale=1024.0), method.steps),
    )
    learner = Learner(method(public(), FINDINGS), plan, declared=True)
    learner.add(
        PatientImages(
            latents=latents,
            thumbnails=render(latents),
            findings=np.eye(FINDINGS, dtype=bool)[np.arange(400) % 2],
            read=np.ones(400, dtype=bool),
            patients=np.arange(400),
        )
    )
    mixture = learner.release(SeededNoise(0)).mixture
    drawn = mixture.weights @ mixture.means
    assert level * drawn[: SIDE**2].mean() > 0.2, "the flow's own samples lie around 0"
