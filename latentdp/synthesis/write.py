"""Images that are drawn from a generator, with labels, a card and the generator itself."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from latentdp.core.filesystem import digest, whole, write_json
from latentdp.core.progress import CountCallback
from latentdp.core.tables import write_table
from latentdp.core.version import __version__
from latentdp.data import radiograph
from latentdp.data.dicom.header import Identity, Provenance, Source
from latentdp.data.dicom.profile import Profile
from latentdp.data.synthetic import marked
from latentdp.privacy.noise import Noise, SystemNoise
from latentdp.reports.compliance import COMPLIANCE
from latentdp.reports.compliance_actions import synthesis_manifest
from latentdp.reports.image_table import ImageRow, ImageTable
from latentdp.reports.release_card import CARD, IMAGES
from latentdp.reports.release_contents import GENERATOR, LABELS, contents_digest, settle
from latentdp.synthesis.destination import Destination
from latentdp.synthesis.findings import probability_of
from latentdp.synthesis.generator import Generator

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["draw"]

DIGITS = 6
LONGEST = 1024  # characters of a derivation (ST)
# A capture of a workstation, of which nothing is known; there is no patient to be read off it.
NOBODY = Source(kind="SC", burned_in="NO", lossy=False)


def draw(
    file: Path,
    destination: Destination,
    flow: Flow,
    noise: Noise,
    progress: CountCallback | None = None,
    *,
    language: str | None = None,
) -> None:
    """Draws images, labels them and writes all that is public; it costs nothing.

    Args:
        file: Of the generator.
        destination: Where to, how many, and in which form.
        flow: Of the generator's weights.
        noise: Random bits; they protect nobody here.
        progress: Called with the number of images done and of all.
        language: Of the page, as for `latentdp.reports.release_page.write_release_page`.
    """
    from latentdp.reports.release_page import language_of  # pages are slow to load
    from latentdp.reports.synthesis_page import write_synthesis_page

    generator = Generator.load(file)
    out, images = destination.out, destination.out / IMAGES
    # The card first: by it the next run of one that dies here knows the folder.
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / CARD, destination.card(generator, "incomplete").to_json())
    images.mkdir(exist_ok=True)
    for old in images.glob("[!.]*.*"):
        old.unlink()
    method, form = _method(generator, destination), destination.form
    rows: list[ImageRow] = []
    digests: dict[str, str] = {}
    drawing = generator.draw(
        flow,
        noise,
        destination.images,
        destination.size,
        candidates=destination.chosen_among,
    )
    for part in drawing:
        labels = generator.labels(part.probabilities)
        for drawn, label, row in zip(part.images, labels, part.probabilities, strict=True):
            identity = _nobody()
            image = marked(drawn) if form.mark else drawn
            content = radiograph.encode(image, NOBODY, identity, method)
            name = f"{len(rows) + 1:0{DIGITS}d}{radiograph.suffix(NOBODY, method.profile)}"
            with whole(images / name) as temporary:
                temporary.write_bytes(content)
            digests[name] = hashlib.sha256(content).hexdigest()
            rows.append(
                ImageRow(
                    file_name=f"{IMAGES}/{name}",
                    label=label,
                    probabilities=tuple(map(float, row)),
                    patient=identity.patient,
                    study=identity.study,
                    split=form.splits.of(identity.patient),
                )
            )
        if progress is not None:
            progress(len(rows), destination.images)
    _write_tables(out, rows, generator.synthesis.findings, parquet=form.parquet)
    with whole(out / GENERATOR) as temporary:
        shutil.copyfile(file, temporary)
    card = destination.card(
        generator,
        "complete",
        sha256=digest(out / GENERATOR),
        contents=contents_digest(out, digests),
    )
    write_json(out / COMPLIANCE, synthesis_manifest(card).to_json())
    write_json(out / CARD, card.to_json())
    write_synthesis_page(out, language_of(out, language))
    for folder in (images, out):
        settle(folder)


def _write_tables(
    out: Path, rows: Sequence[ImageRow], findings: Sequence[str], *, parquet: bool
) -> None:
    columns = tuple(map(probability_of, findings))
    write_table(
        out / LABELS,
        ("file", "label", *columns),
        [
            (Path(row.file_name).name, row.label, *(f"{p:.4f}" for p in row.probabilities))
            for row in rows
        ],
    )
    table = ImageTable(rows=rows, probabilities=columns, classes=tuple(findings), several=True)
    table.write(out, parquet=parquet)


def _nobody() -> Identity:
    """A patient who is nobody, with a study of one image: all at random."""
    noise = SystemNoise()

    def uid() -> str:
        return f"2.25.{int.from_bytes(noise.words(2).tobytes(), 'big')}"

    patient = noise.words(1).tobytes().hex().upper()
    return Identity(patient=f"SYN-{patient}", study=uid(), series=uid(), instance=uid())


def _method(generator: Generator, destination: Destination) -> Provenance:
    """What each file says of how it was made."""
    return Provenance(
        description=_description(generator),
        version=__version__,
        size=destination.size,
        private=generator.synthesis.guarantee.private,
        central=True,
        profile=Profile(size=destination.size, file_format=destination.form.file_format),
    )


def _description(generator: Generator) -> str:
    synthesis = generator.synthesis
    made = (
        f"latentdp {__version__}: synthetic image, no patient's; drawn from a generator "
        f"(method {synthesis.recipe.method}, run {synthesis.run[:16]}, weights sha256 "
        f"{synthesis.weights.sha256[:16]}) that was learnt from a cohort."
    )
    said = " ".join((made, *synthesis.warnings, *synthesis.guarantee.statement))
    return said if len(said) <= LONGEST else f"{made} {synthesis.guarantee.statement[0]}"
