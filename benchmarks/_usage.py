"""What a command takes with all its processes: seconds, processor seconds, and memory.

Linux counts the children that a process waited for, and a run's workers are children of another
one. So the processes of the command's session are looked at ten times a second; the kernel keeps
their sums and peaks, of which at most the last tenth is missed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Usage", "usage_of"]

POLL = 0.1  # seconds
TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass(frozen=True)
class Usage:
    """Of a command that succeeded.

    Attributes:
        seconds: Wall clock.
        cpu: Seconds of processors, of all its processes together.
        peak: Resident set of the largest process in bytes.
    """

    seconds: float
    cpu: float
    peak: int


def usage_of(call: Sequence[str]) -> Usage:
    """Runs a command.

    Raises:
        SystemExit: It failed, or this is not Linux.
    """
    if sys.platform != "linux":
        raise SystemExit("this benchmark reads /proc, which only Linux has")
    cpu: dict[int, float] = {}
    peaks: dict[int, int] = {}
    began = time.perf_counter()
    with subprocess.Popen(
        call, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    ) as run:
        assert run.stderr is not None
        os.set_blocking(run.stderr.fileno(), False)
        said = b""
        while run.poll() is None:
            _look(run.pid, cpu, peaks)
            said += run.stderr.read() or b""
            time.sleep(POLL)
        seconds = time.perf_counter() - began
        said += run.stderr.read() or b""
    if run.returncode:
        raise SystemExit(
            f"{call[0]} ended with {run.returncode}:\n{said.decode(errors='replace')}"
        )
    return Usage(seconds, sum(cpu.values()), max(peaks.values(), default=0))


def _look(session: int, cpu: dict[int, float], peaks: dict[int, int]) -> None:
    """Notes what each process of a session has used so far."""
    for pid in [int(name) for name in os.listdir("/proc") if name.isdigit()]:  # noqa: PTH208
        try:
            if os.getsid(pid) != session:
                continue
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:  # it has just ended
            continue
        cpu[pid] = (int(fields[11]) + int(fields[12])) / TICK
        high = [line for line in status.splitlines() if line.startswith("VmHWM")]
        if high:
            peaks[pid] = int(high[0].split()[1]) * 1024
