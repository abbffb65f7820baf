"""Images that are drawn from a generator, with labels, a card and the generator itself."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from latentdp.core.filesystem import digest, whole, write_json
from latentdp.core.progress import CountCallback
from latentdp.core.tables import write_table
from latentdp.core.version import __version__
from latentdp.data.png import encode_picture
from latentdp.errors import InputError
from latentdp.privacy.noise import Noise
from latentdp.release.recipe_options import USUAL_SIZE
from latentdp.reports.release_card import CARD, IMAGES
from latentdp.reports.synthesis_card import SynthesisCard, SyntheticImages
from latentdp.synthesis.generator import Generator

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["GENERATOR", "LABELS", "Destination", "draw"]

GENERATOR, LABELS = "generator.safetensors", "labels.csv"
DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class Destination:
    """A folder of synthetic images.

    Attributes:
        out: It is made if absent.
        images: How many.
        size: Pixels on a side.
        made_at: The same, as the flow makes them.
        detail: Sizes to which detail is drawn.
        vault: Tag of the vault that was charged; empty for none.

    Raises:
        InputError: The size is smaller than the flow's.
    """

    out: Path
    images: int
    size: int
    made_at: int
    detail: tuple[int, ...]
    vault: str = ""

    def __post_init__(self) -> None:
        if self.size < self.made_at:
            raise InputError(
                f"expected a size of at least {self.made_at} pixels, for these weights, "
                f"got {self.size}"
            )

    @classmethod
    def of(
        cls, out: Path, flow: Flow, images: int, size: int | None, vault: str = ""
    ) -> Destination:
        """With the usual size where none is given: 128 pixels, if the weights have that detail."""
        made_at = flow.shape[0]
        if size is None:
            size = USUAL_SIZE if flow.cascade.steps(made_at, USUAL_SIZE) else made_at
        return cls(
            out=out,
            images=images,
            size=size,
            made_at=made_at,
            detail=flow.cascade.steps(made_at, size),
            vault=vault,
        )

    def check(self) -> None:
        """Refuses a folder that holds something else.

        Raises:
            InputError: Other files, or a synthesis that another vault was charged for.
        """
        if self.out.exists() and not self.out.is_dir():
            raise InputError("expected the output to be a folder, got a file")
        if not self.out.is_dir() or not any(self.out.glob("[!.]*")):
            return
        card = SynthesisCard.find(self.out)
        if card is None:
            raise InputError("the output folder holds other files; name a new or an empty one")
        if card.vault != self.vault:
            raise InputError("the output folder belongs to another vault; name that one")

    def holds(self, generator: Generator) -> bool:
        """Whether the folder holds just these images, finished.

        Raises:
            InputError: It holds those of another synthesis, or other ones of this.
        """
        card = SynthesisCard.find(self.out)
        if card is None:
            return False
        if card.synthesis.run != generator.synthesis.run:
            raise InputError("the output folder holds another synthesis; name a new folder")
        if card.status != "complete":
            return False
        if card.images != self._images():
            raise InputError(
                "the output folder holds other images of this synthesis; name a new folder: "
                "more images cost nothing"
            )
        return True

    def card(self, generator: Generator, sha256: str, status: str) -> SynthesisCard:
        """Of the folder."""
        return SynthesisCard(
            tool="latentdp",
            version=__version__,
            model="central",
            status=status,
            synthesis=generator.synthesis,
            images=self._images(),
            generator=sha256,
            vault=self.vault,
        )

    def _images(self) -> SyntheticImages:
        return SyntheticImages(
            count=self.images,
            size=self.size,
            made_at=self.made_at,
            detail_drawn_at=self.detail,
        )


def draw(
    file: Path,
    destination: Destination,
    flow: Flow,
    noise: Noise,
    progress: CountCallback | None = None,
) -> None:
    """Draws images, labels them and writes all that is public; it costs nothing.

    Args:
        file: Of the generator.
        destination: Where to, and how many.
        flow: Of the generator's weights.
        noise: Random bits; they protect nobody here.
        progress: Called with the number of images done and of all.
    """
    generator = Generator.load(file)
    out, images = destination.out, destination.out / IMAGES
    images.mkdir(parents=True, exist_ok=True)
    write_json(out / CARD, destination.card(generator, "", "incomplete").to_json())
    for old in images.glob("*.png"):
        old.unlink()
    findings = generator.synthesis.findings
    rows: list[tuple[str, ...]] = []
    said = _description(generator)
    for part in generator.draw(flow, noise, destination.images, destination.size):
        labels = generator.labels(part.probabilities)
        for image, label, row in zip(part.images, labels, part.probabilities, strict=True):
            name = f"{len(rows) + 1:0{DIGITS}d}.png"
            with whole(images / name) as temporary:
                temporary.write_bytes(encode_picture(image, said))
            rows.append((name, label, *(f"{p:.4f}" for p in row)))
        if progress is not None:
            progress(len(rows), destination.images)
    columns = ("file", "label", *(f"probability of {name}" for name in findings))
    write_table(out / LABELS, columns, rows)
    with whole(out / GENERATOR) as temporary:
        shutil.copyfile(file, temporary)
    sha256 = digest(out / GENERATOR)
    write_json(out / CARD, destination.card(generator, sha256, "complete").to_json())


def _description(generator: Generator) -> str:
    synthesis = generator.synthesis
    return " ".join(
        (
            f"latentdp {__version__}: synthetic image, no patient's; drawn from a generator "
            f"(method {synthesis.recipe.method}, run {synthesis.run[:16]}, weights sha256 "
            f"{synthesis.weights.sha256[:16]}) that was learnt from a cohort.",
            *synthesis.warnings,
            *synthesis.guarantee.statement,
        )
    )
