"""What became of a cohort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from latentdp.errors import InputError
from latentdp.release.tasks import Refusal
from latentdp.reports.synthesis_card import CentralGuarantee
from latentdp.vault.spending import Spent

__all__ = ["SynthesisSummary", "reasons"]


@dataclass(frozen=True, kw_only=True)
class SynthesisSummary:
    """What became of a cohort, for the operator's eyes.

    Attributes:
        patients: Who was learnt from.
        files: That were looked at and could be read.
        passed_over: Beyond so many of a patient, and equal ones.
        quarantined: Reason to number of files.
        refused: Each file that was kept back, and why.
        guarantee: Of each patient; None where nobody is left.
        charged: Epsilon that this run charged each patient's account; 0 for a run that went on.
        standing: Most that patients of the cohort have spent in the vault, this and all else.
        images: Drawn.
        findings: Names that are told.
        warnings: What a reader must not overlook.
        already: The folder held these images already.
        report: Private report, in the vault; None for a preview.
    """

    patients: int
    files: int
    passed_over: int
    quarantined: Mapping[str, int]
    refused: Mapping[str, Refusal] = field(default_factory=dict)
    guarantee: CentralGuarantee | None = None
    charged: float = 0.0
    standing: Spent = field(default_factory=Spent)
    images: int = 0
    findings: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    already: bool = False
    report: Path | None = None

    @property
    def exit_code(self) -> int:
        """0 all done, 1 some files quarantined, 2 nothing usable."""
        if not self.patients:
            return InputError.exit_code
        return 1 if self.quarantined else 0


def reasons(refused: Mapping[str, Refusal]) -> dict[str, int]:
    """Number of files by the reason why they are kept back."""
    return dict(sorted(Counter(refusal.reason for refusal in refused.values()).items()))
