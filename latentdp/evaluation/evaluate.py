"""One release under attack: `evaluate`.

The attacker practises on other patients: those of a public data set, privatized with the release's
own recipe, or else half of the release's patients, who are then not attacked. Such copies never
leave this process but for the private folder, and are no release: nothing is charged for them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from msgspec import UNSET, structs
from numpy.typing import NDArray

from latentdp.core.cache import Arrays, ResultCache
from latentdp.core.documents import to_json
from latentdp.core.progress import ProgressCallback, silent
from latentdp.core.version import __version__
from latentdp.data.cohort import Cohort
from latentdp.data.dicom.profile import BASIC
from latentdp.errors import InputError
from latentdp.evaluation.controls_of_release import controls_of, examine_control
from latentdp.evaluation.full_size import FullSize
from latentdp.evaluation.methods.base import Method
from latentdp.evaluation.methods.presets import PresetMethod
from latentdp.evaluation.private_copies import as_used, copies, repeats
from latentdp.evaluation.release_under_test import ReleaseUnderTest
from latentdp.evaluation.run_attacks import (
    describe_method,
    describe_side,
    describe_verifier,
    examine,
)
from latentdp.evaluation.signature import signed
from latentdp.evaluation.threat_model import Effort, FileFacts, PairedImages, ThreatModel
from latentdp.evaluation.verdict import UNJUDGED, judged
from latentdp.models.networks.classifier_cache import ClassifierCache
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import permutation
from latentdp.reports.evaluation import Evaluation
from latentdp.reports.evaluation_parts import MethodGuarantee, UsedVerifier
from latentdp.reports.recognition import Thresholds

__all__ = ["evaluate"]

VERSIONS = 2  # private copies of each image that the attacker practises on
READY, DONE = 0.1, 0.7  # progress: the attacker is ready, and has done


def evaluate(
    release: ReleaseUnderTest,
    folder: Path,
    *,
    effort: Effort,
    seed: int = 0,
    quick: bool = False,
    thresholds: Thresholds | None = None,
    verifier: str = "",
    tell: ProgressCallback = silent,
) -> tuple[Evaluation, ThreatModel]:
    """Attacks a release, measures its use, and holds both against controls.

    Args:
        release: What is evaluated.
        folder: Private; parts are kept there, so that an interrupted evaluation goes on.
        effort: Of the attackers.
        seed: Of everything random; the same seed gives the same report.
        quick: A first look: fewer controls, and no claim.
        thresholds: What may be claimed.
        verifier: Weights of the verifier to start from; empty for the shipped one that fits.
        tell: Progress.

    Returns:
        The evaluation, and the scene with what the attackers saw.

    Raises:
        InputError: There are too few patients to practise on some and attack others.
    """
    target, others = _sides(release, seed)
    used = describe_verifier(verifier, target)
    notes = ResultCache(folder / _digest(release, effort, seed, used))
    practice = (
        others
        if isinstance(others, PairedImages)
        else _repeated(release, others, notes, seed, tell)
    )
    more = None
    if release.method.privatizer is not None:
        more = repeats(release.method, target.cohort, seed)
    if release.cover is not None:
        target, practice = release.cover.pairs(target), release.cover.pairs(practice)
        more = None if more is None else release.cover.more(more)
    scene = ThreatModel(
        target=target,
        practice=practice,
        guarantee=release.method.guarantee if release.protects_all else None,
        privatizer=release.method.privatizer,
        more=more,
        effort=effort,
        seed=seed,
        verifier=verifier,
        classifiers=ClassifierCache(folder / "classifiers"),
        members=False,
        files=_facts_of_target(release, seed),
        full_size=_full_size(release, seed),
        notes=notes,
    )
    examination = examine(scene, lambda share, words: tell(READY + (DONE - READY) * share, words))
    methods = controls_of(release, quick=quick)
    controls = []
    for i, control in enumerate(methods):

        def progress(share: float, words: str, i: int = i, control: Method = control) -> None:
            said = ", ".join(filter(None, (f"control {control.name}", words)))
            tell(DONE + (1 - DONE) * (i + share) / len(methods), said)

        controls.append(examine_control(control, scene, release.cover, progress))
    where = "other patients, from public data" if release.known is not None else _HALF
    origin = release.origin
    preset = release.method if isinstance(release.method, PresetMethod) else None
    evaluation = Evaluation(
        kind="evaluation",
        format=1,
        version=__version__,
        seed=seed,
        quick=quick,
        effort=effort.stated,
        verifier=used,
        thresholds=thresholds or Thresholds(),
        method=structs.replace(describe_method(release.method), protects_all=release.protects_all),
        patient=UNSET if release.patient is None else MethodGuarantee.of(release.patient),
        recipe=None if preset is None else preset.recipe.pixels_digest,
        release=UNSET if origin is None else origin.release,
        population=UNSET if origin is None else origin.population,
        cohort=structs.replace(describe_side(target), unreadable=release.linked.unreadable),
        practice=structs.replace(describe_side(practice), where=where),
        outcomes=examination.outcomes,
        utility=examination.utility,
        unable=examination.unavailable,
        seconds=examination.seconds,
        controls=tuple(controls),
        verdict=UNJUDGED,
    )
    evaluation = judged(evaluation)
    if origin is not None:
        evaluation = signed(evaluation, origin.keys)
    return evaluation, scene


_HALF = "half of the release's patients, who are not attacked"


def _sides(release: ReleaseUnderTest, seed: int) -> tuple[PairedImages, PairedImages | Cohort]:
    """Who is attacked, and whom the attacker practises on: with copies if given."""
    cohort, private = as_used(release.method, release.linked.cohort), release.linked.private[None]
    if release.known is not None:
        return PairedImages(cohort=cohort, private=private, labels=release.labels[None]), as_used(
            release.method, release.known
        )
    own = _halves(release, seed)
    if not own.any() or own.all():
        raise InputError(
            "expected images of at least 2 patients, half of them for the attacker to practise "
            "on; give --attacker public images of other patients"
        )

    def side(rows: NDArray[np.bool_]) -> PairedImages:
        return PairedImages(
            cohort=cohort.take(rows), private=private[:, rows], labels=release.labels[None, rows]
        )

    if release.method.privatizer is None:
        return side(~own), side(own)
    return side(~own), cohort.take(own)


def _repeated(
    release: ReleaseUnderTest,
    cohort: Cohort,
    notes: ResultCache,
    seed: int,
    tell: ProgressCallback,
) -> PairedImages:
    """The attacker's own people, privatized with the release's recipe; kept."""

    def privatize() -> Arrays:
        private, labels = copies(
            release.method,
            cohort,
            VERSIONS,
            4 * seed + 1,
            lambda share, words: tell(READY * share, f"the attacker's own images: {words}"),
        )
        return {"images": private, "labels": labels}

    arrays = notes.arrays("practice", privatize)
    return PairedImages(cohort=cohort, private=arrays["images"], labels=arrays["labels"])


def _halves(release: ReleaseUnderTest, seed: int) -> NDArray[np.bool_]:
    """``(n,)`` True for the patients that the attacker practises on: those said, or half.

    Patients with several images are halved apart from the others: they are few and matter most.
    """
    linked = release.linked
    if linked.practice.any():
        return linked.practice
    patients, counts = np.unique(linked.cohort.patients, return_counts=True)
    noise = SeededNoise(seed)
    chosen: list[int] = []
    for group in (patients[counts > 1], patients[counts == 1]):
        chosen += group[permutation(noise, len(group))][: len(group) // 2].tolist()
    return np.isin(linked.cohort.patients, chosen)


def _facts_of_target(release: ReleaseUnderTest, seed: int) -> FileFacts | None:
    if release.files is None or release.known is not None:
        return release.files
    rows = np.flatnonzero(~_halves(release, seed))
    both = [
        {kind: tuple(values[i] for i in rows) for kind, values in side.items()}
        for side in (release.files.original, release.files.private)
    ]
    return FileFacts(original=both[0], private=both[1])


def _full_size(release: ReleaseUnderTest, seed: int) -> FullSize:
    linked, method = release.linked, release.method
    profile = method.recipe.profile if isinstance(method, PresetMethod) else BASIC
    return FullSize(linked.links, linked.cohort.patients, seed, profile)


def _digest(release: ReleaseUnderTest, effort: Effort, seed: int, verifier: UsedVerifier) -> str:
    """Names what was worked out from the same inputs in the same way."""
    linked, known = release.linked, release.known
    said = {
        "method": to_json(describe_method(release.method)),
        "settings": release.method.settings,
        "effort": asdict(effort),
        "seed": seed,
        "verifier": verifier.sha256,
        "version": __version__,
        "files": None if release.files is None else asdict(release.files),
        "people": [linked.cohort.digest, None if known is None else known.digest],
        "arrays": [
            hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
            for array in (
                linked.private,
                linked.practice,
                release.labels,
                *(() if release.cover is None else (release.cover.content,)),
            )
        ],
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
