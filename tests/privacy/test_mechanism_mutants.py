"""The contract of mechanisms catches each mistake that is built in on purpose."""

import pytest

from latentdp.privacy.randomized_response import RandomisedResponse
from tests.support.contract import LAWS
from tests.support.label_mechanism import EXACT, OfLabels
from tests.support.mechanism_mutants import (
    AgreeOneMore,
    BatchClip,
    BatchLikelihood,
    BatchMean,
    ClipAfterNoise,
    ClipsInPlace,
    CornerLiesRounded,
    EpsilonInverted,
    GridOneFurther,
    GridRoundedOutwards,
    HalfScale,
    KappaForTwoKappa,
    L1MissingFactorTwo,
    MemberOneMore,
    MissingFactorTwo,
    NanPasses,
    NoiseOneOff,
    NoNoise,
    OneElement,
    OneStage,
    RadiusForDiameter,
    ResponseNeverLies,
    ResponseRounded,
    ReusedForElements,
    ReusedForRows,
    SeedOfItsOwn,
    SubsetOneLarger,
    WordLiesRounded,
)

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
