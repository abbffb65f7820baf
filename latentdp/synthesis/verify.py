"""Recomputes what the card of a synthesis claims from the noise that stands on it.

No weights, no images and no vault are needed. The recipe says what was asked for, the releases
with which noise it was done, and every epsilon follows from these. It cannot tell whether the
generator was learnt as the card says.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from latentdp.core.filesystem import digest
from latentdp.errors import InputError, WeightsError
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.release.verification.check import CALIBRATION, Check, equal
from latentdp.release.verify import Verification
from latentdp.release.verify import verify as verify_release
from latentdp.reports.release_card import IMAGES
from latentdp.reports.synthesis_card import NoisyRelease, Synthesis, SynthesisCard
from latentdp.synthesis.describe import (
    FAINT,
    HEAD,
    STATISTICS,
    guarantee_of,
    releases_of,
    warnings_of,
)
from latentdp.synthesis.generator import Generator
from latentdp.synthesis.plan import SynthesisPlan
from latentdp.synthesis.write import GENERATOR

__all__ = ["verify", "verify_synthesis"]

NOT_CHECKED = (
    "whether the generator was learnt as the card says: noise leaves no proof of how it was drawn",
    "what only the vault knows: who is in the cohort, and what else was released of them",
    "whether the images were drawn from the generator beside them",
    "what the weights learnt from",
)


def verify(release: str | Path) -> Verification:
    """Recomputes what a release or a synthesis claims from the parameters on its card.

        >>> import latentdp
        >>> _ = latentdp.privatize_folder("samples/cxr/clinic-a", "release")
        >>> latentdp.verify("release").ok
        True

    Args:
        release: The folder of a release or a synthesis, or its ``release.json``.

    Raises:
        InputError: There is no card of this tool, or it lacks what the checks need.
    """
    place = Path(release)
    synthetic = SynthesisCard.find(place) is not None
    return verify_synthesis(place) if synthetic else verify_release(place)


def verify_synthesis(place: Path) -> Verification:
    """Recomputes all claims of a card; of a folder, also that it holds what the card names.

    Args:
        place: The folder of a synthesis, or its ``release.json``.

    Raises:
        InputError: There is no card of a synthesis, or its noise is none.
    """
    card = SynthesisCard.find(place)
    if card is None:
        raise InputError("expected the card of a synthesis; there is none")
    checks = _learnt(card.synthesis)
    if place.is_dir():
        checks += _folder(card, place)
    return Verification(
        checks=tuple(checks), warnings=card.synthesis.warnings, not_checked=NOT_CHECKED
    )


def _learnt(synthesis: Synthesis) -> list[Check]:
    recipe, told = synthesis.recipe, synthesis.guarantee
    plan = _plan(synthesis)
    declared = bool(recipe.declared)
    asked = SynthesisPlan.calibrate(recipe.epsilon, recipe.delta, declared=declared)
    follows = guarantee_of(plan, secure=True)
    bounds = []
    for name in ("replace_one", "add_remove"):
        claimed, found = getattr(told, name), getattr(follows, name)
        what = found.relation
        bounds += [
            equal(f"epsilon of a patient, {what}", claimed.epsilon, found.epsilon, CALIBRATION),
            _same(f"delta of a patient, {what}", claimed.delta, found.delta),
            _same(f"unit and relation, {what}", [claimed.unit, claimed.relation],
                  [found.unit, found.relation]),
        ]  # fmt: skip
    warnings = warnings_of(follows, faint=False, findings=synthesis.findings)
    return [
        *_noise(synthesis, asked),
        _same("delta of the names", synthesis.names_delta, asked.names_delta),
        *bounds,
        equal("charged to each patient", told.charged, follows.charged, CALIBRATION),
        _at_most("epsilon that was asked for", told.charged, recipe.epsilon),
        _same("noise from a secure source", told.private, True),
        _same("numerics", told.numerics, follows.numerics),
        _same("statement", told.statement, follows.statement),
        _same("not covered", told.not_covered, follows.not_covered),
        _same("warnings", [w for w in synthesis.warnings if w != FAINT], list(warnings)),
        _same(
            "findings are declared ones",
            sorted(set(synthesis.findings) - set(recipe.declared)) if declared else [],
            [],
        ),
    ]


def _noise(synthesis: Synthesis, asked: SynthesisPlan) -> list[Check]:
    checks = []
    for claimed, found in zip(synthesis.releases, releases_of(asked), strict=True):
        checks += [
            _same(f"releases of the {found.what}", [claimed.what, claimed.rounds, claimed.grid],
                  [found.what, found.rounds, found.grid]),
            equal(f"noise of the {found.what}", claimed.scale, found.scale, CALIBRATION),
        ]  # fmt: skip
    return checks


def _plan(synthesis: Synthesis) -> SynthesisPlan:
    """From the noise on the card."""
    if [release.what for release in synthesis.releases] != [STATISTICS, HEAD]:
        raise InputError("the card of the synthesis is of another version: other releases")
    statistics, gradients = map(_mechanism, synthesis.releases)
    return SynthesisPlan(
        delta=synthesis.recipe.delta,
        names_delta=synthesis.names_delta,
        statistics=statistics,
        gradients=gradients,
        rounds=synthesis.releases[1].rounds,
    )


def _mechanism(release: NoisyRelease) -> NoisySum:
    return NoisySum(grid=release.grid, scale=release.scale)


def _folder(card: SynthesisCard, out: Path) -> list[Check]:
    checks = [_same("status", card.status, "complete")]
    images = sum(1 for path in (out / IMAGES).glob("*") if path.is_file())
    checks.append(_same("number of images", card.images.count, images))
    file = out / GENERATOR
    if file.is_file():
        checks.append(_same("generator", card.generator, digest(file)))
        try:
            inside = Generator.load(file).synthesis
        except WeightsError:
            inside = None
        checks.append(
            Check(
                claim="the generator says the same of itself",
                claimed=card.synthesis.run,
                found=None if inside is None else inside.run,
                ok=inside == card.synthesis,
            )
        )
    return checks


def _same(claim: str, claimed: Any, found: Any) -> Check:
    return Check(claim=claim, claimed=claimed, found=found, ok=claimed == found)


def _at_most(claim: str, claimed: float, limit: float) -> Check:
    return Check(claim=claim, claimed=claimed, found=limit, ok=claimed <= limit)
