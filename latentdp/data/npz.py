"""Images as NumPy archives, for those who compute: float32 as networks made them, and texts."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentdp.errors import UnsupportedInstance

__all__ = ["SUFFIX", "archive_texts", "encode_archive", "read_archive"]

SUFFIX = ".npz"
IMAGE = "image"
# When it was written would tell in which order images were made.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def encode_archive(image: NDArray[np.float32], texts: Mapping[str, str]) -> bytes:
    """An archive that ``numpy.load`` opens.

    Args:
        image: ``(h, w)`` in [0, 1], kept under ``image``.
        texts: What is said of it, each kept under its name as an array of one text.
    """
    file = BytesIO()
    arrays = {IMAGE: np.ascontiguousarray(image, dtype=np.float32)}
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in {**arrays, **{k: np.array(v) for k, v in texts.items()}}.items():
            part = BytesIO()
            np.lib.format.write_array(part, array, allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            archive.writestr(entry, part.getvalue(), zipfile.ZIP_DEFLATED)
    return file.getvalue()


def read_archive(path: Path) -> NDArray[np.float32]:
    """The image ``(h, w)`` of an archive of ours.

    Raises:
        UnsupportedInstance: It is none, or was damaged since.
    """
    image = _loaded(path).get(IMAGE)
    if image is None or image.ndim != 2 or image.dtype != np.float32:
        raise _odd()
    return image


def archive_texts(path: Path) -> list[tuple[str, str]]:
    """What an archive of ours says besides its image: each name and text.

    Raises:
        UnsupportedInstance: It is none, or was damaged since.
    """
    return [(name, str(value)) for name, value in _loaded(path).items() if name != IMAGE]


def _loaded(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    # On damaged bytes nearly anything is raised, and one file must not end a batch.
    except Exception:  # noqa: BLE001
        raise _odd() from None


def _odd() -> UnsupportedInstance:
    return UnsupportedInstance("unreadable", "expected a NumPy archive with an image")
