"""A private training, checked and open: vault, ledger, cohort and releases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from latentdp.core.documents import to_json
from latentdp.core.progress import ProgressCallback, silent
from latentdp.errors import InputError, LatentDPError
from latentdp.privacy.noise import Noise
from latentdp.private_training.classifier import Classifier
from latentdp.private_training.describe import guarantee_of_recipe, training_of
from latentdp.private_training.methods.base import TrainingMethod, method_of
from latentdp.private_training.request import TrainingRequest
from latentdp.reports.synthesis_card import CentralGuarantee
from latentdp.reports.training_card import PrivateTraining, TrainingRecipe, TrainingRelease
from latentdp.synthesis.cohort import ReadImages
from latentdp.synthesis.cohort_job import CohortJob, opened_cohort
from latentdp.synthesis.job import cohort_key, seen_of
from latentdp.synthesis.public import PublicModel, thumbnails
from latentdp.synthesis.vectors import PatientImages
from latentdp.vault.vault import UnmadeVault

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["TrainingJob", "opened_training", "without_latents"]


@dataclass(frozen=True, kw_only=True)
class TrainingJob(CohortJob):
    """What a private training works with, while it is open.

    Attributes:
        request: What is asked for.
        flow: The public flow.
        vault: Open, and for a run locked.
        ledger: That of the vault, verified.
        cohort: Whose files these are; no pixel is read yet.
        recipe: What determines all releases.
        releases: With their noise.
    """

    folder: ClassVar[str] = "classifiers"

    request: TrainingRequest
    recipe: TrainingRecipe
    releases: tuple[TrainingRelease, ...]

    @cached_property
    def key(self) -> str:
        """What makes a training the same one: files, findings, patients, recipe and weights."""
        recipe = str(to_json(self.recipe))
        return cohort_key("training", self.vault, self.cohort, recipe, self.flow.sha256)

    @cached_property
    def guarantee(self) -> CentralGuarantee:
        """What every patient is charged."""
        return guarantee_of_recipe(self.recipe, self.releases, secure=True)

    @property
    def delta(self) -> float:
        """Of it; 0 where the method needs none."""
        return max(self.guarantee.replace_one.delta, self.guarantee.add_remove.delta)

    def method(self) -> TrainingMethod:
        """What learns, new."""
        made = method_of(self.recipe)
        return made(PublicModel.of(self.flow), self.recipe, self.releases)

    def learning(self) -> _ClassifierLearning:
        """A classifier, to be learnt."""
        return _ClassifierLearning(self)

    def stated(self, file: Path) -> PrivateTraining:
        """What a classifier says of itself."""
        return Classifier.load(file).training


class _ClassifierLearning:
    """A classifier that is being learnt."""

    def __init__(self, job: TrainingJob) -> None:
        self._job, self._method = job, job.method()

    def add(self, part: ReadImages) -> None:
        """Takes in some patients."""
        flow, names = self._job.flow, self._job.recipe.findings
        if self._method.latents:
            images = seen_of(flow, part, names)
        else:
            images = without_latents(part, names)
        self._method.add(images)

    def learn(self, run: str, noise: Noise, file: Path) -> None:
        """Draws all noise, and writes the classifier."""
        job, taught = self._job, self._method.learn(noise)
        training = training_of(
            run,
            job.recipe,
            job.releases,
            job.flow,
            faint=taught.faint,
            secure=noise.secure,
            vault=job.vault.tag,
        )
        side = job.flow.shape[0]
        classifier = Classifier(reader=taught.reader, training=training, side=side)
        classifier.signed(job.vault).save(file)


def without_latents(part: ReadImages, names: tuple[str, ...]) -> PatientImages:
    """Images that were read, for methods that look at no latents.

    Args:
        part: All images of some patients.
        names: Of the findings, in the order of the columns.
    """
    said = [file.annotation.findings for file in part.files]
    shown = [[name in of_image for name in names] for of_image in said]
    return PatientImages(
        latents=np.zeros((len(said), 0)),
        # One by one: a mean over pixels may be rounded as the size of its batch has it.
        thumbnails=np.concatenate([thumbnails(image[None]) for image in part.images]),
        findings=np.array(shown, dtype=np.bool_).reshape(len(said), len(names)),
        read=np.array([bool(of_image) for of_image in said], dtype=np.bool_),
        patients=part.patients,
    )


@contextmanager
def opened_training(
    request: TrainingRequest,
    flow: Flow,
    *,
    read_only: bool,
    progress: ProgressCallback = silent,
) -> Iterator[TrainingJob]:
    """The job, open until the block ends.

    Args:
        request: What is asked for.
        flow: The public flow.
        read_only: For a preview: nothing is made or written, nor locked.
        progress: Told how many files were found.

    Raises:
        InputError: The cohort, the output or the vault cannot be used, or so few patients would be
            drowned by the noise.
    """
    with opened_cohort(request, read_only=read_only, progress=progress) as found:
        recipe = request.recipe(len(found.cohort.patients))
        releases = method_of(recipe).plan(recipe)
        job = TrainingJob(
            request=request,
            flow=flow,
            vault=found.vault,
            ledger=found.ledger,
            cohort=found.cohort,
            recipe=recipe,
            releases=releases,
        )
        job.method().check(len(found.cohort.patients))
        _check_output(job)
        yield job


def _check_output(job: TrainingJob) -> None:
    """Refuses a file that is something else, another vault's, or another training's."""
    out = job.request.out
    if not out.exists():
        return
    try:
        training = Classifier.load(out).training
    except LatentDPError as error:
        raise InputError("expected --out to be a new file; there is another one") from error
    if training.vault != ("" if isinstance(job.vault, UnmadeVault) else job.vault.tag):
        raise InputError("the file of --out belongs to another vault; name that one")
    if training.run != job.paid_run():
        raise InputError("the file of --out is another classifier; name a new file")
