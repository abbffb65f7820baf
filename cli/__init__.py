"""The command: a file is a command of the same name, and a package a group of them.

Its ``command`` is what runs: arguments, one library call, a table or JSON. A file imports what its
options need; the rest it imports when it runs, so that help is quick. What commands share is in
files that begin with an underscore.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ._terminal import showable, terminable

__all__ = ["ORDER", "main"]

# In help; other functions follow these by name, and groups follow functions.
ORDER = (
    "privatize",
    "synthesize",
    "explain",
    "verify",
    "report",
    "evaluate",
    "compare",
    "pull",
    "push",
    "watch",
    "ledger",
    "audit",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; an interruption while the libraries load is no traceback.

    Args:
        argv: Without the name of the program; None for what it was called with.

    Returns:
        The exit code.
    """
    showable()
    with terminable() as received:
        try:
            from ._app import main as run
        except KeyboardInterrupt:
            sys.stderr.write("latentdp: interrupted\n")
            return 128 + received[0] if received else 130
        return run(argv, received)
