"""One contract, all mechanisms; and broken mechanisms that the contract must catch."""

import math
from dataclasses import dataclass, fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentdp import InputError, Privatizer, Recipe
from latentdp.core import plugins
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.mechanisms.codebook import Codebook
from latentdp.privacy.mechanisms.gaussian import Gaussian
from latentdp.privacy.mechanisms.hypercube import Hypercube
from latentdp.privacy.mechanisms.laplace import Laplace
from latentdp.privacy.mechanisms.laplace_l1 import LaplaceL1
from latentdp.privacy.mechanisms.vmf import VonMisesFisher
from latentdp.privacy.noise import SeededNoise, SystemNoise
from latentdp.privacy.randomized_response import RandomisedResponse
from latentdp.privacy.samplers.discrete_laplace import two_sided_geometric
from tests.support.contract import (
    LAWS,
    calibration_spends_the_budget,
    decoder_sees_the_released_label_only,
    repaired_latents_are_normal_again,
)
from tests.support.sweeps import diagonal

NAMES = plugins.names("mechanisms")
EXAMPLES = [
    pytest.param(example, id=f"{name}-{i}")
    for name in NAMES
    for i, example in enumerate(plugins.load("mechanisms", name).examples)
]
SMALL = [e for e in EXAMPLES if e.values[0].dimensions <= 8]


@dataclass(frozen=True, kw_only=True)
class OfLabels:
    """Randomised response seen as a mechanism on latents of one dimension, for the laws."""

    response: RandomisedResponse
    dimensions: int = 1

    @property
    def guarantee(self):
        return self.response.guarantee

    def label(self, latents):
        return np.clip(np.nan_to_num(latents[:, 0]), 0, self.response.classes - 1).astype(int)

    def perturb(self, latents, noise):
        return self.response.respond(self.label(latents), noise)[:, None]

    def log_likelihood(self, latents, perturbed):
        lies = 2**64 - self.response.threshold
        truth, lie = self.response.threshold / 2**64, lies / 2**64 / (self.response.classes - 1)
        with np.errstate(divide="ignore"):
            return np.log(np.where(self.label(latents) == perturbed[:, 0], truth, lie))

    def outcomes(self):
        return np.arange(self.response.classes)[:, None]

    def approximate(self, delta):
        return replace(self.guarantee, delta=delta)

    @property
    def parts(self):
        return ((self, 1),)


RESPONSES = [
    pytest.param(OfLabels(response=RandomisedResponse.calibrate(e, k)), id=f"response-{k}-{e}")
    for e, k in ((0.5, 2), (2.0, 5), (40.0, 3))
]
CHANCE = ("sampler_follows_the_likelihood", "bounds_are_within_the_claim")
EXACT = "exact_loss_is_within_the_claim"


@pytest.mark.promise(
    "Every mechanism keeps the epsilon that it claims: for the worst pairs of inputs, the "
    "odds of no output differ by more."
)
@pytest.mark.statistical  # false-alarm rate 1e-6 for each test inside a law, seeds fixed
@pytest.mark.parametrize("example", SMALL)
@pytest.mark.parametrize("law", LAWS)
def test_law(law, example):
    assert LAWS[law](example) == ""


@pytest.mark.statistical  # false-alarm rate 1e-6 for each test inside a law, seeds fixed
@pytest.mark.parametrize("law", [*CHANCE, EXACT, "randomness_is_fresh"])
@pytest.mark.parametrize("response", RESPONSES[:2])
def test_law_of_labels(law, response):
    assert LAWS[law](response) == ""


def test_a_response_that_hardly_ever_lies_still_does():
    (response,) = RESPONSES[2].values
    assert LAWS[EXACT](response) == ""
    assert response.guarantee.epsilon > 39


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
    assert example.describe()["mechanism"] in NAMES
    assert math.fsum(n for _, n in example.parts) >= 1


