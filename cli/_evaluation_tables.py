"""Tables of an evaluation and of a comparison, printed for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from latentdp.core.text import printable
from latentdp.reports.answers import answers, telling_apart
from latentdp.reports.central_comparison import CentralComparison
from latentdp.reports.central_comparison_page import HEADS
from latentdp.reports.central_comparison_page import cells as row_cells
from latentdp.reports.comparison import Cell, Comparison
from latentdp.reports.comparison_table import COLUMNS, cells, present
from latentdp.reports.evaluation import Evaluation
from latentdp.reports.glossary import GROUPS
from latentdp.reports.private_comparison import PrivateComparison
from latentdp.reports.rows import measure_row, outcome_row

__all__ = [
    "central_table",
    "comparison_table",
    "evaluation_tables",
    "plain",
    "print_table",
    "private_table",
]

LOOKS = ("by", "setting", "number", "value (95 %)", "n")
WIDE = 240  # columns in a file or a pipe, where nothing has to be wrapped


def evaluation_tables(evaluation: Evaluation) -> None:
    """Prints the verdict, the headline attacks and the headline measures."""
    outcomes = [outcome_row(o) for o in evaluation.outcomes]
    measures = [measure_row(m) for m in evaluation.utility]
    verdict = [(a.question, a.short, plain(a.why)) for a in answers(evaluation)]
    verdict += [(f"{r.whom}?", plain(r.auc), r.by) for r in telling_apart(evaluation)]
    attacks = [
        (r.name, r.setting, r.metric, plain(r.both), r.chance, r.ceiling, r.n, r.word)
        for r in [r for r in outcomes if r.headline] or outcomes
    ]
    useful = [
        (r.setting, r.subject, r.metric, plain(r.both), r.n)
        for r in [m for m in measures if m.headline]
    ]
    print_table(evaluation.method.title, ("question", "answer", "why"), verdict)
    print_table(
        "attacks",
        ("attack", "setting", "number", "value (95 %)", "chance", "ceiling", "n", "verdict"),
        attacks,
    )
    print_table("utility", ("setting", "subject", "number", "value (95 %)", "n"), useful)
    looks = [
        (r.name, r.setting, r.metric, plain(r.both), r.n)
        for r in (measure_row(m) for m in evaluation.utility if m.of_looks)
    ]
    print_table("looks: private images beside originals", LOOKS, looks)


def comparison_table(comparison: Comparison) -> None:
    """Prints one row for each method."""
    heads = ("method", *(COLUMNS[key][0] for key in present(comparison)))
    rows = [
        (row.name, *(plain(_cell(c.value, c.interval)) for c in cells(comparison, row)))
        for group in GROUPS
        for row in comparison.rows
        if row.group == group
    ]
    print_table("comparison", heads, rows)


def central_table(comparison: CentralComparison) -> None:
    """Prints one row for each set and reader."""
    print_table("ways to a synthetic cohort", HEADS, [row_cells(row) for row in comparison.rows])


def private_table(comparison: PrivateComparison) -> None:
    """Prints one row for each method and budget."""
    rows = [
        (
            row.point,
            row.method,
            f"{row.patients:,}",
            "infinite" if row.epsilon is None else f"{row.epsilon:g}",
            *(map(_number, (row.auc, row.accuracy, row.matthews, row.members))),
        )
        if not row.refused
        else (row.point, row.method, f"{row.patients:,}", f"{row.epsilon:g}", "refused: too few")
        for row in comparison.rows
    ]
    heads = ("noise in", "method", "patients", "epsilon", "AUC", "accuracy", "MCC", "members")
    print_table(f"{comparison.finding} or not", heads, rows)


def _number(cell: Cell | None) -> str:
    if cell is None or cell.value is None or cell.low is None or cell.high is None:
        return "-"
    return f"{cell.value:.3f}\n({cell.low:.3f} to {cell.high:.3f})"


def _cell(value: str, interval: str) -> str:
    return f"{value}\n({interval})" if interval else value


def plain(text: str) -> str:
    """With hyphens: a terminal may not know the dash."""
    return text.replace("\N{EN DASH}", "-")


def print_table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
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
