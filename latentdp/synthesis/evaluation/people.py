"""The two groups of people of an evaluation: who was learnt from, and others who were not."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from latentdp.core.progress import ProgressCallback, part
from latentdp.data.dicom.profile import Profile
from latentdp.errors import InputError
from latentdp.reports.synthesis_card import SynthesisRecipe
from latentdp.synthesis.cohort import PrivateCohort
from latentdp.synthesis.evaluation.subjects import MANIFEST, Subjects, find_subjects, read_subjects
from latentdp.synthesis.evaluation.synthetic_set import SyntheticSet
from latentdp.synthesis.job import synthesis_key
from latentdp.synthesis.public import thumbnails
from latentdp.synthesis.vectors import PatientImages
from latentdp.vault.vault import Vault

__all__ = ["BothGroups", "Places", "as_learnt"]


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where people's images and findings are.

    Attributes:
        cohort: Folder or table of the cohort, as it was synthesized.
        labels: Table of a folder.
        test: Folder or table of others; None for none.
        test_labels: Table of that folder.
    """

    cohort: Path
    labels: Path | None = None
    test: Path | None = None
    test_labels: Path | None = None

    @property
    def folders(self) -> tuple[Path, ...]:
        """Of all these, in which nothing private may be written."""
        given = (self.cohort, self.test)
        return tuple(p if p.is_dir() else p.parent for p in given if p is not None)


@dataclass(frozen=True, kw_only=True)
class BothGroups:
    """People who were learnt from, and others.

    Attributes:
        cohort: As far as they are looked at.
        test: Others; None for none.
        vocabulary: Findings that the method knew of.
    """

    cohort: Subjects
    test: Subjects | None
    vocabulary: tuple[str, ...]

    @classmethod
    def read(
        cls,
        places: Places,
        released: SyntheticSet,
        vault: Vault,
        shape: tuple[int, int],
        *,
        images: int,
        tell: ProgressCallback,
    ) -> Self:
        """Finds both, checks that they are who they should be, and reads them.

        Args:
            places: Where they are.
            released: What was made of the cohort.
            vault: That was charged for it.
            shape: Of the flow's images.
            images: Of either group, at most about.
            tell: Progress.

        Raises:
            InputError: The cohort is another one, or others are of it.
        """
        recipe = released.generator.synthesis.recipe
        profile = _profile(recipe)
        tell(0.0, "finding patients")
        cohort = find_subjects(
            places.cohort,
            places.labels,
            vault,
            most=recipe.images_per_patient,
            profile=profile,
            declared=recipe.declared,
        )
        _check_learnt(cohort, recipe, released, vault)
        others = None
        if places.test is not None:
            others = find_subjects(
                places.test,
                places.test_labels,
                vault,
                profile=profile,
                declared=recipe.declared or released.findings,
            )
            _check_apart(cohort, others)
        learnt_from = read_subjects(
            cohort,
            _table(places.cohort, places.labels),
            shape,
            profile,
            images=images,
            tell=part(tell, 0.0, 0.5),
        )
        tested = None
        if others is not None and places.test is not None:
            tested = read_subjects(
                others,
                _table(places.test, places.test_labels),
                shape,
                profile,
                images=images,
                tell=part(tell, 0.5, 1.0),
            )
        return cls(
            cohort=learnt_from,
            test=tested,
            vocabulary=recipe.declared or cohort.findings,
        )


def as_learnt(
    subjects: Subjects, latents: NDArray[np.float64], vocabulary: Sequence[str]
) -> PatientImages:
    """People as methods see them.

    Args:
        subjects: Who they are.
        latents: ``(n, m)`` coarsest latents of their images.
        vocabulary: Findings that methods know of.
    """
    return PatientImages(
        latents=latents,
        thumbnails=thumbnails(subjects.images),
        findings=subjects.shown(vocabulary),
        read=subjects.read,
        patients=subjects.patients,
    )


def _profile(recipe: SynthesisRecipe) -> Profile:
    return Profile(
        accept_burned_in=recipe.accept_burned_in,
        all_chests=recipe.all_chests,
        all_frontal=recipe.all_frontal,
    )


def _check_learnt(
    cohort: PrivateCohort, recipe: SynthesisRecipe, released: SyntheticSet, vault: Vault
) -> None:
    key = synthesis_key(vault, cohort, recipe, released.generator.synthesis.weights.sha256)
    with closing(vault.ledger()) as ledger:
        entries = ledger.find([key]).get(key, [])
    run = released.generator.synthesis.run
    if not any(entry.output.partition(".")[0] == run for entry in entries):
        raise InputError(
            "expected COHORT and --labels as they were when OUT was learnt, and the vault that "
            "was charged: its ledger knows no such synthesis"
        )


def _check_apart(cohort: PrivateCohort, others: PrivateCohort) -> None:
    """By identifier, and by content: a picture under another name is the same patient."""
    contents = [
        {file.content for own in group.patients.values() for file in own}
        | {file.content for own in group.beyond.values() for file in own}
        for group in (cohort, others)
    ]
    shared = len(set(cohort.patients) & set(others.patients))
    equal = len(contents[0] & contents[1])
    if shared or equal:
        raise InputError(
            f"--test must be of other patients: {shared} of its patients are in the cohort, and "
            f"{equal} of its files"
        )


def _table(source: Path, labels: Path | None) -> Path | None:
    """The table of files, if rows are about these."""
    if labels is not None:
        return labels
    return source / MANIFEST if source.is_dir() else source
