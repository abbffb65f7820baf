"""Contact sheets: many small images in one PNG, to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from latentdp.core.arrays import Images
from latentdp.core.filesystem import whole

__all__ = ["beside", "contact_sheet"]

GAP = 2


def contact_sheet(path: Path, rows: Sequence[Images], *, zoom: int = 3) -> None:
    """Writes rows of ``(n, h, w)`` images in [0, 1], enlarged ``zoom`` times, as a grey PNG."""
    with whole(path) as temporary:
        beside(rows, zoom=zoom).save(temporary, format="PNG", optimize=True)


def beside(rows: Sequence[Images], *, zoom: int = 3) -> Image.Image:
    """The same as a picture. Each pixel stays a square: nothing is smoothed for the eye."""
    _, height, width = rows[0].shape
    columns = max(len(row) for row in rows)
    sheet = np.ones((len(rows) * (height + GAP), columns * (width + GAP)), dtype=np.float32)
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            y, x = i * (height + GAP), j * (width + GAP)
            sheet[y : y + height, x : x + width] = image
    pixels = np.rint(np.clip(sheet, 0, 1) * 255).astype(np.uint8)
    picture = Image.fromarray(pixels)
    size = (zoom * picture.width, zoom * picture.height)
    return picture.resize(size, Image.Resampling.NEAREST)
