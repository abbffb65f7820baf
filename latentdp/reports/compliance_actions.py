"""Which actions a release or a synthesis took, as its card tells, and the clauses of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from latentdp.reports.compliance import ComplianceAction, ComplianceManifest
from latentdp.reports.compliance_clauses import (
    ACCOUNTABLE,
    BASIC,
    DESIGN,
    EXPERT,
    HEADERS,
    IDENTIFIABLE,
    MINIMAL,
    NUMBERS,
    PERSONAL,
    STEWARD,
    VAULT,
    Released,
    held,
)
from latentdp.reports.compliance_header import header_actions
from latentdp.reports.language import message
from latentdp.reports.layout import Layout
from latentdp.reports.synthesis_card import SynthesisCard

__all__ = ["release_manifest", "synthesis_manifest"]


def release_manifest(card: Released) -> ComplianceManifest:
    """What was done in a release; of what the card says of its own manifest nothing is read."""
    return ComplianceManifest.of(
        _release(card), version=card.version, release=card.release, recipe=card.recipe.digest
    )


def synthesis_manifest(card: SynthesisCard) -> ComplianceManifest:
    """The same of a synthesis."""
    return ComplianceManifest.of(
        _synthesis(card), version=card.version, release=card.synthesis.run, recipe=""
    )


def _release(card: Released) -> Iterator[ComplianceAction]:
    yield from header_actions(card)
    yield from _pixels(card)
    yield from _beside(card)
    yield ACCOUNT


def _pixels(card: Released) -> Iterator[ComplianceAction]:
    """What became of the picture."""
    kept = any(block.action == "keep" for block in card.plan.blocks)
    if kept:
        yield ComplianceAction(
            action="pixels-replaced-without-guarantee",
            what=message(
                "Every picture is replaced by a new one, to which something of the source's "
                "picture is passed on without noise. No guarantee covers that."
            ),
            attributes=held(card, ("PixelData",), "from the mechanism"),
            dicom=("E.3.2 Clean Recognizable Visual Features",),
            gdpr=(PERSONAL, IDENTIFIABLE),
            hipaa=("164.514(b)(2)(i)(Q)", EXPERT),
            passes_on=True,
            checked_by=NUMBERS,
        )
    else:
        yield ComplianceAction(
            action="pixels-replaced",
            what=message(
                "Every picture is replaced by a new one, which a mechanism of differential "
                "privacy bounds; the bound stands on the card."
            ),
            attributes=held(card, ("PixelData",), "from the mechanism"),
            dicom=("E.3.1 Clean Pixel Data", "E.3.2 Clean Recognizable Visual Features"),
            gdpr=(IDENTIFIABLE, DESIGN),
            hipaa=("164.514(b)(2)(i)(Q)", EXPERT),
            checked_by=NUMBERS,
        )
    if card.recipe.profile.accept_burned_in:
        yield ComplianceAction(
            action="burned-in-text-reviewed",
            what=message(
                "A person looked at the pixels of every input and found no text that identifies "
                "anybody; Clean Pixel Data (113101) is claimed."
            ),
            attributes=held(card, ("BurnedInAnnotation",), "constant"),
            dicom=("E.3.1 Clean Pixel Data (113101)",),
            gdpr=(MINIMAL,),
            hipaa=("164.514(b)(2)(i)(R)",),
            checked_by=STEWARD,
        )
    else:
        yield ComplianceAction(
            action="burned-in-text-refused",
            what=message(
                "Files that state text in their pixels, and DX files that do not deny it, are "
                "kept back; Clean Pixel Data (113101) is not claimed."
            ),
            attributes=held(card, ("BurnedInAnnotation",), "source value"),
            dicom=("E.3.1 Clean Pixel Data",),
            gdpr=(MINIMAL,),
            hipaa=("164.514(b)(2)(i)(R)",),
            checked_by=HEADERS,
        )
    if card.recipe.profile.evidence:
        yield ComplianceAction(
            action="visual-features-measured",
            what=message(
                "Clean Recognizable Visual Features (113102) is claimed, with what an evaluation "
                "of this recipe measured."
            ),
            attributes=held(card, ("RecognizableVisualFeatures",), "constant"),
            dicom=("E.3.2 Clean Recognizable Visual Features (113102)",),
            gdpr=(IDENTIFIABLE,),
            hipaa=("164.514(b)(2)(i)(Q)", EXPERT),
            checked_by=STEWARD,
        )
    else:
        yield ComplianceAction(
            action="visual-features-not-claimed",
            what=message(
                "Clean Recognizable Visual Features (113102) is not claimed: the recipe carries "
                "no evidence for it."
            ),
            dicom=("E.3.2 Clean Recognizable Visual Features",),
            gdpr=(IDENTIFIABLE,),
            hipaa=("164.514(b)(2)(i)(Q)",),
            checked_by=HEADERS,
        )


def _beside(card: Released) -> Iterator[ComplianceAction]:
    """What is released beside the files' headers and pixels."""
    label: dict[str, Any] = {"gdpr": ("Art. 9(1) data concerning health", MINIMAL)}
    if card.plan.label.release == "none":
        yield ComplianceAction(
            action="labels-withheld",
            what=message("No finding is used or released."),
            hipaa=(EXPERT,),
            checked_by=NUMBERS,
            **label,
        )
    elif card.plan.label.release == "response":
        yield ComplianceAction(
            action="labels-randomised",
            what=message(
                "Findings are released by randomised response, at a share of epsilon; each may be "
                "another one than the true."
            ),
            hipaa=(EXPERT,),
            checked_by=NUMBERS,
            **label,
        )
    else:
        yield ComplianceAction(
            action="labels-released",
            what=message("Findings are released exactly. No guarantee covers that."),
            hipaa=(EXPERT,),
            passes_on=True,
            checked_by=NUMBERS,
            **label,
        )
    if card.layout is Layout.MIRROR:
        yield ComplianceAction(
            action="names-mirrored",
            what=message(
                "Names of folders and files follow the source's. No guarantee covers that."
            ),
            gdpr=(PERSONAL, IDENTIFIABLE),
            hipaa=("164.514(b)(2)(i)(A)", "164.514(b)(2)(i)(R)"),
            passes_on=True,
            checked_by=NUMBERS,
        )
    else:
        yield ComplianceAction(
            action="names-random",
            what=message("Files have random names; folders, if there are any, have pseudonyms."),
            gdpr=(MINIMAL,),
            hipaa=("164.514(b)(2)(i)(R)",),
            checked_by=NUMBERS,
        )