@pytest.mark.parametrize(
    ("name", "epsilon", "dimensions"), diagonal(NAMES, [0.5, 8.0, 300.0], [1, 7])
)
def test_calibration_spends_the_budget_but_no_more(name, epsilon, dimensions):
    kind = plugins.load("mechanisms", name).mechanism
    assert calibration_spends_the_budget(kind, epsilon, dimensions) == ""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("epsilon", [0.0, -1.0, np.nan, np.inf])
def test_calibration_refuses_what_is_no_budget(name, epsilon):
    with pytest.raises(InputError, match="epsilon"):
        plugins.load("mechanisms", name).mechanism.calibrate(epsilon, 3)


@pytest.mark.statistical  # 6 standard errors: false-alarm rate below 1e-8 per case
@pytest.mark.parametrize(("name", "budget"), diagonal(NAMES, [(2.0, 1), (8.0, 4), (40.0, 7)]))
def test_repaired_latents_are_normal_again(name, budget):
    made = plugins.load("mechanisms", name).mechanism.calibrate(*budget)
    assert repaired_latents_are_normal_again(made) == ""


def test_an_unknown_mechanism_is_answered_with_the_known_ones():
    with pytest.raises(InputError, match=r"there are: .*laplace"):
        plugins.load("mechanisms", "gauss")


# --- Mutants: each is a mechanism with one mistake, most of them made in practice ---------------


@dataclass(frozen=True, kw_only=True)
class MissingFactorTwo(Laplace):
    """Sensitivity c instead of 2c: the distance to zero, not to another image (CADP)."""

    @property
    def guarantee(self):
        return Guarantee(epsilon=super().guarantee.epsilon / 2)


@dataclass(frozen=True, kw_only=True)
class L1MissingFactorTwo(LaplaceL1):
    """The same behind an l1 norm."""

    @property
    def guarantee(self):
        return Guarantee(epsilon=super().guarantee.epsilon / 2)


@dataclass(frozen=True, kw_only=True)
class RadiusForDiameter(Gaussian):
    """Sensitivity R instead of 2R."""

    def approximate(self, delta):
        far = Gaussian(dimensions=1, clip=1.0, steps=1, scale=2 * self.scale / self.steps)
        return far.approximate(delta)


@dataclass(frozen=True, kw_only=True)
class KappaForTwoKappa(VonMisesFisher):
    """Claims kappa, as texts on metric privacy invite to."""

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
class OneStage(Codebook):
    """Claims the cost of one stage for all of them."""

    @property
    def guarantee(self):
        return replace(Codebook.guarantee.fget(self), epsilon=super().guarantee.epsilon / 2)

    @property
    def parts(self):
        return ((self, 1),)


@dataclass(frozen=True, kw_only=True)
class ClipAfterNoise(Laplace):
    """Bounds the output instead of the input."""

    def perturb(self, latents, noise):
        grid = 2 * np.rint(np.nan_to_num(latents) * (self.steps / self.clip))
        draws = two_sided_geometric(self.base).draw(noise, latents.size).reshape(latents.shape)
        return np.clip(grid + draws, -2 * self.steps - 1, 2 * self.steps + 1).astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class BatchClip(Laplace):
    """Scales by a norm over the whole batch (CADP's matrix norm)."""

    def perturb(self, latents, noise):
        norm = np.abs(np.nan_to_num(latents)).max()
        return super().perturb(latents / max(1.0, norm / self.clip), noise)


@dataclass(frozen=True, kw_only=True)
class BatchMean(Hypercube):
    """Centres the batch."""

    def perturb(self, latents, noise):
        z = np.clip(np.nan_to_num(latents), -9, 9)
        return super().perturb(z - z.mean(axis=0), noise)


@dataclass(frozen=True, kw_only=True)
class BatchLikelihood(Gaussian):
    """Scales by the batch where the likelihood is computed too."""

    def quantise(self, latents):
        largest = np.abs(np.nan_to_num(latents)).max()
        return super().quantise(latents / max(1.0, largest))


