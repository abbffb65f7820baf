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

TOGETHER = 128  # images that are decoded at a time; more would only take memory


def draw_images(
    flow: Flow, plan: Plan, protected: Latents, labels: Labels, noise: Noise, *, candidates: int
) -> tuple[Images, NDArray[np.bool_]]:
    """One image for each row, by chance in proportion to the critic's ratio.

    Args:
        flow: Decodes; its critic chooses.
        plan: Completes what it protected.
        protected: Coordinates ``(n, d)`` as `Plan.protect` returns them.
        labels: As they are released ``(n,)``; what they leave open is drawn for each image.
        noise: Where random bits come from.
        candidates: Images that are drawn for each row; 1 without a critic.

    Returns:
        Images ``(n, h, w)``, and ``(n,)`` False where none decoded to finite numbers.
    """
    critic = flow.critic
    if candidates == 1 or critic is None:
        latents = plan.complete(protected, noise)
        return flow.decode_valid(latents, _completed(flow, plan, labels, noise))
    n = len(protected)
    at_once = max(1, TOGETHER // max(1, n))
    images = np.zeros((n, *flow.shape), dtype=np.float32)
    valid, best = np.zeros(n, dtype=np.bool_), np.full(n, -np.inf)
    for start in range(0, candidates, at_once):
        count = min(at_once, candidates - start)
        drawn = [
            (
                plan.complete(protected, noise),
                _completed(flow, plan, labels, noise),
                gumbel(noise, n),
            )
            for _ in range(count)
        ]
        latents, shown, luck = map(np.concatenate, zip(*drawn, strict=True))
        others, fine = flow.decode_valid(latents, shown)
        scores = _scores(critic, others, fine, np.tile(labels, count), luck).reshape(count, n)
        for i, of_one in enumerate(scores):
            better = of_one > best
            images[better] = others[i * n : (i + 1) * n][better]
            best[better], valid[better] = of_one[better], True
    return images, valid


def _completed(flow: Flow, plan: Plan, labels: Labels, noise: Noise) -> Labels:
    """Released labels with what they leave open drawn as the weights' population has it.

    Not where nothing of a latent is drawn: what was encoded under a label is decoded under it.
    """
    if flow.population is None or not plan.resamples:
        return labels
    return flow.population.completed(labels, noise)


def _scores(
    critic: Critic,
    images: Images,
    valid: NDArray[np.bool_],
    labels: Labels,
    luck: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Log ratios with Gumbel noise, whose largest is a draw in proportion to the ratios."""
    return np.where(valid, critic.log_ratio(images, labels) + luck, -np.inf)
