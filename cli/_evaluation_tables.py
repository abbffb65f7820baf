"""Tables of an evaluation and of a comparison, printed for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from latentdp.core.text import printable
from latentdp.reports.answers import answers, telling_apart
from latentdp.reports.comparison import Comparison
from latentdp.reports.comparison_table import COLUMNS, cells, present
from latentdp.reports.evaluation import Evaluation
from latentdp.reports.glossary import GROUPS
from latentdp.reports.rows import measure_row, outcome_row

__all__ = ["comparison_table", "evaluation_tables"]

WIDE = 240  # columns in a file or a pipe, where nothing has to be wrapped


def evaluation_tables(evaluation: Evaluation) -> None:
    """Prints the verdict, the headline attacks and the headline measures."""
    outcomes = [outcome_row(o) for o in evaluation.outcomes]
    measures = [measure_row(m) for m in evaluation.utility]
    verdict = [(a.question, a.short, _plain(a.why)) for a in answers(evaluation)]
    verdict += [(f"{r.whom}?", _plain(r.auc), r.by) for r in telling_apart(evaluation)]
    attacks = [
        (r.name, r.setting, r.metric, _plain(r.both), r.chance, r.ceiling, r.n, r.word)
        for r in [r for r in outcomes if r.headline] or outcomes
    ]
    useful = [
        (r.setting, r.subject, r.metric, _plain(r.both), r.n)
        for r in [m for m in measures if m.headline] or measures
    ]
    _print(evaluation.method.title, ("question", "answer", "why"), verdict)
    _print(
        "attacks",
        ("attack", "setting", "number", "value (95 %)", "chance", "ceiling", "n", "verdict"),
        attacks,
    )
    _print("utility", ("setting", "subject", "number", "value (95 %)", "n"), useful)


def comparison_table(comparison: Comparison) -> None:
    """Prints one row for each method."""
    heads = ("method", *(COLUMNS[key][0] for key in present(comparison)))
    rows = [
        (row.name, *(_plain(_cell(c.value, c.interval)) for c in cells(comparison, row)))
        for group in GROUPS
        for row in comparison.rows
        if row.group == group
    ]
    _print("comparison", heads, rows)


def _cell(value: str, interval: str) -> str:
    return f"{value}\n({interval})" if interval else value


def _plain(text: str) -> str:
    """With hyphens: a terminal may not know the dash."""
    return text.replace("\N{EN DASH}", "-")


def _print(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table; wraps instead of cutting off."""
    if not rows:
        return
    table = Table(title=printable(title), box=box.SIMPLE, title_justify="left")
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*map(printable, row))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = max(console.width, WIDE)
    console.print(table)
