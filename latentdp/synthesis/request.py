"""What one job of a cohort is asked to do: validated once, before weights or files are read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from latentdp.core import plugins
from latentdp.data.dicom.profile import MAX_SIZE, Profile
from latentdp.data.splits import USUAL_SPLITS, Splits
from latentdp.errors import InputError
from latentdp.privacy.gaussian_accountant import default_delta, mu_of
from latentdp.privacy.units import allowance
from latentdp.release.folders import check_apart, check_not_empty, check_source
from latentdp.reports.image_table import check_parquet
from latentdp.reports.language import Language
from latentdp.reports.synthesis_card import SynthesisRecipe
from latentdp.synthesis.destination import Form
from latentdp.synthesis.findings import MOST_NAMES, parse_names
from latentdp.vault.default_vault import default_vault
from latentdp.vault.spending import Limit

__all__ = ["CohortRequest", "CohortSource", "SynthesisRequest", "check_images"]

MOST_IMAGES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class CohortSource(ABC):
    """A private cohort, and how it is read.

    Attributes:
        source: Folder of images, or a table (CSV) of files with their findings; never written to.
        labels: CSV of findings by file, examination or patient, as for a release, under any
            names; where rows are about files, perhaps with ``patient``.
        findings: Names that are public, separated by ``;``; others are not told.
        images_per_patient: Images of a patient that are looked at, at most.
        accept_burned_in: A person looked at the pixels of all inputs and found no text.
        all_chests: A person says that every input shows a chest.
        all_frontal: A person says that every input is a frontal view.
        ledger: URL of the ledger's database, which the vault remembers.

    Raises:
        InputError: A value is out of its range, or a folder is missing.
    """

    source: Path
    labels: Path | None = None
    findings: str | None = None
    images_per_patient: int = 4
    accept_burned_in: bool = False
    all_chests: bool = False
    all_frontal: bool = False
    ledger: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.images_per_patient <= 1_000:
            raise InputError(
                f"expected 1 to 1000 images per patient, got {self.images_per_patient}"
            )
        if self.findings is not None and not 1 <= len(self.declared) <= MOST_NAMES:
            raise InputError(f"expected 1 to {MOST_NAMES} names of findings, separated by ;")
        check_source(self.source)
        check_not_empty(self.source)
        if self.labels is not None and not self.labels.is_file():
            raise InputError("expected --labels to be a CSV file; there is none")

    @property
    @abstractmethod
    def place(self) -> Path:
        """Of the vault."""

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self.source if self.source.is_dir() else self.source.parent

    @property
    def declared(self) -> tuple[str, ...]:
        """Public names of findings; empty for none."""
        return () if self.findings is None else parse_names(self.findings, "--findings")

    @property
    def profile(self) -> Profile:
        """How files are read."""
        return Profile(
            accept_burned_in=self.accept_burned_in,
            all_chests=self.all_chests,
            all_frontal=self.all_frontal,
        )


@dataclass(frozen=True, kw_only=True)
class CohortRequest(CohortSource):
    """What every job is asked that releases what it learns from a whole cohort.

    Attributes:
        out: What is made.
        vault: Folder of the key, the ledger and private reports; made if absent. Default: one
            for OUT in this user's state. One vault adds up what syntheses and releases cost.
        epsilon: Of a patient, replace-one, in nats.
        delta: In (0, 1); None for min(1e-5, n^-1.1).
        budget: Largest epsilon per patient, earlier releases from this vault included. A cap of
            the vault holds too.

    Raises:
        InputError: A value is out of its range, or a folder is missing or lies where it must not.
    """

    out: Path
    vault: Path | None = None
    epsilon: float
    delta: float | None = None
    budget: float | None = None

    def __post_init__(self) -> None:
        mu_of(self.epsilon, default_delta(1) if self.delta is None else self.delta)
        if self.budget is not None and not self.budget > 0:
            raise InputError(f"expected a finite positive budget of epsilon, got {self.budget}")
        _ = self.limit
        super().__post_init__()
        check_apart(self.folder, self.out, self.place)

    @property
    def place(self) -> Path:
        """Of the vault."""
        return default_vault(self.out) if self.vault is None else self.vault

    @property
    def limit(self) -> Limit:
        """Most that a patient may have spent after it; what the vault's cap says holds too."""
        return Limit(None if self.budget is None else allowance(self.budget))

    def delta_of(self, patients: int) -> float:
        """Delta of a cohort of so many patients."""
        return default_delta(patients) if self.delta is None else float(self.delta)


@dataclass(frozen=True, kw_only=True)
class SynthesisRequest(CohortRequest):
    """A synthesis, or a preview of one.

    Its ``out`` is a new or empty folder, or one in which an earlier run of the same synthesis
    stopped. Without ``findings`` the names are released privately, which rare ones do not survive.

    Attributes:
        images: Images to draw, at least 1; any number is free.
        size: Pixels on a side; None for what the command makes of the weights.
        file_format: Of the files: ``png``, ``dicom`` (Secondary Capture) or ``npz``.
        mark: Write SYNTHETIC into a corner of each image.
        candidates: Images that are drawn for each, of which the critic of the weights and the head
            choose one; without a critic there is only one.
        splits: Percentages of images to train, validate and test with.
        parquet: Write the table of images as Parquet, too.
        method: Of synthesis.
        language: Of the public page, one of `latentdp.reports.language.LANGUAGES`; None for that
            of the page that is there, or English.

    Raises:
        InputError: A value is out of its range, or a folder is missing or lies where it must not.
    """

    images: int = 1_000
    size: int | None = None
    file_format: str = "png"
    mark: bool = True
    candidates: int = 1
    splits: str = USUAL_SPLITS
    parquet: bool = False
    method: str = "gaussian"
    language: str | None = None

    def __post_init__(self) -> None:
        if self.language is not None:
            Language(self.language)
        plugins.load("synthesis methods", self.method)
        check_images(self.images, self.size)
        _ = self.form
        if self.parquet:
            check_parquet()
        super().__post_init__()

    @property
    def form(self) -> Form:
        """Of the files."""
        return Form(
            file_format=self.file_format,
            mark=self.mark,
            candidates=self.candidates,
            splits=Splits.parse(self.splits),
            parquet=self.parquet,
        )

    def recipe(self, patients: int) -> SynthesisRecipe:
        """What determines the releases of a cohort of so many patients."""
        return SynthesisRecipe(
            method=self.method,
            epsilon=float(self.epsilon),
            delta=self.delta_of(patients),
            images_per_patient=self.images_per_patient,
            declared=self.declared,
            accept_burned_in=self.accept_burned_in,
            all_chests=self.all_chests,
            all_frontal=self.all_frontal,
        )


def check_images(images: int, size: int | None) -> None:
    """Refuses a number or a size of images that there cannot be.

    Raises:
        InputError: It is out of its range.
    """
    if not 1 <= images <= MOST_IMAGES:
        raise InputError(f"expected 1 to {MOST_IMAGES:,} images, got {images:,}")
    if size is not None and not 1 <= size <= MAX_SIZE:
        raise InputError(f"expected a size from 1 to {MAX_SIZE} pixels, got {size}")
