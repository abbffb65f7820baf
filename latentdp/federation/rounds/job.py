"""A site's part in a training, checked and open: vault, ledger, cohort and noise of all rounds.

All rounds are charged before the first noise is drawn: they are fixed beforehand, and together
cost what one Gaussian release costs, times the root of their number. What is learnt once is the
noisy number of patients; each round's answer is kept beside it, and given again when it is asked
again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from latentdp.core.documents import from_json, read_json, to_json
from latentdp.core.filesystem import whole
from latentdp.core.progress import ProgressCallback, silent
from latentdp.errors import InputError
from latentdp.federation.rounds.request import RoundsRequest
from latentdp.privacy.gaussian_accountant import order_of_magnitude
from latentdp.privacy.noise import Noise
from latentdp.private_training.describe import guarantee_of_recipe, training_of
from latentdp.private_training.job import without_latents
from latentdp.private_training.methods._counted import NoisyCount
from latentdp.private_training.methods.head import FullBatchHead
from latentdp.reports.synthesis_card import CentralGuarantee
from latentdp.reports.training_card import PrivateTraining, TrainingRecipe, TrainingRelease
from latentdp.synthesis.cohort import ReadImages, read_images
from latentdp.synthesis.cohort_job import CohortJob, opened_cohort
from latentdp.synthesis.head import HeadData
from latentdp.synthesis.job import cohort_key
from latentdp.synthesis.vectors import PatientImages

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["CountedCohort", "RoundsJob", "opened_rounds", "write_document"]


class CountedCohort(Struct, frozen=True, kw_only=True):
    """What is released before the first round.

    Attributes:
        training: How all rounds are answered, and what they cost.
        patients: The noisy number of patients, at least 1.
        patients_at_most: Their number, rounded up to a power of ten.
        study: What all sites call this training.
    """

    training: PrivateTraining
    patients: float
    patients_at_most: int
    study: str = ""


@dataclass(frozen=True, kw_only=True)
class RoundsJob(CohortJob):
    """What a site answers with, while it is open.

    Attributes:
        request: What is asked for.
        flow: The public flow.
        vault: Open, and for a run locked.
        ledger: That of the vault, verified.
        cohort: Whose files these are; no pixel is read yet.
        recipe: What determines all releases.
        releases: With their noise.
    """

    folder: ClassVar[str] = "rounds"

    request: RoundsRequest
    recipe: TrainingRecipe
    releases: tuple[TrainingRelease, ...]

    @cached_property
    def key(self) -> str:
        """What makes it the same: files, findings, patients, recipe, weights and study."""
        recipe = json.dumps([self.request.study, to_json(self.recipe)])
        return cohort_key("rounds", self.vault, self.cohort, recipe, self.flow.sha256)

    @cached_property
    def guarantee(self) -> CentralGuarantee:
        """What every patient is charged, for all rounds."""
        return guarantee_of_recipe(self.recipe, self.releases, secure=True)

    @property
    def delta(self) -> float:
        """Of it."""
        return self.recipe.delta

    def kept(self, run: str) -> Path:
        """Where the vault keeps what is released before the first round."""
        return self.vault.path / self.folder / f"{run}.json"

    def kept_answer(self, number: int) -> Path:
        """Where the vault keeps the answer of a round."""
        return self.vault.path / self.folder / f"{self.paid_run()}.{number:04}.json"

    def learning(self) -> _Counting:
        """A number of patients, to be released."""
        return _Counting(self)

    def stated(self, file: Path) -> PrivateTraining:
        """What is said of all rounds."""
        return self.counted(file).training

    def counted(self, file: Path) -> CountedCohort:
        """What a file of `kept` holds.

        Raises:
            InputError: It is damaged.
        """
        what = "what the vault keeps of the rounds"
        return from_json(read_json(file, what), CountedCohort, what)

    def check_study(self) -> None:
        """Refuses to begin a study again with other files, findings or options than before.

        All would be charged once more, for answers that nobody adds up: whoever asks takes those
        of one cohort under one recipe.

        Raises:
            InputError: The vault has answered this study, for others.
        """
        run = self.paid_run()
        for file in sorted((self.vault.path / self.folder).glob("*.json")):
            counted = "." not in file.stem and file.stem != run  # not an answer, nor this study
            if counted and self.counted(file).study == self.request.study:
                raise InputError(
                    "the vault has answered this study before, with other files, findings or "
                    "options, and would charge all patients once more; give those of before, or "
                    "agree on another --study"
                )

    def data(self) -> HeadData:
        """What rounds read of those who paid: **private**."""
        parts: list[tuple[int, PatientImages]] = []
        subjects: list[str] = []
        for part in read_images(self.cohort, self.shape, self.request.profile):
            if part.subjects:
                parts.append((len(subjects), without_latents(part, self.recipe.findings)))
                subjects += part.subjects
        owing = set(self.owing(subjects, self.entries()))
        paid = np.array([subject not in owing for subject in subjects], dtype=np.bool_)
        data = HeadData()
        for first, images in parts:
            _add(data, images, paid[first:])
        return data


class _Counting:
    """A number of patients that is being released."""

    def __init__(self, job: RoundsJob) -> None:
        self._job, self._data = job, HeadData()

    def add(self, part: ReadImages) -> None:
        """Takes in some patients."""
        self._data.add(without_latents(part, self._job.recipe.findings))

    def learn(self, run: str, noise: Noise, file: Path) -> None:
        """Draws the noise of the number, and writes it with the card of all rounds."""
        job = self._job
        count = NoisyCount(self._data, job.releases[0], noise)
        training = training_of(
            run,
            job.recipe,
            job.releases,
            job.flow,
            faint=count.faint,
            secure=noise.secure,
            vault=job.vault.tag,
        )
        counted = CountedCohort(
            training=training,
            patients=count.patients,
            patients_at_most=order_of_magnitude(len(job.cohort.patients)),
            study=job.request.study,
        )
        write_document(file, counted)


def write_document(path: Path, document: Struct) -> None:
    """Writes a document, whole or not at all."""
    with whole(path) as temporary:
        temporary.write_text(json.dumps(to_json(document), indent=1) + "\n", encoding="utf-8")


def _add(data: HeadData, images: PatientImages, paid: NDArray[np.bool_]) -> None:
    """Takes in those of some patients who paid."""
    rows = paid[images.patients]
    if rows.any():
        data.add(
            replace(
                images,
                latents=images.latents[rows],
                thumbnails=images.thumbnails[rows],
                findings=images.findings[rows],
                read=images.read[rows],
                patients=np.unique(images.patients[rows], return_inverse=True)[1],
            )
        )


@contextmanager
def opened_rounds(
    request: RoundsRequest,
    flow: Flow,
    *,
    read_only: bool,
    progress: ProgressCallback = silent,
) -> Iterator[RoundsJob]:
    """The job, open until the block ends.

    Args:
        request: What is asked for.
        flow: The public flow.
        read_only: For a preview: nothing is made or written, nor locked.
        progress: Told how many files were found.

    Raises:
        InputError: The cohort or the vault cannot be used.
    """
    with opened_cohort(request, read_only=read_only, progress=progress) as found:
        recipe = request.recipe(len(found.cohort.patients))
        yield RoundsJob(
            request=request,
            flow=flow,
            vault=found.vault,
            ledger=found.ledger,
            cohort=found.cohort,
            recipe=recipe,
            releases=FullBatchHead.plan(recipe),
        )
