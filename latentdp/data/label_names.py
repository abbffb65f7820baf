"""From a hospital's own names of findings to the labels that weights know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import SupportsInt, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike

from latentdp.core.arrays import UNKNOWN
from latentdp.core.tables import read_table
from latentdp.data.label_space import SEPARATOR, LabelSpace
from latentdp.errors import InputError

__all__ = ["GivenLabels", "LabelNames", "Unresolved", "label_indices"]

# Labels as numbers, or in words, several separated by ;. None for unknown.
GivenLabels: TypeAlias = ArrayLike | Sequence[str | None] | None


class Unresolved(Enum):
    """Why a name stands for nothing."""

    IGNORED = "the map says that it counts for nothing"
    UNKNOWN = "neither the weights nor the map know it"
    NO_VIEW = "the weights have it for each view, and the view is not stated"
    SEVERAL = "the names contradict each other"


@dataclass(frozen=True)
class LabelNames:
    """What names stand for.

    Attributes:
        space: Labels of the weights. A class like ``PA/finding`` is a finding in a view.
        meant: Own name in small letters to what the weights call it; "" for nothing.
    """

    space: LabelSpace
    meant: Mapping[str, str]

    @classmethod
    def read(cls, space: LabelSpace, label_map: Path | None) -> LabelNames:
        """With the map of a CSV that has the columns ``from`` and ``to``, if there is one.

        Raises:
            InputError: The CSV cannot be read, maps a name twice, or onto what the weights do not
                know.
        """
        names = cls(space, {})
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
        return cls(space, meant)

    @property
    def findings(self) -> tuple[str, ...]:
        """The words of labels, that none is there, and what classes are without their views."""
        bare = dict.fromkeys(c.rpartition("/")[2] for c in self.space.classes if "/" in c)
        none = (self.space.none,) if self.space.findings else ()
        return (*self.space.words, *none, *bare)

    def knows(self, name: str) -> bool:
        """Whether it stands for something, at least in a view."""
        own = name.strip().lower()
        bare = {finding.lower() for finding in self.findings}
        return own in self.meant or own in bare or self.space.meaning(own) is not None

    def resolve(self, name: str, view: str) -> Mapping[int, int] | Unresolved:
        """What a name says, as `LabelSpace.meaning` does.

        Args:
            name: As a list has it.
            view: Of the radiograph, "" if it is not known.
        """
        own = name.strip().lower()
        target = self.meant.get(own, own)
        if not target:
            return Unresolved.IGNORED
        for word in (target, f"{view}/{target}"):
            if (meaning := self.space.meaning(word)) is not None:
                return meaning
        return Unresolved.NO_VIEW if self.knows(target) else Unresolved.UNKNOWN

    def label(self, names: Sequence[str], view: str) -> int | Unresolved:
        """The label that names of a row stand for together, or why they stand for none.

        Args:
            names: As a list has them.
            view: Of the radiograph, "" if it is not known; what the names say outranks it.
        """
        resolved = [self.resolve(name, view) for name in names]
        if Unresolved.UNKNOWN in resolved:
            return Unresolved.UNKNOWN
        meanings = [one for one in resolved if not isinstance(one, Unresolved)]
        if Unresolved.NO_VIEW in resolved:
            return Unresolved.SEVERAL if meanings else Unresolved.NO_VIEW
        if not meanings:
            return Unresolved.IGNORED
        seen = None if self.space.has_classes or not view else self.space.meaning(view)
        if seen is not None and not any(seen.keys() & one.keys() for one in meanings):
            meanings.append(seen)
        merged = self.space.merged(meanings)
        return Unresolved.SEVERAL if merged is None else merged


def label_indices(labels: GivenLabels, space: LabelSpace) -> ArrayLike | None:
    """Labels as numbers, where any is given in words; what holds none stays as it is.

    Example:
        >>> classes = LabelSpace.of_classes(["bacterial", "normal", "viral"])
        >>> label_indices(["normal", None, "VIRAL", 0], classes)
        array([ 1, -1,  2,  0])

    Args:
        labels: Words, several separated by ``;``, or numbers; None, "" and -1 for no label.
        space: Of the weights; a word is taken in any case.

    Raises:
        InputError: A name that the weights do not know, or know only for each view.
    """
    if labels is None:
        return None
    given = np.asarray(labels, dtype=object)
    if given.ndim != 1 or not any(isinstance(label, str) for label in given):
        return cast("ArrayLike", labels)
    names = LabelNames(space, {})
    indices = [_index(names, label) for label in given]
    return np.array(indices, dtype=np.int64)


def _index(names: LabelNames, label: object) -> int:
    if label is None or label == "":
        return UNKNOWN
    if not isinstance(label, str):
        return int(cast(SupportsInt, label))
    words = label.split(SEPARATOR) if not names.space.has_classes else [label]
    found = names.label(words, "")
    if isinstance(found, int):
        return found
    known = ", ".join(names.space.words) or "none"
    if found is Unresolved.NO_VIEW:
        raise InputError(
            f"these weights know {label!r} for each view; name it with its view, one of: {known}"
        )
    if found is Unresolved.SEVERAL:
        raise InputError(f"the words of {label!r} contradict each other; there are: {known}")
    kind = "class" if names.space.has_classes else "label"
    raise InputError(f"these weights know no {kind} {label!r}; there are: {known}")
