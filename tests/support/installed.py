"""The console script in a process of its own."""

import subprocess
import sys
from pathlib import Path


def installed(*arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    """The console script itself, in a process of its own and another folder."""
    script = Path(sys.executable).with_name("latentdp")
    return subprocess.run(
        [script, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=300,
        check=False,
    )
