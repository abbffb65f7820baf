"""What was given, into a file that ``--config`` takes: ``--save-config FILE``."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any

import tomli_w
import typer
from typer.core import TyperOption

from latentdp.core.filesystem import write_text
from latentdp.core.version import __version__
from latentdp.errors import InputError

from ._config import SQLITE, URL, is_database, is_path, key_of, keys, takes_file
from ._panels import FIRST, panels

__all__ = ["saved"]

GIVEN = ("COMMANDLINE", "DEFAULT_MAP")  # by a person: not a default
# A password that was not quoted can end up in any part of a URL.
PLAIN_URL = re.compile(r"[a-z][a-z0-9+]*://([^:/?#@]+@)?[^?#@]*", re.IGNORECASE)


@contextmanager
def saved(ctx: Any) -> Iterator[None]:
    """Writes what was given before the command runs; a command that is refused leaves no file.

    Raises:
        InputError: A file of that name holds something else, or cannot be written.
    """
    file: Path | None = ctx.params.get("save_config") if takes_file(ctx.command) else None
    if file is None:
        yield
        return
    text = _text(ctx, file)
    new = not file.exists()
    try:
        if not new and file.read_text(encoding="utf-8", errors="replace") != text:
            raise InputError(f"{file.name} is there already; name another file to --save-config")
        write_text(file, text)
    except OSError as error:
        raise InputError(
            f"expected --save-config to be a file that can be written ({error.strerror})"
        ) from error
    except UnicodeEncodeError:  # the name of a file may hold any bytes
        raise InputError("--save-config cannot write it: something given is no text") from None
    try:
        yield
    except (InputError, typer.BadParameter):
        if new:
            file.unlink(missing_ok=True)
        raise


def _text(ctx: Any, file: Path) -> str:
    """What was given, with the defaults of all else in comments, by panel."""
    parameters = list(keys(ctx.command).values())
    arguments = [p for p in parameters if not isinstance(p, TyperOption)]
    by_panel = panels(p for p in parameters if isinstance(p, TyperOption))
    groups = {FIRST: arguments + by_panel.pop(FIRST, []), **by_panel}
    lines = [
        f"# What was given to `latentdp {ctx.info_name}` (version {__version__}). The same again:",
        f"#     latentdp {ctx.info_name} --config {file.name}",
        "# Lines like #key = value are defaults. Relative paths begin in the folder of this file.",
    ]
    for title, group in groups.items():
        lines += ["", f"# {title}"]
        for parameter in group:
            lines += ["", *_entry(ctx, parameter, file.parent)]
    return "\n".join(lines) + "\n"


def _entry(ctx: Any, parameter: Any, folder: Path) -> list[str]:
    """A parameter as lines of a file: what it means, and its value or its default."""
    key, value = key_of(parameter), ctx.params.get(parameter.name)
    means = textwrap.wrap(_sentence(parameter.help), 95, break_on_hyphens=False)
    lines = [f"# {line}" for line in means]
    given = ctx.get_parameter_source(parameter.name).name in GIVEN
    if given and _secret(value):
        return [*lines, f"# {key} is not written, as it may hold a password; give it each time"]
    if given:
        return [*lines, tomli_w.dumps({key: _written(value, parameter, folder)}).rstrip("\n")]
    if parameter.default in (None, ()):
        return [*lines, f"#{key} ="]
    default = _written(parameter.default, parameter, None)
    return [*lines, f"#{tomli_w.dumps({key: default})}".rstrip("\n")]


def _sentence(text: str | None) -> str:
    """The first sentence of a help text."""
    return re.split(r"(?<=\.)\s", " ".join((text or "").split()), maxsplit=1)[0]


def _written(value: Any, parameter: Any, folder: Path | None) -> Any:
    """A value as TOML has it; paths as seen from a folder, or as they are for None."""
    if isinstance(value, (list, tuple)):
        return [_written(one, parameter, folder) for one in value]
    if isinstance(value, Enum):
        return str(value.value)
    if not isinstance(value, (str, Path)):
        return value
    text = str(value)
    if folder is None:
        return text
    if is_database(text, parameter):
        return SQLITE + _seen_from(folder, text.removeprefix(SQLITE))
    return _seen_from(folder, text) if is_path(text, parameter) else text


def _seen_from(folder: Path, path: str) -> str:
    """A relative path as seen from another folder; an absolute one stays."""
    if Path(path).is_absolute():
        return path
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive of Windows
        return str(Path(path).absolute())


def _secret(value: Any) -> bool:
    """Whether a value may hold a password: a URL with more than a user and a place."""
    if isinstance(value, (list, tuple)):
        return any(map(_secret, value))
    text = str(value)
    is_url = bool(URL.match(text)) and not text.startswith(SQLITE)
    return is_url and not PLAIN_URL.fullmatch(text)
