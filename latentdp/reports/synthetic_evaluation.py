"""The evaluation of a synthetic data set as a document: what it is good for, and whom it shows.

``synthetic-evaluation.json`` is one. **Private**: it was measured on originals, and states how
many there are.
"""

from __future__ import annotations

from typing import Literal, Self

from msgspec import Struct

from latentdp.core.documents import JsonValue, from_json, to_json
from latentdp.privacy.rounding import printed
from latentdp.reports.canary_audit import CanaryAudit
from latentdp.reports.evaluation_parts import People, Unavailable, UsedVerifier
from latentdp.reports.results import Measure, Outcome
from latentdp.reports.rows import outcome_row

__all__ = ["ClaimedPrivacy", "SyntheticEvaluation"]

CALIBRATION = 1e-6  # relative: of what was searched for numerically, perhaps on another machine


class ClaimedPrivacy(Struct, frozen=True, kw_only=True):
    """What the card's noise makes of a patient's part, under both relations.

    Attributes:
        delta: At which epsilon is stated.
        names_delta: The part of it that the names of findings took.
        replace_one_epsilon: In nats.
        replace_one_mu: Everything that is released is mu-GDP, but for the names.
        add_remove_epsilon: In nats.
        add_remove_mu: The same under add-remove: the ceilings of membership follow it.
        printed_replace_one_epsilon: As the card prints it; None in a document of before.
        printed_add_remove_epsilon: Likewise.
    """

    delta: float
    names_delta: float
    replace_one_epsilon: float
    replace_one_mu: float
    add_remove_epsilon: float
    add_remove_mu: float
    printed_replace_one_epsilon: float | None = None
    printed_add_remove_epsilon: float | None = None

    @property
    def problems(self) -> tuple[str, ...]:
        """Where the card prints less than its noise gives, a sentence each.

        Every ceiling follows the noise, so no attack could refute such a card.
        """
        both = {
            "replace-one": (self.printed_replace_one_epsilon, self.replace_one_epsilon),
            "add-remove": (self.printed_add_remove_epsilon, self.add_remove_epsilon),
        }
        return tuple(
            f"the card prints epsilon {printed(said)} ({relation}), and its noise gives "
            f"{printed(true)}"
            for relation, (said, true) in both.items()
            if said is not None and not said >= true * (1 - CALIBRATION)
        )


class SyntheticEvaluation(Struct, frozen=True, kw_only=True):
    """All that was measured of a synthetic data set.

    Attributes:
        kind: Of the document.
        format: Of the document.
        version: Of the program that made it.
        seed: Of everything random.
        quick: Whether it was a first look, too weak to rely on.
        run: Random identifier of the synthesis.
        site: Name of the site whose file it is; empty for a data set.
        card_sha256: Of its card, in hexadecimal.
        weights_sha256: Of the public flow, in hexadecimal.
        method: Of synthesis.
        findings: Names that are told.
        images: Synthetic images that were looked at.
        claimed: By the card.
        cohort: Who was learnt from, as far as they were looked at.
        test: Other patients; None without any.
        verifier: Whose features and distances were used; None where nobody was compared.
        utility: AUC of readers on originals of other patients.
        fidelity: Likeness to the cohort, beside that of others.
        nearest: Distances of nearest originals.
        copying: Whether the cohort's patients are nearer than others.
        membership: Of attackers who ask who was learnt from.
        sharing: Of what a coordinator makes of a site's file: originals, and the site as a whole.
        canaries: Lower bound of what the method loses; None where it was not audited.
        unmeasured: What was not measured, and why.
        seconds: How long it took.

    Example:
        >>> SyntheticEvaluation.from_json({"kind": "synthetic evaluation"})  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        latentdp.errors.InputError: the evaluation is incomplete or of another version: ...
    """

    kind: Literal["synthetic evaluation"] = "synthetic evaluation"
    format: Literal[1]
    version: str
    seed: int
    quick: bool
    run: str
    site: str = ""
    card_sha256: str
    weights_sha256: str
    method: str
    findings: tuple[str, ...]
    images: int
    claimed: ClaimedPrivacy
    cohort: People
    test: People | None = None
    verifier: UsedVerifier | None = None
    utility: tuple[Measure, ...] = ()
    fidelity: tuple[Measure, ...] = ()
    nearest: tuple[Measure, ...] = ()
    copying: tuple[Outcome, ...] = ()
    membership: tuple[Outcome, ...] = ()
    sharing: tuple[Outcome, ...] = ()
    canaries: CanaryAudit | None = None
    unmeasured: tuple[Unavailable, ...] = ()
    seconds: float = 0.0

    @property
    def refuting(self) -> tuple[str, ...]:
        """What contradicts the claim, a sentence each; empty if nothing does."""
        lines = [f"REFUTED: {problem}" for problem in self.claimed.problems]
        for outcome in (*self.membership, *self.sharing, *self.copying):
            if outcome.refutes:
                row = outcome_row(outcome)
                lines.append(
                    f"REFUTED: {row.name}, {row.setting}: {row.metric} {row.both}, above the "
                    f"ceiling of {row.ceiling}"
                )
        if self.canaries is not None and self.canaries.problem:
            lines.append(f"REFUTED: {self.canaries.problem}")
        return tuple(lines)

    @property
    def refuted(self) -> bool:
        """Whether an attack did better than the card's guarantee allows, or its own noise does."""
        return bool(self.refuting)

    def to_json(self) -> dict[str, JsonValue]:
        """JSON values, in the order of the file."""
        return to_json(self)  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, values: object) -> Self:
        """The inverse of `to_json`.

        Raises:
            InputError: A part is missing or of another type, or it is no evaluation.
        """
        return from_json(values, cls, "the evaluation")
