"""A folder in, a private folder out: the job as a function, and its preview.

The command builds the same `ReleaseRequest`; the work is in `latentdp.release.run`.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import ParamSpec, TypeVar, Unpack

from latentdp.core.progress import CountCallback
from latentdp.errors import InputError
from latentdp.models.flow.caveats import warn
from latentdp.privatizer import Privatizer
from latentdp.release.preview import Preview, preview_release
from latentdp.release.recipe_options import RecipeOptions
from latentdp.release.request import ReleaseOptions, ReleaseRequest
from latentdp.release.run import run_release
from latentdp.release.summary import Summary

__all__ = ["preview", "privatize_folder"]

P = ParamSpec("P")
T = TypeVar("T")


def _privatizer_by_position(job: Callable[P, T]) -> Callable[P, T]:
    """Takes a privatizer by its place, too, as version 0.1 did, and says that this is going."""

    @functools.wraps(job)
    def called(*arguments: P.args, **options: P.kwargs) -> T:
        given = [value for value in arguments if isinstance(value, Privatizer)]
        if not given:
            return job(*arguments, **options)
        warnings.warn(
            f"give {job.__name__} its privatizer by keyword, privatizer=...; the next version "
            "takes none by position",
            DeprecationWarning,
            stacklevel=2,
        )
        others = (value for value in arguments if not isinstance(value, Privatizer))
        return job(*others, privatizer=given[0], **options)  # type: ignore[arg-type]

    return called


@_privatizer_by_position
def privatize_folder(
    source: str | Path,
    out: str | Path,
    *,
    vault: str | Path | None = None,
    privatizer: Privatizer | None = None,
    progress: CountCallback | None = None,
    **options: Unpack[ReleaseOptions],
) -> Summary:
    """Privatizes every file below ``source`` into ``out / "images"``, as ``latentdp privatize``.

        >>> import latentdp
        >>> summary = latentdp.privatize_folder("samples/cxr/clinic-a", "release", epsilon=4.0)
        >>> summary.inputs, summary.released
        (3, 3)
        >>> print(summary.guarantee)
        epsilon 4 per image (replace-one)

    It may be called again after an interruption, and goes on where it was.

    Args:
        source: Folder or file; never written to.
        out: New or empty folder, or one with an earlier part of the same release.
        vault: Private folder of the key, the ledger and reports; made if absent. By default
            one for OUT in this user's state. Use one for all releases of a project.
        privatizer: One that is loaded, instead of a preset and other options of a recipe.
        progress: Called with the number of files done and of all.
        options: Fields of `latentdp.release.request.ReleaseRequest` (``labels``, ``budget``,
            ``workers``, ...) and `latentdp.release.recipe_options.RecipeOptions` (``preset``,
            ``epsilon``, ``size``, ...).

    Raises:
        InputError: Something is wrong before anything was written.
        BudgetExceeded: A patient would go over the budget or the vault's cap; nothing was
            written or charged.
        WeightsError: The weights are refused.
        Aborted: Writing failed in the middle; what is finished is safe.
    """
    request = ReleaseRequest.of(source, out, vault, options)
    return run_release(request, _privatizer(request, privatizer, options), progress)


@_privatizer_by_position
def preview(
    source: str | Path,
    out: str | Path | None = None,
    *,
    vault: str | Path | None = None,
    privatizer: Privatizer | None = None,
    progress: CountCallback | None = None,
    **options: Unpack[ReleaseOptions],
) -> Preview:
    """What `privatize_folder` would do, told without writing anything, as ``--dry-run``.

        >>> import latentdp
        >>> summary, refused = latentdp.preview("samples/cxr", preset="balanced")
        >>> summary.released, summary.spent
        (7, 55.989745)
        >>> refused
        [RefusedFile(name='clinic-b/broken.dcm', reason='unreadable')]

    Args:
        source: Folder or file; never written to.
        out: Where the release would be; None to look at the inputs alone.
        vault: As for `privatize_folder`; where there is none, a new one is assumed.
        privatizer: One that is loaded, instead of a preset and other options of a recipe.
        progress: Called with the number of files done and of all.
        options: The fields that `privatize_folder` takes.

    Raises:
        InputError: An option, a file or a folder is not as it has to be.
        BudgetExceeded: A patient would go over the budget or the vault's cap.
        WeightsError: The weights are refused.
    """
    request = ReleaseRequest.of(source, out, vault, options)
    return preview_release(request, _privatizer(request, privatizer, options), progress)


def _privatizer(
    request: ReleaseRequest, given: Privatizer | None, options: ReleaseOptions
) -> Privatizer:
    if given is None:
        return request.load()
    both = {field.name for field in fields(RecipeOptions)} & options.keys()
    if both:
        raise InputError(f"give a privatizer or options of a recipe, not both: {min(both)}")
    warn(given.flow.caveats, between=2)
    return given
