"""A comparison of ways to a synthetic cohort as a document: equal budgets, one reader for all."""

from __future__ import annotations

from typing import Literal, Self

from msgspec import Struct

from latentdp.core.documents import JsonValue, from_json, to_json
from latentdp.metrics.bootstrap import Estimate
from latentdp.reports.comparison import Cell

__all__ = ["CentralComparison", "CentralRow", "Kind", "cell"]

Kind = Literal["originals", "public", "central", "local", "rival"]


class CentralRow(Struct, frozen=True, kw_only=True):
    """What one reader learnt from one set.

    Attributes:
        method: By which the set was made.
        kind: ``originals``; ``public`` images, which follow no patient; ``central``, learnt from
            all patients together; ``local``, each image by itself; or a ``rival`` of ours.
        title: What the method does.
        accounting: What its epsilon is of.
        patients: In the cohort.
        epsilon: Of a patient, replace-one, in nats; None for originals.
        add_remove: Of the same noise under add-remove; None where nobody states it.
        delta: Of both; None for originals.
        seed: Of patients and noise.
        images: In the set.
        reader: ``linear`` or ``cnn``.
        normal: AUC of normal against all else.
        findings: Mean AUC of all findings.
        head: AUC of normal of the reader that labelled the set; None where there is none.
        seconds: Until the set was there.
    """

    method: str
    kind: Kind
    title: str
    accounting: str
    patients: int
    epsilon: float | None
    add_remove: float | None
    delta: float | None
    seed: int
    images: int
    reader: str
    normal: Cell | None
    findings: Cell | None
    head: float | None
    seconds: float


class CentralComparison(Struct, frozen=True, kw_only=True):
    """All rows, and on what they were measured.

    Attributes:
        kind: ``central comparison``.
        format: 1.
        version: Of the program.
        weights: Public ones, from which all methods start.
        source: Of the images; empty for all that the manifest has.
        findings: Names, sorted.
        patients: In the training split.
        test_images: In the other splits.
        test_patients: Of these.
        delta: Of all rows.
        rows: By seed, size of the cohort, epsilon and method.
        notes: How it was measured.
    """

    kind: Literal["central comparison"]
    format: int
    version: str
    weights: str
    source: str
    findings: tuple[str, ...]
    patients: int
    test_images: int
    test_patients: int
    delta: float
    rows: tuple[CentralRow, ...]
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
        return from_json(values, cls, "a comparison of syntheses")


def cell(estimate: Estimate | None) -> Cell | None:
    """A number of the table."""
    if estimate is None:
        return None
    return Cell(value=estimate.value, low=estimate.low, high=estimate.high)
