"""Where the console script enters: an interruption while the libraries load is no traceback."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .terminal import showable, terminable


def main(argv: Sequence[str] | None = None) -> int:
    """Loads the command and runs it."""
    showable()
    with terminable() as received:
        try:
            from .main import main as run
        except KeyboardInterrupt:
            sys.stderr.write("latentdp: interrupted\n")
            return 128 + received[0] if received else 130
        return run(argv, received)