@dataclass(frozen=True, kw_only=True)
class ReusedForRows(Laplace):
    """The same noise for every row."""

    def perturb(self, latents, noise):
        return self.quantise(latents) + two_sided_geometric(self.base).draw(noise, self.dimensions)


@dataclass(frozen=True, kw_only=True)
class ReusedForElements(Laplace):
    """The same noise for every element of a row."""

    def perturb(self, latents, noise):
        draws = two_sided_geometric(self.base).draw(noise, len(latents))
        return self.quantise(latents) + draws[:, None]


@dataclass(frozen=True, kw_only=True)
class SeedOfItsOwn(VonMisesFisher):
    """Ignores the door of randomness."""

    def perturb(self, latents, noise):
        return super().perturb(latents, SeededNoise(1))


@dataclass(frozen=True, kw_only=True)
class NoNoise(Codebook):
    """Always tells the truth."""

    def perturb(self, latents, noise):
        return super().perturb(latents, SeededNoise(1))[:, :1] * 0


@dataclass(frozen=True, kw_only=True)
class EpsilonInverted(Laplace):
    """More budget, more noise: b = epsilon instead of sensitivity / epsilon."""

    @property
    def guarantee(self):
        return Guarantee(epsilon=1 / super().guarantee.epsilon)


@dataclass(frozen=True, kw_only=True)
class NanPasses(Laplace):
    """Clips, but NaN survives a clip."""

    def perturb(self, latents, noise):
        return np.where(np.isnan(latents), latents, super().perturb(latents, noise))


@dataclass(frozen=True, kw_only=True)
class ClipsInPlace(LaplaceL1):
    """Changes what it was given."""

    def perturb(self, latents, noise):
        np.clip(latents, -self.clip, self.clip, out=latents)
        return super().perturb(latents, noise)


@dataclass(frozen=True, kw_only=True)
class GridOneFurther(Laplace):
    """The grid reaches one step further than the clip on one side."""

    def quantise(self, latents):
        grid = super().quantise(latents)
        return np.where(grid == 2 * self.steps, grid + 2, grid)


@dataclass(frozen=True, kw_only=True)
class GridRoundedOutwards(LaplaceL1):
    """Rounds to the nearest step, which makes an l1 norm longer."""

    def quantise(self, latents):
        grid = super().quantise(latents)
        return np.where(grid > 0, grid + 2, grid)


@dataclass(frozen=True, kw_only=True)
class NoiseOneOff(Laplace):
    """The smallest magnitude is never drawn."""

    def perturb(self, latents, noise):
        drawn = super().perturb(latents, noise)
        return drawn + 2 * np.sign(drawn - self.quantise(latents))


@dataclass(frozen=True, kw_only=True)
class HalfScale(Gaussian):
    """Half of the noise that is claimed."""

    def perturb(self, latents, noise):
        return replace(self, scale=self.scale / 2).quantise(latents) + (
            Gaussian.perturb(replace(self, scale=self.scale / 2), latents * 0, noise)
        )


@dataclass(frozen=True, kw_only=True)
class SubsetOneLarger(Codebook):
    """m + 1 words lie within the distance of the m-th: the size depends on the image."""

    def subset(self, rest, stage):
        return replace(_plain(self), nearest=self.nearest + 1).subset(rest, stage)

    def _members(self, rest, chosen, stage):
        return replace(_plain(self), nearest=self.nearest + 1)._members(rest, chosen, stage)


@dataclass(frozen=True, kw_only=True)
class MemberOneMore(Codebook):
    """Draws from m + 1 words where m are claimed."""

    def perturb(self, latents, noise):
        return replace(_plain(self), nearest=self.nearest + 1).perturb(latents, noise)


@dataclass(frozen=True, kw_only=True)
class AgreeOneMore(Hypercube):
    """K > t where K >= t is claimed."""

    def perturb(self, latents, noise):
        return replace(_plain(self), agree=self.agree + 1).perturb(latents, noise)


