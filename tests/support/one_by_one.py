"""The plain way to draw a release: candidate after candidate, detail of an image at a time."""

from __future__ import annotations

import numpy as np

from latentdp import Privatizer
from latentdp.core.arrays import Images
from latentdp.models.flow.flow import Flow
from latentdp.privacy.noise import Noise
from latentdp.privacy.plan import Plan
from latentdp.privacy.samplers.uniform import gumbel


def one_after_the_other(
    flow: Flow, plan: Plan, protected, labels, noise: Noise, *, candidates: int
) -> Images:
    """What `latentdp.privatizer.candidates.draw_images` draws, all of it valid."""
    images = flow.decode(plan.complete(protected, noise), labels)
    best = flow.critic.log_ratio(images, labels) + gumbel(noise, len(images))
    for _ in range(candidates - 1):
        others = flow.decode(plan.complete(protected, noise), labels)
        scores = flow.critic.log_ratio(others, labels) + gumbel(noise, len(images))
        images[scores > best] = others[scores > best]
        best = np.maximum(scores, best)
    return images


def released(privatizer: Privatizer, images: Images) -> Images:
    """What a privatizer that ignores labels makes of images, at full size."""
    flow, plan, noise = privatizer.flow, privatizer.plan, privatizer.noise
    labels = np.full(len(images), -1)
    protected = plan.protect(flow.encode(images), noise)
    small = one_after_the_other(
        flow, plan, protected, labels, noise, candidates=privatizer.candidates
    )
    large = [flow.cascade.enlarge(image[None], privatizer.size, noise)[0] for image in small]
    return np.stack(large)
