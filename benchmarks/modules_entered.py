"""An image's way through ``latentdp privatize``: the modules that it enters, in order.

    python benchmarks/modules_entered.py [--file FILE] [--rooms release privatizer] [--all]

One file is privatized twice into new folders; the second run is followed, so that no import is in
the way. A module is entered when a function of it, or a generator that goes on, is called from
another module; to read a value (a property, what a dataclass generates) is no entry. Of modules
that are not in the chosen rooms nothing is seen. The list names each module once, in the order of
the first entry, or with ``--all`` each time; below it, how often.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from latentdp._cli.main import main as latentdp

FILE = Path(__file__).parents[1] / "samples" / "cxr" / "clinic-a" / "cr-0001.dcm"


class Followed:
    """What `sys.setprofile` tells of calls between modules.

    Args:
        rooms: Keep modules whose names begin with one of these; empty keeps all.

    Attributes:
        entered: Modules without ``latentdp.``, in order.
    """

    def __init__(self, rooms: Sequence[str]) -> None:
        self._rooms = tuple(f"latentdp.{room}" for room in rooms or ("",))
        self.entered: list[str] = []
        self._properties = {
            value.fget.__code__
            for module in list(sys.modules.values())
            for kind in vars(module).values()
            if isinstance(kind, type) and str(kind.__module__).startswith("latentdp.")
            for value in vars(kind).values()
            if isinstance(value, property) and hasattr(value.fget, "__code__")
        }

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        """Called by the interpreter."""
        code = frame.f_code
        if event != "call" or code.co_name == "<module>" or code.co_filename == "<string>":
            return
        if code in self._properties:
            return
        here = self._module(frame)
        if here is not None and here != self._caller(frame):
            self.entered.append(here.removeprefix("latentdp."))

    def _module(self, frame: FrameType) -> str | None:
        name = frame.f_globals.get("__name__", "")
        return name if name.startswith(self._rooms) else None

    def _caller(self, frame: FrameType) -> str | None:
        above = frame.f_back
        while above is not None:
            name = self._module(above)
            if name is not None:
                return name
            above = above.f_back
        return None


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs, follows, prints."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        command = ["privatize", str(options.file), "--json"]
        latentdp([*command, f"{place}/first"])
        followed = Followed(options.rooms)
        sys.setprofile(followed)
        try:
            latentdp([*command, f"{place}/second"])
        finally:
            sys.setprofile(None)
    way = [m for i, m in enumerate(followed.entered) if i == 0 or m != followed.entered[i - 1]]
    print(f"\n{len(way)} entries of {len(set(way))} modules")
    print(" > ".join(way) if options.all else " > ".join(dict.fromkeys(way)))
    print("\n| module | entered |\n|---|---|")
    for name, count in Counter(way).most_common():
        print(f"| {name} | {count} |")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--rooms", nargs="*", default=[], help="for example: release privatizer")
    parser.add_argument("--all", action="store_true", help="each entry, not each module once")
    return parser


if __name__ == "__main__":
    main()