@dataclass(frozen=True, kw_only=True)
class CornerLiesRounded(Hypercube):
    """The probability of the truth rounded up to 1/16."""

    def perturb(self, latents, noise):
        return replace(_plain(self), lies=self.lies >> 60 << 60).perturb(latents, noise)


@dataclass(frozen=True, kw_only=True)
class WordLiesRounded(Codebook):
    """The probability of the truth rounded up to 1/16."""

    def perturb(self, latents, noise):
        return replace(_plain(self), lies=self.lies >> 60 << 60).perturb(latents, noise)


@dataclass(frozen=True, kw_only=True)
class ResponseRounded(RandomisedResponse):
    """The probability of the truth rounded up to 1/16."""

    def respond(self, labels, noise):
        lies = (2**64 - self.threshold) >> 60 << 60
        honest = RandomisedResponse(classes=self.classes, threshold=2**64 - lies)
        return honest.respond(labels, noise)


@dataclass(frozen=True, kw_only=True)
class ResponseNeverLies(OfLabels):
    """Rounded up to 1, where epsilon is infinite."""

    def log_likelihood(self, latents, perturbed):
        with np.errstate(divide="ignore"):
            return np.log((self.label(latents) == perturbed[:, 0]).astype(float))


def _plain(mutant):
    """The mechanism without its mistake."""
    kind = type(mutant).__mro__[1]
    return kind(**{name: getattr(mutant, name) for name in (f.name for f in fields(kind))})


GRID = {"clip": 1.0, "steps": 8, "base": 8}
WORDS = {"dimensions": 2, "size": 8, "nearest": 2, "gain": 0.5}
NOISY = {"clip": 1.0, "steps": 2, "scale": 6.0}
UNEVEN = 2**60 + 2**59  # 1.5 / 16 of lies, which rounding makes 1 / 16
MUTANTS = [
    (MissingFactorTwo(dimensions=1, **GRID), EXACT),
    (MissingFactorTwo(dimensions=1, **GRID), "bounds_are_within_the_claim"),
    (L1MissingFactorTwo(dimensions=1, **GRID), EXACT),
    (L1MissingFactorTwo(dimensions=3, **GRID), "bounds_are_within_the_claim"),
    (RadiusForDiameter(dimensions=1, **NOISY), EXACT),
    (RadiusForDiameter(dimensions=3, **NOISY), "bounds_are_within_the_claim"),
    (KappaForTwoKappa(dimensions=1, kappa=1.0), "bounds_are_within_the_claim"),
    (KappaForTwoKappa(dimensions=3, kappa=2.0), "bounds_are_within_the_claim"),
    (OneElement(dimensions=3, clip=1.0, steps=8, base=16), EXACT),
    (OneElement(dimensions=3, clip=1.0, steps=8, base=16), "bounds_are_within_the_claim"),
    (OneStage(stages=2, lies=2**62, **WORDS), EXACT),
    (ClipAfterNoise(dimensions=1, **GRID), "bounds_are_within_the_claim"),
    (ClipAfterNoise(dimensions=1, **GRID), "sampler_follows_the_likelihood"),
    (BatchClip(dimensions=1, **GRID), "mates_do_not_change_the_distribution"),
    (BatchClip(dimensions=3, **GRID), "mates_do_not_change_the_distribution"),
    (BatchMean(dimensions=5, agree=4, lies=2**62), "mates_do_not_change_the_distribution"),
    (BatchLikelihood(dimensions=2, **NOISY), "mates_and_order_do_not_change_a_likelihood"),
    (ReusedForRows(dimensions=3, **GRID), "randomness_is_fresh"),
    (ReusedForElements(dimensions=3, **GRID), "sampler_follows_the_likelihood"),
    (SeedOfItsOwn(dimensions=3, kappa=1.0), "randomness_is_fresh"),
    (NoNoise(stages=1, lies=2**62, **WORDS), "randomness_is_fresh"),
    (EpsilonInverted(dimensions=1, clip=1.0, steps=8, base=6), EXACT),
    (NanPasses(dimensions=2, **GRID), "finite_for_any_input"),
    (ClipsInPlace(dimensions=2, **GRID), "input_is_untouched"),
    (GridOneFurther(dimensions=1, **GRID), EXACT),
    (GridRoundedOutwards(dimensions=1, **GRID), EXACT),
    (NoiseOneOff(dimensions=1, **GRID), "sampler_follows_the_likelihood"),
    (HalfScale(dimensions=3, **NOISY), "sampler_follows_the_likelihood"),
    (SubsetOneLarger(stages=1, lies=2**62, **WORDS), EXACT),
    (MemberOneMore(stages=1, lies=2**62, **WORDS), "sampler_follows_the_likelihood"),
    (AgreeOneMore(dimensions=5, agree=3, lies=2**62), "sampler_follows_the_likelihood"),
    (CornerLiesRounded(dimensions=1, agree=1, lies=UNEVEN), "sampler_follows_the_likelihood"),
    (CornerLiesRounded(dimensions=1, agree=1, lies=UNEVEN), "bounds_are_within_the_claim"),
    (WordLiesRounded(stages=1, lies=UNEVEN, **WORDS), "sampler_follows_the_likelihood"),
    (
        OfLabels(response=ResponseRounded(classes=3, threshold=2**64 - UNEVEN)),
        "sampler_follows_the_likelihood",
    ),
    (ResponseNeverLies(response=RandomisedResponse.calibrate(40.0, 3)), EXACT),
]