def _synthesis(card: SynthesisCard) -> Iterator[ComplianceAction]:
    yield ComplianceAction(
        action="learnt-with-noise",
        what=message(
            "A generator was learnt from noisy sums over all patients; differential privacy "
            "bounds what it says of any one of them."
        ),
        gdpr=(IDENTIFIABLE, DESIGN, MINIMAL),
        hipaa=(EXPERT,),
        checked_by=NUMBERS,
    )
    yield ComplianceAction(
        action="pixels-synthesised",
        what=message("Every picture is drawn from the generator. None was made from one patient."),
        dicom=("E.3.1 Clean Pixel Data", "E.3.2 Clean Recognizable Visual Features"),
        gdpr=(IDENTIFIABLE,),
        hipaa=("164.514(b)(2)(i)(Q)", EXPERT),
        checked_by=NUMBERS,
    )
    yield ComplianceAction(
        action="no-header",
        what=message(
            "Files hold nothing of a source's header, no pseudonym of a patient and no date of "
            "theirs; their names are numbers."
        ),
        dicom=(BASIC,),
        gdpr=(MINIMAL,),
        hipaa=("164.514(b)(2)(i)(A)-(R)",),
        checked_by=NUMBERS,
    )
    yield ComplianceAction(
        action="labels-synthesised",
        what=message("Labels are drawn with the pictures, from what was learnt with noise."),
        gdpr=("Art. 9(1) data concerning health", MINIMAL),
        hipaa=(EXPERT,),
        checked_by=NUMBERS,
    )
    if card.synthesis.recipe.accept_burned_in:
        yield ComplianceAction(
            action="burned-in-text-reviewed",
            what=message(
                "A person looked at the pixels of every input and found no text that identifies "
                "anybody."
            ),
            dicom=("E.3.1 Clean Pixel Data",),
            gdpr=(MINIMAL,),
            hipaa=("164.514(b)(2)(i)(R)",),
            checked_by=STEWARD,
        )
    yield ACCOUNT


ACCOUNT = ComplianceAction(
    action="accounted",
    what=message(
        "What each patient spends is reserved in the vault's ledger before any noise is drawn, "
        "and added up over all releases from that vault."
    ),
    gdpr=(ACCOUNTABLE, "Art. 30 records of processing activities"),
    hipaa=("164.514(b)(1)(ii)",),
    checked_by=VAULT,
)
