"""A site's file and its cohort in, an evaluation out: what the steward looks at before sending."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentdp.core import plugins
from latentdp.core.progress import ProgressCallback, forward, part, silent
from latentdp.federation.attacks._site_sums import SiteSums
from latentdp.federation.attacks.base import SharingAttack, SharingScene, SitePeople
from latentdp.federation.site_file import Site
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.evaluation_parts import Unavailable
from latentdp.reports.results import Outcome
from latentdp.synthesis.evaluation.measure import Session
from latentdp.synthesis.evaluation.request import (
    READ,
    EvaluationRequest,
    SyntheticEvaluationReport,
)
from latentdp.synthesis.evaluation.synthetic_set import SyntheticSet

__all__ = ["evaluate_site"]

DRAWN, FEW_DRAWN = 1_000, 300  # images from the generator in the file, and for a first look
MEASURED = 0.8  # progress: all but the attacks on sums is done
UNKNOWN_SEX = ""


def evaluate_site(
    cohort: str | Path,
    site: str | Path,
    *,
    labels: str | Path | None = None,
    test: str | Path | None = None,
    test_labels: str | Path | None = None,
    vault: str | Path | None = None,
    weights: str = "",
    report: str | Path | None = None,
    images: int = 2_000,
    quick: bool = False,
    seed: int = 0,
    verifier: str = "",
    progress: ProgressCallback = silent,
) -> SyntheticEvaluationReport:
    """Attacks the file of `latentdp federate share` as whoever adds up sites could.

    As ``latentdp evaluate`` does where OUT is such a file. What is asked of a synthetic data set
    is asked of images that the generator in the file draws; and each attack in
    `latentdp.federation.attacks` is made on its sums, with the noise on its card. Nothing is
    learnt again for a release, and nobody is charged.

    Args:
        cohort: As it was given to ``latentdp federate share``.
        site: The file.
        labels: As of `latentdp.evaluate_synthesis`, and so the others.
        test: Other patients.
        test_labels: Their findings.
        vault: That was charged.
        weights: The public ones, if they are not shipped.
        report: Private folder to write to.
        images: Of either group of people, that are looked at, at most about.
        quick: A first look.
        seed: Of everything random; the same seed gives the same report.
        verifier: Weights of the verifier; empty for the shipped ones that fit.
        progress: Called with the share done, in [0, 1], and words.

    Raises:
        InputError: It is no such file, was altered, or belongs to another cohort or vault; nothing
            was written.
        WeightsError: Weights are refused, or are others.

    Example:
        >>> import latentdp
        >>> latentdp.evaluate_site("samples/cxr", "north.site")
        Traceback (most recent call last):
        ...
        latentdp.errors.InputError: north.site: expected a file of latentdp federate share, which \
is whole
    """
    from latentdp.models.flow.flow import load_flow

    read = Site.read(Path(site))
    request = EvaluationRequest.of(
        cohort,
        site,
        labels=labels,
        test=test,
        test_labels=test_labels,
        vault=vault,
        report=report,
        images=images,
        quick=quick,
        seed=seed,
        verifier=verifier,
    )
    tell = forward(progress)
    flow = load_flow(weights or read.generator.synthesis.weights.name, exact=False)
    drawn = min(images, FEW_DRAWN if quick else DRAWN)
    released = SyntheticSet.drawn(read.generator, flow, drawn, seed)
    session = request.session(released, flow, tell)
    measured = session.measure(part(tell, READ, MEASURED))
    measured.sharing, unmeasured = attacked(session, part(tell, MEASURED, 1.0))
    measured.unmeasured += unmeasured
    return request.written(session, measured, Path(site), read.card.name)


def attacked(
    session: Session, tell: ProgressCallback
) -> tuple[tuple[Outcome, ...], tuple[Unavailable, ...]]:
    """What all plug-ins find, and which could not be run.

    Who is a member is asked by shadow releases of all that is in the file, its head included; that
    of the sums alone is part of it.
    """
    scene = _scene(session)
    found: list[Outcome] = []
    missing: list[Unavailable] = []
    names = plugins.names("sharing attacks")
    for i, name in enumerate(names):
        attack: SharingAttack = plugins.load("sharing attacks", name).attack
        if attack.kind is AttackKind.MEMBERSHIP:
            continue
        reason = attack.unavailable_reason(scene)
        if reason is not None:
            missing.append(Unavailable(name=name.replace("_", " "), why=reason))
            continue
        found += attack.run(scene, part(tell, i / len(names), (i + 1) / len(names)))
    return tuple(found), tuple(missing)


def _scene(session: Session) -> SharingScene:
    released, own = session.released, session.people.cohort
    method = plugins.load("synthesis methods", released.generator.synthesis.recipe.method).method
    # Of findings that are declared: those alone are in the file.
    sums = SiteSums(
        method(session.public, len(session.people.vocabulary)), released.plan.statistics
    )
    return SharingScene(
        shared=sums,
        site=SitePeople(seen=session.cohort, images=own.images),
        flow=session.flow,
        traits=_traits(session),
        seed=session.seed,
        targets=session.effort.rebuilt,
        gallery=session.effort.gallery,
    )


def _traits(session: Session) -> Mapping[str, NDArray[np.bool_]]:
    """Of patients ``(p,)``: each finding that somebody named, and sex where it is known of all."""
    own = session.people.cohort
    names = sorted({name for said in own.said for name in said})

    def any_image(rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return np.bincount(own.patients, weights=rows) > 0

    shown = own.shown(names)
    traits = {name: any_image(shown[:, i]) for i, name in enumerate(names)}
    if not (own.sexes == UNKNOWN_SEX).any():
        traits["sex F"] = any_image(own.sexes == "F")
    return traits
