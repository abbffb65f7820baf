"""The private sheet of the pairs that an attacker found most surely: real and private images.

It shows source images: it lies in the vault, for the eyes of its owner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentdp.reports.formatting import drawable
from latentdp.reports.html import complete, data_uri, write_page

__all__ = ["MOST", "write_hardest_page"]

MOST = 120  # pairs on the page


def write_hardest_page(pairs: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Writes the page, with mode 0600; the surest pairs come first.

    Args:
        pairs: Each with ``private`` and ``real``, images ``(h, w)`` in [0, 1]; the attacker's
            ``score``, larger is surer; and ``words`` about it.
        path: Of the page, in the vault.

    Raises:
        InputError: A pair is incomplete, or not of this kind.
    """
    with complete("the list of pairs"):
        scored = [(_score(pair), pair) for pair in pairs]
        scored.sort(key=lambda found: -found[0])
        write_page(
            path,
            "hardest.html.j2",
            mode=0o600,
            total=len(scored),
            pairs=[
                (f"{score:.4g}", str(pair["words"]), _picture(pair["real"]),
                 _picture(pair["private"]))
                for score, pair in scored[:MOST]
            ],
        )  # fmt: skip


def _score(pair: Mapping[str, Any]) -> float:
    score = drawable(float(pair["score"]))
    if score is None:
        raise ValueError("expected a finite score")
    return score


def _picture(image: NDArray[np.float32]) -> str:
    found = np.asarray(image, dtype=np.float32)
    if found.ndim != 2 or not found.size or not np.isfinite(found).all():
        raise ValueError("expected an image (h, w) of finite numbers")
    return data_uri(found)
