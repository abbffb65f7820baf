"""What dciodvfy says of a file, but for what the standard has and the validator has not yet."""

from __future__ import annotations

import subprocess
from pathlib import Path

# Synthetic Data (0008,001C) of SOP Common came into PS3.3 after Debian's dicom3tools of June 2022.
NEWER = "</(0008,001c)>"


def dciodvfy(path: Path) -> list[str]:
    """Its lines."""
    done = subprocess.run(["dciodvfy", "-new", path], capture_output=True, check=False, timeout=60)
    lines = (done.stdout + done.stderr).decode(errors="replace").splitlines()
    return [line for line in lines if NEWER not in line]
