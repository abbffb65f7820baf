"""Documents of the repository that are pages of the site as they are, with their links mended."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

__all__ = ["ROOT", "assets", "included_pages"]

ROOT = Path(__file__).parents[2]

# Place on the site to file in the repository. Weights add their own: see `included_pages`.
_PAGES = {
    "index.md": "README.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "results/measurements.md": "benchmarks/README.md",
    "results/a-million-radiographs.md": "benchmarks/scale.md",
}
_ASSETS = {
    "samples/before-after.png": "samples/before-after.png",
    "results/frontier.svg": "benchmarks/frontier.svg",
    "license.txt": "LICENSE",
}
_LINK = re.compile(r"(?<=\]\()([^)#\s]*)(?=[)#])")


def included_pages() -> dict[str, str]:
    """Place on the site to Markdown, whose links lead to other places on the site.

    Raises:
        KeyError: A link leads to a file that is not on the site.
    """
    sources = _sources()
    places = {source: place for place, source in (sources | _ASSETS).items()}
    return {
        place: _relink((ROOT / source).read_text(encoding="utf-8"), source, place, places)
        for place, source in sources.items()
    }


def assets() -> dict[str, Path]:
    """Place on the site to the file that is copied there."""
    return {place: ROOT / source for place, source in _ASSETS.items()}


def _sources() -> dict[str, str]:
    cards = sorted((ROOT / "weights").glob("*.md"))
    return _PAGES | {f"reference/weights/{card.name}": f"weights/{card.name}" for card in cards}


def _relink(text: str, source: str, place: str, places: dict[str, str]) -> str:
    def target(match: re.Match[str]) -> str:
        link = match[1]
        if not link or "://" in link or link.startswith("mailto:"):
            return link
        file = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
        there = places[file] if not file.startswith("docs/") else file.removeprefix("docs/")
        return posixpath.relpath(there, posixpath.dirname(place) or ".")

    return _LINK.sub(target, text)
