"""A comparison of where the noise of a private training goes in, as a document."""

from __future__ import annotations

from typing import Literal, Self

from msgspec import Struct

from latentdp.core.documents import JsonValue, from_json, to_json
from latentdp.reports.comparison import Cell

__all__ = ["PrivateComparison", "PrivateRow"]


class PrivateRow(Struct, frozen=True, kw_only=True):
    """What one method reached at one budget, over several cohorts and draws of noise.

    Attributes:
        point: Where noise goes in: ``none``, ``input``, ``objective``, ``gradient``, ``output``,
            ``prediction`` or ``statistics``.
        method: Its name.
        title: What it does.
        patients: In the cohort.
        epsilon: Of a patient, replace-one, in nats; None without protection.
        add_remove: Of the same noise under add-remove; None without protection, or where it is the
            same for every record.
        delta: Of both; None without protection.
        seeds: Over how many cohorts and draws all numbers are means.
        auc: Of the finding against all else.
        worst_auc: Of the least fortunate of these.
        accuracy: Of decisions at a probability of a half.
        matthews: Their correlation with the truth.
        members: AUC of telling patients of the cohort from others by how sure the classifier is
            of the truth about their images; a half is chance.
        revealed: Share of the cohort's images that this finds with 1 % false alarms.
        refused: Why nothing was learnt; empty where something was.
        seconds: Of learning, of one seed.
    """

    point: str
    method: str
    title: str
    patients: int
    epsilon: float | None
    add_remove: float | None
    delta: float | None
    seeds: int
    auc: Cell | None
    worst_auc: float | None
    accuracy: Cell | None
    matthews: Cell | None
    members: Cell | None
    revealed: float | None
    refused: str
    seconds: float


class PrivateComparison(Struct, frozen=True, kw_only=True):
    """All rows, and on what they were measured.

    Attributes:
        kind: ``private comparison``.
        format: 1.
        version: Of the program.
        weights: Public ones, from which all methods start.
        source: Of the images; empty for all that the manifest has.
        finding: That is told from all else.
        patients: In the training split.
        test_images: In the other splits.
        test_patients: Of these.
        rows: By size of the cohort, epsilon and method.
        notes: How it was measured.
    """

    kind: Literal["private comparison"]
    format: int
    version: str
    weights: str
    source: str
    finding: str
    patients: int
    test_images: int
    test_patients: int
    rows: tuple[PrivateRow, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, JsonValue]:
        """JSON values."""
        return to_json(self)  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, values: object) -> Self:
        """The inverse of `to_json`.

        Raises:
            InputError: A part is missing or of another type.
        """
        return from_json(values, cls, "a comparison of private trainings")
