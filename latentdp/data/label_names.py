"""From a hospital's own names of findings to the classes that weights know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from latentdp.core.tables import read_table
from latentdp.errors import InputError

__all__ = ["LabelNames", "Unresolved"]


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
