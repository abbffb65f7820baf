"""Where the images of a synthesis go, and what their files are like."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from latentdp.core.version import __version__
from latentdp.data.dicom.profile import FORMATS
from latentdp.data.splits import Splits
from latentdp.data.synthetic import USE
from latentdp.errors import InputError
from latentdp.recipe.recipe import check_candidates
from latentdp.release.recipe_options import USUAL_SIZE
from latentdp.reports.compliance_actions import synthesis_manifest
from latentdp.reports.synthesis_card import SynthesisCard, SyntheticImages
from latentdp.synthesis.generator import Generator

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["Destination", "Form"]


@dataclass(frozen=True, kw_only=True)
class Form:
    """What the images of a synthesis are like, and their files.

    Attributes:
        file_format: One of `latentdp.data.dicom.profile.FORMATS`.
        mark: Write SYNTHETIC into a corner of each image.
        splits: Of images to train, validate and test with: each shows a patient of its own.
        parquet: Write the table of images as Parquet, too.
        candidates: Drawn for each image, of which the critic of the weights and the head choose
            one; without a critic there is only one.

    Raises:
        InputError: No such format, or no such number of candidates.
    """

    file_format: str = "png"
    mark: bool = True
    splits: Splits = field(default_factory=Splits)
    parquet: bool = False
    candidates: int = 1

    def __post_init__(self) -> None:
        if self.file_format not in FORMATS:
            raise InputError(f"expected the format to be one of {', '.join(FORMATS)}, got another")
        check_candidates(self.candidates)


@dataclass(frozen=True, kw_only=True)
class Destination:
    """A folder of synthetic images.

    Attributes:
        out: It is made if absent.
        images: How many.
        size: Pixels on a side.
        made_at: The same, as the flow makes them.
        detail: Sizes to which detail is drawn.
        chosen_among: Images that are drawn for each.
        form: Of the files.
        vault: Tag of the vault that was charged; empty for none.

    Raises:
        InputError: The size is smaller than the flow's.
    """

    out: Path
    images: int
    size: int
    made_at: int
    detail: tuple[int, ...]
    chosen_among: int = 1
    form: Form = field(default_factory=Form)
    vault: str = ""

    def __post_init__(self) -> None:
        if self.size < self.made_at:
            raise InputError(
                f"expected a size of at least {self.made_at} pixels, for these weights, "
                f"got {self.size}"
            )

    @classmethod
    def of(
        cls,
        out: Path,
        flow: Flow,
        images: int,
        size: int | None,
        *,
        form: Form | None = None,
        vault: str = "",
    ) -> Destination:
        """With the usual size where none is given: 128 pixels, if the weights have that detail."""
        made_at, form = flow.shape[0], form or Form()
        if size is None:
            size = USUAL_SIZE if flow.cascade.steps(made_at, USUAL_SIZE) else made_at
        return cls(
            out=out,
            images=images,
            size=size,
            made_at=made_at,
            detail=flow.cascade.steps(made_at, size),
            chosen_among=1 if flow.critic is None else form.candidates,
            form=form,
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

    def check_run(self, run: str) -> None:
        """Refuses a folder that holds another synthesis, before that of a run is paid for.

        Args:
            run: That has paid for what is asked; empty for none.

        Raises:
            InputError: It holds another one.
        """
        card = SynthesisCard.find(self.out)
        if card is not None and card.synthesis.run != run:
            raise InputError("the output folder holds another synthesis; name a new folder")

    def holds(self, generator: Generator) -> bool:
        """Whether the folder holds just these images, finished.

        Raises:
            InputError: It holds those of another synthesis, or other ones of this.
        """
        card = SynthesisCard.find(self.out)
        self.check_run(generator.synthesis.run)
        if card is None:
            return False
        if card.status != "complete":
            return False
        if card.images != self._images():
            raise InputError(
                "the output folder holds other images of this synthesis; name a new folder: "
                "more images cost nothing"
            )
        return True

    def card(
        self, generator: Generator, status: str, *, sha256: str = "", contents: str = ""
    ) -> SynthesisCard:
        """Of the folder.

        Args:
            generator: That its images are drawn from.
            status: ``incomplete`` or ``complete``.
            sha256: Of the generator's file.
            contents: Digest of images and tables.
        """
        card = SynthesisCard(
            tool="latentdp",
            version=__version__,
            use=USE,
            model="central",
            status=status,
            synthesis=generator.synthesis,
            images=self._images(),
            generator=sha256,
            contents_sha256=contents,
            vault=self.vault,
        )
        return structs.replace(card, compliance=synthesis_manifest(card).head)

    def _images(self) -> SyntheticImages:
        return SyntheticImages(
            count=self.images,
            size=self.size,
            made_at=self.made_at,
            detail_drawn_at=self.detail,
            chosen_among=self.chosen_among,
            file_format=self.form.file_format,
            marked=self.form.mark,
            splits=self.form.splits.shares,
        )
