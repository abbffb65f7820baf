"""The release card: what a third party needs to judge a release, and nothing that links it back.

``release.json`` lies beside the images and is public. It holds no old identifier, path or date.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from latentdp import __version__
from latentdp.atomic import write_text
from latentdp.dicom.actions import attributes
from latentdp.guarantee import Guarantee
from latentdp.layout import MIRROR_WARNING, Layout
from latentdp.privatizer import Privatizer
from latentdp.summary import Summary

__all__ = [
    "GALLERY",
    "NOT_COVERED",
    "PATIENT_RULE",
    "derivation",
    "describe_guarantee",
    "release_card",
    "statement",
    "warnings",
    "write_json",
]

PATIENT_RULE = (
    "sum over the images of a patient, earlier releases from the same vault included; what is "
    "unprotected is not counted"
)
GALLERY = 30_805  # number of patients in ChestX-ray14, for the ceiling on naming the source

NOT_COVERED = (
    "that several images show one patient, where a file names none (all pictures): each "
    "different file then counts as a patient of its own",
    "that two IDs are one patient: the same Patient ID with an issuer in one file and without one "
    "in another counts as two patients",
    "people in the weights' training set, whom the weights may have memorised",
    "how many images the release holds, how many inputs were refused, and which images share a "
    "pseudonymous patient, study or series, also across releases from one vault",
    "the kind of each file (CR, DX, SC or picture) and its marks for burned-in text and lossy "
    "compression, which follow the source",
    "what a reader of this computer's memory, timing or disk could learn during the run",
)


def describe_guarantee(guarantee: Guarantee, unprotected: Sequence[str]) -> dict[str, Any]:
    """The guarantee of an image and what it implies, as JSON values.

    The ceilings bound any attacker, and hold only if nothing is unprotected.
    """
    bounded = not unprotected
    return {
        "epsilon": guarantee.epsilon,
        "delta": guarantee.delta,
        "unit": str(guarantee.unit),
        "relation": str(guarantee.relation),
        "private": guarantee.secure,
        "numerics": "exact" if guarantee.exact else "idealised",
        "verification_auc_at_most": guarantee.verification_ceiling() if bounded else None,
        "top1_at_most": {
            "gallery": GALLERY,
            "rate": guarantee.gallery_ceiling(GALLERY) if bounded else None,
        },
    }


def release_card(
    privatizer: Privatizer,
    summary: Summary,
    *,
    status: str,
    vault: str,
    release: str = "",
    layout: Layout = Layout.FLAT,
) -> dict[str, Any]:
    """The public card of a release.

    Args:
        privatizer: What made it.
        summary: What became of the inputs.
        status: ``complete`` or ``incomplete``.
        vault: The vault's public tag: only that vault may go on with this release.
        release: Random identifier, by which the vault knows where its images lie.
        layout: How they lie.
    """
    recipe, flow, guarantee = privatizer.recipe, privatizer.flow, privatizer.guarantee
    unprotected = privatizer.unprotected + layout.unprotected
    patient = {
        "epsilon": max(summary.patient_epsilon, guarantee.epsilon),
        "delta": max(summary.patient_delta, guarantee.delta),
        "images": summary.most_images,
        "images_in_this_release": summary.most_images_here,
        "unit": "patient",
        "rule": PATIENT_RULE,
    }
    return {
        "tool": "latentdp",
        "version": __version__,
        "status": status,
        "private": guarantee.secure,
        "warnings": warnings(guarantee, layout),
        "guarantee": {
            "image": describe_guarantee(guarantee, unprotected),
            "image_approximate": {
                "epsilon": privatizer.approximate.epsilon,
                "delta": privatizer.approximate.delta,
            },
            "patient": patient,
            "unprotected": list(unprotected),
            "statement": statement(guarantee, unprotected),
            "not_covered": list(NOT_COVERED),
        },
        "recipe": {"digest": recipe.digest}
        | {k: v for k, v in asdict(recipe).items() if k != "weights"},  # it may be a private path
        "plan": privatizer.plan.describe(),
        "weights": {
            "name": flow.name,
            "sha256": flow.sha256,
            "training_data": flow.card.get("training_data", "not stated"),
            "trained_on_private_data": flow.card.get("private_training", "not stated"),
        },
        "image": {
            "size": [privatizer.size, privatizer.size],
            "made_at": list(flow.shape),
            "chosen_among": privatizer.candidates,
            "detail_drawn_at": list(privatizer.octaves),
            "classes": list(flow.classes),
        },
        "header": dict(attributes(recipe.profile)),
        "claims": [asdict(claim) for claim in recipe.profile.claims],
        "counts": summary.public_counts(),
        "layout": str(layout),
        "release": release,
        "vault": vault,
    }


def statement(guarantee: Guarantee, unprotected: Sequence[str]) -> list[str]:
    """The guarantee in words: one line, or two if anything is unprotected."""
    if not unprotected:
        return [f"Any two images are indistinguishable up to {guarantee}."]
    return [
        "Any two images that agree in what is unprotected are indistinguishable up to "
        f"{guarantee}.",
        f"Unprotected, epsilon infinity: {'; '.join(unprotected)}.",
    ]


def warnings(guarantee: Guarantee, layout: Layout = Layout.FLAT) -> list[str]:
    """What a reader must not overlook; empty if there is nothing of the kind."""
    found = [MIRROR_WARNING] if layout == Layout.MIRROR else []
    if not guarantee.secure:
        found.append("NOT PRIVATE: the noise came from a seed")
    if guarantee.epsilon > math.log(GALLERY):
        found.append(
            f"WEAK: epsilon {guarantee.epsilon:.6g} is above ln {GALLERY:,} = "
            f"{math.log(GALLERY):.1f}; nothing formal protects a source from being found in a "
            "gallery of that size"
        )
    if not guarantee.exact:
        found.append(
            "IDEALISED NUMERICS: the guarantee is proved for real numbers, and this mechanism "
            "computes with floating-point ones"
        )
    return found


def derivation(privatizer: Privatizer) -> str:
    """How an output was made, for its header: public facts of the recipe only."""
    recipe, flow, size = privatizer.recipe, privatizer.flow, privatizer.size
    enlarged = f" enlarged to {size}x{size}" if size > flow.shape[0] else ""
    if privatizer.octaves:
        enlarged += f" with drawn detail up to {max(privatizer.octaves)}"
    words = " ".join(statement(privatizer.guarantee, privatizer.unprotected))
    return (
        f"latentdp {__version__}: preset {recipe.preset}, "
        f"mechanism {', '.join(privatizer.plan.mechanisms) or 'none on the latent'}, "
        f"{flow.shape[0]}x{flow.shape[1]} pixels{enlarged}, weights sha256 {flow.sha256[:16]}, "
        f"recipe {recipe.digest[:16]}. {words}"
    )


def write_json(path: Path, data: Any) -> None:
    """Writes JSON, whole or not at all."""
    write_text(path, json.dumps(data, indent=2) + "\n")
