"""What every flow must do before anyone releases with it, whoever trained it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from latentdp.core.arrays import Images, Labels, Latents
from latentdp.errors import WeightsError
from latentdp.models.flow.flow import Flow
from latentdp.models.super_resolution.detail_flow import DetailFlow
from latentdp.models.super_resolution.refiner import Refiner
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import normal

__all__ = ["Law", "check", "laws"]

ROUND_TRIP = 0.5 / 255  # half a grey level
ALONE = 1e-3  # of a latent, which is about 1: what another order of additions makes
TRIED = 4  # images whose detail is tried; the large ones take a while
OWN = 0.05  # of a latent: what float32 makes of a sample whose latent is looked for again
LOUD = 30.0  # standard deviations of latents that noise may bring


@dataclass(frozen=True)
class Law:
    """A law, what was measured, and what is allowed.

    Attributes:
        name: What the law says, in a few words.
        measured: The worst of all images; its unit is that of ``allowed``.
        allowed: The largest value that keeps the law.
    """

    name: str
    measured: float
    allowed: float

    @property
    def holds(self) -> bool:
        """Whether what was measured is allowed; a NaN keeps no law."""
        return bool(self.measured <= self.allowed)


def laws(flow: Flow, images: Images, labels: Labels) -> list[Law]:
    """Measures all laws on some public images, at least 2.

    Args:
        flow: The flow on trial.
        images: ``(n, h, w)`` in [0, 1].
        labels: ``(n,)`` class indices, -1 unknown.
    """
    z = flow.encode(images, labels)
    unknown = flow.encode(images)
    alone = flow.encode(images[:1], labels[:1])
    drawn = normal(SeededNoise(0), (len(images), flow.d))
    valid = flow.decode_valid(LOUD * drawn)[1]
    measured = [
        Law("latents are finite", float((~np.isfinite(z)).mean()), 0.0),
        Law("an image comes back, in [0, 1]", _back(flow, z, labels, images), ROUND_TRIP),
        Law("likewise without its label", _back(flow, unknown, None, images), ROUND_TRIP),
        Law("an image is encoded on its own", _apart(alone, z[:1]), ALONE),
        Law("the same image gives the same latent", _apart(flow.encode(images, labels), z), 0.0),
        Law("loud latents decode to images", float((~valid).mean()), 0.0),
        Law(
            "a sample has the latent it was made of",
            _apart(_again(flow, drawn, labels), drawn),
            OWN,
        ),
    ]
    for _, detail in sorted(flow.cascade.by_size.items()):
        if isinstance(detail, DetailFlow):
            measured += _detail_laws(detail, images)
        if isinstance(detail, Refiner):
            measured += _refiner_laws(detail, images)
        images = detail.enlarge(images, SeededNoise(0))
    return measured


def check(flow: Flow, images: Images, labels: Labels) -> list[Law]:
    """Measures all laws on some public images, as `laws` does, and insists on them.

    Args:
        flow: The flow on trial.
        images: ``(n, h, w)`` in [0, 1], at least 2.
        labels: ``(n,)`` class indices, -1 unknown.

    Raises:
        WeightsError: A law is broken.
    """
    measured = laws(flow, images, labels)
    for law in measured:
        if not law.holds:
            raise WeightsError(
                f"the weights break a law: {law.name}: expected at most {law.allowed:.2g}, "
                f"got {law.measured:.2g}"
            )
    return measured


def _detail_laws(flow: DetailFlow, halves: Images) -> list[Law]:
    """Laws of the detail that is drawn for halves ``(n, h, w)`` in [0, 1]."""
    net, n = flow.net, min(len(halves), TRIED)
    device = next(net.parameters()).device
    half = torch.from_numpy(halves[:n] - np.float32(0.5))[:, None].to(device)
    z = torch.from_numpy(normal(SeededNoise(0), (n, 3, *halves.shape[1:]))).float().to(device)
    with torch.inference_mode():
        detail = net.decode(z, half)
        back = net.encode(detail, half)[0]
        alone = net.decode(z[:1], half[:1])
        loud = net.decode(LOUD * z, half)
    name = f"detail to {flow.size} pixels"
    return [
        Law(
            f"{name} has the latent it was made of",
            _apart(back.cpu().numpy(), z.cpu().numpy()),
            ALONE,
        ),
        Law(
            f"{name} is drawn for an image on its own",
            _apart(alone.cpu().numpy(), detail[:1].cpu().numpy()),
            ROUND_TRIP,
        ),
        Law(
            f"{name} is finite for loud latents",
            float((~torch.isfinite(loud)).float().mean()),
            0.0,
        ),
    ]


def _refiner_laws(refiner: Refiner, images: Images) -> list[Law]:
    """Laws of what a refiner makes of images ``(n, h, w)`` in [0, 1]."""
    tried = images[:TRIED]
    noise = refiner.draw(SeededNoise(0), tried.shape)
    made = refiner.unbounded(tried, noise)
    alone = refiner.unbounded(tried[:1], tuple(z[:1] for z in noise))
    loud = refiner.unbounded(tried, tuple(LOUD * z for z in noise))
    name = f"an image of {refiner.size} pixels"
    return [
        Law(
            f"{name} is drawn on its own",
            _apart(*map(np.nan_to_num, (alone, made[:1]))),
            ROUND_TRIP,
        ),
        Law(f"{name} is finite for loud noise", float((~np.isfinite(loud)).mean()), 0.0),
    ]


def _again(flow: Flow, z: Latents, labels: Labels) -> Latents:
    """Latents of the samples that ``z`` decodes to, not clipped.

    A network that learnt against others for long may squeeze so many latents into one image that
    float32 does not tell them apart any more.
    """
    known = flow._known(labels, len(z))
    return flow._engine.encode(flow._engine.decode(z, known), known)[0]


def _back(flow: Flow, z: Latents, labels: Labels | None, images: Images) -> float:
    """Largest difference, in [0, 1], of images and what latents decode to; 1 if not to images."""
    decoded, valid = flow.decode_valid(z, labels)
    return _apart(decoded, images) if valid.all() else 1.0


def _apart(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    return float(np.abs(a.astype(np.float64) - b).max(initial=0.0))