@pytest.mark.promise(
    "A mechanism that breaks its claim is caught: faults that are built in on purpose are "
    "all found."
)
@pytest.mark.parametrize(
    ("mutant", "law"),
    [pytest.param(m, law, id=f"{type(m).__name__}-{law}") for m, law in MUTANTS],
)
def test_the_contract_catches(mutant, law):
    found = LAWS[law](mutant)
    assert found != ""
    assert "nan" not in found


# --- The label and the decoder ------------------------------------------------------------------


class LeaksTheLabel(Privatizer):
    """Decodes with the true label, as CADP does: the image gives it away in full."""

    def __call__(self, images, /, *, labels=None):
        released = super().__call__(images, labels=labels)
        flow = self.flow

        class Leaking:
            def __getattr__(self, name):
                return getattr(flow, name)

            def decode_valid(self, latents, _):
                return flow.decode_valid(latents, labels)

        leaking = Privatizer(Leaking(), self.recipe, SeededNoise(0)).with_plan(self.plan)
        return replace(released, images=leaking(images, labels=labels).images)


@pytest.mark.parametrize(("kind", "leaks"), [(Privatizer, False), (LeaksTheLabel, True)])
def test_the_decoder_sees_the_released_label_only(kind, leaks, tiny_flow, images):
    recipe = Recipe.from_preset("strict", label="response", epsilon=0.5)
    found = decoder_sees_the_released_label_only(
        lambda: kind(tiny_flow, recipe, SeededNoise(0)), images
    )
    assert bool(found) == leaks


@given(st.integers(1, 9), st.integers(0, 2**32), st.booleans())
def test_a_codeword_is_a_member_of_the_subset_it_is_drawn_from(nearest, seed, tied):
    """The likelihood counts nearer words, the sampler sorts them: both mean the same subset."""
    made = Codebook(dimensions=2, size=10, nearest=nearest, lies=2**60, stages=1, gain=0.5)
    rest = np.random.default_rng(seed).normal(size=(6, 2)) * (0 if tied else 1)
    chosen = np.arange(10).repeat(6)
    rows = np.tile(rest, (10, 1))
    expected = (made.subset(rows, 0) == chosen[:, None]).any(axis=1)
    assert made._members(rows, chosen, 0).tolist() == expected.tolist()
    assert expected.sum() == 6 * nearest
