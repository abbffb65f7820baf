"""Controls that a release is held against: what the same attackers find where much is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from latentdp.core.progress import ProgressCallback, silent
from latentdp.evaluation.mark_cover import MarkCover
from latentdp.evaluation.methods.base import Method
from latentdp.evaluation.methods.controls import LabelMean, NoiseOnly, PriorSample, Raw
from latentdp.evaluation.methods.presets import PresetMethod
from latentdp.evaluation.private_copies import copies
from latentdp.evaluation.release_under_test import ReleaseUnderTest
from latentdp.evaluation.run_attacks import describe_method, examine
from latentdp.evaluation.threat_model import PairedImages, ThreatModel
from latentdp.reports.evaluation_parts import Control

__all__ = ["controls_of", "examine_control"]

CONTROL_ATTACKS = ("frozen", "adaptive", "retrieval", "linkage")
CONTROL_RESTARTS = 2


def controls_of(release: ReleaseUnderTest, *, quick: bool) -> list[Method]:
    """What a release is held against; the originals alone for a first look."""
    controls: list[Method] = [Raw()]
    if quick:
        return controls
    if isinstance(release.method, PresetMethod):
        controls.append(PriorSample(release.method))
    if (release.linked.cohort.findings >= 0).any():
        controls.append(LabelMean())
    return [*controls, NoiseOnly()]


def examine_control(
    method: Method, scene: ThreatModel, cover: MarkCover | None, tell: ProgressCallback
) -> Control:
    """A control instead of the release, on the same people and behind the same cover."""
    cohorts = [scene.target.cohort, scene.practice.cohort]
    if isinstance(method, LabelMean):  # here the label is what is to be learnt, not the weights'
        cohorts = [replace(cohort, labels=cohort.findings) for cohort in cohorts]
        method.fit(cohorts[1], cohorts[1], seed=scene.seed, state=Path(), tell=silent)
    sides = []
    for i, cohort in enumerate(cohorts):  # one copy: a second one follows nobody any more closely
        tell(0.0, "privatizing")
        private, labels = copies(method, cohort, 1, 20_000 + 100 * scene.seed + 10 * (i + 1))
        side = PairedImages(cohort=cohort, private=private, labels=labels)
        sides.append(side if cover is None else cover.pairs(side))
    effort = replace(scene.effort, restarts=min(CONTROL_RESTARTS, scene.effort.restarts))
    instead = ThreatModel(
        target=sides[0],
        practice=sides[1],
        guarantee=method.guarantee if method.protects_all else None,
        effort=effort,
        seed=scene.seed,
        verifier=scene.verifier,
        classifiers=scene.classifiers,
        notes=scene.notes.below(method.name),
    )
    examination = examine(
        instead,
        tell,
        # The verifier learnt on just that.
        attacks=("frozen",) if isinstance(method, Raw) else CONTROL_ATTACKS,
        utilities=("classification",),
    )
    return Control(
        method=describe_method(method),
        outcomes=examination.outcomes,
        utility=examination.utility,
        unable=examination.unavailable,
        seconds=examination.seconds,
    )
