"""Pages of the commands, from the command itself: what ``--help`` says, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from latentdp._cli._app import make_app
from latentdp._cli._panels import panels

__all__ = ["command_pages", "commands", "commands_table"]

PROGRAM = "latentdp"
DOCS = Path(__file__).parents[1]


def commands() -> dict[str, Any]:
    """Every command that help shows, those of groups too: ``latentdp weights show`` to it."""
    return dict(_below(PROGRAM, typer.main.get_command(make_app())))


def command_pages() -> dict[str, str]:
    """A page for each command of the first level, with those below it: its name to Markdown."""
    pages: dict[str, str] = {}
    for name, command in commands().items():
        first, *below = name.split()[1:]
        if not below:
            pages[first] = _section(name, command, 1) + _guides(name)
        else:
            pages[first] += _section(name, command, 1 + len(below))
    return pages


def commands_table() -> str:
    """One row for each command of the first level: what it is for."""
    rows = "".join(
        f"| [`{name}`]({name.split()[1]}.md) | {_first_line(command)} |\n"
        for name, command in commands().items()
        if name.count(" ") == 1
    )
    return "| command | what it does |\n|---|---|\n" + rows


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    for part, one in getattr(command, "commands", {}).items():
        if not one.hidden:
            yield f"{name} {part}", one
            yield from _below(f"{name} {part}", one)


def _first_line(command: Any) -> str:
    return str(command.help).split("\n\n")[0].replace("\n", " ")


def _guides(name: str) -> str:
    """Links to the guides in which a command stands."""
    links = []
    for path in [DOCS / "tutorial.md", *sorted((DOCS / "how-to").glob("*.md"))]:
        text = path.read_text(encoding="utf-8")
        if re.search(rf"{name}(?![\w-])", text):
            title = text.partition("\n")[0].removeprefix("# ")
            links.append(f"[{title}](../../{path.relative_to(DOCS).as_posix()})")
    return f"Guides: {', '.join(links)}.\n\n" if links else ""


def _section(name: str, command: Any, level: int) -> str:
    context = typer.Context(command, info_name=name)
    pieces = [piece.strip("{}") for piece in command.collect_usage_pieces(context)]
    text = (
        f"{'#' * level} {name}\n\n{command.help}\n\n```text\n{' '.join([name, *pieces])}\n```\n\n"
    )
    parameters = command.get_params(context)
    arguments = [p for p in parameters if p.param_type_name == "argument"]
    options = [p for p in parameters if p.param_type_name == "option" and "--help" not in p.opts]
    for title, part in [("Arguments", arguments), *panels(options).items()]:
        rows = "".join(_row(*r) for p in part if (r := p.get_help_record(context)) is not None)
        if rows:
            text += f"| {title} | meaning | default |\n|---|---|---|\n{rows}\n"
    return text


def _row(names: str, words: str) -> str:
    """A help record as a row; what it says of the default has a column of its own."""
    meaning, _, notes = words.partition("  [")
    default = re.search(r"default: ([^;\]]*)", notes)
    value = f"`{default[1]}`" if default else "required" if "required" in notes else ""
    return f"| `{names}` | {meaning} | {value} |\n"
