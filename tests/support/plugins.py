"""Plug-ins that a test adds: in a folder of its own, as a user adds a file, or as a package."""

import importlib
import sys
from collections.abc import Iterator, Mapping
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


@contextmanager
def installed(
    folder: Path,
    distribution: str,
    version: str,
    points: Mapping[str, Mapping[str, str]],
    sources: Mapping[str, str],
) -> Iterator[None]:
    """A package on the path with the metadata that an installer writes, until the block ends.

    Args:
        folder: Where it lies; another one for each package.
        distribution: Its name.
        version: Its version.
        points: Entry points, name to module, by group.
        sources: Text of each file of the package, by path.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for place, source in sources.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(source, encoding="utf-8")
    metadata = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n", encoding="utf-8"
    )
    lines = [
        line
        for group, named in points.items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in named.items()))
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        tops = {place.split("/")[0].removesuffix(".py") for place in sources}
        for name in [n for n in sys.modules if n.split(".")[0] in tops]:
            del sys.modules[name]
