"""Plug-ins that a test adds in a folder of its own, as a user adds a file."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from latentdp.core.plugins import KINDS


@contextmanager
def added(kind: str, folder: Path, **sources: str) -> Iterator[None]:
    """Modules by name beside those of a kind, or of a room, until the block ends."""
    place = KINDS.get(kind, f"latentdp.{kind}")
    package = importlib.import_module(place)
    folder = folder / kind
    folder.mkdir(exist_ok=True)
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    package.__path__.append(str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        package.__path__.remove(str(folder))
        for name in sources:
            sys.modules.pop(f"{place}.{name}", None)
            vars(package).pop(name, None)
