"""What reads findings, from any of the files that hold such a reader."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images, check_images
from latentdp.errors import WeightsError
from latentdp.models.checkpoints import find
from latentdp.models.weights_file import WeightsFile
from latentdp.private_training.classifier import KIND as CLASSIFIER
from latentdp.private_training.classifier import Classifier
from latentdp.synthesis.generator import KIND as GENERATOR
from latentdp.synthesis.generator import Generator
from latentdp.synthesis.head import Head
from latentdp.synthesis.voting.student import KIND as STUDENT
from latentdp.synthesis.voting.student import Student

__all__ = ["FindingReader", "HeadReader", "load_classifier"]

SIDE = 64  # pixels; whatever the thumbnails of a head, their side divides it


class FindingReader(Protocol):
    """Reads findings in images."""

    @property
    def findings(self) -> tuple[str, ...]:
        """Names, in the order of the columns of what it says."""

    @property
    def side(self) -> int:
        """Pixels on a side of the images that it takes."""

    def __call__(self, images: Images, /) -> NDArray[np.float64]:
        """Probabilities ``(n, f)`` of each finding in images ``(n, side, side)`` in [0, 1]."""


@dataclass(frozen=True)
class HeadReader:
    """A head that was learnt beside something else: of a generator, or of a student.

    Attributes:
        head: It.
        findings: Their names.
        side: Pixels on a side of the images that it takes.
    """

    head: Head
    findings: tuple[str, ...]
    side: int = SIDE

    def __call__(self, images: Images, /) -> NDArray[np.float64]:
        """Probabilities ``(n, f)`` of each finding.

        Args:
            images: ``(n, side, side)`` in [0, 1].

        Raises:
            InputError: Other shapes, or values that are no image's.
        """
        return self.head.probabilities(check_images(images, (self.side, self.side)))


def load_classifier(path: str | Path) -> FindingReader:
    """A reader of findings, of whatever was learnt privately.

        >>> import latentdp
        >>> latentdp.train_privately(
        ...     "samples/cxr", "reader.safetensors", labels="samples/findings.csv",
        ...     findings="pneumonia;no finding", method="vmf",
        ... ).patients
        6
        >>> classifier = latentdp.load_classifier("reader.safetensors")
        >>> classifier.findings
        ('no finding', 'pneumonia')
        >>> import numpy as np
        >>> classifier(np.full((1, 64, 64), 0.5, dtype=np.float32)).shape
        (1, 2)

    Args:
        path: Of a classifier (``latentdp weights train --private``), the student of
            ``latentdp vote``, or the generator of ``latentdp synthesize`` or ``federate``.

    Raises:
        WeightsError: There is none, it is damaged, of another kind, or of a generator that knows
            no finding.
    """
    path = Path(path)
    kind = WeightsFile.read(find(str(path))).kind
    if kind == CLASSIFIER:
        return Classifier.load(path)
    if kind == STUDENT:
        student = Student.load(path)
        return HeadReader(student.head, student.findings)
    if kind == GENERATOR:
        generator = Generator.load(path)
        if generator.head is None:
            raise WeightsError(f"{path.name}: the generator knows no finding")
        return HeadReader(generator.head, tuple(generator.synthesis.findings))
    raise WeightsError(
        f"expected a classifier, a student or a generator, got weights of kind {kind!r}"
    )
