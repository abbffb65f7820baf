"""Tables of what is made of what hospitals share: a question each."""

from __future__ import annotations

from collections.abc import Sequence

from _results import Column, Result, Value, markdown

__all__ = ["RESULTS", "VIEWS"]

RESULTS = ("sharing", "sharing-class")  # of two runs of benchmarks/sharing.py

RECOGNISED = (
    Column("what is shared", "{way}"),
    Column("unknown patients in it", "{patients:,}"),
    Column("attack", "{attack}"),
    Column("named first", "{value:.3f| to }", bare=True),
    Column("guessing", "{chance:.3f}", bare=True),
    Column("ceiling", "{ceiling:.3f}", bare=True),
    Column("SSIM", "{likeness:.2f| to }", bare=True),
    Column("bits found", "{bits:.2f| to }"),
    Column("bits, any reader at most", "{bits_ceiling:.3f}"),
)
FOUND = (
    Column("what is shared", "{way}"),
    Column("found at 1 % false alarms", "{value:.3f| to }", bare=True),
    Column("ceiling", "{ceiling:.3f}", bare=True),
    Column("AUC", "{area:.3f| to }", bare=True),
    Column("bits found", "{bits:.3f| to }"),
    Column("bits, any reader at most", "{bits_ceiling:.3f}"),
)


def inversion(results: Sequence[Result]) -> str:
    """Whose original is recognised?"""
    return _table(results, RECOGNISED, ("exact inversion", "pixel inversion", "latent inversion"))


def membership(results: Sequence[Result]) -> str:
    """Who is in a sum?"""
    return _table(results, FOUND, ("membership of sums",))


def properties(results: Sequence[Result]) -> str:
    """A row for each trait and way, a column for each size of the site."""
    return _by_size(results, ("property of site",), "trait")


def class_looks(results: Sequence[Result]) -> str:
    """A row for each way, a column for each number of patients."""
    return _by_size(results, ("GAN of a curious site", "drawing from it"), "asks")


VIEWS = {
    "sharing-inversion": inversion,
    "sharing-membership": membership,
    "sharing-property": properties,
    "sharing-class": class_looks,
}


def _rows(results: Sequence[Result], attacks: Sequence[str]) -> list[dict[str, Value]]:
    return [row for result in results for row in result.rows if row["attack"] in attacks]


def _table(results: Sequence[Result], columns: Sequence[Column], attacks: Sequence[str]) -> str:
    rows = _rows(results, attacks)
    cells = [[column.text(row) for column in columns] for row in rows]
    return markdown([column.title for column in columns], cells)


def _by_size(results: Sequence[Result], attacks: Sequence[str], title: str) -> str:
    rows = _rows(results, attacks)
    cell = Column("", "{value:.2f| to }", bare=True)
    sizes = sorted({int(str(row["patients"])) for row in rows})
    lines: dict[tuple[str, str], dict[int, str]] = {}
    for row in rows:
        name = str(row["asks"]).partition(":")[0].partition("?")[0].removeprefix("share of ")
        line = lines.setdefault((name, str(row["way"])), {})
        line[int(str(row["patients"]))] = cell.text(row)
    heads = [title, "what is shared", *(f"{size:,} patients" for size in sizes)]
    return markdown(
        heads,
        [[*names, *(line.get(size, "-") for size in sizes)] for names, line in lines.items()],
    )
