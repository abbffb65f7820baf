"""A comparison of methods as a document: every one on the same images, attackers and seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

from msgspec import UNSET, Struct, UnsetType, structs

from latentdp.core.documents import JsonValue, from_json, to_json
from latentdp.errors import InputError
from latentdp.reports.evaluation import Evaluation
from latentdp.reports.evaluation_parts import People, StatedEffort
from latentdp.reports.results import Measure

__all__ = ["Cell", "ComparedMethod", "ComparedPeople", "Comparison", "Group"]

Group = Literal["ours", "rival", "control"]

# Of an evaluation in a row, whose parts come together in another order than those of a file.
_ROW = (
    "kind", "format", "version", "seed", "effort", "verifier", "method", "outcomes", "utility",
    "unable", "seconds", "cohort", "practice", "quick", "thresholds", "controls", "verdict",
)  # fmt: skip


class ComparedPeople(People, frozen=True, kw_only=True):
    """Public people on whom methods are compared.

    Attributes:
        name: ``identity`` or ``findings``.
        purpose: What is asked of them.
        weights: Of the flow that fits them.
    """

    name: str
    purpose: str
    weights: str | UnsetType = UNSET


class Cell(Struct, frozen=True, kw_only=True):
    """A number of the table.

    Attributes:
        value: The number; None where it is none.
        low: Lower limit of its 95 % interval over patients; None without one.
        high: Upper limit of it.
        learnt_with: Whose labels a reader was taught with; unset for an attack.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    learnt_with: str | UnsetType = UNSET


class ComparedMethod(Struct, frozen=True, kw_only=True):
    """A row.

    Attributes:
        name: Of the method.
        title: What it is.
        group: Whose it is.
        evaluation: Where people are recognised.
        utility: Where findings are learnt; that of the evaluation if it is empty.
        seconds: How long it took.
        columns: Its numbers, by column; None where there is none.
    """

    name: str
    title: str
    group: Group
    evaluation: Evaluation
    utility: tuple[Measure, ...] = ()
    seconds: float | UnsetType = UNSET
    columns: Mapping[str, Cell | None] | UnsetType = UNSET

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Of what its images are good for."""
        return self.utility or self.evaluation.utility

    @property
    def numbers(self) -> Mapping[str, Cell | None]:
        """Its numbers by column; a row of a comparison that was read has them."""
        return {} if self.columns is UNSET else self.columns


class Comparison(Struct, frozen=True, kw_only=True):
    """Methods side by side. What a file may leave out is unset.

    Attributes:
        kind: Of the document.
        format: Of the document.
        version: Of the program that made it.
        seed: Of everything random.
        quick: Whether it was a first look, too weak to rely on.
        effort: Of the attackers.
        cohorts: On whom.
        rows: The methods.
        columns: Numbers of the methods by name, where a file holds them beside its rows.
        notes: What a reader must know.
        seconds: How long it took.
    """

    kind: Literal["comparison"]
    format: Literal[1]
    version: str
    seed: int
    quick: bool | UnsetType = UNSET
    effort: StatedEffort | UnsetType = UNSET
    cohorts: tuple[ComparedPeople, ...] = ()
    rows: tuple[ComparedMethod, ...]
    columns: Mapping[str, Mapping[str, Cell | None]] | UnsetType = UNSET
    notes: tuple[str, ...] = ()
    seconds: float | UnsetType = UNSET

    def to_json(self) -> dict[str, JsonValue]:
        """JSON values, in the order of ``comparison.json``."""
        values = to_json(self)
        for row in values["rows"]:
            evaluation = row["evaluation"]
            row["evaluation"] = {key: evaluation[key] for key in _ROW if key in evaluation}
        return values  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, values: object) -> Self:
        """The inverse of `to_json`.

        Raises:
            InputError: A part is missing or of another type, or it is no comparison.
        """
        comparison = from_json(values, cls, "the comparison")
        beside = {} if comparison.columns is UNSET else comparison.columns
        rows = []
        for row in comparison.rows:
            numbers = beside.get(row.name) if row.columns is UNSET else row.columns
            if numbers is None:
                raise InputError(
                    "the comparison is incomplete or of another version: a method lacks its "
                    "numbers"
                )
            rows.append(structs.replace(row, columns=numbers))
        return structs.replace(comparison, rows=tuple(rows), columns=UNSET)
