"""What a run of `privatize` is told about, in rows of a table and in JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from latentdp.privacy.rounding import printed

if TYPE_CHECKING:
    from latentdp.privacy.guarantee import Guarantee
    from latentdp.release.summary import Summary

__all__ = ["charge", "count_rows", "misplaced_vault", "noised_part_alone"]


def misplaced_vault(vault: Path, out: Path) -> list[tuple[str, str]]:
    """Says that a vault lies where it may be handed over with the release."""
    from latentdp.vault.default_vault import beside

    if vault.resolve() != beside(out):
        return []
    advice = "move it elsewhere, and name it with --vault"
    return [("WARNING", f"the vault lies beside the release, where version 0.1 made it: {advice}")]


def count_rows(summary: Summary, verb: str) -> list[tuple[str, str]]:
    rows = [(verb, str(summary.released))]
    if summary.already:
        rows.append(("already there", f"{summary.already} (not charged again)"))
    if summary.duplicates:
        rows.append(("duplicates", f"{summary.duplicates} (same picture as another input)"))
    for reason, count in sorted(summary.quarantined.items()):
        rows.append(("quarantined", f"{count} {reason}"))
    if summary.unlabelled:
        rows.append(("without a label", f"{summary.unlabelled} of the inputs"))
    rows.append(
        (
            "patients",
            f"{summary.patients}; most spent on one: epsilon {printed(summary.patient_epsilon)} "
            f"({summary.most_images} images){noised_part_alone(summary.patient)}",
        )
    )
    return rows


def noised_part_alone(guarantee: Guarantee) -> str:
    """What a sum of epsilons does not tell where something is, or was, released exactly."""
    if not guarantee.unprotected:
        return ""
    return " for the noised part alone; of the whole it is infinity"


def charge(name: str, summary: Summary) -> dict[str, float | None]:
    """What a run costs, under a name; None for infinity, which the noised part does not tell."""
    if not summary.unprotected:
        return {f"epsilon_{name}": summary.spent}
    return {f"epsilon_{name}": None, f"epsilon_of_noised_part_{name}": summary.spent}
