"""A matplotlib figure as SVG inside a page: no script, no font, no date, the same bytes each time.

Text stays text, in the font of the page, so that it can be read aloud, searched and printed
sharply. matplotlib is loaded when the first chart is drawn: it takes a second.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as Xml

from markupsafe import Markup

from latentdp.core.text import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["GREY", "INK", "PAPER", "inline_svg"]

INK, GREY = "#1b1f24", "#4a5460"  # as in style.css
PAPER = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6}  # behind a label
_DECIMALS = re.compile(r"-?\d+\.\d+")
SVG, LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
STYLE: dict[str, Any] = {
    "figure.dpi": 72,  # as in SVG: what is measured before it is drawn stays where it is
    "savefig.dpi": 72,
    "svg.fonttype": "none",
    "svg.hashsalt": "latentdp",
    "text.parse_math": False,  # a finding may be called $x$
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same measures on every machine
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a939d",
    "axes.linewidth": 0.8,
    "axes.labelcolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": False,
    "grid.color": "#e4e8ec",
    "grid.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": "#8a939d",
    "ytick.color": "#8a939d",
    "xtick.labelcolor": GREY,
    "ytick.labelcolor": GREY,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
}


def inline_svg(
    key: str, words: str, size: tuple[float, float], paint: Callable[[Figure], None]
) -> Markup:
    """Draws a figure and returns it as an ``<svg>`` element.

    Args:
        key: Of this chart, unlike that of any other on the page: identifiers start with it.
        words: What it shows, for those who cannot see it.
        size: Width and height in inches, at which its text has the size of a small note.
        paint: Draws into an empty figure.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with warnings.catch_warnings(), matplotlib.rc_context():
        warnings.simplefilter("ignore")  # of letters that its font lacks and the page's may have
        matplotlib.rcdefaults()  # a user's own matplotlibrc must not change a report
        options: Any = matplotlib.rcParams
        options.update(STYLE)
        figure = Figure(figsize=size, facecolor="none")
        paint(figure)
        for artist in figure.findobj():
            artist.set_clip_on(False)  # no clip paths: everything drawn lies inside its axes
        drawing = io.BytesIO()
        figure.savefig(drawing, format="svg", metadata={"Date": None})
    names = "chart large" if size[0] > 6 else "chart"
    return Markup(_cleaned(drawing.getvalue(), key, names, words))  # noqa: S704 (made of escaped text)


def _cleaned(svg: bytes, key: str, classes: str, words: str) -> str:
    """The drawing alone, with identifiers of its own and without what would rule the page."""
    root = Xml.fromstring(svg)  # noqa: S314 (matplotlib wrote it just before)
    parents = {child: parent for parent in root.iter() for child in parent}
    for element in list(root.iter()):
        if element.tag in (f"{SVG}metadata", f"{SVG}style"):
            parents[element].remove(element)
    used = {element.get(LINK, "").removeprefix("#") for element in root.iter()}
    names = {old: f"{key}-{i}" for i, old in enumerate(_in_order(root, used))}
    for element in root.iter():
        identifier = element.attrib.pop("id", None)
        if identifier in names:
            element.set("id", names[identifier])
        if LINK in element.attrib:
            element.set("href", "#" + names[element.attrib.pop(LINK).removeprefix("#")])
        if "d" in element.attrib:
            element.set("d", _DECIMALS.sub(_rounded, " ".join(element.attrib["d"].split())))
        if "style" in element.attrib:
            element.set("style", _font(element.attrib["style"]))
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.attrib.update(
        {
            "class": classes,
            "role": "img",
            "aria-label": printable(words),
            "style": "stroke-linejoin: round; stroke-linecap: butt",
        }
    )
    Xml.register_namespace("", SVG[1:-1])
    return printable(Xml.tostring(root, encoding="unicode"))


def _in_order(root: Xml.Element, used: set[str]) -> list[str]:
    identifiers = [element.get("id", "") for element in root.iter()]
    return [name for name in identifiers if name and name in used]


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _font(style: str) -> str:
    """A style without a font's name: text takes the page's font."""
    return re.sub(r"font: ([^;]*?)([\d.]+px) [^;]*", _split, style)


def _split(match: re.Match[str]) -> str:
    weight = match[1].strip()
    return f"font-size: {match[2]}" + (f"; font-weight: {weight}" if weight else "")
