"""What a network that is conditioned otherwise takes over of the weights that it starts from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from latentdp.models.flow.attributes import Attribute, table_rows

__all__ = ["rows_taken_over"]

Matrix = NDArray[np.float64]


def rows_taken_over(theirs: Sequence[Attribute], ours: Sequence[Attribute]) -> Matrix:
    """Shares ``(our rows, their rows)`` of which each row of a table is made.

    A value is taken over by its name, one that they do not have begins as "unknown", and an
    attribute that they do not have begins without effect. Where they have classes and we have
    attributes, one attribute is told by the parts of the classes' names (the view by "AP/normal"
    and "PA/normal"): each of its values begins as the mean of the classes that name it, and as
    "unknown" where none does. Of its rows one is used for every image, so that what all classes
    have in common is kept; the other attributes begin without effect. Where they have attributes
    and we have classes, a class begins as the sum of what its name says of each attribute, or of
    "unknown" where it says nothing.

    Example:
        >>> from latentdp.models.flow.attributes import Attribute, finding
        >>> classes = Attribute("", ("AP/ill", "AP/well", "PA/well"))
        >>> rows_taken_over([classes], [finding("ill"), Attribute("view", ("AP", "PA"))])[3:]
        array([[0.5, 0.5, 0. , 0. ],
               [0. , 0. , 1. , 0. ],
               [0. , 0. , 0. , 1. ]])
    """
    known = table_rows(theirs)
    classes_before, classes_now = ([one.name for one in side] == [""] for side in (theirs, ours))
    if classes_now and not classes_before:
        return np.array([_sum(theirs, known, value) for _, value in table_rows(ours)])
    if classes_before and not classes_now:
        teller = max(
            ours, key=lambda one: sum(bool(_naming(known, value)) for value in one.values)
        )
        return np.array(
            [
                _shares(known, _naming(known, value) or [("", "")]) * (name == teller.name)
                for name, value in table_rows(ours)
            ]
        )
    return np.array([_first(known, row) for row in table_rows(ours)])


def _sum(theirs: Sequence[Attribute], known: Sequence[tuple[str, str]], name: str) -> Matrix:
    """What a class is told of each attribute: a value that its name has as a part, or unknown."""
    parts = name.split("/")
    told = [
        (one.name, next((value for value in one.values if value in parts), "")) for one in theirs
    ]
    return np.array([float(row in told) for row in known])


def _naming(known: Sequence[tuple[str, str]], value: str) -> list[tuple[str, str]]:
    """Rows of classes that have a value among the parts of their names."""
    return [row for row in known if value and value in row[1].split("/")]


def _shares(known: Sequence[tuple[str, str]], rows: Sequence[tuple[str, str]]) -> Matrix:
    """The mean of some rows, as shares of all."""
    return np.array([(row in rows) / len(rows) for row in known])


def _first(known: Sequence[tuple[str, str]], row: tuple[str, str]) -> Matrix:
    """A row, else what is unknown of its attribute, else nothing."""
    found = next((one for one in (row, (row[0], "")) if one in known), None)
    return _shares(known, [found]) if found else np.zeros(len(known))
