"""What a classifier is: it looks at an image and says how likely each finding is.

A reader is public: it follows what was released and public weights alone. Its tensors are all that
a file needs to hold of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images
from latentdp.errors import InputError
from latentdp.synthesis.head import Head, start
from latentdp.synthesis.public import PublicModel, thumbnails

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = [
    "READERS",
    "LatentReader",
    "LinearReader",
    "NetworkReader",
    "Reader",
    "finest",
    "sides_of",
]

Matrix = NDArray[np.float64]
Tensors = Mapping[str, NDArray[np.float64]]


class Reader(Protocol):
    """Images in, odds out."""

    kind: ClassVar[str]
    needs_flow: ClassVar[bool]  # whether it reads latents of the public flow

    def odds(self, images: Images, flow: Flow | None) -> Matrix:
        """Log-odds ``(n, f)`` of each finding in images ``(n, h, w)`` in [0, 1].

        Args:
            images: Of the size that it learnt on.
            flow: Public one of the same weights, where ``needs_flow``.
        """

    @property
    def rows(self) -> int:
        """Number of findings."""

    def tensors(self) -> dict[str, NDArray[np.float64]]:
        """What a file holds of it."""


@dataclass(frozen=True)
class LinearReader:
    """Logistic readers of thumbnails.

    Attributes:
        head: With a row of weights for each finding.
    """

    kind: ClassVar[str] = "linear"
    head: Head

    needs_flow: ClassVar[bool] = False

    @property
    def rows(self) -> int:
        """Number of findings."""
        return len(self.head.weights)

    def odds(self, images: Images, flow: Flow | None = None) -> Matrix:
        """As of `Reader`."""
        return np.asarray(self.head.features(thumbnails(images)) @ self.head.weights.T)

    def tensors(self) -> dict[str, NDArray[np.float64]]:
        """Weights, and the units of the pixels."""
        head = self.head
        return {"weights": head.weights, "centre": head.centre, "scale": head.scale}

    @classmethod
    def of(cls, tensors: Tensors) -> Self:
        """The inverse of `tensors`."""
        return cls(
            Head(weights=tensors["weights"], centre=tensors["centre"], scale=tensors["scale"])
        )


@dataclass(frozen=True)
class NetworkReader:
    """One layer of hyperbolic tangents on thumbnails, and logistic readers of these.

    Attributes:
        head: Whose features it reads; its own weights are those of the hidden layer ``(h, k)``.
        last: ``(f, h + 1)`` weights of the findings; the last column is an offset.

    Raises:
        InputError: The layers do not fit.
    """

    kind: ClassVar[str] = "network"
    head: Head
    last: Matrix

    needs_flow: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.last.ndim != 2 or self.last.shape[1] != len(self.head.weights) + 1:
            raise InputError("expected a weight for each hidden unit, and an offset")
        if not np.isfinite(self.last).all():
            raise InputError("expected finite weights")

    @property
    def rows(self) -> int:
        """Number of findings."""
        return len(self.last)

    def odds(self, images: Images, flow: Flow | None = None) -> Matrix:
        """As of `Reader`."""
        hidden = np.tanh(self.head.features(thumbnails(images)) @ self.head.weights.T)
        return np.asarray(hidden @ self.last[:, :-1].T + self.last[:, -1])

    def tensors(self) -> dict[str, NDArray[np.float64]]:
        """Weights of both layers, and the units of the pixels."""
        head = self.head
        return {
            "hidden": head.weights,
            "last": self.last,
            "centre": head.centre,
            "scale": head.scale,
        }

    @classmethod
    def of(cls, tensors: Tensors) -> Self:
        """The inverse of `tensors`."""
        head = Head(weights=tensors["hidden"], centre=tensors["centre"], scale=tensors["scale"])
        return cls(head, tensors["last"])


@dataclass(frozen=True, kw_only=True)
class LatentReader:
    """The class-conditional prior of a flow's coarsest level, read by Bayes' rule.

    Latents of a finding, and of all that is not it, are Gaussian with the same deviations, so that
    the odds are linear in the latents.

    Attributes:
        means: ``(f, m)`` of the latents with each finding.
        others: ``(f, m)`` of those without it.
        deviations: ``(m,)`` around either, above 0.
        shares: ``(f,)`` of images with each finding, in (0, 1).

    Raises:
        InputError: Shapes or values that are none.
    """

    kind: ClassVar[str] = "latents"
    means: Matrix
    others: Matrix
    deviations: NDArray[np.float64]
    shares: NDArray[np.float64]

    needs_flow: ClassVar[bool] = True

    def __post_init__(self) -> None:
        f, m = self.means.shape
        right = self.others.shape == (f, m) and self.deviations.shape == (m,)
        finite = all(np.isfinite(x).all() for x in (self.means, self.others, self.deviations))
        inside = self.shares.shape == (f,) and ((self.shares > 0) & (self.shares < 1)).all()
        if not (right and finite and inside and self.deviations.min() > 0):
            raise InputError("expected Gaussians of finite means with deviations above 0")

    @property
    def rows(self) -> int:
        """Number of findings."""
        return len(self.means)

    def odds(self, images: Images, flow: Flow | None = None) -> Matrix:
        """As of `Reader`."""
        if flow is None:
            raise InputError("expected the public flow whose latents the classifier reads")
        return self.odds_of(flow.encode(images)[:, : self.means.shape[1]])

    def odds_of(self, latents: Matrix) -> Matrix:
        """Log-odds ``(n, f)`` of coarse latents ``(n, m)``."""
        one, other = self.means / self.deviations, self.others / self.deviations
        squares = ((one**2).sum(axis=1) - (other**2).sum(axis=1)) / 2
        prior = np.log(self.shares) - np.log1p(-self.shares)
        return np.asarray(latents / self.deviations @ (one - other).T - squares + prior)

    def tensors(self) -> dict[str, NDArray[np.float64]]:
        """Means, deviations and shares."""
        return {
            "means": self.means,
            "others": self.others,
            "deviations": self.deviations,
            "shares": self.shares,
        }

    @classmethod
    def of(cls, tensors: Tensors) -> Self:
        """The inverse of `tensors`."""
        names = ("means", "others", "deviations", "shares")
        return cls(**{name: tensors[name] for name in names})


def finest(public: PublicModel, findings: int, allowed: Callable[[int], bool]) -> Head:
    """A head of zeros on the finest thumbnails that are allowed, or on the coarsest.

    Args:
        public: Of the weights.
        findings: Rows of the head.
        allowed: Whether a side is.
    """
    sides = sides_of(public)
    return start(public, findings, next((s for s in sides if allowed(s)), sides[-1]))


def sides_of(public: PublicModel) -> tuple[int, ...]:
    """Of thumbnails that a reader may look at, in pixels, the largest first."""
    side = public.samples.shape[1]
    return tuple(side // step for step in (1, 2, 4) if side % step == 0)


READERS: dict[str, Callable[[Tensors], Reader]] = {
    LinearReader.kind: LinearReader.of,
    NetworkReader.kind: NetworkReader.of,
    LatentReader.kind: LatentReader.of,
}
