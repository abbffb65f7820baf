"""The release card: what a third party needs to judge a release, and nothing that links it back.

``release.json`` lies beside the images and is public. It holds no old identifier, path or date.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from latentdp import __version__
from latentdp.dicom.actions import ACTIONS
from latentdp.guarantee import Guarantee
from latentdp.privatizer import Privatizer

__all__ = ["NOT_COVERED", "describe_guarantee", "release_card", "write_json"]

NOT_COVERED = (
    "people in the weights' training set, whom the weights may have memorised",
    "how many images the release holds, and which of them share a pseudonymous patient",
    "the kind of each file (CR, DX, SC or picture) and its marks for burned-in text and lossy "
    "compression, which follow the source",
    "that an input was refused, where the refusal depends on its pixels",
    "what a reader of this computer's memory, timing or disk could learn during the run",
)


def describe_guarantee(guarantee: Guarantee, gallery: int = 30_805) -> dict[str, Any]:
    """A guarantee and what it implies, as JSON values.

    Args:
        guarantee: To be described.
        gallery: Size of the gallery for the top-1 ceiling; by default the number of patients in
            ChestX-ray14.
    """
    return {
        "epsilon": guarantee.epsilon,
        "delta": guarantee.delta,
        "unit": str(guarantee.unit),
        "relation": str(guarantee.relation),
        "private": guarantee.secure,
        "verification_auc_at_most": guarantee.verification_ceiling(),
        "top1_at_most": {"gallery": gallery, "rate": guarantee.gallery_ceiling(gallery)},
    }


def release_card(
    privatizer: Privatizer,
    *,
    status: str,
    counts: dict[str, Any],
    most_images: int,
    patient_epsilon: float,
) -> dict[str, Any]:
    """The public card of a release.

    Args:
        privatizer: What made it.
        status: ``complete`` or ``incomplete``.
        counts: Inputs, outputs, and quarantined per reason.
        most_images: Largest number of images released of one patient.
        patient_epsilon: Largest epsilon spent on one patient in this vault.
    """
    recipe, flow, guarantee = privatizer.recipe, privatizer.flow, privatizer.guarantee
    patient = {
        "epsilon": max(patient_epsilon, guarantee.epsilon),
        "images": most_images,
        "unit": "patient",
        "rule": "sum over the images of a patient, earlier releases from the same vault included",
    }
    return {
        "tool": "latentdp",
        "version": __version__,
        "status": status,
        "private": guarantee.secure,
        "warning": None if guarantee.secure else "NOT PRIVATE: the noise came from a seed",
        "guarantee": {
            "image": describe_guarantee(guarantee),
            "image_approximate": describe_guarantee(privatizer.approximate),
            "patient": patient,
            "unprotected": list(privatizer.plan.unprotected),
            "statement": statement(privatizer),
            "not_covered": list(NOT_COVERED),
        },
        "recipe": {
            "digest": recipe.digest,
            "preset": recipe.preset,
            "mechanism": recipe.mechanism,
            "epsilon": recipe.epsilon,
            "temperature": recipe.temperature,
        },
        "plan": privatizer.plan.describe(),
        "weights": {
            "name": flow.name,
            "sha256": flow.sha256,
            "training_data": flow.card.get("training_data", "not stated"),
            "trained_on_private_data": flow.card.get("private_training", "not stated"),
        },
        "image": {"size": list(flow.shape), "classes": list(flow.classes)},
        "header": {a.keyword: a.holds for a in ACTIONS},
        "counts": counts,
    }


def statement(privatizer: Privatizer) -> list[str]:
    """The guarantee in words: one line, or two if anything is unprotected."""
    plan, guarantee = privatizer.plan, privatizer.guarantee
    if not plan.unprotected:
        return [f"Any two images are indistinguishable up to {guarantee}."]
    kept = "; ".join(plan.unprotected)
    return [
        "Any two images that agree in what is unprotected are indistinguishable up to "
        f"{guarantee}.",
        f"Unprotected, epsilon infinity: {kept}.",
    ]


def write_json(path: Path, data: Any) -> None:
    """Writes JSON to a temporary name, then renames it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(json.dumps(data, indent=2, sort_keys=False) + "\n", encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
