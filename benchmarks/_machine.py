"""What a benchmark ran on: processor, versions, commit."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from _results import Machine

from latentdp.core.version import __version__

__all__ = ["commit", "machine", "packages"]

ROOT = Path(__file__).parents[1]
CPUINFO = Path("/proc/cpuinfo")


def machine() -> Machine:
    """This one; what its operating system does not tell is None."""
    about = _cpuinfo()
    name = about.get("model name") or platform.processor() or platform.machine()
    if "model" in about:  # virtual machines shorten the name
        name += f" (family {about.get('cpu family')}, model {about['model']})"
    flags = set(about["flags"].split()) if "flags" in about else None
    torch = sys.modules.get("torch")  # a benchmark without networks does not wait for it
    return Machine(
        processor=name,
        cores=len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        memory=_memory(),
        avx512=None if flags is None else "avx512f" in flags,
        bfloat16=None if flags is None else bool(flags & {"avx512_bf16", "amx_bf16"}),
        accelerator=None if torch is None else _accelerator(torch),
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    )


def packages() -> dict[str, str]:
    """Versions of Python and of all that latentdp asks for, as far as it is installed."""
    versions = {"python": platform.python_version(), "latentdp": __version__}
    asked = importlib.metadata.requires("latentdp") or []
    names = {re.split(r"[^\w.-]", words, maxsplit=1)[0] for words in asked if _runs(words)}
    for name in sorted(names, key=str.lower):
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


def _runs(requirement: str) -> bool:
    """Whether it is for users or for benchmarks, and not for tests."""
    return "extra ==" not in requirement or 'extra == "peers"' in requirement


def commit() -> str:
    """Of this checkout, with ``-dirty`` where files differ from it; empty where there is none."""
    call = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]
    try:
        described = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return described.stdout.strip()


def _cpuinfo() -> dict[str, str]:
    """What Linux says of the first processor."""
    if not CPUINFO.exists():
        return {}
    lines = CPUINFO.read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _memory() -> float | None:
    try:
        return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1)
    except (AttributeError, OSError, ValueError):  # Windows
        return None


def _accelerator(torch: Any) -> str:
    return str(torch.cuda.get_device_name()) if torch.cuda.is_available() else ""
