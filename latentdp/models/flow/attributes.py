"""What a flow may be conditioned on: attributes of an image, each of which may be unknown.

A condition is a row of zeros and ones, a one for each attribute: at its value, or at "unknown",
which comes after the values. Whatever depends on the attributes is the sum of the rows of a table
where the ones are. Classes are a single attribute without a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from latentdp.core.arrays import UNKNOWN
from latentdp.errors import InputError

__all__ = [
    "ABSENT",
    "PRESENT",
    "Attribute",
    "check_values",
    "condition_of",
    "finding",
    "table_rows",
]

ABSENT, PRESENT = 0, 1  # values of a finding


@dataclass(frozen=True)
class Attribute:
    """Something known of an image: one of some values, or unknown.

    Attributes:
        name: What it is called on cards; empty for classes.
        values: Names of its values, in the order of their indices.
    """

    name: str
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.values)) < len(self.values) or not all(self.values):
            raise InputError(f"expected values of {self.name!r} with names that differ")


def finding(name: str) -> Attribute:
    """The attribute of a finding, which is absent, present or unknown."""
    return Attribute(name, ("absent", "present"))


def table_rows(attributes: Sequence[Attribute]) -> tuple[tuple[str, str], ...]:
    """Attribute and value of each row of a table; the value is empty where it is "unknown"."""
    return tuple((one.name, value) for one in attributes for value in (*one.values, ""))


def condition_of(attributes: Sequence[Attribute], values: Tensor) -> Tensor:
    """What a network is conditioned on: ``(n, rows of the table)`` zeros and ones.

    Args:
        attributes: What may be known of an image.
        values: ``(n, attributes)`` indices, or ``(n,)`` of a single attribute; -1, or one more
            than the last index, for unknown.
    """
    values = values.reshape(len(values), len(attributes))
    sizes = torch.tensor([len(one.values) for one in attributes], device=values.device)
    first = torch.cumsum(sizes + 1, 0) - (sizes + 1)
    rows = first + torch.where(values < 0, sizes, values)
    zeros = torch.zeros(len(values), int(sizes.sum()) + len(attributes), device=values.device)
    return zeros.scatter_(1, rows, 1.0)


def check_values(
    values: ArrayLike | None, n: int, attributes: Sequence[Attribute]
) -> NDArray[np.int64]:
    """Returns ``values`` as int64 ``(n, attributes)``, -1 for unknown; None means all unknown.

    Raises:
        InputError: Another shape, not integers, or an index that is no value.
    """
    if values is None:
        return np.full((n, len(attributes)), UNKNOWN, dtype=np.int64)
    array = np.asarray(values)
    if array.shape == (n,) and (array == UNKNOWN).all():  # what knows of no attributes says so
        return check_values(None, n, attributes)
    if array.shape != (n, len(attributes)) or not np.issubdtype(array.dtype, np.integer):
        raise InputError(
            f"expected {n} rows of {len(attributes)} attributes as integers, "
            f"got {array.dtype} of shape {array.shape}"
        )
    for one, column in zip(attributes, array.T, strict=True):
        if n and (column.min() < UNKNOWN or column.max() >= len(one.values)):
            raise InputError(
                f"expected {one.name} in 0..{len(one.values) - 1} or {UNKNOWN} (unknown), "
                "got one outside"
            )
    return array.astype(np.int64)
