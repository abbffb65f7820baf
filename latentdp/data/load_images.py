"""Files of radiographs as an array: a folder or a list, DICOM or pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latentdp.core.arrays import Images
from latentdp.data import radiograph
from latentdp.data.dicom.profile import Profile
from latentdp.errors import InputError, UnsupportedInstance

__all__ = ["LoadedImages", "RefusedImage", "load_images"]


@dataclass(frozen=True, kw_only=True)
class RefusedImage:
    """A file that is no radiograph which can be handled.

    Attributes:
        file: Its path.
        reason: Why, in a word, as the reference lists them.
        message: Why, in a sentence, without any value of the file.
    """

    file: Path
    reason: str
    message: str


@dataclass(frozen=True, kw_only=True, repr=False)
class LoadedImages:
    """What was read, and what was not.

    Attributes:
        images: ``(n, h, w)`` float32 in [0, 1]; 0 is black.
        files: Path of each image.
        refused: All other files, in the order in which they were met.
    """

    images: Images
    files: tuple[Path, ...]
    refused: tuple[RefusedImage, ...]

    def __repr__(self) -> str:
        n, height, width = self.images.shape
        return (
            f"<LoadedImages: {n} of {height} x {width} pixels, {len(self.refused)} files refused>"
        )


def load_images(
    source: str | Path | Iterable[str | Path],
    size: int | tuple[int, int] = 64,
    *,
    accept_burned_in: bool = False,
    all_chests: bool = False,
    all_frontal: bool = False,
) -> LoadedImages:
    """Reads radiographs as a release reads them, into one array.

        >>> import latentdp
        >>> loaded = latentdp.load_images("samples/cxr/clinic-b")
        >>> loaded.images.shape
        (4, 64, 64)
        >>> [(refused.file.name, refused.reason) for refused in loaded.refused]
        [('broken.dcm', 'unreadable')]

    Args:
        source: A folder, with all that lies below it, one file, or paths of files.
        size: Pixels on a side, or height and width; that of the shipped weights by default, of
            others ``privatizer.flow.shape``. What has another aspect is stretched.
        accept_burned_in: A person looked at all pixels and found no text that identifies.
        all_chests: A person says that every file shows a chest, whatever unknown term names it.
        all_frontal: A person says that every file is a frontal view.

    Raises:
        InputError: There is no such folder or file, or there is nothing in it.
    """
    shape = (size, size) if isinstance(size, int) else size
    profile = Profile(
        accept_burned_in=accept_burned_in, all_chests=all_chests, all_frontal=all_frontal
    )
    images, files, refused = [], [], []
    for path in _files(source):
        try:
            images.append(radiograph.read(path, shape, profile).image)
            files.append(path)
        except UnsupportedInstance as error:
            refused.append(RefusedImage(file=path, reason=error.reason, message=str(error)))
        except OSError:
            refused.append(
                RefusedImage(file=path, reason="unreadable", message="the file cannot be opened")
            )
    return LoadedImages(
        images=np.stack(images) if images else np.empty((0, *shape), dtype=np.float32),
        files=tuple(files),
        refused=tuple(refused),
    )


def _files(source: str | Path | Iterable[str | Path]) -> list[Path]:
    """The files of a folder by their paths, or those that are listed, in their order."""
    if not isinstance(source, (str, Path)):
        return [Path(path) for path in source]
    place = Path(source)
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise InputError("expected a folder or a file of images; there is none")
    files = sorted(path for path in place.rglob("*") if not path.is_dir())
    if not files:
        raise InputError("the folder holds no files")
    return files
