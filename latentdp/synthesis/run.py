"""A synthesis: a cohort is charged once, learnt from once, and drawn from as often as liked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from latentdp.core.progress import ProgressCallback, silent
from latentdp.errors import Aborted
from latentdp.privacy.noise import Noise, SystemNoise
from latentdp.synthesis.generator import Generator
from latentdp.synthesis.job import SynthesisJob, opened
from latentdp.synthesis.learn_once import learn_once, preview_learning
from latentdp.synthesis.request import SynthesisRequest
from latentdp.synthesis.summary import SynthesisSummary
from latentdp.synthesis.write import draw

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["preview_synthesis", "synthesize"]

DRAWN = 0.4  # share of the work


def synthesize(
    request: SynthesisRequest,
    flow: Flow,
    *,
    noise: Noise | None = None,
    progress: ProgressCallback = silent,
) -> SynthesisSummary:
    """Learns from a cohort under (epsilon, delta) of a patient, and writes a labelled data set.

    It may be called again after an interruption, and goes on where it was.

    Args:
        request: What is asked for.
        flow: The public flow to start from.
        noise: Only tests give one.
        progress: Told what is being done.

    Raises:
        InputError: Something is wrong before anything was charged.
        BudgetExceeded: A patient would go over the budget or the vault's cap; nothing was charged.
        Aborted: Writing failed in the middle; what is finished is safe.
    """
    noise = SystemNoise() if noise is None else noise
    try:
        with opened(request, flow, read_only=False, progress=progress) as job:
            return _run(job, noise, progress)
    except OSError as error:
        raise Aborted(
            f"a file could not be written ({error.strerror}); running the same command again "
            "goes on from here"
        ) from error


def preview_synthesis(
    request: SynthesisRequest,
    flow: Flow,
    *,
    draws: bool = True,
    progress: ProgressCallback = silent,
) -> SynthesisSummary:
    """What `synthesize` would do, told without writing anything.

    Args:
        request: What is asked for.
        flow: The public flow.
        draws: Whether images would be drawn.
        progress: Told what is being done.

    Raises:
        InputError: As `synthesize`.
        BudgetExceeded: A patient would go over the budget or the vault's cap.
    """
    with opened(request, flow, read_only=True, draws=draws, progress=progress) as job:
        if draws:
            job.destination.check_run(job.paid_run())
        return replace(preview_learning(job, progress), images=request.images)


def _run(job: SynthesisJob, noise: Noise, progress: ProgressCallback) -> SynthesisSummary:
    job.destination.check_run(job.paid_run())
    learnt = learn_once(job, noise, progress)
    generator = Generator.load(learnt.file)
    already = job.destination.holds(generator)
    if not already:
        draw(
            learnt.file,
            job.destination,
            job.flow,
            SystemNoise() if noise.secure else noise,
            lambda done, total: progress(1 - DRAWN * (1 - done / total), "drawing images"),
            language=job.request.language,
        )
    return replace(learnt.summary, images=job.destination.images, already=already)
