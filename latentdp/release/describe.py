"""How a release describes itself: by labels, card and page, and by a line in each header."""

from __future__ import annotations

from pathlib import Path

from msgspec import structs

from latentdp.core.arrays import UNKNOWN
from latentdp.core.filesystem import write_json
from latentdp.core.version import __version__
from latentdp.data.dicom.attributes import attributes
from latentdp.data.labels import write_labels
from latentdp.data.splits import Splits
from latentdp.data.synthetic import USE
from latentdp.privacy.guarantee import Guarantee
from latentdp.privatizer import Privatizer
from latentdp.privatizer.description import image_on_card, recipe_on_card, weights_on_card
from latentdp.release.job import Job
from latentdp.release.summary import Summary, Tally
from latentdp.release.table_of_release import table_of_release
from latentdp.reports.card_guarantee import (
    ApproximateGuarantee,
    CardGuarantee,
    ImageGuarantee,
)
from latentdp.reports.compliance import COMPLIANCE
from latentdp.reports.compliance_actions import release_manifest
from latentdp.reports.guarantee_words import not_covered, sentences, statement
from latentdp.reports.layout import Layout
from latentdp.reports.release_card import CARD, ReleaseCard
from latentdp.reports.release_card_parts import CardCounts
from latentdp.reports.release_contents import LABELS, contents_digest
from latentdp.reports.release_page import write_release_page
from latentdp.reports.warning_words import warnings

__all__ = ["COMPLETE", "derivation", "release_card", "write_documents"]

COMPLETE = "complete"


def write_documents(job: Job, tally: Tally, *, status: str, report: Path | None = None) -> Summary:
    """Writes what is true of everything that lies in the folder now.

    Args:
        job: Of the run.
        tally: Its counts so far.
        status: ``incomplete`` or ``complete``; the table of images is of a complete release.
        report: Of the run, for the summary.

    Returns:
        The summary that the card has been made from.
    """
    out, privatizer, outputs = job.out, job.privatizer, job.outputs
    space = privatizer.label_space
    entries = outputs.entries(job.ledger).values()
    labels = {outputs.place(e.output): space.name(e.label) for e in entries if e.label != UNKNOWN}
    summary = tally.summary(
        entries,
        job.ledger.spent({entry.subject for entry in entries}),
        guarantee=job.guarantee,
        budget=privatizer.recipe.patient_budget,
        report=report,
    )
    if labels:
        write_labels(out / LABELS, labels)
    if status == COMPLETE:
        table = table_of_release(
            out,
            labels,
            released=privatizer.plan.describe().label,
            space=space.only(privatizer.recipe.release_findings),
            splits=job.request.shares,
        )
        table.write(out, parquet=job.request.parquet)
    images = {outputs.place(entry.output): entry.sha256 for entry in entries}
    card = release_card(
        privatizer,
        summary,
        status=status,
        vault=job.vault.tag,
        release=outputs.release,
        layout=job.request.layout,
        contents=contents_digest(out, images),
        splits=job.request.shares,
    )
    if not (out / CARD).exists():  # of a run that dies here the next one must know the folder
        write_json(out / CARD, card.to_json())
    write_json(out / COMPLIANCE, release_manifest(card).to_json())
    write_json(out / CARD, card.to_json())
    write_release_page(out, job.request.language)
    return summary


def release_card(
    privatizer: Privatizer,
    summary: Summary,
    *,
    status: str,
    vault: str,
    release: str = "",
    layout: Layout = Layout.FLAT,
    contents: str = "",
    splits: Splits | None = None,
) -> ReleaseCard:
    """The public card of a release.

    Args:
        privatizer: What made it.
        summary: What became of the inputs, with the guarantee of an image.
        status: ``complete`` or ``incomplete``.
        vault: The vault's public tag: only that vault may go on with this release.
        release: Random identifier, by which the vault knows where its images lie.
        layout: How they lie.
        contents: Digest of all files that it is about.
        splits: Of its table of images; None for none.
    """
    recipe, flow = privatizer.recipe, privatizer.flow
    image, patient = summary.guarantee, summary.patient
    card = ReleaseCard(
        tool="latentdp",
        version=__version__,
        use=USE,
        status=status,
        private=image.private,
        warnings=tuple(
            warnings(image, patient, layout, privatizer.warnings, budget=recipe.patient_budget)
        ),
        guarantee=CardGuarantee(
            image=ImageGuarantee.of(image),
            image_approximate=ApproximateGuarantee.of(
                privatizer.approximate.beside(*image.unprotected)
            ),
            patient=summary.stated_patient,
            unprotected=image.unprotected,
            statement=tuple(sentences(image, patient)),
            not_covered=not_covered(refuse_odd=recipe.refuse_odd),
        ),
        recipe=recipe_on_card(recipe),
        plan=privatizer.plan.describe(),
        weights=weights_on_card(flow),
        image=image_on_card(privatizer),
        header=dict(attributes(recipe.profile)),
        claims=recipe.profile.claims,
        counts=CardCounts(images_in_release=summary.outputs),
        layout=layout,
        release=release,
        contents_sha256=contents,
        splits=() if splits is None else splits.shares,
        vault=vault,
    )
    return structs.replace(card, compliance=release_manifest(card).head)


def derivation(privatizer: Privatizer, guarantee: Guarantee) -> str:
    """How an output was made, for its header: public facts of the recipe only.

    Args:
        privatizer: What made it.
        guarantee: Of an output, with what the layout passes on.
    """
    recipe, flow, size = privatizer.recipe, privatizer.flow, privatizer.size
    enlarged = f" enlarged to {size}x{size}" if size > flow.shape[0] else ""
    if privatizer.octaves:
        enlarged += f" with drawn detail up to {privatizer.detail_size}"
    words = " ".join(statement(guarantee))
    return (
        f"latentdp {__version__}: preset {recipe.preset}, "
        f"mechanism {', '.join(privatizer.plan.mechanisms) or 'none on the latent'}, "
        f"{flow.shape[0]}x{flow.shape[1]} pixels{enlarged}, weights sha256 {flow.sha256[:16]}, "
        f"recipe {recipe.digest[:16]}. {words}"
    )
