"""What became of every input of a run, or would become of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from latentdp.core.arrays import UNKNOWN
from latentdp.errors import InputError
from latentdp.metrics.fit import Fit
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.patient_budget import UNBOUNDED, PatientBudget
from latentdp.release.tasks import BEYOND, Refusal
from latentdp.reports.card_guarantee import PatientGuarantee
from latentdp.reports.guarantee_words import EARLIER
from latentdp.vault.ledger import LedgerEntry, Spent

__all__ = ["Counts", "Summary", "Tally"]

NOTHING_KNOWN = Guarantee(epsilon=math.inf)
NOTHING_RATED = Fit(odd=0, rated=0)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What became of the inputs, for the operator's eyes.

    Attributes:
        inputs: Files.
        outputs: Images, those of earlier runs included.
        duplicates: Files for which another one's output stands.
        quarantined: Reason to number of files.
        beyond_images_per_patient: Files left out, since a patient's budget does not pay for them.
        unlabelled: Files without a label, of those that have an output; None where labels are not
            used.
    """

    inputs: int
    outputs: int
    duplicates: int
    quarantined: dict[str, int]
    beyond_images_per_patient: int = 0
    unlabelled: int | None = None


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Counts; inputs = released + already + duplicates + beyond + quarantined.

    Attributes:
        inputs: Number of files found.
        outputs: Number of images in the release folder, those of earlier runs included.
        released: Written in this run.
        already: Finished in an earlier run, or copied from its folder; not charged again.
        duplicates: The same picture of the same patient as another input, whose output stands
            for both.
        beyond: Left out, since the patient's budget does not pay for them.
        quarantined: Reason to number of files.
        unlabelled: Inputs without a label, of those that have an output; None where labels are
            not used.
        fit: Of the images that this run rated to the weights: private.
        spent: Epsilon charged in this run, summed over all patients.
        patients: Number of patients with an output in the folder.
        most_images: Largest number of releases of one of them in this vault.
        most_images_here: Largest number of outputs of one of them in the folder.
        patient_epsilon: Largest epsilon of one of them in this vault.
        patient_delta: Largest delta of one of them in this vault.
        patient_unprotected: Whether something of one of them was released exactly in this vault.
        guarantee: Of each image; epsilon is infinity where anything is unprotected.
        budget: Most that all releases of a patient may be.
        report: Private report of the run, in the vault; None for a preview.
    """

    inputs: int = 0
    outputs: int = 0
    released: int = 0
    already: int = 0
    duplicates: int = 0
    beyond: int = 0
    quarantined: Mapping[str, int] = field(default_factory=dict)
    unlabelled: int | None = None
    fit: Fit = NOTHING_RATED
    spent: float = 0.0
    patients: int = 0
    most_images: int = 0
    most_images_here: int = 0
    patient_epsilon: float = 0.0
    patient_delta: float = 0.0
    patient_unprotected: bool = False
    guarantee: Guarantee = NOTHING_KNOWN
    budget: PatientBudget = UNBOUNDED
    report: Path | None = None

    @property
    def unprotected(self) -> tuple[str, ...]:
        """What of an input is released exactly; epsilon is infinity for it."""
        return self.guarantee.unprotected

    @property
    def patient(self) -> Guarantee:
        """The guarantee of a patient of whom most may be released, or was.

        What the budget allows holds of everybody, whatever images they have. Where there is none
        it is at least that of an image.
        """
        most = self.budget.most(self.guarantee.noised_part)
        noised = replace(
            most,
            epsilon=max(self.patient_epsilon, most.epsilon),
            delta=max(self.patient_delta, most.delta),
        )
        earlier = (EARLIER,) if self.patient_unprotected else ()
        return noised.beside(*(self.unprotected or earlier))

    @property
    def stated_patient(self) -> PatientGuarantee:
        """The same for a document."""
        return PatientGuarantee.of(
            self.patient,
            images=max(self.most_images, self.budget.images or 0),
            images_in_this_release=self.most_images_here,
        )

    @property
    def accounted(self) -> int:
        """Number of inputs whose fate is known."""
        kept = self.released + self.already + self.duplicates + self.beyond
        return kept + sum(self.quarantined.values())

    @property
    def exit_code(self) -> int:
        """0 all done, 1 some quarantined, 2 nothing usable."""
        usable = self.released or self.already or self.beyond
        if not (usable or self.quarantined.get("lost")):
            return InputError.exit_code
        return 1 if self.quarantined else 0

    def counts(self) -> Counts:
        """For the operator's eyes."""
        return Counts(
            inputs=self.inputs,
            outputs=self.released + self.already,
            duplicates=self.duplicates,
            quarantined=dict(sorted(self.quarantined.items())),
            beyond_images_per_patient=self.beyond,
            unlabelled=self.unlabelled,
        )


