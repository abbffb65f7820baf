"""Images that were made private in memory, as files with a public card."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from latentdp.core.arrays import UNKNOWN
from latentdp.core.attributes import values_of
from latentdp.core.documents import to_json
from latentdp.core.filesystem import write_json
from latentdp.core.version import __version__
from latentdp.data.label_space import LabelSpace
from latentdp.data.labels import write_labels
from latentdp.data.png import encode_picture
from latentdp.data.synthetic import marked, title
from latentdp.errors import InputError
from latentdp.privatizer.description import image_on_card, recipe_on_card, weights_on_card
from latentdp.reports.card_guarantee import ApproximateGuarantee, ImageGuarantee
from latentdp.reports.guarantee_words import statement
from latentdp.reports.memory_card import MEMORY_CARD, MemoryCard, MemoryGuarantee
from latentdp.reports.release_card import IMAGES
from latentdp.reports.release_card_parts import CardCounts
from latentdp.reports.release_contents import LABELS
from latentdp.reports.warning_words import warnings

if TYPE_CHECKING:
    from latentdp.privatizer.privatizer import Privatizer
    from latentdp.privatizer.release import Release

__all__ = ["FORMATS", "save"]

FORMATS = ("png", "npz")
ARRAYS = "images.npz"


def save(release: Release, privatizer: Privatizer, folder: Path, file_format: str) -> Path:
    """Writes a release into a new folder, whole or not at all; see `Release.save`.

    Returns:
        The card.
    """
    if file_format not in FORMATS:
        raise InputError(f"expected the format to be one of {', '.join(FORMATS)}, got another")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("expected a new or empty folder; there is something in it")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        temporary.chmod(0o755)  # what is written here is public
        if file_format == "png":
            mark = privatizer.recipe.profile.mark
            _write_pictures(release, privatizer.label_space, temporary, mark=mark)
        else:
            _write_arrays(release, privatizer, temporary)
        write_json(temporary / MEMORY_CARD, to_json(_card(release, privatizer)))
        if folder.exists():
            folder.rmdir()
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder / MEMORY_CARD


def _write_pictures(release: Release, space: LabelSpace, folder: Path, *, mark: bool) -> None:
    """8-bit PNG, numbered as in the array, and labels by name where any are released."""
    (folder / IMAGES).mkdir()
    texts = {
        "Title": title(private=release.guarantee.private),
        "Description": " ".join(
            [
                f"latentdp {__version__}: Synthetic, not for diagnosis.",
                *statement(release.guarantee),
            ]
        ),
    }
    digits = len(str(max(len(release.images) - 1, 0)))
    labels = {}
    for i in np.flatnonzero(release.valid):
        name = f"{i:0{digits}}.png"
        image = marked(release.images[i]) if mark else release.images[i]
        (folder / IMAGES / name).write_bytes(encode_picture(image, texts))
        if release.labels[i] != UNKNOWN:
            labels[name] = space.name(release.labels[i])
    if labels:
        write_labels(folder / LABELS, labels)


def _write_arrays(release: Release, privatizer: Privatizer, folder: Path) -> None:
    """``images``, ``labels`` and ``classes`` of what decoded to finite images.

    Of attributes ``labels`` holds the values, in a column for each that is released, and
    ``classes`` their names.
    """
    valid, space = release.valid, privatizer.label_space
    labels, names = release.labels[valid], space.classes
    if not space.has_classes:
        names = privatizer.recipe.release_findings
        columns = [i for i, one in enumerate(space.attributes) if one.name in names]
        labels = values_of(space.attributes, labels)[:, columns]
    np.savez_compressed(
        folder / ARRAYS,
        images=release.images[valid],
        labels=labels,
        classes=np.array(names, dtype=np.str_),
    )


def _card(release: Release, privatizer: Privatizer) -> MemoryCard:
    image = release.guarantee
    return MemoryCard(
        tool="latentdp",
        version=__version__,
        private=image.private,
        warnings=tuple(warnings(image, image, more=privatizer.warnings)),
        guarantee=MemoryGuarantee(
            image=ImageGuarantee.of(image),
            image_approximate=ApproximateGuarantee.of(release.approximate),
            unprotected=image.unprotected,
            statement=tuple(statement(image)),
        ),
        recipe=recipe_on_card(privatizer.recipe),
        plan=privatizer.plan.describe(),
        weights=weights_on_card(privatizer.flow),
        image=image_on_card(privatizer),
        counts=CardCounts(images_in_release=int(release.valid.sum())),
    )
