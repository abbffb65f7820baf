r"""CADP: a latent clipped by its l1 norm, Laplace noise, and the inverse under the true label.

Toelle et al. 2022, arXiv 2207.14625, and its published program. As published, three things keep
it from any guarantee of an image: the norm is the *matrix* norm of the batch, so that the clip of
one image depends on the others and bounds none of them; the sensitivity s = min(eps / 2, 4) is
half of what two images in a ball of radius s differ by, and makes the noise's scale s / eps one
half for any eps up to 8; and the label, which shapes the output, is released exactly. The same
program drops the last images, which do not fill a batch; here they are a smaller batch.

CADP as corrected is our preset ``cadp``: the clip is per image and the sensitivity right.
"""

from __future__ import annotations

import math

import numpy as np

from latentdp.core.arrays import Images, Labels, Latents, check_labels
from latentdp.core.attributes import label_count
from latentdp.errors import InputError
from latentdp.evaluation.methods._weights import Weights, lazily
from latentdp.evaluation.methods.base import Method
from latentdp.evaluation.methods.presets import PresetMethod
from latentdp.privacy.noise import Noise
from latentdp.privacy.rounding import printed
from latentdp.privacy.samplers.discrete_laplace import two_sided_geometric

__all__ = ["CADPAsPublished", "examples_for"]

FINE = 2**12  # grid steps over which the Laplace noise halves


class CADPAsPublished(Method):
    """The published program's mechanism, faults included, on a flow of ours.

    Args:
        weights: Of a flow that is conditioned on the label.
        epsilon: As the paper counts it.
        batch: Images that are clipped together; 64 in the program.

    Raises:
        InputError: A budget or a batch that is none.
    """

    source = "Toelle et al. 2022, arXiv 2207.14625, and its program"

    def __init__(self, weights: Weights, *, epsilon: float = 1.0, batch: int = 64) -> None:
        if not (math.isfinite(epsilon) and epsilon > 0) or batch < 1:
            raise InputError(f"expected a positive epsilon and batch, got {epsilon}, {batch}")
        self.weights, self.epsilon, self.batch = lazily(weights), epsilon, batch
        self.name = f"cadp-as-published-{epsilon:g}"
        self.title = f"CADP as published: one clip for {batch} images, true label"
        self.claim = f"epsilon {printed(epsilon)}"

    @property
    def settings(self) -> str:
        """The weights by their content; its parameters are in its name, or told beside it."""
        return f"batch {self.batch}, weights {self.weights.flow.sha256}"

    @property
    def sensitivity(self) -> float:
        """The s of the program."""
        return min(self.epsilon / 2, 4.0)

    @property
    def scale(self) -> float:
        """Of the Laplace noise on each latent element: 1/2 for any epsilon up to 8."""
        return self.sensitivity / self.epsilon

    def clip(self, latents: Latents) -> Latents:
        """Scales a batch ``(n, d)`` down until its largest column sum is at most s."""
        norm = float(np.linalg.norm(latents, 1)) if len(latents) else 0.0
        return latents * min(1.0, self.sensitivity / norm) if norm else latents

    def privatize(self, images: Images, labels: Labels, noise: Noise) -> tuple[Images, Labels]:
        """Private images and the true labels."""
        flow = self.weights.flow
        known = check_labels(labels, len(images), label_count(flow.conditioning))
        sampler = two_sided_geometric(FINE)
        unit = math.log(2) / (2 * FINE)  # draws are twice a number of steps
        private = np.empty_like(images, dtype=np.float32)
        for i in range(0, len(images), self.batch):
            rows = slice(i, i + self.batch)
            latents = self.clip(flow.encode(images[rows], known[rows]))
            added = sampler.draw(noise, latents.size).reshape(latents.shape)
            noisy = latents + self.scale * unit * added
            private[rows] = flow.decode_valid(noisy, known[rows])[0]
        return private, known


def examples_for(weights: Weights) -> tuple[Method, ...]:
    """As published at epsilon 1, and as corrected with the same noise."""
    shared = lazily(weights)
    return (CADPAsPublished(shared), PresetMethod("cadp", shared, name="cadp-corrected"))
