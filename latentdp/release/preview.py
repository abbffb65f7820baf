"""What a run would do, told without writing anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from latentdp.core.progress import CountCallback
from latentdp.privatizer import Privatizer
from latentdp.release.forecast import Forecast, RefusedFile, foresee
from latentdp.release.job import find_inputs, opened
from latentdp.release.request import ReleaseRequest
from latentdp.release.summary import Summary

__all__ = ["Forecast", "Preview", "RefusedFile", "foresee_release", "preview_release"]


class Preview(NamedTuple):
    """What a run would tell.

    Attributes:
        summary: The numbers.
        refused: What would be quarantined.
    """

    summary: Summary
    refused: Sequence[RefusedFile]


def preview_release(
    request: ReleaseRequest, privatizer: Privatizer, progress: CountCallback | None = None
) -> Preview:
    """The numbers that `latentdp.release.run.run_release` would give.

    Without a release folder, or where its vault is still to be made, those of a new vault. What a
    draw of noise decides, an image that decodes to nothing, is not foretold.

    Args:
        request: What is asked for.
        privatizer: What would be done to each image; it outranks the recipe of the request.
        progress: Called with the number of files done and of all.

    Raises:
        InputError: As a run.
        BudgetExceeded: A patient would go over the budget or the vault's cap.
    """
    forecast = foresee_release(request, privatizer, progress)
    return Preview(forecast.summary, forecast.refused)


def foresee_release(
    request: ReleaseRequest,
    privatizer: Privatizer,
    progress: CountCallback | None = None,
    *,
    thorough: bool = False,
) -> Forecast:
    """As `preview_release`, with all that is known.

    Args:
        request: What is asked for.
        privatizer: What would be done to each image.
        progress: Called with the number of files done and of all.
        thorough: Look for odd inputs, too, for which each image goes through the flow once; and
            count inputs without a label rather than refuse them.
    """
    files = find_inputs(request, privatizer, count_unlabelled=thorough)
    with opened(request, privatizer, files, read_only=True) as job:
        return foresee(job, progress, rate=thorough)
