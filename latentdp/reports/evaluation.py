"""The evaluation of a release as a document: who was attacked, how, and what was found.

``evaluation.json`` is one; a comparison holds one for each method.
"""

from __future__ import annotations

from typing import Literal, Self

from msgspec import UNSET, Struct, UnsetType

from latentdp.core.documents import JsonValue, from_json, to_json
from latentdp.reports.evaluation_parts import (
    Control,
    EvaluatedRelease,
    MethodDescription,
    MethodGuarantee,
    People,
    StatedEffort,
    StatedPopulation,
    Unavailable,
    UsedVerifier,
    Verdict,
)
from latentdp.reports.recognition import Thresholds
from latentdp.reports.results import Measure, Outcome

__all__ = ["Evaluation"]


class Evaluation(Struct, frozen=True, kw_only=True):
    """One method under attack. What a file may leave out is unset.

    Attributes:
        kind: Of the document.
        format: Of the document.
        version: Of the program that made it.
        seed: Of everything random.
        quick: Whether it was a first look, too weak to rely on.
        effort: Of the attackers.
        verifier: That they start from.
        thresholds: Of the claims.
        method: What is evaluated.
        patient: What is claimed of the patient of whom most was released, all images joined;
            unset in a file that does not say.
        recipe: Digest of what determines the pixels; None for another method than ours.
        release: Which release that is; unset for another method than ours.
        population: Of whom it was made; unset for another method than ours.
        cohort: Who was attacked.
        practice: Whom attackers practised on.
        outcomes: Of every attack.
        utility: What the images are good for.
        unable: What could not be run.
        seconds: How long it took.
        controls: Other methods on the same people.
        verdict: What it means.
        signature: Of all the above by the key of the release's vault, in hexadecimal; unset for
            another method than ours.

    Example:
        >>> Evaluation.from_json({"kind": "evaluation"})  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        latentdp.errors.InputError: the evaluation is incomplete or of another version: ...
    """

    kind: Literal["evaluation"]
    format: Literal[1]
    version: str
    seed: int | UnsetType = UNSET
    quick: bool | UnsetType = UNSET
    effort: StatedEffort | UnsetType = UNSET
    verifier: UsedVerifier | UnsetType = UNSET
    thresholds: Thresholds | UnsetType = UNSET
    method: MethodDescription
    patient: MethodGuarantee | UnsetType = UNSET
    recipe: str | UnsetType | None = UNSET
    release: EvaluatedRelease | UnsetType = UNSET
    population: StatedPopulation | UnsetType = UNSET
    cohort: People | UnsetType = UNSET
    practice: People | UnsetType = UNSET
    outcomes: tuple[Outcome, ...]
    utility: tuple[Measure, ...]
    unable: tuple[Unavailable, ...] | UnsetType = UNSET
    seconds: float | UnsetType = UNSET
    controls: tuple[Control, ...] | UnsetType = UNSET
    verdict: Verdict
    signature: str | UnsetType = UNSET

    @property
    def limits(self) -> Thresholds:
        """The thresholds that were stated, or the largest."""
        return Thresholds() if self.thresholds is UNSET else self.thresholds

    def to_json(self) -> dict[str, JsonValue]:
        """JSON values, in the order of ``evaluation.json``."""
        return to_json(self)  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, values: object) -> Self:
        """The inverse of `to_json`.

        Raises:
            InputError: A part is missing or of another type, or it is no evaluation.
        """
        return from_json(values, cls, "the evaluation")
