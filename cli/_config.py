"""Options from a file: ``--config FILE``; `_save_config` writes one.

A file is TOML with the names of options as keys, ``label-release = "response"``; an argument is
named as in help, ``in = "incoming"``. What stands on top is for every command that has the option,
what stands in a section ``[privatize]`` for that one, before the former. What is given on the
command line goes before both. All of it follows from the parameters themselves: a new option is
known here without an edit.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import typer
from typer.core import TyperArgument

from latentdp.errors import InputError

from ._panels import FIRST, RUN

__all__ = ["SQLITE", "URL", "configurable", "is_path", "key_of", "keys", "takes_file"]

KINDS: dict[Any, str] = {bool: "true or false", int: "a whole number", float: "a number"}
TEXT = 'text in quotes ("...")'
SQLITE = "sqlite:///"
URL = re.compile(r"[a-z][a-z0-9+]*://", re.IGNORECASE)


def configurable(function: Callable[..., int]) -> Callable[..., int]:
    """The same command with ``--config`` and ``--save-config``."""

    @functools.wraps(function)
    def command(*, config: object, save_config: object, **options: Any) -> int:
        return function(**options)

    own = inspect.signature(function, eval_str=True)
    added = inspect.signature(_added, eval_str=True)
    command.__signature__ = own.replace(  # type: ignore[attr-defined]
        parameters=[*own.parameters.values(), *added.parameters.values()]
    )
    return command


def takes_file(command: Any) -> bool:
    """Whether a command is `configurable`."""
    return any(parameter.name == "save_config" for parameter in command.params)


def _read(ctx: Any, _: Any, file: Path | None) -> Path | None:
    """Takes a file's values as defaults, once all of it is checked."""
    if file is not None and not ctx.resilient_parsing:
        ctx.default_map = _File(file, ctx).values()
    return file


def _added(
    *,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="TOML",
            is_eager=True,
            callback=_read,
            rich_help_panel=FIRST,
            help="Take options from a file; what is given here goes first.",
        ),
    ] = None,
    save_config: Annotated[
        Path | None,
        typer.Option(
            "--save-config",
            metavar="TOML",
            rich_help_panel=RUN,
            help="Write what is given here, or by --config, into a file that --config takes.",
        ),
    ] = None,
) -> None:
    """Holds the options that `configurable` adds."""


