"""The numbers that stand for a method in a comparison: one for each question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from latentdp.evaluation.verdict import best

__all__ = ["columns"]

Row = dict[str, Any]


def columns(both: Row) -> Row:
    """The numbers of the table, by column; None where there is none.

    Args:
        both: An evaluation, with the ``utility`` of the ground where findings are learnt.
    """
    outcomes, utility = both["outcomes"], both["utility"]

    def reader(setting: str, subject: str = "mean") -> Row | None:
        row = _first(utility, setting=setting, metric="auc", subject=subject)
        learnt = {} if row is None else {"learnt_with": row["detail"].get("learnt_with", "")}
        found = _cell(row)
        return None if found is None else found | learnt

    return {
        "frozen": _cell(best(outcomes, ("frozen",), "auc")),
        "adaptive_mean": _cell(best(outcomes, ("adaptive",), "auc (mean)")),
        "adaptive_max": _cell(best(outcomes, ("adaptive",), "auc (max)")),
        "own_image_first": _cell(best(outcomes, ("linkage",), "rank-1")),
        "white_box": _cell(best(outcomes, ("likelihood",), "rank-1")),
        "p@1": _cell(best(outcomes, ("retrieval",), "p@1")),
        "o/p": reader("o/p"),
        "p/o": reader("p/o"),
        "p/p": reader("p/p"),
        "o/o": reader("o/o"),
        "o/p, normal": reader("o/p", "normal"),
        "p/o, normal": reader("p/o", "normal"),
        "ssim": _cell(_first(utility, metric="ssim")),
    }


def _first(rows: Sequence[Row], **wanted: str) -> Row | None:
    return next((r for r in rows if all(r[k] == v for k, v in wanted.items())), None)


def _cell(row: Row | None) -> Row | None:
    return None if row is None else {key: row[key] for key in ("value", "low", "high")}
