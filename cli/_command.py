"""How every command parses and shows its options.

Help lists many options by panel (``rich_help_panel``). A command that takes a configuration file
also knows the opposite of each flag, ``--no-FLAG``, so that the command line can undo what a file
says.
"""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup, TyperOption

from ._config import takes_file
from ._panels import panels
from ._save_config import saved

__all__ = ["Command", "CommandGroup"]


class Command(TyperCommand):
    """A command with panels and, if it is `_config.configurable`, with a configuration file."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Writes arguments and then each panel."""
        parameters = self.get_params(ctx)
        arguments = [p for p in parameters if p.param_type_name == "argument"]
        options = [p for p in parameters if p.param_type_name == "option"]
        for title, part in [("Arguments", arguments), *panels(options).items()]:
            rows = [row for p in part if (row := p.get_help_record(ctx)) is not None]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def get_short_help_str(self, limit: int = 45) -> str:
        """What a list of commands says of it."""
        return _first_paragraph(self.help)

    def make_parser(self, ctx: Any) -> Any:
        """The parser, which knows opposites of flags, too, where a file may have set them."""
        parser = super().make_parser(ctx)
        for option in self.params if takes_file(self) else ():
            if isinstance(option, TyperOption) and option.is_bool_flag:
                opposites = [_opposite(name) for name in option.opts if name.startswith("--")]
                parser.add_option(
                    obj=option, opts=opposites, dest=option.name, action="store_const", const=False
                )
        return parser

    def invoke(self, ctx: Any) -> Any:
        """Runs the command; what was given is written first, if that is asked for."""
        with saved(ctx):
            return super().invoke(ctx)


class CommandGroup(TyperGroup):
    """Commands under one word, listed as a command is."""

    def get_short_help_str(self, limit: int = 45) -> str:
        """What a list of commands says of it."""
        return _first_paragraph(self.help)


def _first_paragraph(text: str | None) -> str:
    return " ".join((text or "").partition("\n\n")[0].split())


def _opposite(name: str) -> str:
    """``--no-json`` of ``--json``, and ``--detail`` of ``--no-detail``."""
    word = name.removeprefix("--")
    return f"--{word.removeprefix('no-')}" if word.startswith("no-") else f"--no-{word}"
