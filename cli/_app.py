"""The ``latentdp`` command: its sub-commands, and the one place where errors become exit codes."""

from __future__ import annotations

import importlib
import os
import signal
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

import latentdp
from latentdp.core import plugins
from latentdp.core.process import tune_allocator
from latentdp.errors import LatentDPError

INTERRUPTED = 130
INTERNAL = 70

# What commands of `latentdp weights` were called in 0.1; understood for one version more.
OLD_NAMES = {
    "train": "train",
    "train-verifier": "train_verifier",
    "train-detail": "train_detail",
    "directions": "add_directions",
    "critic": "add_critic",
    "detail": "add_detail",
}


def make_app() -> typer.Typer:
    """The whole command, of what lies in this folder now."""
    app = typer.Typer(
        name="latentdp",
        help="Release chest X-rays under differential privacy, in the latent space of a flow.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 99},
    )
    app.callback()(_root)
    _add_commands(app, __package__)
    for old_name, name in OLD_NAMES.items():
        module = importlib.import_module(f"{__package__}.weights.{name}")
        app.command(old_name, hidden=True, deprecated=True)(module.command)
    return app


def _add_commands(group: typer.Typer, package: str) -> None:
    """Adds what the modules of a package hold: functions, and packages as groups of their own."""
    order = importlib.import_module(package).ORDER
    names = plugins.modules(package)
    for name in sorted(names, key=lambda n: order.index(n) if n in order else len(order)):
        module, shown = importlib.import_module(f"{package}.{name}"), name.replace("_", "-")
        if hasattr(module, "__path__"):
            below = typer.Typer()
            below.callback(invoke_without_command=True)(module.command)
            _add_commands(below, module.__name__)
            group.add_typer(below, name=shown)
        else:
            group.command(shown)(module.command)


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
    try:
        arguments = None if argv is None else list(argv)
        code = make_app()(args=arguments, prog_name="latentdp", standalone_mode=False)
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
    except (typer.Abort, KeyboardInterrupt):  # also while commands are imported
        code = INTERRUPTED
    except Exception as error:
        if signals:
            return _stopped(signals)
        if os.environ.get("LATENTDP_TRACEBACK"):
            raise
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


def _stopped(signals: Sequence[int]) -> int:
    what, code = ("interrupted", INTERRUPTED)
    if signals:
        what, code = (f"stopped by {signal.Signals(signals[0]).name}", 128 + signals[0])
    return _fail(f"{what}; run the same command again to go on", code)


def _fail(message: str, code: int) -> int:
    typer.echo(f"latentdp: {message}", err=True)
    return code
