"""Small electorates: made-up patients, and the votes of whoever is taught by them."""

from collections.abc import Sequence

import numpy as np

from latentdp.core import plugins
from latentdp.synthesis.head import Head
from latentdp.synthesis.vectors import PatientImages
from latentdp.synthesis.voting.voters.base import Ballot, counted
from latentdp.vault.keys import Keys

KEYS = Keys(b"k" * 32)
FINDINGS, SIDE = 3, 4
QUESTIONS = np.random.default_rng(9).integers(0, 256, (12, SIDE, SIDE)).astype(np.uint8)
NAMES = plugins.names("voters")


def head() -> Head:
    return Head(
        weights=np.zeros((FINDINGS, SIDE * SIDE + 1)),
        centre=np.full(SIDE * SIDE, 128.0),
        scale=np.full(SIDE * SIDE, 60.0),
    )


class Patient:
    """Images of somebody, the same for the same number; findings follow the picture, or not."""

    def __init__(self, name: str, number: int, images: int = 1, odd: bool = False) -> None:
        rng = np.random.default_rng(number)
        self.name = name
        self.thumbnails = rng.integers(0, 256, (images, SIDE, SIDE)).astype(np.uint8)
        bright = self.thumbnails[:, :FINDINGS, 0] > 128
        self.findings = ~bright if odd else bright
        self.read = np.ones(images, dtype=np.bool_)


def cohort(number: int, start: int = 0) -> list[Patient]:
    return [Patient(f"p{i}", i, images=1 + i % 3) for i in range(start, start + number)]


def taught(kind: str, patients: Sequence[Patient], number: int, keys: Keys = KEYS):
    images = PatientImages(
        latents=np.empty((sum(len(p.thumbnails) for p in patients), 0)),
        thumbnails=np.concatenate([p.thumbnails for p in patients]),
        findings=np.concatenate([p.findings for p in patients]),
        read=np.concatenate([p.read for p in patients]),
        patients=np.repeat(np.arange(len(patients)), [len(p.thumbnails) for p in patients]),
    )
    names = tuple(p.name for p in patients)
    voters = plugins.load("voters", kind).voters
    return voters.teach(images, names, keys, head=head(), number=number)


def votes(kind: str, patients: Sequence[Patient], ballot: Ballot, number: int = 5) -> np.ndarray:
    return counted(taught(kind, patients, number), QUESTIONS, ballot)
