"""The coordinator's part: add up what sites answered, take a step, and ask again.

It sees nothing that is not public. All that it knows lies in a folder, so it can stop anywhere:

    plan.json
    round-0001/question.json, NAME.answer.json of each site, closed.json
    classifier.safetensors
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from msgspec import Struct

from latentdp.core.documents import from_json, read_json
from latentdp.core.filesystem import digest
from latentdp.core.site_name import check_name
from latentdp.errors import Aborted, InputError
from latentdp.federation.rounds.answer import RoundAnswer
from latentdp.federation.rounds.job import write_document
from latentdp.federation.rounds.question import RoundQuestion
from latentdp.federation.rounds.request import check_rounds
from latentdp.private_training.accounting import rounds_of
from latentdp.private_training.classifier import Classifier
from latentdp.private_training.describe import weights_of
from latentdp.private_training.methods._counted import CLEAR
from latentdp.private_training.readers import LinearReader, sides_of
from latentdp.private_training.several_sites import joined_training
from latentdp.reports.release_card_parts import CardWeights
from latentdp.reports.training_card import PrivateTraining, TrainedSite
from latentdp.synthesis.descent import Descent
from latentdp.synthesis.findings import parse_names
from latentdp.synthesis.head import CLIP, MOMENTUM, STEP, Head, start
from latentdp.synthesis.public import PublicModel
from latentdp.vault.signature import is_key

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["Asked", "RoundsPlan", "ask", "begin", "has_begun"]

Document = TypeVar("Document")

PLAN, QUESTION, CLOSED, CLASSIFIER = (
    "plan.json",
    "question.json",
    "closed.json",
    "classifier.safetensors",
)


class RoundsPlan(Struct, frozen=True, kw_only=True):
    """What all rounds have in common; public.

    Attributes:
        study: What all sites call this training.
        rounds: How many there are.
        findings: Their names, in the order of the classifier's outputs.
        weights: Public ones that all sites start from.
        side: Pixels on a side of the images that the classifier reads.
        centre: ``(s * s,)`` grey levels of a thumbnail's pixels.
        scale: ``(s * s,)`` grey levels that they vary by.
        trusted: Public keys of the sites; empty for any.
    """

    study: str
    rounds: int
    findings: tuple[str, ...]
    weights: CardWeights
    side: int
    centre: tuple[float, ...]
    scale: tuple[float, ...]
    trusted: tuple[str, ...] = ()

    @property
    def head(self) -> Head:
        """To start from: all weights are 0."""
        size = (len(self.findings), len(self.centre) + 1)
        return Head(
            weights=np.zeros(size), centre=np.array(self.centre), scale=np.array(self.scale)
        )


class ClosedRound(Struct, frozen=True, kw_only=True):
    """The answers that a round ended with; what comes later is left out.

    Attributes:
        answers: Name of each file to its SHA-256, in hexadecimal.
    """

    answers: dict[str, str]


@dataclass(frozen=True)
class Asked:
    """What is to be done next.

    Attributes:
        round: That is open; the last one if all are closed.
        question: File to send to all sites; None if all rounds are closed.
        classifier: What the rounds end with; None before.
        training: Its card; None before.
        left_out: Answers that are none, and why: of the open round, and of those that this call
            has closed without them.
    """

    round: int
    question: Path | None = None
    classifier: Path | None = None
    training: PrivateTraining | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)


def has_begun(folder: Path) -> bool:
    """Whether a folder holds the rounds of a study."""
    return (folder / PLAN).is_file()


def begin(
    folder: Path,
    flow: Flow,
    *,
    study: str,
    findings: str,
    rounds: int,
    trusted: Sequence[str] = (),
) -> None:
    """Lays down what all rounds have in common.

    Args:
        folder: New or empty one.
        flow: The public flow that all sites start from.
        study: What all sites call this training.
        findings: Names separated by ``;``.
        rounds: How many there are.
        trusted: Public keys of the sites; empty for any.

    Raises:
        InputError: A value is out of its range, or the folder holds something else.
        Aborted: Writing failed.
    """
    check_name(study)
    check_rounds(rounds)
    names = parse_names(findings, "--findings")
    if not names:
        raise InputError("expected --findings: all sites must name the same findings")
    if not all(map(is_key, trusted)):  # it would be told of each answer, and too late to mend
        raise InputError("expected --trust KEY to be the 64 hexadecimal digits of a site's key")
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InputError("expected DIR to be a new or empty folder, or one of a study")
    public = PublicModel.of(flow)
    # Few hospitals have the thousands of patients whom finer thumbnails need.
    head = start(public, len(names), sides_of(public)[min(1, len(sides_of(public)) - 1)])
    plan = RoundsPlan(
        study=study,
        rounds=rounds,
        findings=names,
        weights=weights_of(flow),
        side=flow.shape[0],
        centre=tuple(head.centre.tolist()),
        scale=tuple(head.scale.tolist()),
        trusted=tuple(trusted),
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_document(folder / PLAN, plan)
    except OSError as error:
        raise Aborted(f"the study could not be written ({error.strerror})") from error


def ask(folder: Path) -> Asked:
    """Closes the open round if there are answers, and says what to ask next.

    An answer that is none is left out, with a reason: it stops nobody else. Without any the same
    question is asked again.

    Args:
        folder: Of a study that has begun.

    Raises:
        InputError: The folder was altered.
        Aborted: Writing failed; running it again goes on.
    """
    plan = _document(folder / PLAN, RoundsPlan, "the plan of a study")
    training = _Federation(plan)
    left_out: dict[str, str] = {}
    try:
        for number in range(1, plan.rounds + 1):
            place = folder / f"round-{number:04}"
            asked = training.question(number)
            if not (place / CLOSED).is_file():
                answers, refused = training.answers(place, asked)
                if not answers:
                    place.mkdir(exist_ok=True)
                    write_document(place / QUESTION, asked)
                    return Asked(number, question=place / QUESTION, left_out=left_out | refused)
                left_out |= {f"{place.name}/{name}": why for name, why in refused.items()}
                used = {name: digest(place / name) for name in answers}
                write_document(place / CLOSED, ClosedRound(answers=used))
            training.follow(place, asked)
        file = folder / CLASSIFIER
        classifier = training.classifier()
        classifier.save(file)
    except OSError as error:
        raise Aborted(
            f"a file could not be written ({error.strerror}); running the same command again "
            "goes on from here"
        ) from error
    return Asked(plan.rounds, classifier=file, training=classifier.training, left_out=left_out)


class _Federation:
    """A head on its way, and who taught it."""

    def __init__(self, plan: RoundsPlan) -> None:
        self._plan, self._head = plan, plan.head
        self._way = Descent(self._head.weights, rounds=plan.rounds, step=STEP, momentum=MOMENTUM)
        self._first: dict[str, RoundAnswer] = {}  # of each site, by its key
        self._rounds: dict[str, list[int]] = {}

    def question(self, number: int) -> RoundQuestion:
        """Of a round, after all before were followed."""
        plan = self._plan
        return RoundQuestion(
            tool="latentdp",
            format=1,
            study=plan.study,
            round=number,
            rounds=plan.rounds,
            findings=plan.findings,
            flow=plan.weights.sha256,
            weights=tuple(tuple(row) for row in self._way.weights.tolist()),
        )

    def answers(
        self, place: Path, question: RoundQuestion
    ) -> tuple[dict[str, RoundAnswer], dict[str, str]]:
        """Those in the folder of a round, and why others are left out."""
        answers: dict[str, RoundAnswer] = {}
        left_out: dict[str, str] = {}
        for file in sorted(place.glob("*.answer.json")):
            try:
                answer = RoundAnswer.read(file)
                self._check(answer, question, [a.key for a in answers.values()])
            except InputError as error:
                left_out[file.name] = str(error)
            else:
                answers[file.name] = answer
        return answers, left_out

    def follow(self, place: Path, question: RoundQuestion) -> None:
        """Takes the step of a closed round.

        Raises:
            InputError: An answer that it ended with is gone, or was altered.
        """
        closed = _document(place / CLOSED, ClosedRound, "a closed round")
        total, patients = np.zeros(self._way.weights.size), 0.0
        for name, sha256 in sorted(closed.answers.items()):
            file = place / Path(name).name
            if not file.is_file() or digest(file) != sha256:
                raise InputError(f"{place.name}/{name}: it was altered after its round was closed")
            answer = RoundAnswer.read(file)
            answer.check(question)
            total += answer.sum
            patients += answer.patients
            self._first.setdefault(answer.key, answer)
            self._rounds.setdefault(answer.key, []).append(question.round)
        gradient = CLIP / max(1.0, patients) * total
        self._way.follow(gradient.reshape(self._way.weights.shape))

    def classifier(self) -> Classifier:
        """What all rounds end with."""
        return Classifier(
            reader=LinearReader(self._head.with_weights(self._way.averaged)),
            training=joined_training(self._sites(), self._plan.weights, faint=self._faint()),
            side=self._plan.side,
        )

    def _sites(self) -> list[TrainedSite]:
        return [
            answer.site(tuple(self._rounds[key])) for key, answer in sorted(self._first.items())
        ]

    def _faint(self) -> bool:
        """Whether all patients together hardly stand out of the noise of their number."""
        patients = sum(answer.patients for answer in self._first.values())
        noise = [
            rounds_of(answer.training.releases[:1])[0].deviation for answer in self._first.values()
        ]
        return patients < CLEAR * float(np.hypot.reduce(noise))

    def _check(self, answer: RoundAnswer, question: RoundQuestion, seen: Sequence[str]) -> None:
        """Refuses an answer of a site that is not trusted, or not who it was before."""
        trusted = self._plan.trusted
        if trusted and answer.key not in trusted:
            raise InputError(f"its key is none that you trust: {answer.key}")
        if answer.key in seen:
            raise InputError(
                "another answer comes from the same vault: patients would count twice"
            )
        answer.check(question)
        first = self._first.get(answer.key, answer)
        before = (first.name, first.training, first.patients, first.patients_at_most)
        if before != (answer.name, answer.training, answer.patients, answer.patients_at_most):
            raise InputError("the site says something else of itself than in earlier rounds")


def _document(path: Path, kind: type[Document], what: str) -> Document:
    return from_json(read_json(path, what), kind, what)
