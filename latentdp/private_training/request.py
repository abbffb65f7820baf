"""What one private training is asked to do: validated once, before weights or files are read."""

from __future__ import annotations

from dataclasses import dataclass

from latentdp.errors import InputError
from latentdp.private_training.methods.base import method_of
from latentdp.private_training.schedule import CONSTANT
from latentdp.reports.training_card import TrainingRecipe
from latentdp.synthesis.request import CohortRequest

__all__ = ["TrainingRequest"]

SUFFIX = ".safetensors"


@dataclass(frozen=True, kw_only=True)
class TrainingRequest(CohortRequest):
    """A private training, or a preview of one. Its ``out`` is the file of the classifier.

    Attributes:
        method: Of training.
        schedule: Of its noise over rounds, one of `latentdp.private_training.schedule.SCHEDULES`.

    Raises:
        InputError: A value is out of its range, or a folder is missing or lies where it must not.
    """

    method: str = "head"
    schedule: str = CONSTANT

    def __post_init__(self) -> None:
        if self.findings is None:
            raise InputError(
                "expected --findings: the names that the classifier shall tell, which are public"
            )
        super().__post_init__()
        if self.out.suffix != SUFFIX:
            raise InputError(f"expected --out to end in {SUFFIX}")
        if self.out.is_dir():
            raise InputError("expected --out to be a file, got a folder")
        method_of(self.recipe(1))

    def recipe(self, patients: int) -> TrainingRecipe:
        """What determines the releases of a cohort of so many patients."""
        return TrainingRecipe(
            method=self.method,
            schedule=self.schedule,
            epsilon=float(self.epsilon),
            delta=self.delta_of(patients),
            images_per_patient=self.images_per_patient,
            findings=self.declared,
            accept_burned_in=self.accept_burned_in,
            all_chests=self.all_chests,
            all_frontal=self.all_frontal,
        )
