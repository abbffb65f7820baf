"""A synthesis, checked and open: vault, ledger, cohort and plan, for a run and its preview."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from latentdp.core import plugins
from latentdp.core.documents import to_json
from latentdp.core.progress import ProgressCallback, silent
from latentdp.privacy.noise import Noise
from latentdp.reports.synthesis_card import CentralGuarantee, Synthesis, SynthesisRecipe
from latentdp.synthesis.cohort import PrivateCohort, ReadImages
from latentdp.synthesis.cohort_job import CohortJob, opened_cohort
from latentdp.synthesis.describe import guarantee_of, synthesis_of
from latentdp.synthesis.destination import Destination
from latentdp.synthesis.generator import Generator
from latentdp.synthesis.learn import Learner, calibrated, seen
from latentdp.synthesis.plan import SynthesisPlan, plan_of
from latentdp.synthesis.public import PublicModel
from latentdp.synthesis.request import SynthesisRequest
from latentdp.synthesis.vectors import PatientImages
from latentdp.vault.keys import Keys
from latentdp.vault.vault import UnmadeVault, Vault

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["SynthesisJob", "cohort_key", "opened", "seen_of", "synthesis_key"]


@dataclass(frozen=True, kw_only=True)
class SynthesisJob(CohortJob):
    """What a synthesis works with, while it is open.

    Attributes:
        request: What is asked for.
        flow: The public flow.
        vault: Open, and for a run locked.
        ledger: That of the vault, verified.
        cohort: Whose files these are; no pixel is read yet.
        recipe: What determines all releases.
        plan: Their noise.
    """

    folder: ClassVar[str] = "synthesis"

    request: SynthesisRequest
    recipe: SynthesisRecipe
    plan: SynthesisPlan

    @cached_property
    def destination(self) -> Destination:
        """Of the images."""
        return _destination(self.request, self.flow, self.vault)

    @cached_property
    def key(self) -> str:
        """What makes a synthesis the same one: files, findings, patients, recipe and weights."""
        return synthesis_key(self.vault, self.cohort, self.recipe, self.flow.sha256)

    @cached_property
    def guarantee(self) -> CentralGuarantee:
        """What every patient is charged."""
        return guarantee_of(self.plan, secure=True)

    @property
    def delta(self) -> float:
        """Of it."""
        return self.recipe.delta

    def learning(self) -> _GeneratorLearning:
        """A generator, to be learnt."""
        return _GeneratorLearning(self)

    def stated(self, file: Path) -> Synthesis:
        """What a generator says of itself."""
        return Generator.load(file).synthesis


class _GeneratorLearning:
    """A generator that is being learnt."""

    def __init__(self, job: SynthesisJob) -> None:
        self._job = job
        self._names = job.recipe.declared or job.cohort.findings
        method = plugins.load("synthesis methods", job.recipe.method).method
        self._learner = Learner(
            method(PublicModel.of(job.flow), len(self._names)),
            job.plan,
            declared=bool(job.recipe.declared),
        )

    def add(self, part: ReadImages) -> None:
        """Takes in some patients."""
        self._learner.add(seen_of(self._job.flow, part, self._names))

    def learn(self, run: str, noise: Noise, file: Path) -> None:
        """Draws all noise, and writes the generator."""
        job, learnt = self._job, self._learner.release(noise)
        synthesis = synthesis_of(
            run,
            job.recipe,
            job.plan,
            job.flow,
            findings=tuple(np.array(self._names, dtype=object)[learnt.known]),
            faint=learnt.faint,
            secure=noise.secure,
        )
        Generator(
            mixture=learnt.mixture,
            head=calibrated(learnt, job.flow),
            synthesis=synthesis,
            statistics=learnt.statistics,
        ).save(file)


def seen_of(flow: Flow, part: ReadImages, names: Sequence[str]) -> PatientImages:
    """Images that were read, as methods see them.

    Args:
        flow: That encodes them.
        part: All images of some patients.
        names: Of the findings, in the order of the columns.
    """
    said = [file.annotation.findings for file in part.files]
    return seen(
        flow,
        part.images,
        np.array([[name in names_ for name in names] for names_ in said], dtype=np.bool_),
        np.array([bool(names_) for names_ in said], dtype=np.bool_),
        part.patients,
    )


def synthesis_key(keys: Keys, cohort: PrivateCohort, recipe: SynthesisRecipe, weights: str) -> str:
    """What makes a synthesis the same one: files, findings, patients, recipe and weights.

    Args:
        keys: Of the vault.
        cohort: Of all patients.
        recipe: What determines all releases.
        weights: SHA-256 of the public flow.
    """
    return cohort_key("synthesis", keys, cohort, str(to_json(recipe)), weights)


def cohort_key(kind: str, keys: Keys, cohort: PrivateCohort, recipe: str, weights: str) -> str:
    """What makes a job the same one.

    Args:
        kind: Of the job.
        keys: Of the vault.
        cohort: Of all patients.
        recipe: What determines all releases, as text.
        weights: SHA-256 of the public flow.
    """
    files = [
        f"{subject}\0{file.content}\0{';'.join(file.annotation.findings)}"
        for subject, own in cohort.patients.items()
        for file in own
    ]
    return keys.token(kind, recipe, weights, *sorted(files))


@contextmanager
def opened(
    request: SynthesisRequest,
    flow: Flow,
    *,
    read_only: bool,
    draws: bool = True,
    progress: ProgressCallback = silent,
) -> Iterator[SynthesisJob]:
    """The job, open until the block ends.

    A vault that was made for it is removed again where nothing was charged.

    Args:
        request: What is asked for.
        flow: The public flow.
        read_only: For a preview: nothing is made or written, nor locked.
        draws: Images go to the output of the request, which must be able to take them.
        progress: Told how many files were found.

    Raises:
        InputError: The cohort, the output or the vault cannot be used.
    """

    def check(vault: Vault) -> None:
        if draws:
            _destination(request, flow, vault).check()

    with opened_cohort(request, read_only=read_only, check=check, progress=progress) as found:
        recipe = request.recipe(len(found.cohort.patients))
        yield SynthesisJob(
            request=request,
            flow=flow,
            vault=found.vault,
            ledger=found.ledger,
            cohort=found.cohort,
            recipe=recipe,
            plan=plan_of(recipe),
        )


def _destination(request: SynthesisRequest, flow: Flow, vault: Vault) -> Destination:
    tag = "" if isinstance(vault, UnmadeVault) else vault.tag
    return Destination.of(
        request.out, flow, request.images, request.size, form=request.form, vault=tag
    )
