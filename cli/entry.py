"""Where the console script enters: an interruption while the libraries load is no traceback."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Loads the command and runs it."""
    try:
        from .main import main as run
    except KeyboardInterrupt:
        sys.stderr.write("latentdp: interrupted\n")
        return 130
    return run(argv)
