"""What one release is asked to do: validated once, before weights are loaded or files written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypedDict

from latentdp.core.system import lies_in
from latentdp.core.tables import read_any_table, read_table
from latentdp.data.splits import USUAL_SPLITS, Splits
from latentdp.errors import InputError
from latentdp.privacy.randomized_response import LabelRelease, Unlabelled
from latentdp.privacy.units import allowance, delta_allowance
from latentdp.release.folders import check_folders, check_not_empty, check_source
from latentdp.release.recipe_options import RecipeOptions
from latentdp.release.uid_mapping import check_mapping
from latentdp.reports.image_table import check_parquet
from latentdp.reports.language import Language
from latentdp.reports.layout import Layout
from latentdp.vault.database import address, file_of
from latentdp.vault.default_vault import default_vault
from latentdp.vault.spending import Limit

if TYPE_CHECKING:
    from latentdp.privatizer import Privatizer

__all__ = ["ReleaseOptions", "ReleaseRequest"]

# Windows waits for so many processes at once, and for no more.
MOST_WORKERS = 61 if os.name == "nt" else 4096


@dataclass(frozen=True, kw_only=True)
class ReleaseRequest:
    """A release, or a preview of one.

    Attributes:
        source: Folder of images or one file; never written to.
        out: New or empty folder, or one with an earlier part of the same release; None for a
            preview that looks at inputs alone.
        vault: Folder of the key, the ledger and private reports; made if absent. Default: one
            for OUT in this user's state (`latentdp.vault.default_vault`).
        recipe: How images are made private.
        labels: CSV with findings of each file, instance, series, study, accession number or
            patient, told by the names of its columns; without it no label is used or released.
        label_map: CSV with ``from`` and ``to``: own names of findings, and those of the weights.
        unlabelled: What becomes of a radiograph without a label: ``refuse`` everything,
            ``unknown`` (released without one, which tells that it had none) or ``random``.
        budget: Largest epsilon per patient, earlier releases from this vault included. A cap of
            the vault holds too.
        budget_delta: The same of delta; without it any sum of deltas below 1 is allowed.
        accept_unprotected: Let budgets and caps bound what is noised alone. Without it they
            refuse every patient of whom something is, or was earlier, released exactly.
        ledger: URL of the ledger's database, which the vault remembers; by default the
            remembered one, or a file in the vault.
        again: Release, and charge, what was released before but cannot be found.
        layout: How the images lie in ``out / "images"``.
        splits: Percentages of patients whose images are to train, validate and test with, as the
            table of images says.
        parquet: Write that table as Parquet, too.
        mapping: CSV to write, with the old and new UIDs of everything that is in the release;
            patient IDs come beside it. It is a secret, like the vault.
        workers: Processes; 1 works in this one.
        cluster: Address of a Dask scheduler, or its scheduler file; its workers are used
            instead of processes here, and must reach ``source`` by the same path.
        language: Of the public page, one of `latentdp.reports.language.LANGUAGES`; None for that
            of the page that is there, or English.

    Raises:
        InputError: A value is out of its range, options contradict each other, or a file or folder
            is missing or lies where it must not.
    """

    source: Path
    out: Path | None = None
    vault: Path | None = None
    recipe: RecipeOptions = field(default_factory=RecipeOptions)
    labels: Path | None = None
    label_map: Path | None = None
    unlabelled: Unlabelled = Unlabelled.REFUSE
    budget: float | None = None
    budget_delta: float | None = None
    accept_unprotected: bool = False
    ledger: str | None = None
    again: bool = False
    layout: Layout = Layout.FLAT
    splits: str = USUAL_SPLITS
    parquet: bool = False
    mapping: Path | None = None
    workers: int = 1
    cluster: str | None = None
    language: str | None = None

    def __post_init__(self) -> None:
        for name in ("source", "out", "vault", "labels", "label_map", "mapping"):
            if getattr(self, name) is not None:
                self._set(name, Path(getattr(self, name)))
        self._check_workers()
        if self.language is not None:
            Language(self.language)
        if self.layout not in list(Layout):
            raise InputError(f"expected the layout to be one of {', '.join(Layout)}, got another")
        self._set("layout", Layout(self.layout))
        _ = self.shares
        if self.parquet:
            check_parquet()
        if self.budget is not None and not self.budget > 0:
            raise InputError(f"expected a finite positive budget of epsilon, got {self.budget}")
        _ = self.limit
        if self.unlabelled not in list(Unlabelled):
            raise InputError(
                f"expected --unlabelled to be one of {', '.join(Unlabelled)}, got another"
            )
        self._set("unlabelled", Unlabelled(self.unlabelled))
        if not self.labelled and (self.label_map or self.unlabelled is not Unlabelled.REFUSE):
            raise InputError("--label-map and --unlabelled need --labels")
        recipe = self.recipe.recipe(labelled=self.labelled, unlabelled=self.unlabelled)
        if self.layout is Layout.CLASS and recipe.label == LabelRelease.NONE:
            raise InputError("--layout class needs labels that are released: give --labels")
        self._check_places()

    @classmethod
    def of(
        cls,
        source: str | Path,
        out: str | Path | None,
        vault: str | Path | None,
        options: Mapping[str, Any],
    ) -> Self:
        """A request from `ReleaseOptions`, which hold the options of the recipe among the others.

        Raises:
            InputError: An option that there is not, or as for the class.
        """
        recipe = {f.name for f in fields(RecipeOptions)}
        own = {f.name for f in fields(cls)} - {"source", "out", "vault", "recipe"}
        unknown = options.keys() - recipe - own
        if unknown:
            known = ", ".join(sorted(recipe | own))
            raise InputError(f"a release has no option {min(unknown)!r}; there are: {known}")
        return cls(
            source=Path(source),
            out=None if out is None else Path(out),
            vault=None if vault is None else Path(vault),
            recipe=RecipeOptions(**{k: v for k, v in options.items() if k in recipe}),
            **{k: v for k, v in options.items() if k in own},
        )

    def load(self) -> Privatizer:
        """Loads the weights and completes the recipe.

        Raises:
            InputError: The input holds nothing, or the weights cannot do what is asked.
            WeightsError: The weights are refused.
        """
        from latentdp.release.executor import preload

        check_not_empty(self.source)
        preload(self.workers)
        return self.recipe.load(labelled=self.labelled, unlabelled=self.unlabelled)

    @property
    def labelled(self) -> bool:
        """Whether labels are given."""
        return self.labels is not None

    @property
    def limit(self) -> Limit:
        """The budget, rounded down to units of the ledger."""
        delta = self.budget_delta
        return Limit(
            micro_epsilon=None if self.budget is None else allowance(self.budget),
            pico_delta=None if delta is None else delta_allowance(delta),
            accept_unprotected=self.accept_unprotected,
        )

    @property
    def shares(self) -> Splits:
        """Of patients to train, validate and test with."""
        return Splits.parse(self.splits)

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _check_workers(self) -> None:
        if not 1 <= self.workers <= MOST_WORKERS:
            raise InputError(
                f"expected at least 1 worker and at most {MOST_WORKERS}, got {self.workers}"
            )
        if self.cluster is None:
            return
        if self.workers != 1:
            raise InputError(
                "give --workers or --cluster, not both: a cluster has its own workers"
            )
        if self.out is not None and self.vault is None:
            raise InputError(
                "--cluster needs --vault, a folder that the workers do not share: in this user's "
                "state, where it would be, they might see its key"
            )
        # Workers have other working directories.
        self._set("source", self.source.absolute())
        self._set("out", None if self.out is None else self.out.absolute())

    def _check_files(self) -> None:
        """What else is named is there and can be read, as far as that can be told at once."""
        from latentdp.models.checkpoints import check_name

        check_name(self.recipe.weights)
        if self.labels is not None:
            read_any_table(self.labels)
        if self.label_map is not None:
            read_table(self.label_map, ("from", "to"))

    def _check_places(self) -> None:
        """Where everything is and shall be; it reads, and writes nothing."""
        check_source(self.source)
        self._check_files()
        if self.out is None:
            return
        vault = default_vault(self.out) if self.vault is None else self.vault
        self._set("vault", vault)
        check_folders(self.source, self.out, vault, self.layout)
        file = None if self.ledger is None else file_of(address(self.ledger))
        if file is not None and (lies_in(file, self.source) or lies_in(file, self.out)):
            raise InputError("the ledger must not lie inside the input or the output")
        if self.mapping is not None:
            check_mapping(self.mapping, source=self.source, out=self.out)


class ReleaseOptions(TypedDict, total=False):
    """The fields of `ReleaseRequest` and of its `RecipeOptions`, as keyword arguments."""

    preset: str
    weights: str
    epsilon: float | None
    epsilon_per_patient: float | None
    images_per_patient: int | None
    epsilon_per_element: float | None
    mechanism: str | None
    label_release: str | None
    release_findings: str
    keep_label_dims: int | None
    resample_identity: int | None
    keep_layout: int | None
    candidates: int | None
    shift_dates: bool
    retain_characteristics: bool
    retain_device: bool
    accept_burned_in: bool
    all_chests: bool
    all_frontal: bool
    refuse_odd: bool
    size: int | None
    detail: bool
    transfer_syntax: str
    file_format: str | None
    mark: bool
    exact: bool
    labels: str | Path | None
    label_map: str | Path | None
    unlabelled: Unlabelled | str
    budget: float | None
    budget_delta: float | None
    accept_unprotected: bool
    ledger: str | None
    again: bool
    layout: Layout | str
    splits: str
    parquet: bool
    mapping: str | Path | None
    workers: int
    cluster: str | None
    language: str | None
