"""What other ways of learning together send: gradients of a linear head, or of a small network.

Of plain federated averaging (McMahan et al. 2017) one step of a site is its gradient; of DP-SGD
(Abadi et al. 2016) each patient's is clipped, and their sum gets noise.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch.nn.functional import binary_cross_entropy_with_logits, conv2d

from latentdp.core.arrays import Images
from latentdp.federation.attacks.base import Misfit, SharedSum, SitePeople
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.synthesis.head import FLOOR, Head
from latentdp.synthesis.public import PublicModel
from latentdp.synthesis.vectors import RecordBlock, joint_records, patient_means

__all__ = ["HeadGradient", "NetworkGradient", "SmallNetwork"]

Matrix = NDArray[np.float64]
HEAD_CLIP, NETWORK_CLIP = 0.5, 1.0  # of a patient's gradient
CHANNELS, KERNEL, TOGETHER = 12, 5, 64
TINY = 1e-12


class GradientSum(SharedSum):
    """Mean gradients of patients, clipped to a public length where there is noise.

    Args:
        name: Of the way of sharing.
        mechanism: Its noise; None for none, and then nothing is clipped.
        clip: That length.
    """

    def __init__(self, name: str, mechanism: NoisySum | None, clip: float) -> None:
        self.name, self.mechanism, self._clip = name, mechanism, clip

    @abstractmethod
    def gradients(self, people: SitePeople) -> Matrix:
        """``(n, k)`` of each image."""

    def records(self, people: SitePeople) -> Matrix:
        """``(p, k)``."""
        gradients, patients = self.gradients(people), people.seen.patients
        if self.mechanism is None:
            return patient_means(gradients, patients)
        block = RecordBlock(size=gradients.shape[1], bound=self._clip, share=1.0)
        return joint_records([gradients], [block], patients)


class HeadGradient(GradientSum):
    """Of a linear reader of thumbnails, at its start.

    Args:
        public: Of the weights.
        findings: That it reads.
        mechanism: As of `GradientSum`.
    """

    def __init__(
        self, public: PublicModel, findings: int, mechanism: NoisySum | None, name: str
    ) -> None:
        super().__init__(name, mechanism, HEAD_CLIP)
        flat = public.samples.reshape(len(public.samples), -1).astype(np.float64)
        self._shape = public.samples.shape[1:]
        self.head = Head(
            weights=np.zeros((findings, flat.shape[1] + 1)),
            centre=flat.mean(axis=0),
            scale=flat.std(axis=0) + FLOOR,
        )

    def gradients(self, people: SitePeople) -> Matrix:
        """The error of each finding, times the features."""
        features = self.head.features(people.seen.thumbnails)
        errors = expit(features @ self.head.weights.T) - people.seen.findings
        return np.asarray((errors[:, :, None] * features[:, None, :]).reshape(len(features), -1))

    def exact(self, seen: Matrix) -> Images:
        """Thumbnails: the gradient over that of the offset, by least squares of all findings."""
        grey = self._features(seen)[:, :-1] * (self.head.scale * self.head.side) + self.head.centre
        return np.clip(grey / 255, 0, 1).astype(np.float32).reshape(-1, *self._shape)

    def misfit(self, seen: Matrix) -> Misfit:
        """Mean square of features that are off."""
        wanted = self._features(seen)[:, :-1]
        wanted /= np.maximum(1.0, np.linalg.norm(wanted, axis=1, keepdims=True) / 2)
        scale = (self.head.scale * self.head.side)[None]

        def misfit(images: Images) -> tuple[Matrix, Matrix]:
            side = self.head.side
            step = images.shape[1] // side
            blocks = images.astype(np.float64).reshape(-1, side, step, side, step)
            flat = 255 * blocks.mean(axis=(2, 4)).reshape(len(images), -1)
            off = (flat - self.head.centre) / scale - wanted
            slopes = (2 * 255 / step**2 * off / scale).reshape(-1, side, side)
            return (off**2).sum(axis=1), slopes.repeat(step, axis=1).repeat(step, axis=2)

        return misfit

    def _features(self, seen: Matrix) -> Matrix:
        rows = seen.reshape(len(seen), len(self.head.weights), -1)
        errors = rows[:, :, -1:]
        total = np.maximum((errors**2).sum(axis=1), TINY)
        return np.asarray((errors * rows).sum(axis=1) / total)


class SmallNetwork:
    """Four layers with sigmoids, as "Deep leakage from gradients" attacks them.

    Args:
        side: Of images.
        findings: That it reads.
        seed: Of its weights.
    """

    def __init__(self, side: int, findings: int, seed: int) -> None:
        make = torch.Generator().manual_seed(seed)
        shapes = [(CHANNELS, 1, KERNEL, KERNEL), (CHANNELS,)]
        shapes += [(CHANNELS, CHANNELS, KERNEL, KERNEL), (CHANNELS,)] * 2
        shapes += [(findings, CHANNELS * (side // 4) ** 2), (findings,)]
        self.weights = [torch.rand(shape, generator=make) - 0.5 for shape in shapes]

    def odds(self, images: Images) -> Matrix:
        """``(n, f)``."""
        with torch.no_grad():
            return np.asarray(_odds(self.weights, _tensor(images)).numpy(), dtype=np.float64)

    def gradients(self, images: Images, findings: NDArray[np.bool_]) -> Matrix:
        """``(n, P)`` of the loss of each image."""
        parts = [
            _gradients(
                self.weights,
                _tensor(images[start : start + TOGETHER]),
                _tensor(findings[start : start + TOGETHER]),
            )
            .detach()
            .numpy()
            for start in range(0, len(images), TOGETHER)
        ]
        return np.concatenate(parts).astype(np.float64)

    def step(self, gradient: Matrix, rate: float) -> None:
        """Goes down a gradient ``(P,)``."""
        ends = np.cumsum([w.numel() for w in self.weights])[:-1]
        parts = np.split(gradient, [int(end) for end in ends])
        self.weights = [
            w - rate * torch.from_numpy(part.astype(np.float32)).reshape(w.shape)
            for w, part in zip(self.weights, parts, strict=True)
        ]

    def pulled(self, images: Images, findings: NDArray[np.bool_]) -> tuple[Matrix, Matrix]:
        """Losses ``(n,)`` and their gradients by images."""
        x = _tensor(images).requires_grad_()
        loss = binary_cross_entropy_with_logits(
            _odds(self.weights, x), _tensor(findings), reduction="none"
        ).mean(dim=1)
        (slopes,) = torch.autograd.grad(loss.sum(), x)
        return tuple(v.detach().numpy().astype(np.float64) for v in (loss, slopes))  # type: ignore[return-value]

    def misfit(self, seen: Matrix, findings: NDArray[np.bool_]) -> Misfit:
        """1 less the cosine of the gradients, with the findings that are known."""
        wanted, labels = _tensor(seen), _tensor(findings)
        wanted = wanted / wanted.norm(dim=1, keepdim=True).clamp_min(TINY)

        def misfit(images: Images) -> tuple[Matrix, Matrix]:
            x = _tensor(images).requires_grad_()
            got = _gradients(self.weights, x, labels)
            cosine = (got * wanted).sum(dim=1) / got.norm(dim=1).clamp_min(TINY)
            (slopes,) = torch.autograd.grad((1 - cosine).sum(), x)
            return (1 - cosine).detach().numpy().astype(np.float64), slopes.numpy().astype(
                np.float64
            )

        return misfit


class NetworkGradient(GradientSum):
    """Of a small network, at its start.

    Args:
        network: The network.
        mechanism: As of `GradientSum`.
    """

    def __init__(self, network: SmallNetwork, mechanism: NoisySum | None, name: str) -> None:
        super().__init__(name, mechanism, NETWORK_CLIP)
        self.network = network

    def gradients(self, people: SitePeople) -> Matrix:
        """By autograd."""
        return self.network.gradients(people.images, people.seen.findings)

    def misfit(self, seen: Matrix) -> Misfit:
        """Findings are read off the offsets: their gradient is negative where one is shown."""
        findings = self.network.weights[-1].numel()
        return self.network.misfit(seen, seen[:, -findings:] < 0)


def _odds(weights: list[torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    x = images[:, None]
    for i, stride in enumerate((2, 2, 1)):
        kernel, offset = weights[2 * i : 2 * i + 2]
        x = torch.sigmoid(conv2d(x, kernel, offset, stride=stride, padding=KERNEL // 2))
    return x.flatten(1) @ weights[-2].T + weights[-1]


def _gradients(
    weights: list[torch.Tensor], images: torch.Tensor, findings: torch.Tensor
) -> torch.Tensor:
    """``(n, P)`` of each image by itself; differentiable by the images."""

    def loss(
        own: tuple[torch.Tensor, ...], image: torch.Tensor, finding: torch.Tensor
    ) -> torch.Tensor:
        return binary_cross_entropy_with_logits(_odds(list(own), image[None])[0], finding)

    each = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))
    return torch.cat([g.flatten(1) for g in each(tuple(weights), images, findings)], dim=1)


def _tensor(values: NDArray[np.generic]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
