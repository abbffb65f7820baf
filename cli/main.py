"""The ``latentdp`` command: its sub-commands, and the one place where errors become exit codes."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

import latentdp
from latentdp.core.process import tune_allocator
from latentdp.errors import LatentDPError

from .audit import audit
from .compare import compare
from .evaluate import evaluate
from .explain import explain
from .ledger import ledger
from .privatize import privatize
from .report import report
from .synthesize import synthesize
from .verify import verify
from .weights import OLD_NAMES, weights

INTERRUPTED = 130
INTERNAL = 70

app = typer.Typer(
    name="latentdp",
    help="Release chest X-rays under differential privacy, in the latent space of a flow.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 99},
)
app.command()(privatize)
app.command()(synthesize)
app.command()(explain)
app.command()(verify)
app.command()(report)
app.command()(evaluate)
app.command()(compare)
app.command()(ledger)
app.command()(audit)
app.add_typer(weights, name="weights")
for old_name, command in OLD_NAMES.items():
    app.command(old_name, hidden=True, deprecated=True)(command)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"latentdp {latentdp.core.version.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code; no traceback reaches the user."""
    tune_allocator()
    try:
        arguments = None if argv is None else list(argv)
        code = app(args=arguments, prog_name="latentdp", standalone_mode=False)
    except LatentDPError as error:
        return _fail(str(error), error.exit_code)
    except typer.TyperException as error:  # wrong usage, or no arguments and therefore the help
        message = error.format_message()
        if message.startswith("Usage:"):
            typer.echo(message, err=True)
            return error.exit_code
        return _fail(message, error.exit_code)
    except typer.Abort:
        code = INTERRUPTED
    except Exception as error:
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
        return _fail("interrupted; run the same command again to go on", INTERRUPTED)
    return code if isinstance(code, int) else 0


def _fail(message: str, code: int) -> int:
    typer.echo(f"latentdp: {message}", err=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
