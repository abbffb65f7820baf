"""Images of what the mechanism left: one of several that are drawn, as a public critic chooses.

What is drawn follows the protected latent alone, and the critic sees nothing else, so that
choosing costs nothing (post-processing).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images, Labels, Latents
from latentdp.privacy.noise import Noise
from latentdp.privacy.plan import Plan
from latentdp.privacy.samplers.uniform import gumbel

if TYPE_CHECKING:
    from latentdp.models.flow.critic import Critic
    from latentdp.models.flow.flow import Flow

__all__ = ["draw_images"]


def draw_images(
    flow: Flow, plan: Plan, protected: Latents, labels: Labels, noise: Noise, *, candidates: int
) -> tuple[Images, NDArray[np.bool_]]:
    """One image for each row, by chance in proportion to the critic's ratio.

    Args:
        flow: Decodes; its critic chooses.
        plan: Completes what it protected.
        protected: Coordinates ``(n, d)`` as `Plan.protect` returns them.
        labels: Released class indices ``(n,)``.
        noise: Where random bits come from.
        candidates: Images that are drawn for each row; 1 without a critic.

    Returns:
        Images ``(n, h, w)``, and ``(n,)`` False where none decoded to finite numbers.
    """

    def draw() -> tuple[Images, NDArray[np.bool_]]:
        return flow.decode_valid(plan.complete(protected, noise), labels)

    images, valid = draw()
    critic = flow.critic
    if candidates == 1 or critic is None:
        return images, valid
    best = _scores(critic, images, valid, labels, noise)
    for _ in range(candidates - 1):
        others, fine = draw()
        scores = _scores(critic, others, fine, labels, noise)
        better = scores > best
        images[better], valid[better] = others[better], fine[better]
        best = np.maximum(best, scores)
    return images, valid


def _scores(
    critic: Critic, images: Images, valid: NDArray[np.bool_], labels: Labels, noise: Noise
) -> NDArray[np.float64]:
    """Log ratios with Gumbel noise, whose largest is a draw in proportion to the ratios."""
    scores = critic.log_ratio(images, labels) + gumbel(noise, len(images))
    return np.where(valid, scores, -np.inf)
