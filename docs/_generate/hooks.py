"""The hooks of mkdocs: what the program gives of the documentation is made during the build."""

from __future__ import annotations

import re
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from docs._generate.commands import command_pages
from docs._generate.included import assets, included_pages
from docs._generate.tables import fill

COMMANDS = "reference/commands"
WEIGHTS = "reference/weights"
FETCHED = re.compile(r"""<(?:script|img|iframe|link)\b[^>]*(?:src|href)=["']?https?://[^>]*>""")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Puts the pages of commands and weights where the navigation names their folder."""
    pages = [f"{COMMANDS}/{name}.md" for name in command_pages()]
    cards = sorted(place for place in included_pages() if place.startswith(f"{WEIGHTS}/"))
    config.nav = _expand(config.nav, {f"{COMMANDS}/": pages, f"{WEIGHTS}/": cards})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are made, and those that stand elsewhere in the repository."""
    commands = {f"{COMMANDS}/{name}.md": text for name, text in command_pages().items()}
    for place, text in (included_pages() | commands).items():
        files.append(File.generated(config, place, content=text))
    for place, source in assets().items():
        files.append(File.generated(config, place, abs_src_path=str(source)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fills in the tables."""
    return fill(markdown)


def on_post_page(output: str, *, page: Any, **_: Any) -> str:
    """Refuses what would fetch something from a network as soon as a page is opened."""
    fetched = FETCHED.search(output)
    if fetched:
        raise PluginError(f"{page.file.src_uri} would fetch from a network: {fetched[0]}")
    return output


def _expand(nav: Any, folders: dict[str, list[str]]) -> Any:
    """A navigation in which a folder stands for its pages."""
    if isinstance(nav, list):
        return [
            part
            for entry in nav
            for part in (
                folders[entry]
                if isinstance(entry, str) and entry in folders
                else [_expand(entry, folders)]
            )
        ]
    if isinstance(nav, dict):
        return {title: _expand(entry, folders) for title, entry in nav.items()}
    return nav
