"""The ``latentdp`` command: its sub-commands, and the one place where errors become exit codes."""

from __future__ import annotations

import errno
import functools
import importlib
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Annotated, TextIO

import typer

import latentdp
from latentdp.core import plugins
from latentdp.core.process import collect_seldom, tune_allocator
from latentdp.core.warnings import LatentDPWarning
from latentdp.errors import Aborted, LatentDPError

from ._command import Command, CommandGroup
from ._outline import outline

INTERRUPTED = 130
INTERNAL = 70

# What a file system refuses through no fault of this program.
_MACHINE = frozenset(
    getattr(errno, name)
    for name in (
        "EACCES", "EDQUOT", "EFBIG", "EIO", "EMFILE", "ENAMETOOLONG", "ENFILE", "ENOSPC", "EPERM",
        "EROFS", "ESTALE",
    )
    if hasattr(errno, name)
)  # fmt: skip

COMPLETION = "_LATENTDP_COMPLETE"  # set by what a shell calls to complete a line

# What commands of `latentdp weights` were called in 0.1; understood for one version more.
OLD_NAMES = {
    "train": "train",
    "train-verifier": "train_verifier",
    "train-detail": "train_detail",
    "directions": "add_directions",
    "critic": "add_critic",
    "detail": "add_detail",
}


def make_app(called: Sequence[str] | None = None) -> typer.Typer:
    """The whole command, of what lies in this folder now.

    Args:
        called: What stands on the command line: of commands that it does not name nothing but the
            line in help is made. None for all.
    """
    app = typer.Typer(
        name="latentdp",
        help="Release chest X-rays under differential privacy, in the latent space of a flow.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 99},
    )
    app.callback()(_root)
    wanted = None if called is None else {word.replace("-", "_") for word in called}
    _add_commands(app, __package__, wanted)
    for old_name, name in OLD_NAMES.items():
        if called is not None and old_name not in called:
            continue
        module = importlib.import_module(f"{__package__}.weights.{name}")
        app.command(old_name, hidden=True, deprecated=True)(module.command)
    return app


def _add_commands(group: typer.Typer, package: str, wanted: Collection[str] | None) -> None:
    """Adds what the modules of a package hold: functions, and packages as groups of their own."""
    order = importlib.import_module(package).ORDER
    names = plugins.modules(package)
    for name in sorted(names, key=lambda n: order.index(n) if n in order else len(order)):
        shown = name.replace("_", "-")
        if wanted is not None and name not in wanted:
            group.command(shown, cls=Command)(outline(package, name))
            continue
        module = importlib.import_module(f"{package}.{name}")
        if hasattr(module, "__path__"):
            below = typer.Typer(cls=CommandGroup)
            below.callback(invoke_without_command=True)(module.command)
            _add_commands(below, module.__name__, wanted)
            group.add_typer(below, name=shown)
        else:
            group.command(shown, cls=Command)(_interruptible(module.command))


def _interruptible(command: Callable[..., int]) -> Callable[..., int]:
    """The same, but what an interruption was told on its way is not lost, as typer loses it."""

    @functools.wraps(command)
    def run(*arguments: object, **options: object) -> int:
        try:
            return command(*arguments, **options)
        except KeyboardInterrupt as stop:
            raise typer.Abort from stop

    return run


def _version(value: bool) -> None:
    if value:
        typer.echo(f"latentdp {latentdp.core.version.__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def main(argv: Sequence[str] | None = None, signals: Sequence[int] = ()) -> int:
    """Runs the command and returns its exit code; no traceback reaches the user.

    Args:
        argv: Of the command; those of the process if None.
        signals: Holds what asked the process to end, once something did.
    """
    tune_allocator()
    collect_seldom()
    try:
        arguments = None if argv is None else list(argv)
        with _warnings_as_lines():
            code = make_app(_words(arguments))(
                args=arguments, prog_name="latentdp", standalone_mode=False
            )
    except LatentDPError as error:
        if signals:  # a worker got it, too, and its death is what was seen
            return _stopped(signals)
        return _fail(str(error), error.exit_code)
    except typer.TyperException as error:  # wrong usage, or no arguments and therefore the help
        message = error.format_message()
        if message.startswith("Usage:"):
            typer.echo(message, err=True)
            return error.exit_code
        return _fail(message, error.exit_code)
    except (typer.Abort, KeyboardInterrupt) as stop:  # also while commands are imported
        return _stopped(signals, stop.__cause__)
    except Exception as error:
        if signals:
            return _stopped(signals)
        if os.environ.get("LATENTDP_TRACEBACK"):
            raise
        if isinstance(error, OSError) and error.errno in _MACHINE:
            return _fail(
                f"a file could not be read or written ({error.strerror}); what is finished is "
                "safe: mend that, and run the same command again",
                Aborted.exit_code,
            )
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{os.path.basename(frame.filename)}:{frame.lineno}"  # noqa: PTH119
        return _fail(
            f"internal error ({type(error).__name__} at {place}); finished files are safe. "
            "Set LATENTDP_TRACEBACK=1 to see where it came from",
            INTERNAL,
        )
    if code == INTERRUPTED:
        return _stopped(signals)
    return code if isinstance(code, int) else 0


def _words(arguments: Sequence[str] | None) -> Sequence[str] | None:
    """What stands on the command line; None where all commands must be known.

    That is where a shell asks for what could stand there, and where a file says something of
    several commands.
    """
    words = sys.argv[1:] if arguments is None else arguments
    whole = COMPLETION in os.environ or any(word.startswith("--config") for word in words)
    return None if whole else words


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """While it is open each warning of ours is one line on standard error, told once."""
    told: set[str] = set()
    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if not issubclass(category, LatentDPWarning):
                others(message, category, filename, lineno, file, line)
            elif str(message) not in told:
                told.add(str(message))
                typer.echo(f"latentdp: warning: {message}", err=True)

        warnings.simplefilter("always", LatentDPWarning)
        warnings.showwarning = show
        yield


def _stopped(signals: Sequence[int], stop: BaseException | None = None) -> int:
    """Says what stopped it, what is left where if that was noted, and what to do."""
    what, code = ("interrupted", INTERRUPTED)
    if signals:
        what, code = (f"stopped by {signal.Signals(signals[0]).name}", 128 + signals[0])
    notes = getattr(stop, "__notes__", ())
    return _fail("; ".join([what, *notes, "run the same command again to go on"]), code)


def _fail(message: str, code: int) -> int:
    with suppress(OSError):  # nobody listens any more, as where a terminal was closed
        typer.echo(f"latentdp: {message}", err=True)
    return code
