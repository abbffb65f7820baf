"""One contract, all mechanisms; and broken mechanisms that the contract must catch."""

from dataclasses import dataclass

import numpy as np
import pytest

from latentdp import InputError, plugins
from latentdp.guarantee import Guarantee
from latentdp.mechanisms.laplace import Laplace
from latentdp.noise import SeededNoise, SystemNoise
from tests.contract import LAWS

EXAMPLES = [
    pytest.param(example, id=f"{name}-{i}")
    for name in plugins.names("mechanisms")
    for i, example in enumerate(plugins.load("mechanisms", name).examples)
]
SMALL = [e for e in EXAMPLES if e.values[0].dimensions <= 16]


@pytest.mark.statistical  # false-alarm rate 1e-6 per example, seeds fixed
@pytest.mark.parametrize("example", SMALL)
@pytest.mark.parametrize("law", LAWS)
def test_law(law, example):
    assert LAWS[law](example)


@pytest.mark.parametrize("example", EXAMPLES)
def test_large_ones_too(example):
    z = np.random.default_rng(0).normal(size=(2, example.dimensions))
    out = example.privatize(z, noise=SystemNoise())
    assert out.shape == z.shape
    assert np.isfinite(out).all()
    assert 0 < example.guarantee.epsilon < np.inf
    approximate = example.approximate(1e-6)
    assert approximate.epsilon <= example.guarantee.epsilon
    assert approximate.delta == 1e-6
    assert example.describe()["mechanism"] in plugins.names("mechanisms")


@pytest.mark.parametrize("name", plugins.names("mechanisms"))
@pytest.mark.parametrize("epsilon", [0.5, 8.0, 300.0])
@pytest.mark.parametrize("dimensions", [1, 7])
def test_calibration_spends_the_budget_but_no_more(name, epsilon, dimensions):
    made = plugins.load("mechanisms", name).mechanism.calibrate(epsilon, dimensions)
    assert 0.9 * epsilon < made.guarantee.epsilon <= epsilon


@pytest.mark.parametrize("name", plugins.names("mechanisms"))
@pytest.mark.parametrize("epsilon", [0.0, -1.0, np.nan, np.inf])
def test_calibration_refuses_what_is_no_budget(name, epsilon):
    with pytest.raises(InputError, match="epsilon"):
        plugins.load("mechanisms", name).mechanism.calibrate(epsilon, 3)


def test_an_unknown_mechanism_is_answered_with_the_known_ones():
    with pytest.raises(InputError, match=r"there are: .*laplace"):
        plugins.load("mechanisms", "gauss")


# --- Mutants: each is Laplace with one mistake that has been made in practice -----------------


@dataclass(frozen=True, kw_only=True)
class MissingFactorTwo(Laplace):
    """Sensitivity c instead of 2c: the distance to zero, not to another image (CADP)."""

    @property
    def guarantee(self):
        return Guarantee(epsilon=super().guarantee.epsilon / 2)


@dataclass(frozen=True, kw_only=True)
class OneElement(Laplace):
    """Claims the cost of one element for the whole image (DP-GLOW)."""

    @property
    def guarantee(self):
        return Guarantee(epsilon=self.epsilon_per_element)


@dataclass(frozen=True, kw_only=True)
class ClipAfterNoise(Laplace):
    """Bounds the output instead of the input."""

    def privatize(self, latents, /, *, noise):
        free = Laplace(dimensions=self.dimensions, clip=1e12, steps=1, base=self.base)
        return latents + np.clip(free.privatize(latents * 0, noise=noise), -self.clip, self.clip)


@dataclass(frozen=True, kw_only=True)
class BatchClip(Laplace):
    """Scales by a norm over the whole batch (CADP's matrix norm)."""

    def privatize(self, latents, /, *, noise):
        norm = np.abs(np.nan_to_num(latents)).sum(axis=0).max()
        return super().privatize(latents / max(1.0, norm / self.clip), noise=noise)


@dataclass(frozen=True, kw_only=True)
class ReusedRandomness(Laplace):
    """The same noise for every row."""

    def privatize(self, latents, /, *, noise):
        first = super().privatize(latents[:1], noise=noise)
        shift = self.quantise(latents) - self.quantise(latents[:1])
        return first + shift * self.clip / self.steps / 2


@dataclass(frozen=True, kw_only=True)
class SeedOfItsOwn(Laplace):
    """Ignores the door of randomness."""

    def privatize(self, latents, /, *, noise):
        return super().privatize(latents, noise=SeededNoise(1))


@dataclass(frozen=True, kw_only=True)
class EpsilonInverted(Laplace):
    """More budget, more noise: b = epsilon instead of sensitivity / epsilon."""

    @property
    def guarantee(self):
        return Guarantee(epsilon=1 / super().guarantee.epsilon)


@dataclass(frozen=True, kw_only=True)
class NanPasses(Laplace):
    """Clips, but NaN survives a clip."""

    def privatize(self, latents, /, *, noise):
        out = super().privatize(latents, noise=noise)
        return np.where(np.isnan(latents), latents, out)


@dataclass(frozen=True, kw_only=True)
class GridOffByTwo(Laplace):
    """The grid reaches one clip further on one side."""

    def quantise(self, latents):
        grid = super().quantise(latents)
        return np.where(grid == 2 * self.steps, 4 * self.steps, grid)


MUTANTS = [
    (MissingFactorTwo(dimensions=1, clip=1.0, steps=8, base=8), "loss_stays_below_claim"),
    (OneElement(dimensions=3, clip=1.0, steps=8, base=16), "loss_stays_below_claim"),
    (ClipAfterNoise(dimensions=1, clip=1.0, steps=8, base=8), "loss_stays_below_claim"),
    (BatchClip(dimensions=3, clip=1.0, steps=8, base=8), "batch_mates_change_nothing"),
    (ReusedRandomness(dimensions=3, clip=1.0, steps=8, base=8), "randomness_is_fresh"),
    (SeedOfItsOwn(dimensions=3, clip=1.0, steps=8, base=8), "randomness_is_fresh"),
    (EpsilonInverted(dimensions=1, clip=1.0, steps=8, base=6), "loss_stays_below_claim"),
    (NanPasses(dimensions=2, clip=1.0, steps=8, base=8), "finite_for_any_input"),
    (GridOffByTwo(dimensions=1, clip=1.0, steps=8, base=8), "loss_stays_below_claim"),
]


@pytest.mark.parametrize(
    ("mutant", "law"), [pytest.param(m, law, id=type(m).__name__) for m, law in MUTANTS]
)
def test_the_contract_catches(mutant, law):
    assert not LAWS[law](mutant)
