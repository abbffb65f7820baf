"""A labelled data set of what sites learnt together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from latentdp.core.progress import CountCallback
from latentdp.errors import Aborted
from latentdp.federation.combine import combine
from latentdp.federation.site_file import Site
from latentdp.privacy.noise import SystemNoise
from latentdp.reports.release_contents import GENERATOR
from latentdp.reports.release_page import language_of
from latentdp.reports.synthesis_card import Synthesis
from latentdp.synthesis.destination import Destination
from latentdp.synthesis.write import draw

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["draw_together"]


def draw_together(
    sites: Sequence[Site],
    flow: Flow,
    destination: Destination,
    progress: CountCallback | None = None,
    *,
    language: str | None = None,
) -> Synthesis:
    """Adds up what sites shared and draws from it; called again, it goes on where it was.

    Args:
        sites: At least two, that fit together.
        flow: The public flow that all started from.
        destination: Where to, how many, and in which form.
        progress: Called with the number of images done and of all.
        language: Of the page.

    Raises:
        InputError: Sites that do not fit together, or a folder that holds something else.
        Aborted: Writing failed in the middle.
    """
    destination.check()
    language_of(destination.out, language)
    generator = combine(sites, flow)
    try:
        if not destination.holds(generator):
            with TemporaryDirectory() as folder:
                file = Path(folder) / GENERATOR
                generator.save(file)
                draw(file, destination, flow, SystemNoise(), progress, language=language)
    except OSError as error:
        raise Aborted(
            f"a file could not be written ({error.strerror}); running the same command again "
            "goes on from here"
        ) from error
    return generator.synthesis
