"""From a hospital's own names of findings to the classes that weights know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike

from latentdp.core.arrays import UNKNOWN
from latentdp.core.tables import read_table
from latentdp.errors import InputError

__all__ = ["GivenLabels", "LabelNames", "Unresolved", "label_indices"]

# Class indices, or names of classes; None for unknown.
GivenLabels: TypeAlias = ArrayLike | Sequence[str | None] | None


class Unresolved(Enum):
    """Why a name stands for no class."""

    IGNORED = "the map says that it counts for nothing"
    UNKNOWN = "neither the weights nor the map know it"
    NO_VIEW = "the weights have it for each view, and the view is not stated"


@dataclass(frozen=True)
class LabelNames:
    """What names stand for.

    Attributes:
        classes: Of the weights. One like ``PA/finding`` is a finding in a view.
        meant: Own name in small letters to what the weights call it; "" for nothing.
    """

    classes: tuple[str, ...]
    meant: Mapping[str, str]

    @classmethod
    def read(cls, classes: tuple[str, ...], label_map: Path | None) -> LabelNames:
        """With the map of a CSV that has the columns ``from`` and ``to``, if there is one.

        Raises:
            InputError: The CSV cannot be read, maps a name twice, or onto what the weights do not
                know.
        """
        names = cls(classes, {})
        if label_map is None:
            return names
        meant: dict[str, str] = {}
        for line, row in read_table(label_map, ("from", "to")):
            own, target = row["from"].strip().lower(), row["to"].strip().lower()
            if target and not names.knows(target):
                raise InputError(
                    f"{label_map.name} line {line}: expected column 'to' to be empty or one of "
                    f"{', '.join(names.findings)}, got another name"
                )
            if meant.setdefault(own, target) != target:
                raise InputError(f"{label_map.name} line {line}: a name is mapped to two others")
        return cls(classes, meant)

    @property
    def findings(self) -> tuple[str, ...]:
        """The classes, and what they are without their views."""
        return (
            *self.classes,
            *dict.fromkeys(c.rpartition("/")[2] for c in self.classes if "/" in c),
        )

    def knows(self, name: str) -> bool:
        """Whether it stands for something, at least in a view."""
        return name.strip().lower() in {*self.meant, *(f.lower() for f in self.findings)}

    def resolve(self, name: str, view: str) -> int | Unresolved:
        """The index of the class that a name stands for.

        Args:
            name: As a list has it.
            view: Of the radiograph, "" if it is not known.
        """
        own = name.strip().lower()
        target = self.meant.get(own, own)
        if not target:
            return Unresolved.IGNORED
        index = {c.lower(): i for i, c in enumerate(self.classes)}
        position = index.get(target, index.get(f"{view.lower()}/{target}"))
        if position is not None:
            return position
        return Unresolved.NO_VIEW if self.knows(target) else Unresolved.UNKNOWN


def label_indices(labels: GivenLabels, classes: tuple[str, ...]) -> ArrayLike | None:
    """Labels as class indices, where any is given by name; what holds no name stays as it is.

    Example:
        >>> label_indices(["normal", None, "VIRAL", 0], ("bacterial", "normal", "viral"))
        array([ 1, -1,  2,  0])

    Args:
        labels: Names or indices; None, "" and -1 stand for no label.
        classes: Of the weights; a name is taken in any case.

    Raises:
        InputError: A name that the weights do not know, or know only for each view.
    """
    if labels is None:
        return None
    given = np.asarray(labels, dtype=object)
    if given.ndim != 1 or not any(isinstance(label, str) for label in given):
        return cast("ArrayLike", labels)
    names = LabelNames(classes, {})
    indices = [_index(names, label) for label in given]
    return np.array(indices, dtype=np.int64)


def _index(names: LabelNames, label: object) -> int:
    if label is None or label == "":
        return UNKNOWN
    if not isinstance(label, str):
        return int(label)  # type: ignore[call-overload, no-any-return]
    found = names.resolve(label, "")
    if isinstance(found, int):
        return found
    known = ", ".join(names.classes) or "none"
    if found is Unresolved.NO_VIEW:
        raise InputError(
            f"these weights know {label!r} for each view; name it with its view, one of: {known}"
        )
    raise InputError(f"these weights know no class {label!r}; there are: {known}")
