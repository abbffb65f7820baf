"""How a page is made: templates beside this file, and images inside the page.

A page is one file without scripts that asks the network for nothing; its own policy forbids it.
"""

from __future__ import annotations

import base64
import io
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
from latentdp.privacy.rounding import IN_FULL, at_most, printed
from latentdp.reports.release_card import IMAGES

__all__ = ["after", "data_uri", "look", "released_images", "write_page"]

THUMBNAIL = 128  # most pixels of a side


def write_page(path: Path, template: str, *, mode: int = 0o666, **facts: Any) -> None:
    """Renders a template with ``facts`` and writes it whole, into a file of this mode.

    Raises:
        jinja2.UndefinedError: The template needs a fact that is not there.
    """
    environment = Environment(
        loader=FileSystemLoader([Path(place) / "templates" for place in reports.__path__]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters["number"] = _number
    environment.filters["nats"] = _nats
    environment.filters["words"] = _words
    environment.filters["at_most"] = at_most
    write_text(path, environment.get_template(template).render(facts), mode=mode)


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


def data_uri(image: NDArray[np.float32]) -> str:
    """An image ``(h, w)`` in [0, 1] as a grey PNG inside a URI, reduced to a thumbnail.

    0 is black and 1 is white for every image: two of them can be compared.
    """
    picture = Image.fromarray(np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8))
    picture.thumbnail((THUMBNAIL, THUMBNAIL))
    data = io.BytesIO()
    picture.save(data, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode("ascii")


def _finalize(value: Any) -> Any:
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _number(value: float | None) -> str:
    """A count, or a claim rounded up; None where nothing is stated."""
    if value is None:
        return "none stated"
    return f"{value:,}" if isinstance(value, int) else printed(value)


def _nats(epsilon: float | None) -> str:
    """An epsilon; None is infinity."""
    return "infinity" if epsilon is None else _number(epsilon)


def _words(value: Any) -> str:
    """A value of a card as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{str(k).replace('_', ' ')} {_words(v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_words, value))
    if isinstance(value, float):  # a parameter: it is no claim, and must not look like another
        return printed(value, IN_FULL)
    if isinstance(value, int):
        return _number(value)
    return "none" if value is None else str(value)
