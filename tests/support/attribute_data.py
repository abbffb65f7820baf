"""A data set with attributes."""

import numpy as np

from latentdp.data.dataset import Dataset
from latentdp.models.flow.attributes import (
    Attribute,
    finding,
)

SIZE = 8


MASS, EFFUSION, VIEW = finding("Mass"), finding("Effusion"), Attribute("view", ("AP", "PA"))


def dataset(n: int = 64, seed: int = 0) -> Dataset:
    """Bright left or right halves, which "Mass" tells."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 60, size=(n, SIZE, SIZE))
    for i, image in enumerate(pixels):
        image[:, SIZE // 2 * (i % 2) :][:, : SIZE // 2] += 120
    return Dataset(
        pixels=pixels.astype(np.uint8),
        labels=np.full(n, -1),
        classes=(),
        patients=tuple(str(i // 2) for i in range(n)),
        files=tuple(map(str, range(n))),
        findings=np.full(n, -1),
        finding_names=(),
        views=("AP", "PA") * (n // 2),
        strata=("",) * n,
        sources=("s",) * n,
        sexes=("",) * n,
        ages=(40.0,) * n,
        reported=("Mass", "No Finding") * (n // 2),
    )
