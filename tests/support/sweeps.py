"""Which cases of a sweep `make test` runs; `make test-all` runs every one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import product
from typing import Any

import pytest


def slow(*values: Any, id: str | None = None) -> Any:
    """A case for `make test-all` only."""
    return pytest.param(*values, id=id, marks=pytest.mark.slow)


def some(values: Iterable[Any], usual: Collection[Any] | Callable[[Any], bool]) -> list[Any]:
    """All values as cases; only the usual ones run by default.

    Several sweeps of one test are multiplied by pytest, and a case runs by default if each of its
    values is a usual one.

    Args:
        values: Or `pytest.param`.
        usual: The values, or what tells them.
    """
    chosen = usual if callable(usual) else lambda value: value in usual
    cases = list(values)
    assert any(chosen(case) for case in cases), "a sweep without a usual case"
    return [case if chosen(case) else with_mark(case) for case in cases]


def diagonal(*axes: Iterable[Any]) -> list[Any]:
    """Every combination as a case, of which by default run so many that each value is in one."""
    lists = [list(axis) for axis in axes]
    longest = max(map(len, lists))
    usual = {tuple(i % len(axis) for axis in lists) for i in range(longest)}
    cases = []
    for at in product(*(range(len(axis)) for axis in lists)):
        parts = [as_param(axis[i]) for axis, i in zip(lists, at, strict=True)]
        marks = [mark for part in parts for mark in part.marks]
        ids = [part.id if part.id is not None else None for part in parts]
        values = [value for part in parts for value in part.values]
        name = "-".join(map(str, ids)) if None not in ids else None
        marks += [] if at in usual else [pytest.mark.slow]
        cases.append(pytest.param(*values, id=name, marks=marks))
    return cases


def as_param(case: Any) -> Any:
    return case if hasattr(case, "marks") and hasattr(case, "values") else pytest.param(case)


def with_mark(case: Any) -> Any:
    part = as_param(case)
    return pytest.param(*part.values, id=part.id, marks=[*part.marks, pytest.mark.slow])
