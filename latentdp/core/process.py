"""How a whole process uses the machine: for whatever starts one, and for nothing else."""

from __future__ import annotations

import atexit
import ctypes
import gc
import sys

__all__ = ["collect_seldom", "tune_allocator"]


def collect_seldom() -> None:
    """Looks for dead objects that refer to each other less often, and not when the process ends.

    While libraries load nearly all objects stay, and at the end all go with the process: looking
    for dead ones took a third of the time of a run over one file.
    """
    gc.set_threshold(10_000, 50, 50)
    atexit.unregister(gc.freeze)  # once, however often this is called
    atexit.register(gc.freeze)


def tune_allocator() -> None:
    """Keeps freed buffers in this process: glibc would hand them back and fault them in again.

    Measured at more than twice the speed for networks whose buffers are over 32 MiB. The command
    and its workers do this when they start; a program of your own may, once. Where the C library
    is another one it does nothing.
    """
    if sys.platform == "linux":
        try:
            libc = ctypes.CDLL("libc.so.6")
            libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
            libc.mallopt(-1, (1 << 31) - 1)  # M_TRIM_THRESHOLD
        except (OSError, AttributeError):  # another C library
            return
