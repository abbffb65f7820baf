"""The folder in which this program and latentdp hand each other files, and what may travel."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

__all__ = [
    "ANSWER",
    "CONTENT",
    "LARGEST",
    "QUESTION",
    "ROUND",
    "TASK",
    "answer_file",
    "question_file",
    "text_of",
    "wait_for",
    "write_whole",
]

TASK = "answer"  # the only one that a site knows
ROUND, CONTENT = "round", "content"
QUESTION, ANSWER = "question", "answer"
LARGEST = 1 << 26  # characters of a file
MOST_ROUNDS = 10_000
POLL = 0.2  # seconds


def question_file(folder: Path, number: object) -> Path:
    """Where latentdp looks for the question of a round.

    Raises:
        ValueError: It is no number of a round.
    """
    return folder / f"round-{_checked(number):04}.{QUESTION}.json"


def answer_file(folder: Path, number: object) -> Path:
    """Where latentdp puts the answer of a round.

    Raises:
        ValueError: It is no number of a round.
    """
    return folder / f"round-{_checked(number):04}.{ANSWER}.json"


def text_of(content: object) -> str:
    """What came over the network, as the text of a file.

    Raises:
        ValueError: It is no text, or too long.
    """
    if not isinstance(content, str) or not 0 < len(content) <= LARGEST:
        raise ValueError(f"expected a text of at most {LARGEST} characters")
    return content


def write_whole(path: Path, text: str) -> None:
    """Writes a file so that whoever polls for it never sees a part of it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(temporary).replace(path)


def wait_for(path: Path, stopped: Callable[[], bool]) -> str | None:
    """The text of a file once it is there; None where it was stopped before."""
    while not path.is_file():
        if stopped():
            return None
        time.sleep(POLL)
    return path.read_text(encoding="utf-8")


def _checked(number: object) -> int:
    if type(number) is not int or not 1 <= number <= MOST_ROUNDS:
        raise ValueError("expected the number of a round")
    return number
