"""The GAN attack of a curious site (Hitaj et al. 2017, arXiv 1702.07464, section 4).

A site that takes part in rounds draws images, steers them towards a class that only another site
has, as the shared model sees it, and hands them in as a class of its own, so that the other site
teaches the model harder what sets its class apart. The generator is the public flow, in whose
latent a few images are moved; the model is a linear reader of thumbnails.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from _shared_gradients import HEAD_CLIP, HeadGradient
from numpy.typing import NDArray
from scipy.special import expit

from latentdp.core.arrays import Images
from latentdp.federation.attacks._search import descend
from latentdp.federation.attacks.base import SitePeople
from latentdp.models.flow.flow import Flow
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.privacy.samplers.uniform import normal
from latentdp.synthesis.public import PublicModel, thumbnails
from latentdp.synthesis.vectors import PatientImages

__all__ = ["Drawn", "in_rounds"]

Matrix = NDArray[np.float64]

OWN, THEIRS, FAKE = range(3)  # classes
ROUNDS, IMAGES = 60, 16
STEP, MOMENTUM = 1.0, 0.9  # of the model
MOVES, RATE, USUAL = 2, 0.03, 0.05  # of latents, and how dear unusual ones are


@dataclass(frozen=True)
class Drawn:
    """What a curious site drew.

    Attributes:
        before: ``(k, h, w)`` as the public flow has them.
        after: ``(k, h, w)`` when all rounds were done.
    """

    before: Images
    after: Images


def in_rounds(
    flow: Flow,
    public: PublicModel,
    own: SitePeople,
    theirs: SitePeople | None,
    mechanism: NoisySum | None,
    seed: int,
) -> Drawn:
    """Takes part in all rounds.

    Args:
        flow: The public one.
        public: What is known of it.
        own: Patients of the curious site.
        theirs: Patients of the other site: **private**; None for rounds without them.
        mechanism: Of what the other site sends in each round; None for plain gradients.
        seed: Of what is drawn, and of noise.
    """
    shared = HeadGradient(public, 3, mechanism, "rounds")
    noise = SeededNoise(seed)
    latents = normal(noise, (IMAGES, flow.d))
    before = flow.decode_valid(latents)[0]
    velocity = np.zeros_like(shared.head.weights)
    plain = HeadGradient(public, 3, None, "own")
    for _ in range(ROUNDS):
        plain.head = shared.head
        drawn = _people(flow.decode_valid(latents)[0])
        gradient = plain.records(of_class(own, OWN)).mean(axis=0)
        gradient += plain.records(of_class(drawn, FAKE)).mean(axis=0)
        if theirs is not None:
            total = shared.integers(shared.records(of_class(theirs, THEIRS))).sum(axis=0)
            unit = 1.0 if mechanism is None else HEAD_CLIP
            gradient += unit * shared.sent(total, noise) / theirs.count
        velocity = MOMENTUM * velocity + gradient.reshape(velocity.shape) / 3
        shared.head = shared.head.with_weights(shared.head.weights - STEP * velocity)
        latents = _steered(flow, shared, latents)
    return Drawn(before, flow.decode_valid(latents)[0])


def of_class(people: SitePeople, which: int) -> SitePeople:
    """All of one class of the game."""
    findings = np.zeros((len(people.images), 3), dtype=np.bool_)
    findings[:, which] = True
    return replace(people, seen=replace(people.seen, findings=findings))


def _people(images: Images) -> SitePeople:
    return SitePeople(
        seen=PatientImages(
            latents=np.zeros((len(images), 0)),
            thumbnails=thumbnails(images),
            findings=np.zeros((len(images), 3), dtype=np.bool_),
            read=np.ones(len(images), dtype=np.bool_),
            patients=np.arange(len(images)),
        ),
        images=images,
    )


def _steered(flow: Flow, shared: HeadGradient, latents: Matrix) -> Matrix:
    """Latents moved towards what the model takes for the other site's class."""
    head, side = shared.head, shared.head.side
    step = flow.shape[0] // side
    weights = head.weights[THEIRS]
    by_pixel = (weights[:-1] / (head.scale * side) * 255 / step**2).reshape(side, side)
    by_pixel = by_pixel.repeat(step, axis=0).repeat(step, axis=1)

    def cost(at: Matrix) -> tuple[Matrix, Matrix]:
        odds = head.features(thumbnails(flow.decode_valid(at)[0])) @ weights
        slopes = -expit(-odds)[:, None, None] * by_pixel
        unusual = USUAL * (at**2).mean(axis=1) / 2
        return np.logaddexp(0, -odds) + unusual, flow.pull_back(at, slopes) + USUAL * at / flow.d

    return descend(latents, cost, steps=MOVES, rate=RATE)
