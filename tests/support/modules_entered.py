"""An image's way through ``latentdp privatize``: the modules that it enters, in order.

    python -m tests.support.modules_entered [--file FILE] [--rooms release privatizer] [--all]

One file is privatized twice into new folders; the second run is followed, so that no import is in
the way. A module is entered when a function of it, or a generator that goes on, is called from
another module; to make an object, or to read a value of one (a property, what a dataclass
generates), is no entry. Of modules that are not in the chosen rooms nothing is seen. The list
names each module once, in the order of the first entry, or with ``--all`` each time; below it,
how often.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, FrameType
from typing import Any

from latentdp._cli import main as latentdp

FILE = Path(__file__).parents[2] / "samples" / "cxr" / "clinic-a" / "cr-0001.dcm"
WAY = ("_cli.privatize", "release", "privatizer")  # what a reader of the way has to open


class Followed:
    """What `sys.setprofile` tells of calls between modules; a context manager.

    Args:
        rooms: Keep modules of these names, and those below them; empty keeps all.

    Attributes:
        entered: Modules without ``latentdp.``, in order.
    """

    def __init__(self, rooms: Sequence[str]) -> None:
        self._rooms = rooms
        self._properties = _properties()
        self.entered: list[str] = []

    def __enter__(self) -> Followed:
        sys.setprofile(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _called(self, frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event != "call" or code.co_filename == "<string>" or code in self._properties:
            return
        if code.co_name == "__init__":  # as the ones that dataclasses generate
            return
        here = self._module(frame)
        if here is not None and here != self._caller(frame):
            self.entered.append(here)

    def _module(self, frame: FrameType) -> str | None:
        top, _, name = str(frame.f_globals.get("__name__")).partition(".")
        if top != "latentdp" or not name:
            return None
        wanted = any(name == room or name.startswith(f"{room}.") for room in self._rooms)
        return name if wanted or not self._rooms else None

    def _caller(self, frame: FrameType) -> str | None:
        above = frame.f_back
        while above is not None:
            name = self._module(above)
            if name is not None:
                return name
            above = above.f_back
        return None


def _properties() -> set[CodeType]:
    """What reads a value of an object of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated names of other packages
        kinds = [
            kind
            for module in list(sys.modules.values())
            if module.__name__.startswith("latentdp.")
            for kind in vars(module).values()
            if isinstance(kind, type)
        ]
    return {
        value.fget.__code__
        for kind in kinds
        for value in vars(kind).values()
        if isinstance(value, property) and hasattr(value.fget, "__code__")
    }


def way(
    file: Path, place: Path, rooms: Sequence[str] = WAY, options: Sequence[str] = ()
) -> list[str]:
    """The modules that are entered, each as often as it is entered from another one."""
    command = ["privatize", str(file), *options, "--json"]
    latentdp([*command, str(place / "first")])
    with Followed(rooms) as followed:
        latentdp([*command, str(place / "second")])
    modules = followed.entered
    return [name for i, name in enumerate(modules) if i == 0 or name != modules[i - 1]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs, follows, prints."""
    options = _parser().parse_args(arguments)
    with TemporaryDirectory() as place:
        entered = way(options.file, Path(place), options.rooms)
    print(f"\n{len(entered)} entries of {len(set(entered))} modules")
    print(" > ".join(entered if options.all else dict.fromkeys(entered)))
    print("\n| module | entered |\n|---|---|")
    for name, count in Counter(entered).most_common():
        print(f"| {name} | {count} |")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--rooms", nargs="*", default=WAY)
    parser.add_argument("--all", action="store_true", help="each entry, not each module once")
    return parser


if __name__ == "__main__":
    main()
