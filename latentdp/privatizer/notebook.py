"""How a privatizer and a release look in a notebook: some images, and the guarantee in words."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING

from latentdp.data.contact_sheet import beside
from latentdp.data.preprocess import shrink
from latentdp.reports.guarantee_words import statement
from latentdp.reports.warning_words import warnings

if TYPE_CHECKING:
    from latentdp.core.arrays import Images
    from latentdp.privatizer.privatizer import Privatizer
    from latentdp.privatizer.release import Release

__all__ = ["privatizer_html", "release_html"]

SHOWN = 8  # images in a row
SIDE = 128  # most pixels of one


def release_html(release: Release) -> str:
    """A strip of the first images, and what is guaranteed of each."""
    more = () if release.privatizer is None else release.privatizer.warnings
    lines = _paragraphs(statement(release.guarantee))
    cautions = _paragraphs(warnings(release.guarantee, release.guarantee, more=more), bold=True)
    count = len(release.images)
    rest = f" (the first {SHOWN} are shown)" if count > SHOWN else ""
    title = f"<p>{escape(release.summary)}{rest}</p>"
    return f"<div>{title}{_strip(release.images[:SHOWN])}{cautions}{lines}</div>"


def privatizer_html(privatizer: Privatizer) -> str:
    """What would be done to an image, and what is guaranteed of it."""
    guarantee = privatizer.guarantee
    rows = "".join(
        f"<tr><td>{block.size} latent dimensions</td><td>{escape(str(block.action))}"
        f"{escape(f': {block.mechanism.name}' if block.mechanism else '')}</td></tr>"
        for block in privatizer.plan.blocks
    )
    rows += f"<tr><td>label</td><td>{escape(str(privatizer.plan.label))}</td></tr>"
    cautions = _paragraphs(warnings(guarantee, guarantee, more=privatizer.warnings), bold=True)
    lines = _paragraphs(statement(guarantee))
    title = f"<p>{escape(privatizer.summary)}</p>"
    return f"<div>{title}<table>{rows}</table>{cautions}{lines}</div>"


def _paragraphs(lines: list[str], *, bold: bool = False) -> str:
    marked = (f"<strong>{escape(line)}</strong>" if bold else escape(line) for line in lines)
    return "".join(f"<p>{line}</p>" for line in marked)


def _strip(images: Images) -> str:
    if not len(images):
        return ""
    small, data = shrink(images, SIDE), io.BytesIO()
    beside([small], zoom=max(1, SIDE // small.shape[1])).save(data, format="PNG", optimize=True)
    uri = base64.b64encode(data.getvalue()).decode("ascii")
    return f'<img alt="{len(images)} private images" src="data:image/png;base64,{uri}">'
