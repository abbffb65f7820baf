"""How a release describes itself: by labels, card and page, and by a line in each header."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from latentdp.core.arrays import UNKNOWN
from latentdp.core.filesystem import write_json
from latentdp.core.version import __version__
from latentdp.data.dicom.attributes import attributes
from latentdp.data.labels import write_labels
from latentdp.privacy.guarantee import Guarantee
from latentdp.privatizer import Privatizer
from latentdp.recipe import Recipe
from latentdp.release.job import Job
from latentdp.release.summary import Summary, Tally
from latentdp.reports.card_guarantee import (
    ApproximateGuarantee,
    CardGuarantee,
    ImageGuarantee,
)
from latentdp.reports.guarantee_words import NOT_COVERED, sentences, statement, warnings
from latentdp.reports.layout import Layout
from latentdp.reports.release_card import CARD, ReleaseCard
from latentdp.reports.release_card_parts import (
    CardCounts,
    CardImage,
    CardRecipe,
    CardWeights,
)
from latentdp.reports.release_contents import LABELS, contents_digest
from latentdp.reports.release_page import write_release_page

__all__ = ["derivation", "release_card", "write_documents"]


def write_documents(job: Job, tally: Tally, *, status: str, report: Path | None = None) -> Summary:
    """Writes what is true of everything that lies in the folder now.

    Args:
        job: Of the run.
        tally: Its counts so far.
        status: ``incomplete`` or ``complete``.
        report: Of the run, for the summary.

    Returns:
        The summary that the card has been made from.
    """
    out, privatizer, outputs = job.out, job.privatizer, job.outputs
    classes = privatizer.flow.classes
    entries = outputs.entries(job.ledger).values()
    labels = {outputs.place(e.output): classes[e.label] for e in entries if e.label != UNKNOWN}
    summary = tally.summary(
        entries,
        job.ledger.spent({entry.subject for entry in entries}),
        guarantee=job.guarantee,
        report=report,
    )
    if labels:
        write_labels(out / LABELS, labels)
    images = {outputs.place(entry.output): entry.sha256 for entry in entries}
    card = release_card(
        privatizer,
        summary,
        status=status,
        vault=job.vault.tag,
        release=outputs.release,
        layout=job.request.layout,
        contents=contents_digest(out, images),
    )
    write_json(out / CARD, card.to_json())
    write_release_page(out)
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
    """
    recipe, flow = privatizer.recipe, privatizer.flow
    image, patient = summary.guarantee, summary.patient
    return ReleaseCard(
        tool="latentdp",
        version=__version__,
        status=status,
        private=image.private,
        warnings=tuple(warnings(image, patient, layout)),
        guarantee=CardGuarantee(
            image=ImageGuarantee.of(image),
            image_approximate=ApproximateGuarantee.of(
                privatizer.approximate.beside(*image.unprotected)
            ),
            patient=summary.stated_patient,
            unprotected=image.unprotected,
            statement=tuple(sentences(image, patient)),
            not_covered=NOT_COVERED,
        ),
        recipe=_recipe(recipe),
        plan=privatizer.plan.describe(),
        weights=CardWeights(
            name=flow.name,
            sha256=flow.sha256,
            training_data=flow.provenance.training_data,
            trained_on_private_data=flow.provenance.private_training,
        ),
        image=CardImage(
            size=(privatizer.size, privatizer.size),
            made_at=flow.shape,
            chosen_among=privatizer.candidates,
            detail_drawn_at=tuple(privatizer.octaves),
            classes=flow.classes,
        ),
        header=dict(attributes(recipe.profile)),
        claims=recipe.profile.claims,
        counts=CardCounts(images_in_release=summary.outputs),
        layout=layout,
        release=release,
        contents_sha256=contents,
        vault=vault,
    )


def _recipe(recipe: Recipe) -> CardRecipe:
    """Without the name of the weights: it may be a private path."""
    stated = {f.name: getattr(recipe, f.name) for f in fields(recipe) if f.name != "weights"}
    return CardRecipe(digest=recipe.digest, **stated)


def derivation(privatizer: Privatizer, guarantee: Guarantee) -> str:
    """How an output was made, for its header: public facts of the recipe only.

    Args:
        privatizer: What made it.
        guarantee: Of an output, with what the layout passes on.
    """
    recipe, flow, size = privatizer.recipe, privatizer.flow, privatizer.size
    enlarged = f" enlarged to {size}x{size}" if size > flow.shape[0] else ""
    if privatizer.octaves:
        enlarged += f" with drawn detail up to {max(privatizer.octaves)}"
    words = " ".join(statement(guarantee))
    return (
        f"latentdp {__version__}: preset {recipe.preset}, "
        f"mechanism {', '.join(privatizer.plan.mechanisms) or 'none on the latent'}, "
        f"{flow.shape[0]}x{flow.shape[1]} pixels{enlarged}, weights sha256 {flow.sha256[:16]}, "
        f"recipe {recipe.digest[:16]}. {words}"
    )
