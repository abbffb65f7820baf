"""One run: many files through one recipe, with workers, resume and quarantine.

    find -> decide -> reserve -> privatize -> write -> record -> publish

For each chunk of files: decide what becomes of each; reserve the cost of what is new in one
durable transaction; only then draw noise, decode and write drafts; record what was written; then
publish it. Files are taken in random order and get random names, so that neither order nor time
links them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from latentdp.core.filesystem import write_text
from latentdp.core.progress import CountCallback
from latentdp.errors import Aborted, BudgetExceeded
from latentdp.privacy.noise import SystemNoise
from latentdp.privacy.samplers.uniform import permutation
from latentdp.privacy.units import pico
from latentdp.privatizer import Privatizer
from latentdp.release.account import Account
from latentdp.release.decide import Decision
from latentdp.release.describe import write_documents
from latentdp.release.forecast import foresee
from latentdp.release.job import Job, find_inputs, opened
from latentdp.release.naming import Naming
from latentdp.release.prefetch import Prefetcher
from latentdp.release.publish import Publisher
from latentdp.release.request import ReleaseRequest
from latentdp.release.reserve import Owed, Reserver
from latentdp.release.summary import Summary
from latentdp.release.tasks import Written
from latentdp.release.uid_mapping import UidMapping
from latentdp.reports.release_card import IMAGES, ReleaseCard
from latentdp.reports.release_contents import image_files
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
            selected = _check_budget(job)
            with job.outputs.alone():
                return _run(job, selected, progress)
    except OSError as error:
        raise Aborted(
            f"a file{_within(request, error)} could not be written or moved ({error.strerror}); "
            f"{_left(request)}; running the same command again goes on from here"
        ) from error
    except KeyboardInterrupt as stop:
        stop.add_note(_left(request))
        raise


def _left(request: ReleaseRequest) -> str:
    """What an interrupted run has left, in words."""
    out = request.out
    card = None if out is None else ReleaseCard.find(out)
    if out is None or card is None:
        return "no release was begun"
    count = len(image_files(out))
    kept = f"{count} finished image{'' if count == 1 else 's'}"
    if card.status == "complete" and card.counts.images_in_release == count:
        return f"the output folder holds a complete release of {kept}"
    return f"the output folder holds {kept} of an incomplete release: do not hand it over yet"


def _within(request: ReleaseRequest, error: OSError) -> str:
    """In which folder it happened, in words; a path is not told."""
    path = error.filename2 or error.filename  # of a copy or a move, where it leads
    if isinstance(path, str):
        above = Path(path).absolute().parents
        for folder, name in ((request.vault, "vault"), (request.out, "output folder")):
            if folder is not None and folder.absolute() in above:
                return f" in the {name}"
    return ""


def _check_budget(job: Job) -> Collection[str] | None:
    """Reads everything once, so that a refusal comes before the first output.

    Returns:
        The images that the budgets of their patients pay for; None for all.
    """
    # Without a bound only a delta of 1 is refused, which a sum of so many may reach.
    delta = len(job.files) * pico(job.guarantee.delta)
    spent = max((spent.pico_delta for spent in job.ledger.spent().values()), default=0)
    bounds = job.limit.bounds or job.limit.releases or job.ledger.cap().bounds
    if not bounds and spent + delta < CERTAIN:
        return None
    try:
        return foresee(job).selected
    except BudgetExceeded:
        job.vault.undo()
        raise


def _run(job: Job, selected: Collection[str] | None, progress: CountCallback | None) -> Summary:
    """All files, chunk by chunk, in random order; nothing else writes to the folder meanwhile."""
    tally = job.tally()
    mapping = None if job.request.mapping is None else UidMapping(job.request.mapping)
    job.out.mkdir(parents=True, exist_ok=True)
    write_documents(job, tally, status="incomplete")
    job.outputs.recover(job.ledger)
    job.outputs.check(job.ledger)
    path = job.vault.reports / f"{datetime.now(UTC).strftime('%Y%m%dT%H%M%S%fZ')}.jsonl"
    write_text(path.with_suffix(".toml"), job.privatizer.recipe.to_toml())
    with RunReport(path) as report:
        account = Account(
            tally,
            report,
            job.out / IMAGES,
            mapping,
            progress,
            unprotected=bool(job.guarantee.unprotected),
        )
        _release(job, selected, account)
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


def _release(job: Job, selected: Collection[str] | None, account: Account) -> None:
    """Decide, reserve, privatize and write, record and publish, chunk by chunk."""
    decider = job.decider(selected=selected)
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
    under_way: Callable[[], None] | None = None
    for decisions in ahead:
        decider.remember()  # before any charge: what is found equal stays one release
        reserver.expose(decisions)
        publisher.known(decisions)
        try:
            owed = reserver.reserve(decisions)
        except BudgetExceeded:
            if under_way is not None:
                under_way()  # it is paid for
            raise
        groups = job.workers.groups(owed)
        written = job.workers.release(
            [[one.task for one in group] for group in groups], job.outputs.drafts
        )
        ahead.look()  # the next chunk is read while this one is made
        if under_way is not None:
            under_way()  # the one before is published while this one is made
        under_way = partial(_publish, publisher, account, decisions, groups, written)
    if under_way is not None:
        under_way()


def _publish(
    publisher: Publisher,
    account: Account,
    decisions: Sequence[Decision],
    groups: Sequence[Sequence[Owed]],
    written: Iterator[Sequence[Written]],
) -> None:
    """Records and publishes a chunk."""
    for group, results in zip(groups, written, strict=True):
        publisher.publish(group, results)
    publisher.duplicates(decisions)
    account.flush()
