"""What a flow is conditioned on: the attributes of an image, each of which may be unknown.

A condition is a row of zeros and ones, a one for each attribute: at its value, or at "unknown",
which comes after the values. Whatever depends on the attributes is the sum of the rows of a table
where the ones are.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from latentdp.core.attributes import ABSENT, PRESENT, Attribute, check_values, finding

__all__ = [
    "ABSENT",
    "PRESENT",
    "Attribute",
    "check_values",
    "condition_of",
    "finding",
    "table_rows",
]


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
