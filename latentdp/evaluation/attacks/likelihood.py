"""White-box linkage: which original was this made from, by the mechanism's own probabilities.

The attacker knows flow, plan and released label, and holds every original of the target as a
candidate. With all sources equally likely, naming the one with the largest likelihood is Bayes'
rule: nobody who sees the release can do better. To be that strong it is given more than an
image: the mechanism's own output, before repair and decoding, drawn anew for every probe. Whoever
has only the image has that, rounded; so this bounds every attacker on images from above.

All outputs of a patient are also taken together, since they share a pseudonym: each candidate is a
patient then, of whose images any may lie behind an output, and the logarithms add up.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Labels, Latents
from latentdp.core.progress import ProgressCallback
from latentdp.data.cohort import whole_patients
from latentdp.evaluation.attacks.base import Attack
from latentdp.evaluation.threat_model import ThreatModel
from latentdp.metrics.definitions.identification import RANK_1
from latentdp.metrics.linkage import matched
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.noise import Noise, SeededNoise
from latentdp.privacy.plan import Action, Plan
from latentdp.privacy.randomized_response import LabelRelease
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.result_detail import Detail
from latentdp.reports.results import Outcome

__all__ = ["Likelihood", "attack"]

PROBES = 1000
FEWEST = 20  # where each costs much
NUMBERS = 2 * 10**8  # that are looked at: about a minute


class Likelihood(Attack):
    """Scores each candidate by the logarithm of P(release | candidate)."""

    name = "likelihood"
    title = "names the source by the mechanism's own likelihood, knowing flow, plan and label"
    kind = AttackKind.SEARCH
    meaning = (
        "The attacker knows the network, the mechanism and every setting, and computes how likely "
        "each real image is as the source."
    )

    def unavailable_reason(self, scene: ThreatModel) -> str | None:
        """Without a plan, or where the plan passes nothing on."""
        if scene.privatizer is None:
            return "flow and plan are not known"
        plan = scene.privatizer.plan
        if plan.label is LabelRelease.NONE and not carried(plan):
            return "nothing that follows the image is released"
        return None

    def run(self, scene: ThreatModel, tell: ProgressCallback) -> list[Outcome]:
        """Rank-1 and AUC of a lot of probes among all originals."""
        assert scene.privatizer is not None
        plan, cohort = scene.privatizer.plan, scene.target.cohort
        tell(0.0, "encoding")
        coordinates = plan.coordinates(scene.privatizer.encode(cohort.images, cohort.labels))
        work = max([1, *(b.mechanism.work for b in plan.blocks if b.mechanism is not None)])
        most = min(PROBES, max(FEWEST, NUMBERS // (work * len(cohort))))
        rows = np.flatnonzero(whole_patients(cohort.patients, most, scene.seed))
        scores = log_likelihoods(
            plan, coordinates, cohort.labels, rows, noise=SeededNoise(scene.seed), tell=tell
        )
        parts = [*plan.mechanisms]
        parts += [f"{plan.keeps} kept dimensions"] if plan.keeps else []
        parts += [f"label: {plan.label}"] if plan.label is not LabelRelease.NONE else []
        detail = {"parts": parts, "note": "sees the mechanism's own output, drawn anew"}
        outcomes = self.linked(
            scene, scores, rows, "own image, by likelihood", headline=True, detail=detail
        )
        if len(np.unique(cohort.patients[rows])) < len(rows):
            outcomes.append(self._joint(scene, scores, rows))
        return outcomes

    def _joint(
        self, scene: ThreatModel, scores: NDArray[np.float64], rows: NDArray[np.int64]
    ) -> Outcome:
        """Which patient all outputs of one are of, by the sum of their log-likelihoods."""
        everyone, numbers = np.unique(scene.target.cohort.patients, return_inverse=True)
        whose, probes, outputs = np.unique(numbers[rows], return_inverse=True, return_counts=True)
        joint = np.zeros((len(whose), len(everyone)))
        np.add.at(joint, probes, of_patients(scores, numbers))
        first = matched(
            joint, whose, whose, resamples=scene.effort.resamples, seed=scene.seed
        ).first
        return Outcome(
            attack=self.name,
            setting="own patient, by the likelihood of all their outputs together",
            metric=RANK_1,
            value=first.value,
            low=first.low,
            high=first.high,
            n=len(whose),
            patients=len(whose),
            chance=1 / len(everyone),
            ceiling=None if scene.guarantee is None else _ceiling(scene.guarantee, outputs),
            headline=True,
            detail=Detail({"gallery": len(everyone), "outputs": int(outputs.max())}),
        )


def of_patients(scores: NDArray[np.float64], patients: NDArray[np.int64]) -> NDArray[np.float64]:
    """Log-likelihood ``(p, patients)`` of outputs under patients, any of whose images it may be.

    Args:
        scores: ``(p, n)`` log-likelihoods under images.
        patients: ``(n,)`` numbers from 0 of the images' patients.
    """
    order = np.argsort(patients, kind="stable")
    counts = np.bincount(patients)
    starts = np.cumsum(counts) - counts
    return np.logaddexp.reduceat(scores[:, order], starts, axis=1) - np.log(counts)


def _ceiling(guarantee: Guarantee, outputs: NDArray[np.int64]) -> float:
    """Largest expected share of patients who are named first.

    How many outputs a patient has is no secret, so that each is held against those with as many,
    at epsilon of all their images.

    Args:
        guarantee: Of one output.
        outputs: ``(patients,)`` how many each has.
    """
    return float(
        sum(
            patients * guarantee.for_patient(int(count)).gallery_ceiling(int(patients))
            for count, patients in zip(*np.unique(outputs, return_counts=True), strict=True)
        )
        / len(outputs)
    )


def log_likelihoods(
    plan: Plan,
    coordinates: Latents,
    labels: Labels,
    rows: NDArray[np.int64],
    *,
    noise: Noise,
    tell: ProgressCallback,
) -> NDArray[np.float64]:
    """Log-likelihood ``(p, n)`` of fresh releases of p of the images, under each of all n.

    Args:
        plan: What is done to an image.
        coordinates: ``(n, d)`` in the plan's basis.
        labels: ``(n,)`` true class indices, -1 unknown.
        rows: ``(p,)`` which images are released.
        noise: Of these releases.
        tell: Progress.
    """
    n = len(coordinates)
    scores = np.zeros((len(rows), n))
    for block, dims in zip(plan.blocks, plan.dims, strict=True):
        z = coordinates[:, dims]
        if block.mechanism is not None:
            out: NDArray[Any] = block.mechanism.perturb(z[rows], noise)
            for i in range(n):
                scores[:, i] += block.mechanism.log_likelihood(z[i : i + 1], out)
                tell((i + 1) / n, "weighing candidates")
        elif block.action is Action.KEEP:
            same = (z[rows][:, None] == z[None]).all(axis=2)
            scores += np.where(same, 0.0, -np.inf)
    if plan.response is not None:
        released = plan.response.respond(labels[rows], noise)
        scores += plan.response.log_likelihood(labels[None], released[:, None])
    elif plan.label is LabelRelease.PUBLIC:
        scores += np.where(labels[None] == labels[rows][:, None], 0.0, -np.inf)
    return scores


def carried(plan: Plan) -> list[slice]:
    """The coordinates of a plan that follow the image: all but the resampled ones."""
    pairs = zip(plan.blocks, plan.dims, strict=True)
    return [dims for block, dims in pairs if block.action is not Action.RESAMPLE]


attack = Likelihood()
