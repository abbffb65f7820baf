"""How a page is made: templates beside this file, and images inside the page.

A page is one file without scripts that asks the network for nothing; its own policy forbids it.
"""

from __future__ import annotations

import base64
import io
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from latentdp import reports
from latentdp.core.filesystem import write_text
from latentdp.core.text import printable
from latentdp.data import radiograph
from latentdp.errors import UnsupportedInstance
from latentdp.reports.language import ENGLISH, LANGUAGES, Language
from latentdp.reports.release_card import IMAGES

__all__ = ["after", "data_uri", "look", "released_images", "write_page"]

THUMBNAIL = 128  # most pixels of a side
_BETWEEN_SPACES = re.compile("[^\u00a0\u202f]+")  # those that do not break a line may stay


def write_page(
    path: Path, template: str, *, language: Language = ENGLISH, mode: int = 0o666, **facts: Any
) -> None:
    """Renders a template with ``facts`` and writes it whole, into a file of this mode.

    Args:
        path: Of the page.
        template: Name of a file in ``templates/``.
        language: Of the words, numbers and ``lang`` of the page.
        mode: Of the file, less the umask.
        facts: What the template names.

    Raises:
        jinja2.UndefinedError: The template needs a fact that is not there.
    """
    environment = _environment(language, tuple(reports.__path__))
    page = environment.get_template(template).render(facts, language=language)
    write_text(path, page, mode=mode)


def released_images(out: Path) -> list[Path]:
    """All images of a release, by their names, which are random: an order that tells nothing."""
    paths = (path for path in (out / IMAGES).rglob("[!.]*") if path.is_file())
    return sorted(paths, key=lambda path: path.name)


def after(path: Path) -> str | None:
    """An output as a data URI; None if it cannot be read."""
    image = look(path)
    return None if image is None else data_uri(image)


def look(path: Path) -> NDArray[np.float32] | None:
    """An output ``(h, w)`` in [0, 1]; None if it cannot be read."""
    try:
        return radiograph.look(path)
    except (UnsupportedInstance, OSError):
        return None


def data_uri(image: NDArray[np.float32], *, reduced: bool = True) -> str:
    """An image ``(h, w)`` in [0, 1] as a grey PNG inside a URI.

    0 is black and 1 is white for every image: two of them can be compared.

    Args:
        image: Of any size.
        reduced: To a thumbnail.
    """
    picture = Image.fromarray(np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8))
    if reduced:
        picture.thumbnail((THUMBNAIL, THUMBNAIL))
    data = io.BytesIO()
    picture.save(data, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode("ascii")


@lru_cache(maxsize=2 * len(LANGUAGES))
def _environment(language: Language, places: tuple[str, ...]) -> Environment:
    """Keeps compiled templates: that takes longer than rendering a page."""
    environment = Environment(
        loader=FileSystemLoader([Path(place) / "templates" for place in places]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_translations(  # type: ignore[attr-defined]
        language.catalog, newstyle=True
    )
    environment.filters["number"] = language.number
    environment.filters["nats"] = language.nats
    environment.filters["words"] = language.words
    environment.filters["at_most"] = language.at_most
    environment.filters["share"] = language.share
    return environment


def _finalize(value: Any) -> Any:
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return _BETWEEN_SPACES.sub(lambda part: printable(part[0]), value)
