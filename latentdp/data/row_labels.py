"""The label that a row of a list gives an image: what the row says, and nothing that it does not.

Where each finding has a column, a list says nothing of a finding without one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from latentdp.core.arrays import UNKNOWN
from latentdp.core.attributes import PRESENT, knowing
from latentdp.data.label_names import LabelNames, Unresolved
from latentdp.data.label_table import LabelRow, LabelTable

__all__ = ["RowLabels"]


@dataclass(frozen=True)
class RowLabels:
    """Labels of the rows of a list.

    Attributes:
        table: The list.
        names: Of findings.
        released: Attributes that are released, where labels say several: of the others nothing
            is taken.
    """

    table: LabelTable
    names: LabelNames
    released: Sequence[str]

    @cached_property
    def told(self) -> tuple[str, ...]:
        """Attributes that are released, less findings of which no column says anything."""
        silent = {*self.names.space.findings} - self._in_columns if self.table.columns else ()
        names = (one.name for one in self.names.space.attributes)
        return tuple(name for name in names if name in self.released and name not in silent)

    @property
    def all_findings(self) -> bool:
        """Whether each row says of every finding that the weights know whether it is there."""
        return not self.table.columns or {*self.names.space.findings} <= self._in_columns

    def label(self, row: LabelRow, view: str) -> int | Unresolved:
        """The label of a row, or why it has none.

        Args:
            row: Of the list.
            view: Of the radiograph, "" if it is not known.
        """
        label = self.names.label(row.findings, view)
        if not isinstance(label, int) or self.names.space.has_classes:
            return label
        kept = self.released if row.says_all else self.told
        told = knowing(self.names.space.attributes, np.array([label]), kept)[0]
        return Unresolved.IGNORED if told == UNKNOWN else int(told)

    @cached_property
    def _in_columns(self) -> frozenset[str]:
        """Findings that a column says to be there or not.

        A column "No Finding" says something of others only where it is marked: of a row, that is.
        """
        meanings = [self.names.resolve(column, "") for column in self.table.columns]
        return frozenset(
            self.names.space.attributes[i].name
            for one in meanings
            if not isinstance(one, Unresolved)
            for i, value in one.items()
            if value == PRESENT
        )
