"""A classifier as a file: what was learnt of a cohort, and what that cost.

Whoever has the file reads images with it, for nothing; it tells no more of a patient, whatever is
asked of it. Only a classifier that reads latents needs the public weights, too.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from msgspec import structs
from numpy.typing import NDArray
from scipy.special import expit

from latentdp.core.arrays import Images
from latentdp.core.documents import from_json, to_json
from latentdp.errors import InputError, WeightsError
from latentdp.models.checkpoints import find
from latentdp.models.weights_file import WeightsFile
from latentdp.private_training.readers import READERS, Reader
from latentdp.reports.training_card import PrivateTraining
from latentdp.vault.keys import Keys
from latentdp.vault.signature import is_signed, public_key, signature

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["KIND", "Classifier"]

KIND = "classifier"
TOGETHER = 64  # images


@dataclass(frozen=True, kw_only=True)
class Classifier:
    """Reads findings.

    Attributes:
        reader: What was learnt.
        training: How, and at which cost.
        side: Pixels on a side of the images that it learnt on.
        sha256: Digest of the file; empty for one not yet written.
    """

    reader: Reader
    training: PrivateTraining
    side: int
    sha256: str = field(default="", compare=False)

    @property
    def findings(self) -> tuple[str, ...]:
        """Names, in the order of the columns of what it says."""
        return self.training.findings

    def __call__(self, images: Images) -> NDArray[np.float64]:
        """Probabilities ``(n, f)`` of each finding.

        Args:
            images: ``(n, s, s)`` in [0, 1], of the size that it learnt on (`side`), as
                `latentdp.load_images` gives them.

        Raises:
            InputError: Other shapes, or values that are no image's.
            WeightsError: The public weights that it reads with are not here.
        """
        images = np.asarray(images, dtype=np.float32)
        if images.ndim != 3 or images.shape[1:] != (self.side, self.side):
            raise InputError(
                f"expected images of {self.side} by {self.side} pixels, got shape {images.shape}"
            )
        if not ((images >= 0) & (images <= 1)).all():
            raise InputError("expected images with values from 0 to 1")
        odds = [
            self.reader.odds(images[start : start + TOGETHER], self._flow)
            for start in range(0, len(images), TOGETHER)
        ]
        return np.asarray(expit(np.concatenate([np.zeros((0, len(self.findings))), *odds])))

    @cached_property
    def _flow(self) -> Flow | None:
        if not self.reader.needs_flow:
            return None
        from latentdp.models.flow.flow import load_flow

        weights = self.training.weights
        flow = load_flow(str(weights.name), exact=False)
        if flow.sha256 != weights.sha256:
            raise WeightsError(f"the classifier reads with other weights than {weights.name!r}")
        return flow

    @property
    def learnt(self) -> str:
        """SHA-256 of all that it reads with, in hexadecimal."""
        said = hashlib.sha256(self._config.encode())
        for name, tensor in sorted(self.reader.tensors().items()):
            said.update(f"{name} {tensor.shape}".encode())
            said.update(np.ascontiguousarray(tensor, dtype="<f8").tobytes())
        return said.hexdigest()

    @property
    def is_signed(self) -> bool:
        """Whether the card is as a vault signed it, and of just this classifier."""
        training = self.training
        return training.learnt == self.learnt and is_signed(
            training.key, training.signature, training.signed
        )

    def signed(self, keys: Keys) -> Self:
        """The same with a card that is signed.

        Args:
            keys: Of the vault.
        """
        training = structs.replace(
            self.training, learnt=self.learnt, key=public_key(keys), signature=""
        )
        training = structs.replace(training, signature=signature(keys, training.signed))
        return replace(self, training=training)

    @property
    def _config(self) -> str:
        return json.dumps(
            {"reader": self.reader.kind, "findings": list(self.findings), "side": self.side}
        )

    def save(self, path: Path) -> None:
        """Writes it, whole or not at all."""
        WeightsFile(
            kind=KIND,
            config=self._config,
            card=json.dumps(to_json(self.training), sort_keys=True),
            tensors=self.reader.tensors(),
        ).write(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            WeightsError: There is none, it is damaged, or of another kind.
        """
        file = WeightsFile.read(find(str(path)))
        if file.kind != KIND:
            raise WeightsError(
                f"expected a classifier, got weights of kind {file.kind!r}; what is claimed of a "
                "student or a generator stands on the card in its folder"
            )
        try:
            config = json.loads(file.config)
            tensors = {name: tensor.astype(np.float64) for name, tensor in file.tensors.items()}
            training = from_json(
                json.loads(file.card), PrivateTraining, "the card of the classifier"
            )
            made = cls(
                reader=READERS[config["reader"]](tensors),
                training=training,
                side=int(config["side"]),
                sha256=file.sha256,
            )
        except (KeyError, ValueError, TypeError, IndexError, RecursionError, InputError) as error:
            raise WeightsError(f"{path.name}: the classifier is damaged") from error
        if made.reader.rows != len(training.findings) or made._config != file.config:
            raise WeightsError(f"{path.name}: the classifier is damaged")
        return made
