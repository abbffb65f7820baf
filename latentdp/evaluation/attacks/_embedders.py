"""Those who look at a release: each sees every image as a vector, and likeness is the cosine.

*Frozen*: the shipped verifier as it is. *Adapted*: the same after learning on the attacker's own
(private, real) and (private, private) pairs, several times, because restarts differ. *Pixels*:
plain correlation of the pictures, which beats the networks for a heavily noised image of one's
own. *Together*: all of the verifiers, whose likenesses are added up. *Repeats*: pixels again, but
each candidate is privatized before it is compared, which whoever knows the method can do.
*Renditions*: pixels and the frozen verifier, where the attacker holds other pictures of the same
radiographs. What one attack has worked out of a scene is remembered for the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images
from latentdp.core.progress import ProgressCallback
from latentdp.evaluation.renditions import renditions
from latentdp.evaluation.threat_model import ThreatModel

if TYPE_CHECKING:
    from latentdp.models.networks.verifier import Verifier

__all__ = [
    "Embedder",
    "adapted",
    "frozen",
    "pixels",
    "rendered",
    "renditions_of",
    "repeats",
    "together",
    "unit_vectors",
]

REPEATS = 4  # private copies of each candidate

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Embedder:
    """The target through somebody's eyes: unit vectors of each image.

    Attributes:
        name: ``frozen``, ``adapted 3``, ``pixels``.
        private: ``(n, k)`` of the released images.
        real: ``(n, k)`` of the originals.
    """

    name: str
    private: Matrix
    real: Matrix


def frozen(scene: ThreatModel) -> Embedder:
    """The shipped verifier."""
    return _seen(scene, "frozen", lambda: _verifier(scene))


def adapted(scene: ThreatModel, tell: ProgressCallback) -> list[Embedder]:
    """One opponent per restart."""
    return [
        _seen(scene, f"adapted {i + 1}", lambda i=i: _practised(scene, i, tell))  # type: ignore[misc]
        for i in range(scene.effort.restarts)
    ]


def pixels(scene: ThreatModel) -> Embedder:
    """Correlation of the pictures as they are."""
    return Embedder(
        "pixels", unit_vectors(scene.target.private[0]), unit_vectors(scene.target.cohort.images)
    )


def together(opponents: Sequence[Embedder]) -> Embedder:
    """All of them: the likeness is the mean of theirs."""
    scale = 1 / np.sqrt(len(opponents))
    return Embedder(
        "together",
        scale * np.concatenate([o.private for o in opponents], axis=1),
        scale * np.concatenate([o.real for o in opponents], axis=1),
    )


def repeats(scene: ThreatModel, tell: ProgressCallback) -> Embedder | None:
    """Correlation with private copies of each candidate; None where the method is unknown."""
    if scene.more is None:
        return None
    tell(0.9, "privatizing the candidates")
    copies, _ = scene.more(REPEATS, np.arange(len(scene.target.cohort)))
    alike = copies.mean(axis=0)
    usual = alike.mean(axis=0)  # what all copies share tells nobody apart
    return Embedder(
        "repeats", unit_vectors(scene.target.private[0] - usual), unit_vectors(alike - usual)
    )


def renditions_of(scene: ThreatModel) -> dict[str, Images]:
    """Other pictures of the target's originals, by name."""
    return scene.notes.arrays(
        "renditions", lambda: renditions(scene.target.cohort.images, scene.seed)
    )


def rendered(scene: ThreatModel) -> list[Embedder]:
    """Pixels and the frozen verifier, each for each rendition of the originals."""
    verifier = frozen(scene)
    opponents = []
    for name, images in renditions_of(scene).items():
        seen = scene.notes.arrays(
            f"{name} seen by {verifier.name}",
            lambda images=images: {"real": _verifier(scene)(images)},  # type: ignore[misc]
        )
        opponents += [
            Embedder(f"pixels, {name}", pixels(scene).private, unit_vectors(images)),
            Embedder(f"{verifier.name}, {name}", verifier.private, seen["real"]),
        ]
    return opponents


def _verifier(scene: ThreatModel) -> Verifier:
    from latentdp.models.networks.verifier import Verifier, shipped_verifier

    size = scene.target.cohort.images.shape[-1]
    name = scene.verifier or shipped_verifier(size)
    return scene.notes.thing("verifier", lambda: Verifier.load(name))  # type: ignore[no-any-return]


def _practised(scene: ThreatModel, i: int, tell: ProgressCallback) -> Verifier:
    from latentdp.models.training.metric_learning import MetricLearningConfig

    effort, practice = scene.effort, scene.practice
    words = f"restart {i + 1} of {effort.restarts}"
    return _verifier(scene).adapted(
        practice.private,
        practice.cohort.images,
        practice.cohort.patients,
        settings=MetricLearningConfig(
            patients=effort.patients,
            learning_rate=effort.learning_rate,
            warmup=10,
            seed=1000 * scene.seed + i,
        ),
        steps=effort.steps,
        tell=lambda share: tell((i + share) / effort.restarts, words),
    )


def _seen(scene: ThreatModel, name: str, verifier: Callable[[], Verifier]) -> Embedder:
    def look() -> dict[str, Matrix]:
        sees = verifier()
        images = scene.target.cohort.images
        return {"private": sees(scene.target.private[0]), "real": sees(images)}

    seen = scene.notes.arrays(f"seen by {name}", look)
    return Embedder(name, seen["private"], seen["real"])


def unit_vectors(images: Images | Matrix) -> Matrix:
    """Each image ``(n, ...)`` less its own mean, as a vector ``(n, k)`` of length 1."""
    flat = np.array(images, dtype=np.float64).reshape(len(images), -1)
    flat -= flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12))
