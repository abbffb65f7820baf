"""What the whole way from an image and its label to a release loses, by experiment.

A privatizer is run many times on inputs that differ as much as inputs can, and what comes out,
pixels and label, is told apart as well as a few features can
(`latentdp.privacy.audit.two_samples`). Each look (`LOOKS`) changes one thing and compares the
lower bound of epsilon with what the plan claims for that thing alone. A bound above the claim is a
proof of a mistake, up to the stated chance of a false alarm; below it proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import UNKNOWN, Images, Labels, Latents
from latentdp.core.attributes import labels_of, values_of
from latentdp.core.documents import JsonValue
from latentdp.core.progress import CountCallback
from latentdp.evaluation.transparent_flow import TransparentFlow
from latentdp.privacy.audit.best_event import CONFIDENCE, check_trials, largest_bound
from latentdp.privacy.audit.two_samples import told_apart
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.plan import Action, Plan
from latentdp.privacy.randomized_response import LabelRelease
from latentdp.privacy.rounding import EXACTLY, printed
from latentdp.privacy.samplers.uniform import normal
from latentdp.privatizer import Privatizer, Release

__all__ = ["LOOKS", "PipelineLook", "affordable", "audit_pipeline"]

LOOKS = {
    "image": "two opposite images under one label, against the epsilon of the mechanisms",
    "label": "two labels of one image, against the epsilon of the response, or 0 without one",
    "image and label": "both at once, against the sum of their epsilons",
    "resampled part": "images that agree in all that the mechanisms see, against 0",
    "row of a batch": "the same as both, beside a row of the same batch that stays as it is",
    "call of a process": "the same as both, beside what another call released before",
}

FAR = 4.0  # standard deviations: beyond every default clip
_CHUNK = 4096  # draws that are made together
_NUMBERS = 2**26  # that mechanisms look at for one sample: some seconds

Matrix = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class PipelineLook:
    """What one look at a privatizer found; every epsilon is in nats.

    Attributes:
        name: What was changed, one of `LOOKS`.
        flow: Name of the weights, or ``transparent``.
        budget: Epsilon at which the recipe was run, of all that is protected.
        claim: Of what was changed alone.
        found: Lower bound of what it loses.
        draws: Releases under each of the two inputs; half of them chose the event.
        confidence: Of the bound.
    """

    name: str
    flow: str
    budget: float
    claim: Guarantee
    found: float
    draws: int
    confidence: float

    @property
    def largest(self) -> float:
        """Most epsilon that so many draws can show: no larger claim can be refuted by them."""
        return largest_bound(self.draws, delta=self.claim.delta, confidence=self.confidence)

    @property
    def problem(self) -> str:
        """What contradicts the claim, in a sentence; empty if nothing does."""
        if self.found <= self.claim.epsilon:
            return ""
        return (
            f"{self.name}, {self.flow} flow: the lower bound, {self.found:.6g}, exceeds the claim "
            f"of {printed(self.claim.epsilon, EXACTLY)}"
        )

    def describe(self) -> dict[str, JsonValue]:
        """As JSON values."""
        return {
            "look": self.name,
            "flow": self.flow,
            "budget": self.budget,
            "claimed_epsilon": self.claim.epsilon,
            "delta": self.claim.delta,
            "best_event_bound": self.found,
            "largest_bound": self.largest,
            "draws": self.draws,
            "confidence": self.confidence,
            "problems": [self.problem] if self.problem else [],
        }


def audit_pipeline(
    privatizer: Privatizer,
    *,
    draws: int,
    confidence: float = CONFIDENCE,
    advance: CountCallback = lambda done, total: None,
) -> list[PipelineLook]:
    """All looks at one privatizer.

    Args:
        privatizer: With the noise that is audited.
        draws: Releases under each input, of each look; at least 100.
        confidence: Of each bound, at least 0.5.
        advance: Told of draws that are done, and of how many there will be.

    Returns:
        One for each look that has a sense: the resampled part can be looked at alone only where a
        flow encodes exactly what it decoded; there is none at all where a latent dimension is kept
        and the flow is not of that kind, for then no two images agree in what is unprotected.

    Raises:
        InputError: Too few draws, or no confidence.
    """
    check_trials(draws, confidence, least=100)
    exactly = isinstance(privatizer.flow, TransparentFlow)
    if privatizer.plan.keeps and not exactly:
        return []
    inputs = _Inputs(privatizer)
    samples: dict[str, list[tuple[Matrix, Matrix]]] = {}
    done = 0
    while done < draws:
        n = min(_CHUNK, draws - done)
        for name, pair in _chunk(privatizer, inputs, n, exactly=exactly).items():
            samples.setdefault(name, []).append(pair)
        done += n
        advance(done, draws)
    claims = _claims(privatizer.plan)
    return [
        PipelineLook(
            name=name,
            flow=privatizer.flow.name or "unnamed",
            budget=privatizer.plan.guarantee.noised_part.epsilon,
            claim=claims[name],
            found=told_apart(
                *(np.concatenate(side) for side in zip(*pairs, strict=True)),
                delta=claims[name].delta,
                confidence=confidence,
            ),
            draws=draws,
            confidence=confidence,
        )
        for name, pairs in samples.items()
    ]


def affordable(plan: Plan, most: int) -> int:
    """How many draws mechanisms make in bounded time; at least 200.

    Args:
        plan: Whose mechanisms they are.
        most: That are wanted.
    """
    work = max([1, *(b.mechanism.draw_work for b in plan.blocks if b.mechanism is not None)])
    return min(most, max(200, _NUMBERS // work))


def _claims(plan: Plan) -> dict[str, Guarantee]:
    """What each look may find at most."""
    nothing, whole = Guarantee(epsilon=0.0), plan.guarantee.noised_part
    mechanisms = [b.mechanism.guarantee for b in plan.blocks if b.mechanism is not None]
    return {
        "image": nothing.compose(*mechanisms),
        "label": nothing if plan.response is None else plan.response.guarantee,
        "image and label": whole,
        "resampled part": nothing,
        "row of a batch": whole,
        "call of a process": whole,
    }


class _Inputs:
    """Two opposite images, two labels, and the directions along which they are told apart."""

    def __init__(self, privatizer: Privatizer) -> None:
        self.privatizer, plan = privatizer, privatizer.plan
        far = np.zeros(plan.d)
        part = far.copy()
        ordinary = np.sign(normal(SeededNoise(1), (plan.d,))) if plan.d else far
        for block, dims in zip(plan.blocks, plan.dims, strict=True):
            if block.action is Action.MECHANISM:
                far[dims] = part[dims] = FAR
            elif block.action is Action.RESAMPLE:
                far[dims], part[dims] = ordinary[dims], -ordinary[dims]
        self.image, self.opposite, self.beside = self._decoded(np.stack([far, -far, part]))
        public = plan.label is LabelRelease.PUBLIC
        self.label, self.other = _two_labels(privatizer)
        if public:
            self.other = self.label
        one, two, _ = self._coordinates((self.image, self.opposite, self.beside), self.label)
        apart = self.other != self.label
        shifted = self._coordinates((self.image,), self.other)[0] if apart else one
        protected = np.zeros(plan.d, dtype=np.bool_)
        for block, dims in zip(plan.blocks, plan.dims, strict=True):
            protected[dims] = block.action is Action.MECHANISM
        self.directions = np.stack(
            [
                *(_unit(np.where(protected, gap, 0)) for gap in (one - two, one - shifted)),
                _unit(np.where(protected, 0, one - two)),
            ]
        )
        by_label = privatizer.flow.decode_valid(
            np.zeros((2, plan.d)), np.array([self.label, self.other])
        )[0]
        self.pixels = np.stack(
            [_unit((a - b).ravel()) for a, b in ((self.image, self.opposite), by_label)]
        )

    def features(self, release: Release) -> Matrix:
        """``(n, features)`` of released images and labels."""
        flow, plan = self.privatizer.flow, self.privatizer.plan
        coordinates = plan.coordinates(flow.encode(release.images, release.labels))
        flat = release.images.reshape(len(release.images), -1).astype(np.float64)
        columns = [coordinates @ self.directions.T, flat @ self.pixels.T]
        values = values_of(flow.conditioning, release.labels)
        columns += [
            (column[:, None] == np.arange(len(one.values))).astype(np.float64)
            for one, column in zip(flow.conditioning, values.T, strict=True)
        ]
        return np.concatenate(columns, axis=1)

    def _decoded(self, coordinates: Latents) -> Images:
        plan, flow = self.privatizer.plan, self.privatizer.flow
        latents = coordinates if plan.basis is None else plan.basis.inverse(coordinates)
        return flow.decode_valid(latents)[0]

    def _coordinates(self, images: tuple[Images, ...], label: int) -> Latents:
        flow = self.privatizer.flow
        given = np.full(len(images), label)
        return self.privatizer.plan.coordinates(flow.encode(np.stack(images), given))


def _two_labels(privatizer: Privatizer) -> tuple[int, int]:
    """Two that differ in all that is released of them; the same twice where nothing can differ."""
    known = privatizer.flow.conditioning
    if not known[0].name and len(known[0].values) < 2:
        label = 0 if known[0].values else UNKNOWN
        return label, label
    first, second = labels_of(known, [[0] * len(known), [1] * len(known)])
    return int(first), int(second)


def _chunk(
    privatizer: Privatizer, inputs: _Inputs, n: int, *, exactly: bool
) -> dict[str, tuple[Matrix, Matrix]]:
    """Features ``(n, ...)`` under the two inputs of each look."""

    def released(*rows: tuple[Images, int]) -> list[Matrix]:
        """Features of ``n`` releases of each of these rows, from one batch."""
        images = np.concatenate([np.repeat(image[None], n, axis=0) for image, _ in rows])
        labels: Labels = np.repeat([label for _, label in rows], n)
        # As a run does it, which rates what it releases: a call may know that nothing is read.
        made, _ = privatizer.release_and_rate(images, labels=labels)
        made = replace(made, images=privatizer.enlarge(made.images))
        return np.split(inputs.features(made), len(rows))

    one = (inputs.image, inputs.label)
    both = (inputs.opposite, inputs.other)
    mine, mate = released(one, one)
    (before,) = released(one)
    theirs, mate_of_theirs = released(both, one)
    (opposite,) = released((inputs.opposite, inputs.label))
    looks = {"image": (mine, opposite)}
    if inputs.other != inputs.label:
        (relabelled,) = released((inputs.image, inputs.other))
        looks["label"] = (mine, relabelled)
        looks["image and label"] = (mine, theirs)
    if exactly and privatizer.plan.resamples:
        (beside,) = released((inputs.beside, inputs.label))
        looks["resampled part"] = (mine, beside)
    looks["row of a batch"] = (_beside(mine, mate), _beside(theirs, mate_of_theirs))
    looks["call of a process"] = (_beside(mine, before), _beside(theirs, before))
    return looks


def _beside(row: Matrix, other: Matrix) -> Matrix:
    """A row's features, and how far they lie from those of another."""
    return np.concatenate([row, np.abs(row - other)], axis=1)


def _unit(vector: Matrix) -> Matrix:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else vector
