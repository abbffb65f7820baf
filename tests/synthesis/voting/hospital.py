"""A small hospital with voters, and public images to ask them about."""

from pathlib import Path

from latentdp.synthesis.voting.answer import answer
from latentdp.synthesis.voting.answer_request import AnswerRequest
from latentdp.synthesis.voting.train import TrainRequest, train
from tests.support.folders import picture_at
from tests.support.tiny_flow import shared_flow
from tests.synthesis.cohorts import pictures

PATIENTS, QUESTIONS = 12, 6


def training(place: Path, **changes) -> TrainRequest:
    options = {
        "source": place / "in",
        "labels": place / "labels.csv",
        "vault": place / "vault",
        "findings": "a;b",
        "number": 5,
    } | changes
    return TrainRequest(**options)


def hospital(place: Path, patients: int = PATIENTS, **changes) -> Path:
    """With voters in its vault, and ``queries/``."""
    pictures(place, patients)
    for number in range(QUESTIONS + 2):
        picture_at(place / "queries" / f"q{number}.png", 100 + number)
    train(training(place, **changes), shared_flow())
    return place


def asking(place: Path, out: str = "out", **changes) -> AnswerRequest:
    options = {
        "queries": place / "queries",
        "out": place / out,
        "vault": place / "vault",
        "epsilon": 8.0,
        "questions": QUESTIONS,
    } | changes
    return AnswerRequest(**options)


def answered(place: Path, out: str = "out", **changes):
    return answer(asking(place, out, **changes))
