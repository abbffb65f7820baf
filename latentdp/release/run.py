"""One run: many files through one recipe, with workers, resume and quarantine.

    find -> decide -> reserve -> privatize -> write -> record -> publish

For each chunk of files: decide what becomes of each; reserve the cost of what is new in one
durable transaction; only then draw noise, decode and write drafts; record what was written; then
publish it. Files are taken in random order and get random names, so that neither order nor time
links them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from latentdp.core.progress import CountCallback
from latentdp.errors import Aborted, BudgetExceeded
from latentdp.privacy.noise import SystemNoise
from latentdp.privacy.samplers.uniform import permutation
from latentdp.privacy.units import pico
from latentdp.privatizer import Privatizer
from latentdp.release.account import Account
from latentdp.release.decide import Prefetcher
from latentdp.release.describe import write_documents
from latentdp.release.executor import GROUP
from latentdp.release.job import Job, find_inputs, opened
from latentdp.release.naming import Naming
from latentdp.release.preview import foresee
from latentdp.release.publish import Publisher
from latentdp.release.request import ReleaseRequest
from latentdp.release.reserve import Reserver
from latentdp.release.summary import Summary
from latentdp.release.uid_mapping import UidMapping
from latentdp.reports.release_card import IMAGES
from latentdp.reports.review_page import write_review
from latentdp.vault.run_report import RunReport
from latentdp.vault.spending import CERTAIN

__all__ = ["run_release"]


def run_release(
    request: ReleaseRequest, privatizer: Privatizer, progress: CountCallback | None = None
) -> Summary:
    """Privatizes every input into ``out / "images"``.

    Args:
        request: What is asked for.
        privatizer: What to do to each image; it outranks the recipe of the request.
        progress: Called with the number of files done and of all.

    Raises:
        InputError: Something is wrong before anything was written.
        BudgetExceeded: A patient would go over the budget or the vault's cap; nothing was
            written or charged.
        Aborted: Writing failed in the middle; what is finished is safe.
    """
    files = find_inputs(request, privatizer)
    try:
        with opened(request, privatizer, files) as job:
            _check_budget(job)
            with job.outputs.alone():
                return _run(job, progress)
    except OSError as error:
        raise Aborted(
            f"a file{_within(request, error)} could not be written or moved ({error.strerror}); "
            "running the same command again goes on from here"
        ) from error


def _within(request: ReleaseRequest, error: OSError) -> str:
    """In which folder it happened, in words; a path is not told."""
    if isinstance(error.filename, str):
        above = Path(error.filename).absolute().parents
        for folder, name in ((request.vault, "vault"), (request.out, "output folder")):
            if folder is not None and folder.absolute() in above:
                return f" in the {name}"
    return ""


def _check_budget(job: Job) -> None:
    """Reads everything once, so that a refusal comes before the first output."""
    # Without a bound only a delta of 1 is refused, which a sum of so many may reach.
    delta = len(job.files) * pico(job.guarantee.delta)
    spent = max((spent.pico_delta for spent in job.ledger.spent().values()), default=0)
    bounds = job.request.limit.bounds or job.ledger.cap().bounds
    if not bounds and spent + delta < CERTAIN:
        return
    try:
        foresee(job)
    except BudgetExceeded:
        job.vault.undo()
        raise


def _run(job: Job, progress: CountCallback | None) -> Summary:
    """All files, chunk by chunk, in random order; nothing else writes to the folder meanwhile."""
    tally = job.tally()
    mapping = None if job.request.mapping is None else UidMapping(job.request.mapping)
    job.out.mkdir(parents=True, exist_ok=True)
    write_documents(job, tally, status="incomplete")
    job.outputs.recover(job.ledger)
    job.outputs.check(job.ledger)
    path = job.vault.reports / f"{datetime.now(UTC).strftime('%Y%m%dT%H%M%S%fZ')}.jsonl"
    path.with_suffix(".toml").write_text(job.privatizer.recipe.to_toml(), encoding="utf-8")
    with RunReport(path) as report:
        account = Account(
            tally,
            report,
            job.out / IMAGES,
            mapping,
            progress,
            unprotected=bool(job.guarantee.unprotected),
        )
        _release(job, account)
        report.finish()
    if mapping is not None:
        mapping.write()
    summary = write_documents(job, tally, status="complete", report=path)
    write_review(
        job.vault.path,
        report=path,
        source=job.request.source,
        out=job.out,
        usual=job.privatizer.flow.likelihood_range,
        read=job.workers.read,
    )
    return summary


def _release(job: Job, account: Account) -> None:
    """Decide, reserve, privatize and write, record and publish, chunk by chunk."""
    decider = job.decider()
    naming = Naming(
        job.vault.key,
        job.privatizer.recipe.profile,
        job.request.layout,
        [file.name for file in job.files],
    )
    reserver = Reserver(job, naming, account)
    publisher = Publisher(job, decider, naming, account)
    order = permutation(SystemNoise(), len(job.files))
    ahead = Prefetcher(decider, job.workers, [job.files[i] for i in order])
    for decisions in ahead:
        decider.remember()  # before any charge: what is found equal stays one release
        reserver.expose(decisions)
        publisher.known(decisions)
        owed = reserver.reserve(decisions)
        ahead.look()  # the next chunk is read while this one is made
        groups = [owed[i : i + GROUP] for i in range(0, len(owed), GROUP)]
        written = job.workers.release(
            [[one.task for one in group] for group in groups], job.outputs.drafts
        )
        for group, results in zip(groups, written, strict=True):
            publisher.publish(group, results)
        publisher.duplicates(decisions)
        account.flush()
