"""A site's part: learn from the own patients under their own budget, and write one public file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from latentdp.core.progress import ProgressCallback, silent
from latentdp.core.site_name import check_name
from latentdp.errors import Aborted, InputError, LatentDPError
from latentdp.federation.site_file import Site, SiteCard, write_site
from latentdp.privacy.noise import Noise, SystemNoise
from latentdp.synthesis.job import opened
from latentdp.synthesis.learn_once import learn_once
from latentdp.synthesis.methods.base import learns_in_rounds
from latentdp.synthesis.request import SynthesisRequest
from latentdp.synthesis.run import preview_synthesis
from latentdp.synthesis.summary import SynthesisSummary
from latentdp.vault.keys import Keys
from latentdp.vault.signature import public_key

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["check_request", "preview_share", "share"]


def share(
    request: SynthesisRequest,
    flow: Flow,
    name: str,
    *,
    noise: Noise | None = None,
    progress: ProgressCallback = silent,
) -> tuple[SynthesisSummary, SiteCard]:
    """Learns from a cohort under (epsilon, delta) of a patient, and writes the file to send.

    The file protects the site's patients from everybody, whoever adds it up included. Called again
    it charges nothing, and writes what was learnt before.

    Args:
        request: A synthesis whose ``out`` is the file; images are not drawn.
        flow: The public flow that all sites start from.
        name: What the site calls itself; it is public.
        noise: Only tests give one.
        progress: Told what is being done.

    Raises:
        InputError: Something is wrong before anything was charged.
        BudgetExceeded: A patient would go over the budget or the vault's cap; nothing was charged.
        Aborted: Writing failed in the middle; what is finished is safe.
    """
    check_request(request, name)
    noise = SystemNoise() if noise is None else noise
    try:
        with opened(request, flow, read_only=False, draws=False, progress=progress) as job:
            _check_ours(request.out, job.vault)
            cohort = learn_once(job, noise, progress)
            request.out.parent.mkdir(parents=True, exist_ok=True)
            card = write_site(request.out, cohort.file, name, job.vault)
    except OSError as error:
        raise Aborted(
            f"a file could not be written ({error.strerror}); running the same command again "
            "goes on from here"
        ) from error
    return cohort.summary, card


def preview_share(
    request: SynthesisRequest, flow: Flow, name: str, *, progress: ProgressCallback = silent
) -> SynthesisSummary:
    """What `share` would do and cost, told without writing anything.

    Raises:
        InputError: As `share`.
        BudgetExceeded: A patient would go over the budget or the vault's cap.
    """
    check_request(request, name)
    return preview_synthesis(request, flow, draws=False, progress=progress)


def check_request(request: SynthesisRequest, name: str) -> None:
    """Refuses what no other site could add to.

    Raises:
        InputError: Names of findings are not agreed upon, the method needs rounds, or the output
            is a folder or another file.
    """
    if not request.declared:
        raise InputError("expected --findings: all sites must name the same findings")
    if learns_in_rounds(request.method):
        raise InputError(
            f"the method {request.method} asks its cohort in rounds: its sums do not add up "
            "between sites; choose another one"
        )
    if Path(request.out).is_dir():
        raise InputError("expected SITE to be a file that can be sent, got a folder")
    check_name(name)
    if Path(request.out).exists():
        try:
            Site.read(Path(request.out))
        except LatentDPError as error:
            raise InputError("expected SITE to be a new file; there is another one") from error


def _check_ours(out: Path, keys: Keys) -> None:
    """Refuses to write over the file of another hospital.

    Raises:
        InputError: It is one.
    """
    if out.exists() and Site.read(out).card.key != public_key(keys):
        raise InputError("expected SITE to be a new file, or one of this vault; it is another's")
