r"""The reader that labels what is drawn: learnt from a cohort by full batches of noisy gradients.

A logistic reader of each finding, on thumbnails in units of what the generator draws. That is
released already and looks like the cohort as far as could be learnt, so that pixels lie around 0
in another hospital, too, and the clip does not fall on what all of its images share. All pixels
have one unit, so that those which vary much are learnt first and noise on the others, of which
little follows, stays small; it is a small unit, so that the clip falls on what images show and
less on the offset. Each round
adds up the gradients of all patients, releases the noisy sum and takes a step, which is longer the
less the noise is; no patients are sampled, so a round costs what a Gaussian release costs, and all
rounds the root of their number more. Its labels of images that are drawn are post-processing.

Sensitivity of a round, for any weights W. Let image j of a patient have features x_j and findings
y_j in {0, 1}^f, and r_j = 1 if somebody read it, else 0. The patient's record is

    v = clip(mean r_j (sigmoid(W x_j) - y_j) x x_j, C) / C

with the mean over their images, x the outer product and a public C. So |v| <= 1 whatever the
images and their number: the sum moves by at most 1 with a patient more or less, by at most 2 with
another one in their place. W, and the units of x, follow what was released before and public
values alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from latentdp.core.arrays import Images
from latentdp.errors import InputError
from latentdp.privacy.noise import Noise
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.synthesis.descent import Descent
from latentdp.synthesis.public import PublicModel, thumbnails
from latentdp.synthesis.vectors import PatientImages, RecordBlock, joint_records

__all__ = [
    "ROUNDS",
    "Head",
    "HeadData",
    "averaged",
    "descend",
    "learn_head",
    "shown_by",
    "start",
    "start_among",
    "start_drawn",
]

Matrix = NDArray[np.float64]

# Fixed on public adults (NIH), never on a cohort.
ROUNDS = 60
CLIP = 0.5  # of a patient's gradient; features have a length of sqrt(2), in `UNIT` of sqrt(5)
STEP, MOMENTUM = 1.0, 0.9
FLOOR = 5.0  # grey levels added to what a pixel varies by: black borders never vary
UNIT = 0.5  # of what pixels of drawn images vary by, all taken together
PACE, SLOWEST, FASTEST = 4_000.0, 0.1, 3.0  # steps, by the noisy count times epsilon
PATIENTS = 256  # whose gradients are in memory together


@dataclass(frozen=True, kw_only=True)
class Head:
    """A linear reader of findings.

    Attributes:
        weights: ``(f, s * s + 1)``, the last column an offset.
        centre: ``(s * s,)`` grey levels, public.
        scale: ``(s * s,)`` grey levels, above 0, public.

    Raises:
        InputError: Shapes or values that are none.
    """

    weights: Matrix
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]

    def __post_init__(self) -> None:
        size = len(self.centre)
        right = self.scale.shape == (size,) and self.weights.shape[1:] == (size + 1,)
        finite = all(np.isfinite(x).all() for x in (self.weights, self.centre, self.scale))
        if not (right and math.isqrt(size) ** 2 == size and finite and self.scale.min() > 0):
            raise InputError("expected a head of finite weights for each pixel of a thumbnail")

    @property
    def side(self) -> int:
        """Of the thumbnails that it reads, in pixels."""
        return math.isqrt(len(self.centre))

    def probabilities(self, images: Images) -> Matrix:
        """Of each finding ``(n, f)`` in images ``(n, h, w)`` in [0, 1]."""
        return np.asarray(expit(self.features(thumbnails(images)) @ self.weights.T))

    def features(self, small: NDArray[np.uint8]) -> Matrix:
        """``(n, s * s + 1)`` of thumbnails of this side or a multiple; the last is 1."""
        flat = _reduced(small, self.side)
        scaled = (flat - self.centre) / (self.scale * self.side)
        return np.concatenate([scaled, np.ones((len(flat), 1))], axis=1)

    def calibrated(self, images: Images, prevalence: NDArray[np.float64]) -> Head:
        """The head with offsets under which so many of these images have each finding.

        Args:
            images: ``(n, h, w)`` in [0, 1], not private; with none of them it stays as it is.
            prevalence: ``(f,)`` share in [0, 1] that shall have a probability of a half and more.
        """
        if not len(images):
            return self
        odds = self.features(thumbnails(images)) @ self.weights.T
        median = [np.quantile(o, 1 - p) for o, p in zip(odds.T, prevalence, strict=True)]
        weights = self.weights.copy()
        weights[:, -1] -= median
        return self.with_weights(weights)

    def refined(self, like: Head) -> Head:
        """The same reader of thumbnails as fine as another head's, whose side is a multiple.

        A mean over a square of pixels is linear in them, so the probabilities stay the same.

        Raises:
            InputError: It is no multiple.
        """
        if like.side % self.side:
            raise InputError("expected heads whose thumbnails have sides that divide each other")
        step = like.side // self.side
        slopes = self.weights[:, :-1] / (self.scale * self.side)  # of a grey level
        grid = slopes.reshape(len(slopes), self.side, self.side)
        fine = grid.repeat(step, axis=1).repeat(step, axis=2).reshape(len(slopes), -1) / step**2
        offsets = self.weights[:, -1] - slopes @ self.centre + fine @ like.centre
        return like.with_weights(np.column_stack([fine * like.scale * like.side, offsets]))

    def with_weights(self, weights: Matrix) -> Head:
        """The same features under other weights."""
        return Head(weights=weights, centre=self.centre, scale=self.scale)


def shown_by(probabilities: Matrix) -> NDArray[np.bool_]:
    """The findings ``(n, f)`` that an image is labelled with: likely ones, or the likeliest.

    Args:
        probabilities: ``(n, f)`` of at least one finding.
    """
    shown = probabilities >= 0.5
    shown[np.arange(len(shown)), probabilities.argmax(axis=1)] = True
    return np.asarray(shown)


def averaged(heads: Sequence[Head], weights: Sequence[float]) -> Head:
    """The mean of heads that saw other patients, of thumbnails as fine as the finest reads.

    Args:
        heads: Of the same findings in the same order; at least one.
        weights: Above 0, such as numbers of patients.
    """
    finest = max(heads, key=lambda head: head.side)
    mean = np.average([head.refined(finest).weights for head in heads], axis=0, weights=weights)
    return finest.with_weights(mean)


class HeadData:
    """What rounds read of a cohort, those of the head and those of a method: **private**.

    Attributes:
        parts: Some whole patients in each, without latents: some 300 bytes an image.
    """

    def __init__(self) -> None:
        self.parts: list[PatientImages] = []

    def add(self, images: PatientImages) -> None:
        """Keeps thumbnails and findings of whole patients, without their latents."""
        ends = np.flatnonzero(np.diff(images.patients, append=-1)) + 1
        for patient in range(0, len(ends), PATIENTS):
            first = 0 if patient == 0 else ends[patient - 1]
            rows = slice(first, ends[min(patient + PATIENTS, len(ends)) - 1])
            self.parts.append(
                PatientImages(
                    latents=np.empty((rows.stop - rows.start, 0)),
                    thumbnails=images.thumbnails[rows],
                    findings=images.findings[rows],
                    read=images.read[rows],
                    patients=images.patients[rows] - patient,
                )
            )

    def records(self, head: Head, known: NDArray[np.bool_]) -> Iterator[Matrix]:
        """Records ``(p, f * k)`` of all patients at a head's weights, some patients at a time.

        Args:
            head: With one row of weights for each known finding.
            known: ``(f,)`` which columns of the findings it reads.
        """
        for part in self.parts:
            yield gradient_records(head, part, known)


def gradient_records(head: Head, images: PatientImages, known: NDArray[np.bool_]) -> Matrix:
    """``(p, f * k)`` clipped mean gradient of each patient, as in the proof above."""
    features = head.features(images.thumbnails)
    # Image by image: a matrix product is rounded as the size of its batch has it, and then a
    # patient would change the last digits of others.
    odds = np.stack([(features * row).sum(axis=1) for row in head.weights], axis=1)
    errors = expit(odds) - images.findings[:, known]
    residuals = images.read[:, None] * errors
    gradients = (residuals[:, :, None] * features[:, None, :]).reshape(len(features), -1)
    block = RecordBlock(size=gradients.shape[1], bound=CLIP, share=1.0)
    return joint_records([gradients], [block], images.patients)


def learn_head(
    data: HeadData,
    known: NDArray[np.bool_],
    head: Head,
    mechanism: NoisySum,
    *,
    count: float,
    epsilon: float,
    noise: Noise,
) -> Head:
    """Runs all rounds; what it returns is private by their noise.

    Args:
        data: Of the cohort.
        known: ``(f,)`` findings that are read, at least one.
        head: To start from, with a row for each of these; public or released.
        mechanism: The noise of each of the `ROUNDS`.
        count: Noisy number of patients, at least 1.
        epsilon: Of the whole release, which with ``count`` decides how long steps are.
        noise: Fresh bits for each round.
    """
    step = float(np.clip(count * epsilon / PACE, SLOWEST, FASTEST))
    mechanisms = [mechanism] * ROUNDS
    return descend(data, known, head, mechanisms, count=count, noise=noise, step=step)


def descend(
    data: HeadData,
    known: NDArray[np.bool_],
    head: Head,
    mechanisms: Sequence[NoisySum],
    *,
    count: float,
    noise: Noise,
    step: float = STEP,
) -> Head:
    """Full-batch steps from a head; what it returns is private by the noise of each of them.

    Args:
        data: Of the cohort.
        known: ``(f,)`` findings that are read, at least one.
        head: To start from, with a row for each of these; public or released.
        mechanisms: The noise of each round, fixed beforehand.
        count: Noisy number of patients, at least 1.
        noise: Fresh bits for each round.
        step: Length of a step over the gradient.
    """
    way = Descent(head.weights, rounds=len(mechanisms), step=step, momentum=MOMENTUM)
    for mechanism in mechanisms:
        total = np.zeros(way.weights.size, dtype=np.int64)
        for records in data.records(head.with_weights(way.weights), known):
            total += mechanism.quantise(records).sum(axis=0)
        gradient = CLIP / count * mechanism.release(total, noise)
        way.follow(gradient.reshape(way.weights.shape))
    return head.with_weights(way.averaged)


def start(public: PublicModel, findings: int, side: int) -> Head:
    """Weights of 0 on thumbnails of a side, in the units of the flow's own samples.

    Args:
        public: Of the weights.
        findings: That are read.
        side: In pixels; it divides that of the samples' thumbnails.
    """
    return start_among(_reduced(public.samples, side).reshape(-1, side, side), findings)


def start_among(small: NDArray[np.uint8] | Matrix, findings: int) -> Head:
    """Weights of 0 on thumbnails, in the units of some that are nobody's.

    Args:
        small: ``(n, s, s)``, at least one.
        findings: That are read.
    """
    flat = small.reshape(len(small), -1).astype(np.float64)
    return Head(
        weights=np.zeros((findings, flat.shape[1] + 1)),
        centre=flat.mean(axis=0),
        scale=flat.std(axis=0) + FLOOR,
    )


def start_drawn(small: NDArray[np.uint8], findings: int) -> Head:
    """Weights of 0 on thumbnails whose pixels have one unit, `UNIT` of what drawn ones vary by.

    Args:
        small: ``(n, s, s)`` of what a generator draws, at least one.
        findings: That are read.
    """
    head = start_among(small, findings)
    varies = math.sqrt(small.reshape(len(small), -1).var(axis=0).mean())
    scale = np.full_like(head.scale, UNIT * max(varies, FLOOR))
    return Head(weights=head.weights, centre=head.centre, scale=scale)


def _reduced(small: NDArray[np.uint8], side: int) -> Matrix:
    """``(n, side * side)`` grey levels: means over squares of thumbnails ``(n, s, s)``."""
    step = small.shape[1] // side
    means = small.reshape(len(small), side, step, side, step).mean(axis=(2, 4))
    return np.asarray(means.reshape(len(small), -1), dtype=np.float64)
