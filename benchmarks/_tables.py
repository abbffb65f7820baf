"""The tables in the documents, from the results of the benchmarks.

    python benchmarks/_tables.py [--check]

Between ``<!-- NAME -->`` and ``<!-- /NAME -->`` stands what ``results/NAME.json`` holds, or one of
the views below. Without --check documents are written anew; with it nothing is written, and the
exit code is 1 if one of them differs.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

import _central_views as central
import _sharing_views as sharing
import _views as views
from _results import RESULTS, Result

from latentdp import InputError
from latentdp.core.filesystem import write_text

__all__ = ["documents", "read_results", "renewed", "tables"]

ROOT = Path(__file__).parents[1]

# Views of one result, by its benchmark; all others are shown as their columns say.
OF_ONE = {
    "budget": views.best_directions,
    "comparison_table": views.comparison,
    "frontier": views.frontier,
    "presets": views.survivors,
}
# Views of several results, with their names.
OF_SEVERAL = {
    "scale-stages": (views.scale_stages, ("scale", "scale-64")),
    "scale-million": (views.million_files, ("scale", "scale-64")),
    "scale-workers": (views.worker_counts, ("scale", "scale-64")),
    "central-targets": (central.targets, ("central",)),
    **{name: (view, sharing.RESULTS) for name, view in sharing.VIEWS.items()},
}


def read_results(folder: Path = RESULTS) -> dict[str, Result]:
    """All there are, by name.

    Raises:
        InputError: A file is none.
    """
    return {path.stem: Result.read(path) for path in sorted(folder.glob("*.json"))}


def tables(results: dict[str, Result]) -> dict[str, str]:
    """Markdown by the name between markers."""
    several = {name: view([results[n] for n in of]) for name, (view, of) in OF_SEVERAL.items()}
    seen = {name for _, of in OF_SEVERAL.values() for name in of}
    single = {
        name: OF_ONE.get(result.benchmark, Result.table)(result)
        for name, result in results.items()
        if name not in seen
    }
    return single | several | {"provenance": views.provenance(results)}


def documents() -> list[Path]:
    """Where tables may stand."""
    places = (ROOT.glob("*.md"), (ROOT / "benchmarks").glob("*.md"), (ROOT / "docs").rglob("*.md"))
    return sorted(path for paths in places for path in paths)


def renewed(text: str, named: dict[str, str]) -> str:
    """A document with its tables as they should be.

    Raises:
        InputError: A table has a beginning, but no end.
    """
    for name, table in named.items():
        start, end = markers(name)
        before, begun, rest = text.partition(start)
        if not begun:
            continue
        _, ended, after = rest.partition(end)
        if not ended:
            raise InputError(f"expected {end} below {start.strip()}, got none")
        text = before + start + table + end + after
    return text


def markers(name: str) -> tuple[str, str]:
    """What stands above and below a table."""
    return f"<!-- {name} -->\n", f"<!-- /{name} -->"


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes documents anew, or says which differ."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    stale = list(_stale(documents(), tables(read_results())))
    for path, text in stale:
        print(path.relative_to(ROOT))
        if not options.check:
            write_text(path, text)
    raise SystemExit(bool(stale) and options.check)


def _stale(paths: Iterable[Path], named: dict[str, str]) -> Iterable[tuple[Path, str]]:
    for path in paths:
        text = path.read_text(encoding="utf-8")
        if (new := renewed(text, named)) != text:
            yield path, new


if __name__ == "__main__":
    main()
