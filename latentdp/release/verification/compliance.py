"""Whether the compliance manifest beside a card is whole, is that card's, and follows from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from latentdp.core.documents import to_json
from latentdp.core.version import __version__
from latentdp.errors import InputError
from latentdp.release.verification.check import Check, equal
from latentdp.reports.compliance import COMPLIANCE, ComplianceManifest

__all__ = ["compliance_checks"]

WORDS = ("what", "checked_by", "previous", "sha256")  # which another version may put otherwise


def compliance_checks(
    out: Path, claimed: Any, follows: Callable[[], ComplianceManifest]
) -> list[Check]:
    """Of a folder whose card names the head of a manifest, or that holds one.

    Args:
        out: The folder.
        claimed: The head on its card; empty on a card of 0.1.
        follows: The manifest that follows from the rest of the card.
    """
    if claimed == "" and not (out / COMPLIANCE).exists():
        return []
    try:
        manifest, expected = ComplianceManifest.read(out / COMPLIANCE), follows()
    except InputError:
        return [
            Check(
                claim="compliance manifest",
                claimed=COMPLIANCE,
                found="none that can be read, or none that follows from the card",
                ok=False,
            )
        ]
    same = manifest.version == __version__
    return [
        Check(
            claim="chain of the compliance manifest",
            claimed="whole",
            found="whole" if manifest.whole else "broken",
            ok=manifest.whole,
        ),
        equal("head of the compliance manifest", claimed, manifest.head),
        equal(
            "actions of the compliance manifest",
            _stated(manifest, words=same),
            _stated(expected, words=same),
        ),
    ]


def _stated(manifest: ComplianceManifest, *, words: bool) -> dict[str, Any]:
    values: dict[str, Any] = to_json(manifest)
    if not words:
        for entry in values["entries"]:
            for name in WORDS:
                del entry[name]
    return values
