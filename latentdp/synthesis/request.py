"""What one synthesis is asked to do: validated once, before weights or files are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from latentdp.core import plugins
from latentdp.data.dicom.profile import MAX_SIZE, Profile
from latentdp.errors import InputError
from latentdp.privacy.gaussian_accountant import default_delta, mu_of
from latentdp.privacy.units import allowance
from latentdp.release.folders import check_apart, check_source
from latentdp.reports.synthesis_card import SynthesisRecipe
from latentdp.synthesis.findings import MOST_NAMES, parse_names
from latentdp.vault.default_vault import default_vault
from latentdp.vault.spending import Limit

__all__ = ["SynthesisRequest", "check_images"]

MOST_IMAGES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class SynthesisRequest:
    """A synthesis, or a preview of one.

    Attributes:
        source: Folder of images, or a table (CSV) of files with their findings; never written to.
        out: New or empty folder, or one in which an earlier run of the same synthesis stopped.
        vault: Folder of the key, the ledger and private reports; made if absent. Default: one
            for OUT in this user's state. One vault adds up what syntheses and releases cost.
        labels: CSV of findings by file, examination or patient, as for a release, under any
            names; where rows are about files, perhaps with ``patient``.
        epsilon: Of a patient, replace-one, in nats.
        delta: In (0, 1); None for min(1e-5, n^-1.1).
        findings: Names that are public, separated by ``;``; others are not told. None to have the
            names released privately, which rare ones do not survive.
        images: Images to draw, at least 1; any number is free.
        size: Pixels on a side; None for what the command makes of the weights.
        method: Of synthesis.
        images_per_patient: Images of a patient that are looked at, at most.
        accept_burned_in: A person looked at the pixels of all inputs and found no text.
        all_chests: A person says that every input shows a chest.
        all_frontal: A person says that every input is a frontal view.
        budget: Largest epsilon per patient, earlier releases from this vault included. A cap of
            the vault holds too.
        ledger: URL of the ledger's database, which the vault remembers.

    Raises:
        InputError: A value is out of its range, or a folder is missing or lies where it must not.
    """

    source: Path
    out: Path
    vault: Path | None = None
    labels: Path | None = None
    epsilon: float
    delta: float | None = None
    findings: str | None = None
    images: int = 1_000
    size: int | None = None
    method: str = "gaussian"
    images_per_patient: int = 4
    accept_burned_in: bool = False
    all_chests: bool = False
    all_frontal: bool = False
    budget: float | None = None
    ledger: str | None = None

    def __post_init__(self) -> None:
        plugins.load("synthesis methods", self.method)
        mu_of(self.epsilon, default_delta(1) if self.delta is None else self.delta)
        check_images(self.images, self.size)
        if not 1 <= self.images_per_patient <= 1_000:
            raise InputError(
                f"expected 1 to 1000 images per patient, got {self.images_per_patient}"
            )
        if self.budget is not None and not self.budget > 0:
            raise InputError(f"expected a finite positive budget of epsilon, got {self.budget}")
        _ = self.limit
        if self.findings is not None and not 1 <= len(self.declared) <= MOST_NAMES:
            raise InputError(f"expected 1 to {MOST_NAMES} names of findings, separated by ;")
        check_source(self.source)
        if self.labels is not None and not self.labels.is_file():
            raise InputError("expected --labels to be a CSV file; there is none")
        check_apart(self.folder, self.out, self.place)

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self.source if self.source.is_dir() else self.source.parent

    @property
    def place(self) -> Path:
        """Of the vault."""
        return default_vault(self.out) if self.vault is None else self.vault

    @property
    def limit(self) -> Limit:
        """Most that a patient may have spent after it; what the vault's cap says holds too."""
        return Limit(None if self.budget is None else allowance(self.budget))

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

    def recipe(self, patients: int) -> SynthesisRecipe:
        """What determines the releases of a cohort of so many patients."""
        return SynthesisRecipe(
            method=self.method,
            epsilon=float(self.epsilon),
            delta=default_delta(patients) if self.delta is None else float(self.delta),
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
