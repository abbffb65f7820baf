"""Mutants: each is a mechanism with one mistake, most of them made in practice."""

from dataclasses import dataclass, fields, replace

import numpy as np

from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.mechanisms.codebook import Codebook
from latentdp.privacy.mechanisms.gaussian import Gaussian
from latentdp.privacy.mechanisms.hypercube import Hypercube
from latentdp.privacy.mechanisms.laplace import Laplace
from latentdp.privacy.mechanisms.laplace_l1 import LaplaceL1
from latentdp.privacy.mechanisms.vmf import VonMisesFisher
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.randomized_response import RandomisedResponse
from latentdp.privacy.samplers.discrete_laplace import two_sided_geometric
from tests.support.label_mechanism import OfLabels


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
