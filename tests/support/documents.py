"""The README and the pages of docs/ as tests read them: their blocks of code, words and links.

Blocks say by their language what holds of them: ``sh`` is run, one after the other, as a reader
would (where its title says ``refused``, the command must end with exit code 2); what a block
``output`` shows is printed by the commands before it; a ``csv`` with a title is a file of that
name; ``python`` is run; a line that begins with ``latentdp`` in any block is one that the command
understands.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
_BLOCK = re.compile(
    r'^( *)```([\w-]*)(?: title="([^"\n]*)")?[^\n]*\n(.*?)^\1```$', re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class CodeBlock:
    """A fenced block: its language and title, empty for none, and its lines."""

    language: str
    title: str
    lines: tuple[str, ...]


def documents() -> list[Path]:
    """The README and every page of the documentation that is written by hand."""
    return [README, *sorted(DOCS.rglob("*.md"))]


def name(path: Path) -> str:
    """Of a document, for a test's identifier."""
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path) -> list[CodeBlock]:
    """In the order of the page."""
    text = path.read_text(encoding="utf-8")
    return [
        CodeBlock(language, title, tuple(line.removeprefix(indent) for line in body.splitlines()))
        for indent, language, title, body in _BLOCK.findall(text)
    ]


def commands(path: Path) -> list[str]:
    """Every line of a block that begins with the command's name."""
    return [
        line
        for block in blocks(path)
        for line in block.lines
        if line.startswith("latentdp ") and block.language != "output"
    ]


def inline_code(path: Path) -> list[str]:
    """What stands between backticks in the text, outside of blocks."""
    return re.findall(r"`([^`\n]+)`", _BLOCK.sub("", path.read_text(encoding="utf-8")))


def links(path: Path) -> Iterator[tuple[str, str]]:
    """Target and anchor, each perhaps empty, of every link that stays in the repository."""
    text = _BLOCK.sub("", path.read_text(encoding="utf-8"))
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)", text):
        if "://" not in target:
            yield target, anchor


def anchors(path: Path) -> set[str]:
    """Of every heading, as GitHub and mkdocs make them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", heading.lower()).strip() for heading in headings)
    return {re.sub(r"[\s]+", "-", heading) for heading in plain}
