"""What became of every input of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from latentdp.errors import InputError
from latentdp.reports.release_card_parts import CardCounts, RunCounts
from latentdp.vault.ledger import Spent

__all__ = ["Counts", "Summary"]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What became of the inputs, for the operator's eyes.

    Attributes:
        inputs: Files.
        outputs: Images, those of earlier runs included.
        duplicates: Files for which another one's output stands.
        quarantined: Reason to number of files.
    """

    inputs: int
    outputs: int
    duplicates: int
    quarantined: dict[str, int]


@dataclass
class Summary:
    """Counts; inputs = released + already + duplicates + quarantined.

    Attributes:
        inputs: Number of files found.
        outputs: Number of images in the release folder, those of earlier runs included.
        released: Written in this run.
        already: Finished in an earlier run, or copied from its folder; not charged again.
        duplicates: The same picture of the same patient as another input, whose output stands
            for both.
        quarantined: Reason to number of files.
        spent: Epsilon charged in this run, summed over all patients.
        patients: Number of patients with an output in the folder.
        most_images: Largest number of releases of one of them in this vault.
        most_images_here: Largest number of outputs of one of them in the folder.
        patient_epsilon: Largest epsilon of one of them in this vault.
        patient_delta: Largest delta of one of them in this vault.
        report: Private report of the run, in the vault; None for a preview.
    """

    inputs: int = 0
    outputs: int = 0
    released: int = 0
    already: int = 0
    duplicates: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    spent: float = 0.0
    patients: int = 0
    most_images: int = 0
    most_images_here: int = 0
    patient_epsilon: float = 0.0
    patient_delta: float = 0.0
    report: Path | None = None

    def count_patients(self, spent: Collection[Spent]) -> None:
        """Sets what is told of patients.

        Args:
            spent: What each patient with an output in the folder has spent in the vault.
        """
        self.patients = len(spent)
        self.most_images = max((s.releases for s in spent), default=0)
        self.patient_epsilon = max((s.micro_epsilon for s in spent), default=0) / 1e6
        self.patient_delta = max((s.pico_delta for s in spent), default=0) / 1e12

    @property
    def accounted(self) -> int:
        """Number of inputs whose fate is known."""
        kept = self.released + self.already + self.duplicates
        return kept + sum(self.quarantined.values())

    @property
    def exit_code(self) -> int:
        """0 all done, 1 some quarantined, 2 nothing usable."""
        if not (self.released or self.already or self.quarantined["lost"]):
            return InputError.exit_code
        return 1 if self.quarantined else 0

    def counts(self) -> Counts:
        """For the operator's eyes."""
        return Counts(
            inputs=self.inputs,
            outputs=self.released + self.already,
            duplicates=self.duplicates,
            quarantined=dict(sorted(self.quarantined.items())),
        )

    def public_counts(self) -> CardCounts:
        """For the card: no reasons, since some depend on what an image shows."""
        return CardCounts(
            images_in_release=self.outputs,
            last_run=RunCounts(
                inputs=self.inputs,
                outputs=self.released + self.already,
                duplicates=self.duplicates,
                quarantined=sum(self.quarantined.values()),
            ),
        )