@dataclass(kw_only=True)
class Tally:
    """The counts of `Summary` while they are being made.

    Attributes:
        inputs: Number of inputs.
        released: Images that were released by this run, up from 0.
        already: Inputs whose output an earlier run released, up from 0.
        duplicates: Inputs for which the output of an equal one stands, up from 0.
        beyond: Number of inputs beyond those of a patient, by `refuse`, up from 0.
        quarantined: Number of refused inputs by reason, by `refuse`, from empty.
        unlabelled: Inputs without a label, up from 0; None where labels are not used.
        odd: Images that are unlike what the weights learnt from, up from 0, by `rate`.
        rated: All that were rated, up from 0, by `rate`.
        spent: Up from 0, by `charge`.
    """

    inputs: int
    released: int = 0
    already: int = 0
    duplicates: int = 0
    beyond: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    unlabelled: int | None = None
    odd: int = 0
    rated: int = 0
    spent: float = 0.0

    def refuse(self, refusal: Refusal) -> None:
        """Counts an input that has no output."""
        if refusal == BEYOND:
            self.beyond += 1
        else:
            self.quarantined[refusal.reason] += 1

    def count_label(self, label: int) -> None:
        """Counts an input that has an output, or shares one."""
        if self.unlabelled is not None:
            self.unlabelled += label == UNKNOWN

    def rate(self, odd: Collection[bool]) -> None:
        """Counts images by whether they are unlike what the weights learnt from."""
        self.rated += len(odd)
        self.odd += sum(odd)

    @property
    def accounted(self) -> int:
        """Number of inputs whose fate is known."""
        kept = self.released + self.already + self.duplicates + self.beyond
        return kept + self.quarantined.total()

    def charge(self, entries: Collection[LedgerEntry]) -> None:
        """Adds what reservations cost."""
        self.spent += sum(entry.micro_epsilon for entry in entries) / 1e6

    def summary(
        self,
        here: Collection[LedgerEntry],
        spent: Mapping[str, Spent],
        *,
        guarantee: Guarantee,
        budget: PatientBudget = UNBOUNDED,
        report: Path | None = None,
    ) -> Summary:
        """The summary as of now.

        Args:
            here: What lies in the release folder.
            spent: What each patient with an output in it has spent in the vault.
            guarantee: Of each image.
            budget: Most that all releases of a patient may be.
            report: Of the run.
        """
        images = Counter(entry.subject for entry in here)
        people = spent.values()
        return Summary(
            inputs=self.inputs,
            outputs=len(here),
            released=self.released,
            already=self.already,
            duplicates=self.duplicates,
            beyond=self.beyond,
            quarantined=dict(self.quarantined),
            unlabelled=self.unlabelled,
            fit=Fit(self.odd, self.rated),
            spent=self.spent,
            patients=len(people),
            most_images=max((s.releases for s in people), default=0),
            most_images_here=max(images.values(), default=0),
            patient_epsilon=max((s.micro_epsilon for s in people), default=0) / 1e6,
            patient_delta=max((s.pico_delta for s in people), default=0) / 1e12,
            patient_unprotected=any(s.unprotected for s in people),
            guarantee=guarantee,
            budget=budget,
            report=report,
        )
