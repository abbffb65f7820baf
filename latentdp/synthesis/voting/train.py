"""Voters are taught by a private cohort, and stay in the vault: nothing is released or charged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from latentdp.core import plugins
from latentdp.core.documents import to_json
from latentdp.core.progress import ProgressCallback, silent
from latentdp.core.system import lies_in
from latentdp.errors import Aborted, InputError
from latentdp.privacy.aggregators.base import MOST_VOTES
from latentdp.release.inputs import alone
from latentdp.release.tasks import Refusal
from latentdp.reports.answers_card import VotersRecipe
from latentdp.reports.release_card_parts import CardWeights
from latentdp.synthesis.cohort import PrivateCohort, ReadImages, read_images
from latentdp.synthesis.cohort_job import opened_cohort
from latentdp.synthesis.head import start
from latentdp.synthesis.job import cohort_key
from latentdp.synthesis.public import PublicModel, thumbnails
from latentdp.synthesis.request import CohortSource
from latentdp.synthesis.summary import reasons
from latentdp.synthesis.vectors import PatientImages
from latentdp.synthesis.voting.kept_voters import (
    ChargedPatient,
    KeptVoters,
    VotersCard,
    voters_file,
)
from latentdp.synthesis.voting.own_images import image_token
from latentdp.vault.keys import Keys

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["TrainRequest", "TrainSummary", "preview_train", "train"]

READ = 0.7  # share of the work


@dataclass(frozen=True, kw_only=True)
class TrainRequest(CohortSource):
    """Voters that are to be taught.

    Attributes:
        vault: Folder of the key, the ledger and the voters; made if absent.
        name: Of the voters in the vault.
        voters: Kind, a plug-in.
        number: How many vote; 2 and more.

    Raises:
        InputError: A value is out of its range, or a folder is missing or lies where it must not.
    """

    vault: Path
    name: str = "teachers"
    voters: str = "teachers"
    number: int = 20

    def __post_init__(self) -> None:
        plugins.load("voters", self.voters)
        voters_file(self.vault, self.name)
        if not 2 <= self.number <= MOST_VOTES:
            raise InputError(f"expected 2 to {MOST_VOTES:,} voters, got {self.number:,}")
        if not self.declared:
            raise InputError(
                "expected --findings: the names that are voted on are public, such as "
                "'pneumonia;no finding'"
            )
        super().__post_init__()
        if lies_in(self.vault, self.folder) or lies_in(self.folder, self.vault):
            raise InputError("the vault must not lie inside the cohort, nor the cohort in it")

    @property
    def place(self) -> Path:
        """Of the vault."""
        return self.vault

    @property
    def recipe(self) -> VotersRecipe:
        """What determines the voters, beside the cohort and the key."""
        return VotersRecipe(
            voters=self.voters,
            number=self.number,
            findings=self.declared,
            images_per_patient=self.images_per_patient,
            accept_burned_in=self.accept_burned_in,
            all_chests=self.all_chests,
            all_frontal=self.all_frontal,
        )


@dataclass(frozen=True, kw_only=True)
class TrainSummary:
    """What became of a cohort, for the operator's eyes: **private**.

    Attributes:
        patients: Who taught.
        files: That were looked at and could be read.
        passed_over: Beyond so many of a patient, and equal ones.
        quarantined: Reason to number of files.
        refused: Each file that was kept back, and why.
        voters: How many there are.
        already: They were there before.
    """

    patients: int
    files: int
    passed_over: int
    quarantined: Mapping[str, int]
    refused: Mapping[str, Refusal] = field(default_factory=dict)
    voters: int = 0
    already: bool = False

    @property
    def exit_code(self) -> int:
        """0 all done, 1 some files quarantined."""
        return 1 if self.quarantined else 0


def train(
    request: TrainRequest, flow: Flow, *, progress: ProgressCallback = silent
) -> TrainSummary:
    """Teaches voters and keeps them in the vault. Again, it does nothing.

    Args:
        request: What is asked for.
        flow: The public flow in whose units they read.
        progress: Told what is being done.

    Raises:
        InputError: Nothing was kept.
        Aborted: The vault cannot be written to.
    """
    return _run(request, flow, progress, read_only=False)


def preview_train(
    request: TrainRequest, flow: Flow, *, progress: ProgressCallback = silent
) -> TrainSummary:
    """What `train` would do, told without writing anything.

    Raises:
        InputError: As `train`.
    """
    return _run(request, flow, progress, read_only=True)


def _run(
    request: TrainRequest, flow: Flow, progress: ProgressCallback, *, read_only: bool
) -> TrainSummary:
    try:
        with opened_cohort(request, read_only=read_only, progress=progress) as opened:
            vault, _, cohort = opened
            file = voters_file(vault.path, request.name)
            identity = cohort_key(
                "voters", vault, cohort, str(to_json(request.recipe)), flow.sha256
            )
            if file.is_file():
                return _before(request, KeptVoters.load(file), cohort, identity)
            refused = dict(cohort.refused)
            parts: list[ReadImages] = []
            small: list[NDArray[np.uint8]] = []
            patients = 0
            for part in read_images(cohort, flow.shape, request.profile):
                refused |= part.refused
                patients += len(part.subjects)
                small.append(thumbnails(part.images))
                parts.append(replace(part, images=part.images[:0]))  # these take much memory
                progress(READ * patients / len(cohort.patients), "reading the cohort")
            if not patients:
                raise InputError("no image of the cohort can be read; nothing was kept")
            if not read_only:
                progress(READ, "teaching")
                _taught(request, flow, vault, parts, np.concatenate(small), identity).save(file)
    except OSError as error:
        raise Aborted(f"the vault could not be written to ({error.strerror})") from error
    return TrainSummary(
        patients=patients,
        files=cohort.files - len(refused.keys() - cohort.refused.keys()),
        passed_over=cohort.passed_over,
        quarantined=reasons(refused),
        refused=refused,
        voters=request.number,
    )


def _taught(
    request: TrainRequest,
    flow: Flow,
    keys: Keys,
    parts: list[ReadImages],
    small: NDArray[np.uint8],
    identity: str,
) -> KeptVoters:
    findings = request.declared
    files = [file for part in parts for file in part.files]
    said = [file.annotation.findings for file in files]
    shown = np.array([[name in names for name in findings] for names in said], dtype=np.bool_)
    starts = np.cumsum([0] + [len(part.subjects) for part in parts])
    images = PatientImages(
        latents=np.empty((len(files), 0)),
        thumbnails=small,
        findings=shown,
        read=np.array([bool(names) for names in said], dtype=np.bool_),
        patients=np.concatenate([p.patients + s for p, s in zip(parts, starts, strict=False)]),
    )
    public = PublicModel.of(flow)
    kind = plugins.load("voters", request.voters).voters
    voters = kind.teach(
        images,
        tuple(who for part in parts for who in part.subjects),
        keys,
        head=start(public, len(findings), public.samples.shape[1]),
        number=request.number,
    )
    return KeptVoters(
        voters,
        VotersCard(
            recipe=request.recipe,
            identity=identity,
            shape=flow.shape,
            weights=_weights(flow),
            accounts=tuple(account for part in parts for account in _accounts(keys, part)),
            images=tuple(sorted({image_token(each, keys) for each in small})),
        ),
    )


def _accounts(keys: Keys, part: ReadImages) -> list[ChargedPatient]:
    """Whom answers are charged to, as `latentdp.synthesis.cohort_job` charges a synthesis."""
    spellings: dict[str, set[str]] = {who: set() for who in part.subjects}
    pictures: dict[str, set[str]] = {who: set() for who in part.subjects}
    for file in part.files:
        spellings[file.patient] |= {keys.subject(file.spelled)}
    for file, picture in part.unnamed:
        spellings[file.patient] |= {keys.subject(alone(file.content))}
        pictures[file.patient] |= {keys.pictured(picture)}
    return [
        ChargedPatient(
            subject=keys.subject(who),
            spellings=tuple(sorted(spellings[who] - {keys.subject(who)})),
            pictures=tuple(sorted(pictures[who])),
        )
        for who in part.subjects
    ]


def _before(
    request: TrainRequest, kept: KeptVoters, cohort: PrivateCohort, identity: str
) -> TrainSummary:
    """Of voters that are there.

    Raises:
        InputError: They are others.
    """
    if kept.card.identity != identity:
        raise InputError(
            f"the vault holds other voters named {request.name!r}, taught by other images or "
            "options; give another --name"
        )
    return TrainSummary(
        patients=len(kept.card.accounts),
        files=cohort.files,
        passed_over=cohort.passed_over,
        quarantined=reasons(cohort.refused),
        refused=cohort.refused,
        voters=request.number,
        already=True,
    )


def _weights(flow: Flow) -> CardWeights:
    return CardWeights(
        name=flow.name,
        sha256=flow.sha256,
        training_data=flow.provenance.training_data,
        trained_on_private_data=flow.provenance.private_training,
    )
