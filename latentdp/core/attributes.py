"""What may be known of an image: attributes, each of which has one of some values or is unknown.

All that is known of an image is its label, **one number** that stands in arrays, ledgers and
files: the values are the digits of a number in a mixed base, in which 0 is "unknown", less one.
So -1 stands for "nothing is known". Classes are a single attribute without a name, of which the
label is the index.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentdp.core.arrays import UNKNOWN, Labels
from latentdp.errors import InputError

__all__ = [
    "ABSENT",
    "PRESENT",
    "Attribute",
    "check_values",
    "classes",
    "finding",
    "knowing",
    "label_count",
    "labels_of",
    "values_of",
]

ABSENT, PRESENT = 0, 1  # values of a finding
_FINDING = ("absent", "present")
_MOST = 2**62  # labels, which are integers of 64 bits


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

    @property
    def is_finding(self) -> bool:
        """Whether it is absent or present, and not one of several things."""
        return self.values == _FINDING


def finding(name: str) -> Attribute:
    """The attribute of a finding, which is absent, present or unknown."""
    return Attribute(name, _FINDING)


def classes(*names: str) -> tuple[Attribute, ...]:
    """Classes as what an image may be known by: one attribute without a name."""
    return (Attribute("", names),)


def label_count(attributes: Sequence[Attribute]) -> int:
    """How many labels there are besides -1, "nothing is known".

        >>> label_count(classes("normal", "viral"))
        2
        >>> label_count([finding("Mass"), Attribute("view", ("AP", "PA"))])
        8

    Raises:
        InputError: More than a 64-bit integer can tell apart.
    """
    count = math.prod(len(one.values) + 1 for one in attributes)
    if count > _MOST:
        raise InputError(f"expected at most {_MOST} combinations of attributes, got {count}")
    return count - 1


def labels_of(attributes: Sequence[Attribute], values: ArrayLike) -> Labels:
    """The label ``(n,)`` of each row of values.

        >>> labels_of([finding("Mass"), finding("Edema")], [[1, 0], [-1, -1]])
        array([ 6, -1])

    Args:
        attributes: What may be known of an image.
        values: ``(n, attributes)`` indices of values, -1 for unknown.

    Raises:
        InputError: Another shape, or an index that is no value.
    """
    checked = check_values(values, len(np.asarray(values)), attributes)
    return np.asarray((checked + 1) @ _places(attributes) - 1)


def values_of(attributes: Sequence[Attribute], labels: Labels) -> NDArray[np.int64]:
    """The inverse of `labels_of`: indices ``(n, attributes)`` of values, -1 for unknown."""
    bases = np.array([len(one.values) + 1 for one in attributes], dtype=np.int64)
    return np.asarray((labels[:, None] + 1) // _places(attributes) % bases - 1)


def knowing(attributes: Sequence[Attribute], labels: Labels, kept: Sequence[str]) -> Labels:
    """Labels ``(n,)`` that know the named attributes only: of all others nothing.

    Example:
        >>> both = [finding("Mass"), finding("Edema")]
        >>> values_of(both, knowing(both, labels_of(both, [[1, 0]]), ["Edema"]))
        array([[-1,  0]])
    """
    stay = np.array([one.name in kept for one in attributes], dtype=np.bool_)
    return labels_of(attributes, np.where(stay, values_of(attributes, labels), UNKNOWN))


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


def _places(attributes: Sequence[Attribute]) -> NDArray[np.int64]:
    """What a digit of each attribute counts; the last one's counts 1."""
    label_count(attributes)
    bases = [len(one.values) + 1 for one in attributes]
    return np.array([math.prod(bases[i + 1 :]) for i in range(len(bases))], dtype=np.int64)
