"""What a site is asked to do over all rounds: validated once, before weights or files are read."""

from __future__ import annotations

from dataclasses import dataclass

from latentdp.core.site_name import check_name
from latentdp.errors import InputError
from latentdp.private_training.methods.head import FullBatchHead
from latentdp.private_training.schedule import CONSTANT
from latentdp.reports.training_card import TrainingRecipe
from latentdp.synthesis.request import CohortRequest

__all__ = ["MOST_ROUNDS", "RoundsRequest", "check_rounds"]

MOST_ROUNDS = 1_000


@dataclass(frozen=True, kw_only=True)
class RoundsRequest(CohortRequest):
    """A site's part in a training. Its ``out`` is the folder where questions and answers lie.

    Attributes:
        study: What all sites call this training; a second one of the same patients has another
            name, and is charged again.
        rounds: How often the cohort is asked; all are charged before the first.
        name: What the site calls itself; it is public.
        schedule: Of the noise over rounds, one of `latentdp.private_training.schedule.SCHEDULES`.
        wait: Seconds to wait for the next question; 0 to answer what is there.

    Raises:
        InputError: A value is out of its range, or a folder is missing or lies where it must not.
    """

    study: str
    rounds: int
    name: str
    schedule: str = CONSTANT
    wait: float = 0.0

    def __post_init__(self) -> None:
        if self.findings is None:
            raise InputError("expected --findings: all sites must name the same findings")
        check_name(self.name)
        check_name(self.study)
        check_rounds(self.rounds)
        if not 0 <= self.wait < float("inf"):
            raise InputError(f"expected to wait 0 seconds or more, got {self.wait}")
        if not self.out.is_dir():
            raise InputError("expected FOLDER to be the folder where questions arrive")
        super().__post_init__()
        FullBatchHead.plan(self.recipe(1))

    def recipe(self, patients: int) -> TrainingRecipe:
        """What determines the releases of a cohort of so many patients."""
        return TrainingRecipe(
            method=FullBatchHead.name,
            schedule=self.schedule,
            epsilon=float(self.epsilon),
            delta=self.delta_of(patients),
            images_per_patient=self.images_per_patient,
            findings=self.declared,
            accept_burned_in=self.accept_burned_in,
            all_chests=self.all_chests,
            all_frontal=self.all_frontal,
            rounds=self.rounds,
        )


def check_rounds(rounds: int) -> None:
    """Refuses a number of rounds that there cannot be.

    Raises:
        InputError: It is out of its range.
    """
    if not 1 <= rounds <= MOST_ROUNDS:
        raise InputError(f"expected 1 to {MOST_ROUNDS:,} rounds, got {rounds}")
