"""Images of what a cohort taught: one of several that are drawn, as public knowledge chooses.

The first that is drawn says what an image shall show, by the labels that the head gives it. One of
all is kept by chance in proportion to the critic's ratio (`latentdp.models.flow.critic`) times the
probability that the head gives these labels: so it looks more like an original, and findings stay
as common as they were. The critic of weights that know attributes was taught samples under whole
labels; these are drawn under none. Everything here follows what was released and public weights
alone, so that choosing costs nothing (post-processing).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images
from latentdp.privacy.noise import Noise
from latentdp.privacy.samplers.uniform import gumbel
from latentdp.synthesis.head import Head, shown_by
from latentdp.synthesis.mixture import LatentMixture

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["draw_images"]

LEAST = 1e-12  # a probability, so that its logarithm is finite


def draw_images(
    flow: Flow, mixture: LatentMixture, head: Head | None, noise: Noise, n: int, *, candidates: int
) -> Images:
    """Images ``(m, h, w)``, m at most n: those that decoded to finite numbers.

    Args:
        flow: Decodes; its critic chooses, and judges images without a label.
        mixture: Draws latents.
        head: Labels; None where no finding is known.
        noise: Random bits; they protect nobody here.
        n: How many to draw.
        candidates: Drawn for each of them; without a critic there is only one.
    """
    critic = flow.critic
    images, valid = flow.decode_valid(mixture.draw(noise, n, flow.d))
    if candidates == 1 or critic is None:
        return images[valid]
    images, unknown = images[valid], np.full(int(valid.sum()), -1)

    wanted = None if head is None else shown_by(head.probabilities(images))

    def scores(drawn: Images) -> NDArray[np.float64]:
        """Log weights with Gumbel noise, whose largest is a draw in proportion to the weights."""
        weights = critic.log_ratio(drawn, unknown)
        if head is not None and wanted is not None:
            weights += _log_probability(head, drawn, wanted)
        return np.asarray(weights + gumbel(noise, len(drawn)))

    best = scores(images)
    for _ in range(1, candidates):
        drawn, valid = flow.decode_valid(mixture.draw(noise, len(images), flow.d))
        others = np.where(valid, scores(drawn), -np.inf)
        better = others > best
        images[better], best[better] = drawn[better], others[better]
    return images


def _log_probability(head: Head, images: Images, shown: NDArray[np.bool_]) -> NDArray[np.float64]:
    """That a head gives images just these labels ``(n, f)``: ``(n,)``, in nats."""
    probabilities = head.probabilities(images)
    of_labels = np.where(shown, probabilities, 1 - probabilities)
    return np.asarray(np.log(np.maximum(of_labels, LEAST)).sum(axis=1))
