"""Recomputes what the card of a synthesis claims from the noise that stands on it.

No weights, no images and no vault are needed. The recipe says what was asked for, the releases
with which noise it was done, and every epsilon follows from these. It cannot tell whether the
generator was learnt as the card says.
"""

from __future__ import annotations

from pathlib import Path

from latentdp.core.filesystem import digest
from latentdp.errors import InputError, WeightsError
from latentdp.release.verification.check import Check, equal
from latentdp.release.verification.compliance import compliance_checks
from latentdp.release.verification.folder import stated_card
from latentdp.release.verify import Verification
from latentdp.release.verify import verify as verify_release
from latentdp.reports.answers_card import AnswersCard
from latentdp.reports.compliance_actions import synthesis_manifest
from latentdp.reports.release_card import CARD, IMAGES
from latentdp.reports.release_contents import GENERATOR, PAGE, contents_of
from latentdp.reports.synthesis_card import SynthesisCard
from latentdp.synthesis.generator import Generator
from latentdp.synthesis.learnt_checks import learnt_checks, same
from latentdp.synthesis.voting.verify import verify_answers

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
        release: The folder of a release or a synthesis, or its ``release.json``; or that of the
            answers of voters, or its ``answers.json``.

    Raises:
        InputError: There is no card of this tool, or it lacks what the checks need.
    """
    place = Path(release)
    if AnswersCard.find(place) is not None:
        return verify_answers(place)
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
    checks = learnt_checks(card.synthesis)
    checks.append(same("refuted by an evaluation", card.refuted, False))
    if place.is_dir():
        checks += _folder(card, place)
    return Verification(
        checks=tuple(checks), warnings=card.synthesis.warnings, not_checked=NOT_CHECKED
    )


def _folder(card: SynthesisCard, out: Path) -> list[Check]:
    checks = [same("status", card.status, "complete")]
    images = sum(1 for path in (out / IMAGES).glob("*") if path.is_file())
    checks.append(same("number of images", card.images.count, images))
    if card.contents_sha256:
        checks.append(same("digest of all files", card.contents_sha256, contents_of(out)))
    checks += compliance_checks(out, card.compliance, lambda: synthesis_manifest(card))
    checks += _page(out)
    file = out / GENERATOR
    if file.is_file():
        checks.append(same("generator", card.generator, digest(file)))
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


def _page(out: Path) -> list[Check]:
    """That the page beside a card is of that card."""
    if not (out / PAGE).exists():
        return []
    return [equal(f"card of {PAGE}", stated_card(out / PAGE), digest(out / CARD))]