class _File:
    """A configuration file beside the commands that it may be for."""

    def __init__(self, file: Path, ctx: Any) -> None:
        self.file, self.ctx = file, ctx
        commands = getattr(ctx.find_root().command, "commands", {ctx.info_name: ctx.command})
        self.commands = {name: c for name, c in commands.items() if takes_file(c)}

    def values(self) -> dict[str, Any]:
        """Values of the running command's parameters by their names.

        Raises:
            InputError: The file cannot be read, names what there is not, or has a value of
                another type than the option takes.
        """
        everywhere, sections = self._parts()
        for name, section in sections.items():
            if name not in self.commands:
                self._unknown("section", name, self.commands)
            self._known(section, self.commands[name], f"[{name}] ")
        known = {key for command in self.commands.values() for key in keys(command)}
        if everywhere.keys() - known:
            self._unknown("option", min(everywhere.keys() - known), known | self.commands.keys())
        taken: dict[str, Any] = {}
        for name, command in self.commands.items():
            parameters = keys(command)
            shared = {key: value for key, value in everywhere.items() if key in parameters}
            values = self._checked(shared, parameters, "")
            values |= self._checked(sections.get(name, {}), parameters, f"[{name}] ")
            if command is self.ctx.command:
                taken = values
        return taken

    def _parts(self) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """What is for every command, and sections; keys are written with hyphens."""
        try:
            read = tomllib.loads(self.file.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(
                f"expected --config to be a file that can be read; {self.file.name} is not "
                f"({error.strerror})"
            ) from error
        except ValueError as error:  # also of text that is not UTF-8, and of endless numbers
            raise InputError(f"{self.file.name} is no TOML: {error}") from error
        except RecursionError:
            raise InputError(f"{self.file.name} is nested too deeply") from None
        sections = {name: self._keyed(t) for name, t in read.items() if isinstance(t, dict)}
        return self._keyed({k: v for k, v in read.items() if k not in sections}), sections

    def _keyed(self, table: Mapping[str, Any]) -> dict[str, Any]:
        keyed = {key.replace("_", "-"): value for key, value in table.items()}
        if len(keyed) < len(table):
            raise InputError(f"{self.file.name}: an option is there twice, with - and with _")
        return keyed

    def _known(self, section: Mapping[str, Any], command: Any, place: str) -> None:
        unknown = section.keys() - keys(command).keys()
        if unknown:
            self._unknown(f"option {place}".strip(), min(unknown), keys(command))

    def _unknown(self, what: str, name: str, known: Any) -> None:
        near = difflib.get_close_matches(name, list(known), n=3)
        meant = f"did you mean {' or '.join(map(repr, near))}?" if near else ""
        listed = f"there are: {', '.join(sorted(known))}" if what == "section" else ""
        more = meant or listed or f"`latentdp {self.ctx.info_name} --help` lists them"
        raise InputError(f"{self.file.name}: there is no {what} {name!r}; {more}")

    def _checked(
        self, table: Mapping[str, Any], parameters: Mapping[str, Any], place: str
    ) -> dict[str, Any]:
        """Values by the names of parameters, each of the right type and in its range."""
        checked = {}
        for key, value in table.items():
            parameter = parameters[key]
            wanted = parameter.type_descriptor.annotation
            if not _fits(value, wanted):
                raise InputError(
                    f"{self.file.name}: expected {place}{key} to be {_kind(wanted)}, "
                    f"got {_kind_of(value)}"
                )
            found = _resolved(value, parameter, self.file.parent)
            try:
                parameter.get_runtime_param().coerce(found, param=parameter, ctx=self.ctx)
            except typer.BadParameter as error:
                raise InputError(f"{self.file.name}: {place}{key}: {error.message}") from error
            checked[parameter.name] = found
        return checked


def keys(command: Any) -> dict[str, Any]:
    """The parameters of a command by the keys of a file; those of the file itself are none."""
    return {
        key_of(parameter): parameter
        for parameter in command.params
        if parameter.name not in ("config", "save_config")
    }


def key_of(parameter: Any) -> str:
    """The name of an option without hyphens in front; of an argument, that of help."""
    if isinstance(parameter, TyperArgument):
        return (parameter.metavar or parameter.name).lower()
    longest: str = max(parameter.opts, key=len)
    return longest.lstrip("-")


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value of TOML is of a parameter's type; a number is text to none."""
    if get_origin(kind) is list:
        return isinstance(value, list) and all(_fits(one, get_args(kind)[0]) for one in value)
    if kind is float:
        return type(value) in (int, float)
    return type(value) is (kind if kind in KINDS else str)


def _kind(kind: Any) -> str:
    """What a parameter of this type takes, in words."""
    if get_origin(kind) is list:
        return f"a list, each {_kind(get_args(kind)[0])}"
    return KINDS.get(kind, TEXT)


def _kind_of(value: Any) -> str:
    """What a value of TOML is, in words."""
    words: dict[Any, str] = KINDS | {str: "text", list: "a list"}
    return words.get(type(value), "another type")


def _resolved(value: Any, parameter: Any, folder: Path) -> Any:
    """A value whose paths are relative to a folder, as seen from here."""
    if isinstance(value, list):
        return [_resolved(one, parameter, folder) for one in value]
    if not isinstance(value, str):
        return value
    if is_database(value, parameter):
        return SQLITE + str(folder / value.removeprefix(SQLITE))
    if is_path(value, parameter):
        return str(folder / Path(value).expanduser())
    return value


def is_database(value: str, parameter: Any) -> bool:
    """Whether a value is the URL of a database in a file, and not a text that begins like one."""
    return "URL" in (parameter.metavar or "") and value.startswith(SQLITE)


def is_path(value: str, parameter: Any) -> bool:
    """Whether a value is a path, and not a name or an address where either is taken."""
    if parameter.type_descriptor.is_path:
        return True
    named = "FILE" in (parameter.metavar or "") and not URL.match(value)
    return named and bool(Path(value).suffix or {"/", os.sep} & set(value))
