"""The release of a label as a mechanism of latents, as the contract tries it."""

from dataclasses import dataclass, replace

import numpy as np

from latentdp.privacy.randomized_response import RandomisedResponse


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


EXACT = "exact_loss_is_within_the_claim"
